//! How long to wait before a source is asked again, and why. Pure.
//!
//! Sources: RSS 2.0 (`ttl`, `skipHours`, `skipDays`), RSS 1.0 module Syndication, RFC 9111 (freshness), RFC 9110 section
//! 10.2.3 and RFC 6585 (Retry-After).

use super::Options;
use crate::domain::backoff::doubling;
use crate::domain::{PollOutcome, PollingHints, Source, Timestamp};
use crate::http_client::Freshness;
use jiff::{SignedDuration, Unit};
use std::time::Duration;

/// A time to wait, and why, in words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PollDelay {
    pub span: SignedDuration,
    pub reason: String,
}

/// Longest time between polls of a source that keeps failing.
const MAX_BACK_OFF: SignedDuration = SignedDuration::from_hours(24);
/// A server that turns us away (403) is left alone for so long; each further time doubles it.
const TURNED_AWAY: SignedDuration = SignedDuration::from_hours(4);
const MAX_TURNED_AWAY: SignedDuration = SignedDuration::from_hours(24);
/// What is added at random to a wait is at most a tenth of this.
const DRIFT: SignedDuration = SignedDuration::from_mins(20);
/// While our own network is down, a source is tried again at most this late.
const MAX_OFFLINE: SignedDuration = SignedDuration::from_hours(1);

/// After a good answer: not sooner than the operator, the feed and its server allow, but as late as the operator's
/// longest interval at most.
pub(super) fn min_delay(wishes: &PollingHints, freshness: Freshness, options: &Options) -> PollDelay {
    let fresh = freshness.fresh_for.and_then(|d| SignedDuration::try_from(d).ok()).unwrap_or_default();
    longest([
        (options.interval, "the configured interval"),
        (minutes(wishes.ttl_minutes).min(options.max_interval), "the feed's ttl"),
        (minutes(wishes.period_minutes).min(options.max_interval), "the feed says that it is updated so seldom"),
        (fresh.min(options.max_interval), "the server calls its answer fresh for so long"),
    ])
}

/// The part of that which the feed asks for at every poll.
pub(super) fn floor(wishes: &PollingHints, options: &Options) -> SignedDuration {
    min_delay(wishes, Freshness::default(), options).span
}

fn minutes(n: Option<u32>) -> SignedDuration {
    SignedDuration::from_mins(i64::from(n.unwrap_or(0)))
}

/// What a server asked for, and a remark where it is more than we keep to.
pub(super) fn asked(asked: Duration, options: &Options) -> (SignedDuration, String) {
    let asked = SignedDuration::try_from(asked).unwrap_or(SignedDuration::MAX);
    if asked <= options.max_retry_after {
        return (asked, String::new());
    }
    (
        options.max_retry_after,
        format!(", after {}; newsfold looks again after {}", words(asked), words(options.max_retry_after)),
    )
}

/// The interval, doubled with each failure in a row.
pub(super) fn back_off(failures: u32, options: &Options) -> (SignedDuration, &'static str) {
    let doubled = doubling(options.interval, MAX_BACK_OFF, failures);
    (doubled.max(options.interval), "the last polls failed, and each failure doubles the wait")
}

/// Twice as long as the last time, where it was turned away then too.
pub(super) fn turned_away(source: &Source) -> (SignedDuration, &'static str) {
    let again = matches!(source.last_outcome, Some(PollOutcome::Refused | PollOutcome::Challenged));
    let last = match (source.last_poll_at, source.hold_until) {
        (Some(polled), Some(held)) if again => held.duration_since(polled),
        _ => SignedDuration::ZERO,
    };
    let doubled = doubling(last, MAX_TURNED_AWAY, 1).max(TURNED_AWAY);
    (doubled, "the server turned us away, and each time doubles the wait")
}

/// While our own network is down a source bears no blame, and is tried again after a quarter of the time that it has
/// been down, so that sources which are dead themselves are not asked for ever as if they were not.
pub(super) fn while_offline(down: SignedDuration, options: &Options) -> PollDelay {
    let span = SignedDuration::from_millis((down.as_millis() / 4) as i64).min(MAX_OFFLINE).max(options.interval);
    PollDelay { span, reason: "our own network is down; all sources are polled once it is back".into() }
}

pub(super) fn longest<const N: usize>(spans: [(SignedDuration, &str); N]) -> PollDelay {
    let mut best = spans[0];
    for next in spans {
        if next.0 > best.0 {
            best = next;
        }
    }
    PollDelay { span: best.0, reason: best.1.to_owned() }
}

/// Up to a tenth of the span, or of [`DRIFT`] where that is shorter, different for each source and poll, so that sources added together drift apart.
pub(super) fn jitter(url: &str, at: Timestamp, span: SignedDuration) -> SignedDuration {
    let seed = format!("{url}\0{}", at.as_millisecond());
    let share = xxhash_rust::xxh3::xxh3_64(seed.as_bytes()) % 1000;
    SignedDuration::from_millis((span.min(DRIFT).as_millis() as i64 / 10_000).saturating_mul(share as i64))
}

/// A span as people say it: `1h 30m`.
pub(super) fn words(span: SignedDuration) -> String {
    let unit = if span >= SignedDuration::from_mins(1) { Unit::Minute } else { Unit::Second };
    span.round(unit).map(|rounded| format!("{rounded:#}")).unwrap_or_else(|_| format!("{span:#}"))
}
