//! URLs: their canonical form, their outlet, and what of them may be published.
//!
//! Pure: no URL is requested.

pub mod canonical;
pub mod outlet;
pub mod redact;
