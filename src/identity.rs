//! The identity of items: the guid that an item has within its source, and which stored item it is.
//!
//! Pure: callers pass the items of a document and what the database knows about them.
//! `docs/decisions/0009-items-are-recognized-by-guid-link-or-title-and-day.md` gives the rules and their reasons.

pub mod document_guids;
pub mod recognition;
