//! The reason for the time of a source's next poll. Only `wording::next_poll_text` converts it to text.

use super::HoldReason;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why the next poll of a source is due at its scheduled time. Stored as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NextPollReason {
    /// The source was just added.
    Added,
    /// The operator changed the source's URL.
    UrlChanged,
    /// The operator requested a poll.
    Requested,
    /// The last poll read a web page, and the feed to which the page links became the source's URL.
    FeedLinked,
    /// A poll has started but is not recorded yet. The reason remains if the program was killed during the poll.
    PollStarted {
        started_at: Timestamp,
        /// The reason before the poll started.
        planned: Box<NextPollReason>,
    },
    /// A delay after the last poll.
    Delay {
        /// The delay in seconds. Random jitter is added to it.
        delay_seconds: i64,
        cause: DelayCause,
        /// Whether the poll was postponed because the end of the delay was in an hour or on a day that the feed skips.
        moved_by_feed: bool,
    },
    /// The source's origin is on hold.
    OriginHold { hold: HoldReason },
    /// The feed asks not to be polled at this hour or on this day (RSS 2.0, `skipHours` and `skipDays`).
    SkippedByFeed,
    /// The operator cleared the hold on the source's origin.
    HoldCleared,
    /// The last poll failed while newsfold had no network connection.
    NetworkDown,
    /// The source's hub pushes new items reliably, so newsfold polls the source rarely.
    SafetyPoll { interval_seconds: i64 },
    /// The source's hub is no longer reliable, so a safety poll was moved back to the regular time.
    HubUnreliable,
    /// newsfold restarted and may have missed pushes, so a safety poll was moved back to the regular time.
    PushesMissed,
}

impl NextPollReason {
    /// Returns the reason for the scheduled poll. While a poll is in progress, this is the reason before the poll
    /// started.
    pub fn planned(&self) -> &NextPollReason {
        match self {
            NextPollReason::PollStarted { planned, .. } => planned,
            reason => reason,
        }
    }
}

/// The reason for the length of a delay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DelayCause {
    /// The configured minimum interval (`poll.interval`).
    MinInterval,
    /// The `ttl` element of RSS 2.0.
    FeedTtl,
    /// The `updatePeriod` and `updateFrequency` elements of the RSS 1.0 Syndication module.
    FeedUpdatePeriod,
    /// The minimum interval that the feed requests, which exceeds all other delays.
    FeedMinimum,
    /// The freshness lifetime of the response (RFC 9111).
    Freshness,
    /// The estimated update rate of the source.
    UpdateRate {
        items_per_hour: f64,
        limit: RateLimit,
        /// Whether the minimum interval is longer than the interval that the rate suggests.
        at_minimum: bool,
    },
    /// The time that the server requested (Retry-After, or the freshness lifetime of an error response).
    RetryAfter,
    /// Exponential backoff after failed polls.
    Backoff { failures: u32 },
    /// The server refused the request (403, or a bot challenge). Each consecutive refusal doubles the delay.
    Refused,
    /// The source redirects to an origin on hold.
    RedirectOnHold { origin: String },
    /// A second 410 response must confirm that the feed is gone.
    GoneConfirmation,
    /// newsfold has no network connection.
    NetworkDown,
    /// The last poll was interrupted.
    Interrupted,
}

/// The limit on the delay that is derived from an update rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RateLimit {
    /// The source's share of the poll budget, proportional to the square root of its rate.
    PollBudget,
    /// The maximum interval (`poll.max_interval`).
    MaxInterval,
    /// Half of the feed's window of `items` is expected to be new by the end of the delay.
    Window { items: u32 },
    /// The last document shared no items with the previous one, so newsfold may have missed items.
    Overflow { items: u32 },
    /// The window overflowed recently. The delay is increasing gradually.
    OverflowRecovery { items: u32 },
}
