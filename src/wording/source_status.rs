//! The status of a source in one or two words.

use crate::domain::{NextPollReason, PollOutcome, Source, SourceState};

/// The status of a source. The most urgent status comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceStatus {
    Failing,
    OnHold,
    Gone,
    Paused,
    NotPolled,
    Ok,
}

impl SourceStatus {
    pub fn of(source: &Source) -> SourceStatus {
        match source.state {
            SourceState::Gone => SourceStatus::Gone,
            SourceState::Paused | SourceState::Removed => SourceStatus::Paused,
            SourceState::Active if is_on_hold(source) => SourceStatus::OnHold,
            SourceState::Active => match source.last_outcome {
                None => SourceStatus::NotPolled,
                Some(outcome) if outcome.is_success() => SourceStatus::Ok,
                Some(_) => SourceStatus::Failing,
            },
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            SourceStatus::Failing => "failing",
            SourceStatus::OnHold => "on hold",
            SourceStatus::Gone => "gone",
            SourceStatus::Paused => "paused",
            SourceStatus::NotPolled => "not polled yet",
            SourceStatus::Ok => "OK",
        }
    }
}

/// Returns whether the source's server asked newsfold to pause polling, in a response to a poll of this source or of
/// another one.
fn is_on_hold(source: &Source) -> bool {
    use PollOutcome::{Challenged, Held, Refused, Throttled};
    matches!(source.last_outcome, Some(Throttled | Refused | Challenged | Held))
        || matches!(source.next_poll_reason, NextPollReason::OriginHold { .. })
}
