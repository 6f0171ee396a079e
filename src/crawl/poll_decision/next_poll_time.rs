//! Sets the time of a source's next poll, from the delay that the outcome of the last poll requires.

use super::super::poll_delay::{self, PollDelay};
use super::{PollDecision, PollInput};
use crate::domain::duration::after;
use crate::domain::{DelayCause, NextPollReason};

/// Sets the time of the next poll. Adjustments only increase the delay.
pub(super) fn schedule_next_poll(
    input: &PollInput<'_>,
    delay: PollDelay,
    PollDecision { record, update }: &mut PollDecision,
) {
    let PollInput { source, options, .. } = *input;
    let at = record.finished_at;
    let hints = update.feed.as_ref().map_or(&source.polling_hints, |feed| &feed.polling_hints);
    // The feed's polling hints also apply while polls fail.
    let floor = PollDelay { span: poll_delay::feed_minimum(hints, options), cause: DelayCause::FeedMinimum };
    let delay = poll_delay::longest([delay, floor]);
    let mut next = after(after(at, delay.span), poll_delay::jitter(&source.url, at, delay.span));
    // A failed manual poll does not advance the next poll.
    let keeps_schedule = !record.outcome.is_success() && source.next_poll_at > next;
    if keeps_schedule {
        next = source.next_poll_at;
    }
    // A feed that skips every hour is polled once per maximum interval.
    let allowed = hints.first_allowed(next, options.max_interval.saturating_sub(next.duration_since(at)));
    update.next_poll_at = allowed.max(next);
    update.next_poll_reason = if keeps_schedule {
        source.next_poll_reason.planned().clone()
    } else {
        NextPollReason::Delay { delay_seconds: delay.span.as_secs(), cause: delay.cause, moved_by_feed: false }
    };
    if allowed > next
        && let NextPollReason::Delay { moved_by_feed, .. } = &mut update.next_poll_reason
    {
        *moved_by_feed = true;
    }
}
