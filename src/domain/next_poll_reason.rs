//! The reason for the time of a source's next poll. Rendered to words by `wording::next_poll_text` alone.

use super::HoldReason;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why the next poll of a source is due when it is. Stored as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NextPollReason {
    /// The source was just added.
    Added,
    /// The operator changed the source's URL.
    UrlChanged,
    /// A poll has started but has not been recorded yet. The reason stays if the program was killed during the poll.
    PollStarted {
        started_at: Timestamp,
        /// The reason before the poll started.
        planned: Box<NextPollReason>,
    },
    /// A delay after the last poll.
    Delay {
        /// In seconds. Random jitter is added to it.
        delay_seconds: i64,
        cause: DelayCause,
        /// Whether the time after the delay was in an hour or on a day that the feed skips, so it was moved.
        moved_by_feed: bool,
    },
    /// The source's origin is on hold.
    OriginHold { hold: HoldReason },
    /// The feed asks not to be polled at this hour or on this day (RSS 2.0, `skipHours` and `skipDays`).
    SkippedByFeed,
    /// The operator cleared the hold of the source's origin.
    HoldCleared,
    /// The last poll failed while newsfold had no network connection.
    NetworkDown,
    /// The source's hub pushes new items reliably, so the source is polled rarely.
    SafetyPoll { interval_seconds: i64 },
    /// The source's hub is no longer reliable; a safety poll was moved back to the ordinary time.
    HubUnreliable,
    /// newsfold restarted and may have missed pushes; a safety poll was moved back to the ordinary time.
    PushesMissed,
}

impl NextPollReason {
    /// The reason, or the one before a poll started.
    pub fn planned(&self) -> &NextPollReason {
        match self {
            NextPollReason::PollStarted { planned, .. } => planned,
            reason => reason,
        }
    }
}

/// What determined the length of a delay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DelayCause {
    /// The configured minimum interval (`poll.interval`).
    MinInterval,
    /// `ttl` of RSS 2.0.
    FeedTtl,
    /// `updatePeriod` and `updateFrequency` of the RSS 1.0 module Syndication.
    FeedUpdatePeriod,
    /// The minimum that the feed asks for is longer than any other delay.
    FeedMinimum,
    /// The time for which the response is fresh (RFC 9111).
    Freshness,
    /// The estimated update rate of the source.
    UpdateRate {
        items_per_hour: f64,
        limit: RateLimit,
        /// Whether the minimum interval is longer than the rate calls for.
        at_minimum: bool,
    },
    /// The time that the server requested (Retry-After, or the freshness of an error response).
    RetryAfter,
    /// Exponential backoff after failed polls.
    Backoff { failures: u32 },
    /// The server refused the request (403, or a bot challenge). Each refusal in a row doubles the delay.
    Refused,
    /// The source redirects to an origin that is on hold.
    RedirectOnHold { origin: String },
    /// A second 410 response confirms that the feed is gone.
    GoneConfirmation,
    /// newsfold has no network connection.
    NetworkDown,
    /// The last poll was interrupted.
    Interrupted,
}

/// What limits the delay that follows from an update rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RateLimit {
    /// The source's share of the poll budget, proportional to the square root of its rate.
    PollBudget,
    /// The maximum interval (`poll.max_interval`).
    MaxInterval,
    /// Half of the feed's window of `items` is expected to be new by then.
    Window { items: u32 },
    /// The last document shared no item with the one before, so items may have been missed.
    Overflow { items: u32 },
    /// The window overflowed recently; the delay grows again step by step.
    OverflowRecovery { items: u32 },
}
