//! Lenient reading of XML and HTML text: tokenizer, tags, character references, white space.
//!
//! Never builds a tree, never fails, and knows nothing about feeds or pages.

pub mod entities;
pub mod tag;
pub mod tokenizer;
pub mod whitespace;
