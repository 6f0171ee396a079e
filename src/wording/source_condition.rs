//! The condition of a source in one or two words.

use crate::domain::{NextPollReason, PollOutcome, Source, SourceState};

/// The condition of a source. The most urgent condition comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceCondition {
    Failing,
    OnHold,
    Gone,
    Paused,
    NotPolled,
    Ok,
}

impl SourceCondition {
    pub fn of(source: &Source) -> SourceCondition {
        match source.state {
            SourceState::Gone => SourceCondition::Gone,
            SourceState::Paused | SourceState::Removed => SourceCondition::Paused,
            SourceState::Active if is_on_hold(source) => SourceCondition::OnHold,
            SourceState::Active => match source.last_outcome {
                None => SourceCondition::NotPolled,
                Some(outcome) if outcome.is_success() => SourceCondition::Ok,
                Some(_) => SourceCondition::Failing,
            },
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            SourceCondition::Failing => "failing",
            SourceCondition::OnHold => "on hold",
            SourceCondition::Gone => "gone",
            SourceCondition::Paused => "paused",
            SourceCondition::NotPolled => "not polled yet",
            SourceCondition::Ok => "OK",
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
