//! URLs: their canonical form, the outlet they belong to, and the form that is safe to show. Pure.

pub mod canonical;
pub mod outlet;
pub mod redact;
