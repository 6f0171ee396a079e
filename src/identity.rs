//! The identity of items: the guid of an item within its source, and the stored item that it matches.
//!
//! The functions are pure: callers pass the items of a document and the related facts from the database.
//! `docs/decisions/0009-items-are-recognized-by-two-properties-that-agree.md` gives the rules and their reasons.

pub mod comparison;
pub mod document_guids;
pub mod links;
pub mod recognition;
mod same_item;
