//! URLs: their canonical form, their outlet, and the part that may be published.
//!
//! The functions are pure: they do not request URLs.

pub mod canonical;
pub mod feed_address;
pub mod feed_secrets;
pub mod media_type;
pub mod outlet;
pub mod outlet_name;
pub mod redact;
pub mod registrable_domain;
mod shared_host;
