//! Computes the delay before the next poll, the cause of the delay, and the end of the hours or days that a feed skips.
//! All functions are pure. [`super::failure_delay`] computes the delay after failures, and
//! [`super::update_rate::adaptive_delay`] the delay that depends on how often the source publishes.
//!
//! Sources: RSS 2.0 (`ttl`, `skipHours`, `skipDays`), RSS 1.0 module Syndication, RFC 9111 (freshness), RFC 9110
//! section 10.2.3 and RFC 6585 (Retry-After).

use super::Options;
use crate::domain::duration::after;
use crate::domain::{DelayCause, NextPollReason, PollingHints, ShortenedDelay, Source, Timestamp};
use jiff::SignedDuration;

/// A delay before the next poll, and its cause.
#[derive(Debug, Clone, PartialEq)]
pub struct PollDelay {
    pub span: SignedDuration,
    pub cause: DelayCause,
}

/// A delay that a server requested, limited to `poll.max_retry_after`.
pub(super) struct RequestedDelay {
    pub span: SignedDuration,
    /// Set if the requested delay was longer than the maximum.
    pub shortened: Option<ShortenedDelay>,
}

/// The jitter of a delay is at most a tenth of this span.
const MAX_JITTERED_SPAN: SignedDuration = SignedDuration::from_mins(20);
/// The maximum delay of a source while newsfold has no network connection.
const MAX_OFFLINE_DELAY: SignedDuration = SignedDuration::from_hours(1);

/// Returns the minimum delay after a success: the longest of the delays that the operator, the feed and its server
/// request. The operator's maximum interval caps the delays that the feed and its server request.
pub(super) fn min_delay(hints: &PollingHints, fresh_for: Option<SignedDuration>, options: &Options) -> PollDelay {
    longest([
        PollDelay { span: options.interval, cause: DelayCause::MinInterval },
        PollDelay { span: minutes(hints.ttl_minutes).min(options.max_interval), cause: DelayCause::FeedTtl },
        PollDelay {
            span: minutes(hints.period_minutes).min(options.max_interval),
            cause: DelayCause::FeedUpdatePeriod,
        },
        PollDelay { span: fresh_for.unwrap_or_default().min(options.max_interval), cause: DelayCause::Freshness },
    ])
}

/// Returns the minimum delay after every poll, regardless of its outcome, as requested by the operator and the feed.
pub(super) fn feed_minimum(hints: &PollingHints, options: &Options) -> SignedDuration {
    min_delay(hints, None, options).span
}

/// Returns the minimum delay after a poll that may never be recorded, because its program may be killed. The delay is
/// at least the delay that the feed and the freshness of the response required after the previous poll.
pub(super) fn until_recorded(source: &Source, options: &Options) -> SignedDuration {
    let previous = match source.next_poll_reason.planned() {
        NextPollReason::Delay {
            delay_seconds,
            cause:
                DelayCause::FeedTtl
                | DelayCause::FeedUpdatePeriod
                | DelayCause::FeedMinimum
                | DelayCause::Freshness
                | DelayCause::UpdateRate { .. },
            ..
        } => SignedDuration::from_secs(*delay_seconds),
        _ => SignedDuration::ZERO,
    };
    previous.min(options.max_interval).max(feed_minimum(&source.polling_hints, options))
}

/// Returns when a due source can be polled again if its feed skips the current hours or days; `None` if the source can
/// be polled now. Polls that are rescheduled at startup or at the end of a hold ignore skipped hours and days. A source
/// is always polled if its last poll was more than the maximum interval ago.
pub fn skip_until(source: &Source, options: &Options, now: Timestamp) -> Option<Timestamp> {
    let latest = after(source.last_poll_at?, options.max_interval);
    let limit = latest.duration_since(now).max(SignedDuration::ZERO);
    let allowed = source.polling_hints.first_allowed(now, limit);
    (allowed > now).then_some(allowed)
}

fn minutes(count: Option<u32>) -> SignedDuration {
    SignedDuration::from_mins(i64::from(count.unwrap_or(0)))
}

/// Returns the delay that a server requested, limited to the operator's maximum.
pub(super) fn requested_delay(requested: Option<SignedDuration>, options: &Options) -> RequestedDelay {
    let requested = requested.unwrap_or_default();
    let span = requested.min(options.max_retry_after);
    let shortened = (span < requested)
        .then(|| ShortenedDelay { requested_seconds: requested.as_secs(), kept_seconds: span.as_secs() });
    RequestedDelay { span, shortened }
}

/// Returns the delay while newsfold has no network connection: a quarter of the duration of the outage. Sources whose
/// own servers are down are therefore not polled at the minimum interval for the whole outage.
pub(super) fn while_offline(down: SignedDuration, options: &Options) -> PollDelay {
    let quarter = SignedDuration::from_millis((down.as_millis() / 4) as i64);
    PollDelay { span: quarter.min(MAX_OFFLINE_DELAY).max(options.interval), cause: DelayCause::NetworkDown }
}

/// Returns the longest delay, or the first one if several are equally long.
pub(super) fn longest<const N: usize>(delays: [PollDelay; N]) -> PollDelay {
    let longest = delays.into_iter().reduce(|longest, delay| if delay.span > longest.span { delay } else { longest });
    longest.unwrap_or_else(|| unreachable!("N is never 0"))
}

/// Returns the random part of a delay: at most a tenth of the delay and at most two minutes. It differs between sources
/// and polls, so the polls of sources that were added together drift apart.
pub(super) fn jitter(url: &str, at: Timestamp, span: SignedDuration) -> SignedDuration {
    let seed = format!("{url}\0{}", at.as_millisecond());
    let per_mille = xxhash_rust::xxh3::xxh3_64(seed.as_bytes()) % 1000;
    let tenth_of_per_mille = span.min(MAX_JITTERED_SPAN).as_millis() as i64 / 10_000;
    SignedDuration::from_millis(tenth_of_per_mille.saturating_mul(per_mille as i64))
}
