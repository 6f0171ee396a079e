//! The outcome of the policy: what is recorded of an attempt, and what changes for its source.

use crate::domain::{PollRecord, SourceUpdate};

/// What follows from an attempt.
#[derive(Debug, Clone)]
pub struct PollDecision {
    pub record: PollRecord,
    pub update: SourceUpdate,
}
