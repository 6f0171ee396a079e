//! The identity of items: the guid of an item within its source, the stored item that it matches, and what the source
//! has edited since.
//!
//! The functions are pure: callers pass the items of a document and the related facts from the database.
//! `docs/decisions/0009-items-are-recognized-by-two-properties-that-agree.md` gives the rules and their reasons.

pub mod comparison;
pub mod document_guids;
pub mod links;
pub mod recognition;
pub mod revision;
mod same_item;
