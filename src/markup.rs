//! Markup as text: a lenient tokenizer for XML and HTML, character references, and white space.
//!
//! Never builds a tree, never fails and knows nothing of feeds or pages.

pub mod entities;
pub mod tag;
pub mod tokenizer;
pub mod whitespace;
