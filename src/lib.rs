//! x
pub mod model;
pub mod clock;
pub mod store;
