//! Measures grouping on labeled items: reads them, replays them as the daemon would, and scores the outcome.

pub mod dataset;
pub mod metrics;
pub mod replay;
