//! Decides when the operator is informed that a source keeps failing, and that it has recovered.

use super::{PollDecision, PollInput};
use crate::domain::{OperatorEvent, OperatorEventKind, PollOutcome};

/// The number of consecutive failures after which the operator is informed. At the default interval, they take five
/// hours.
pub const BROKEN_AFTER_FAILURES: u32 = 5;

/// Informs the operator once when a source breaks and once when it recovers.
pub(super) fn add_failure_events(input: &PollInput<'_>, PollDecision { record, update }: &mut PollDecision) {
    let failures_before = input.source.failures;
    if update.failures == BROKEN_AFTER_FAILURES && failures_before < BROKEN_AFTER_FAILURES {
        // Events are published, but addresses inside our network must not be.
        let is_private = record.outcome == PollOutcome::PrivateAddress;
        let last = if is_private { "its address is not public" } else { &record.detail };
        let detail = format!("{BROKEN_AFTER_FAILURES} polls in a row failed; the last error: {last}");
        update.events.push(OperatorEvent::new(OperatorEventKind::Broken, detail));
    } else if record.outcome.is_success() && failures_before >= BROKEN_AFTER_FAILURES {
        let detail = format!("it responds again, after {failures_before} failed polls");
        update.events.push(OperatorEvent::new(OperatorEventKind::Recovered, detail));
    }
}
