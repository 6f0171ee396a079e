//! The identity of items: the guid that an item has within its source, and which stored item it is.
//!
//! Pure: callers pass the items of a document and what the database knows about them.
//! `docs/decisions/0009-items-are-recognized-by-two-properties-that-agree.md` gives the rules and their reasons.

pub mod comparison;
pub mod document_guids;
pub mod links;
pub mod recognition;
mod same_item;
