//! The status of a source in one or two words, and of all sources in a sentence.

use super::{Audience, TimedText, grouped_digits, poll_error};
use crate::domain::{NextPollReason, PollCounts, PollOutcome, Source, SourceState};
use std::collections::BTreeMap;

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

    /// Returns the number of sources with each status. The keys are the texts of the statuses.
    pub fn count(sources: &[Source]) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for source in sources {
            *counts.entry(SourceStatus::of(source).as_str()).or_default() += 1;
        }
        counts
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

/// Describes the error of the source's last poll; empty if that poll succeeded.
pub fn last_error(source: &Source, audience: Audience<'_>) -> TimedText {
    let outcome = source.last_outcome.unwrap_or(PollOutcome::Failed);
    poll_error(outcome, &source.last_error, source.last_error_time, audience)
}

/// Describes the last polls of all sources: `31 of 84 sources failed at their last poll.`
pub fn poll_state_text(counts: &PollCounts) -> String {
    let PollCounts { active, unpolled, failing } = *counts;
    let of = |count: u64| format!("{} of {} sources", grouped_digits(count), grouped_digits(active));
    let mut sentences = Vec::new();
    if failing > 0 {
        sentences.push(format!("{} failed at their last poll.", of(failing)));
    } else if active > unpolled {
        sentences.push("No source failed at its last poll.".to_owned());
    }
    if unpolled > 0 {
        sentences.push(format!("{} have not been polled yet.", of(unpolled)));
    }
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_of_all_sources_names_failures_and_unpolled_sources() {
        let text = |active, unpolled, failing| poll_state_text(&PollCounts { active, unpolled, failing });
        assert_eq!(text(84, 0, 31), "31 of 84 sources failed at their last poll.");
        assert_eq!(text(84, 3, 0), "No source failed at its last poll. 3 of 84 sources have not been polled yet.");
        assert_eq!((text(2, 2, 0), text(0, 0, 0)), ("2 of 2 sources have not been polled yet.".into(), String::new()));
    }
}
