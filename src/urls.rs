//! URLs: their canonical form, their outlet, and the part of them that may be published.
//!
//! Pure: no URL is requested.

pub mod canonical;
pub mod feed_address;
pub mod outlet;
pub mod redact;
pub mod registrable_domain;
mod shared_host;
