//! Computes the backoff of a source: the delay before the next poll after consecutive failures or refusals.

use super::Options;
use super::poll_delay::PollDelay;
use crate::domain::doubling_delay::doubling;
use crate::domain::{DelayCause, PollOutcome, Source};
use jiff::SignedDuration;

/// The maximum delay of a source that fails repeatedly.
const MAX_FAILURE_DELAY: SignedDuration = SignedDuration::from_hours(24);
/// The delay after the first refusal (403 or a bot challenge). Each consecutive refusal doubles it.
const FIRST_REFUSAL_DELAY: SignedDuration = SignedDuration::from_hours(4);
const MAX_REFUSAL_DELAY: SignedDuration = SignedDuration::from_hours(24);

/// Returns the minimum interval, doubled for each consecutive failure.
pub(super) fn after_failures(failures: u32, options: &Options) -> PollDelay {
    let span = doubling(options.interval, MAX_FAILURE_DELAY, failures).max(options.interval);
    PollDelay { span, cause: DelayCause::Backoff { failures } }
}

/// Returns the delay after a refusal. It doubles if the last poll was also refused.
pub(super) fn after_refusal(source: &Source) -> PollDelay {
    let refused_again = matches!(source.last_outcome, Some(PollOutcome::Refused | PollOutcome::Challenged));
    let last = match (source.last_poll_at, source.hold_until) {
        (Some(polled), Some(held)) if refused_again => held.duration_since(polled),
        _ => SignedDuration::ZERO,
    };
    let span = doubling(last, MAX_REFUSAL_DELAY, 1).max(FIRST_REFUSAL_DELAY);
    PollDelay { span, cause: DelayCause::Refused }
}
