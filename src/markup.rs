//! Lenient parsing of XML and HTML text: tokens, tags, character references and white space.
//!
//! The module builds no tree, never fails, and is independent of feeds and pages.

pub mod entities;
pub mod tag;
pub mod tokenizer;
pub mod whitespace;
