//! Describes the reason for the time of the next poll.

use super::{TimedText, duration, hold_reason_text};
use crate::domain::{DelayCause, NextPollReason, RateLimit};
use jiff::SignedDuration;

/// Describes the reason for the time of the next poll: `10 min after the last poll: the configured minimum interval`.
pub fn next_poll_text(reason: &NextPollReason) -> TimedText {
    match reason {
        NextPollReason::Added => "the source was just added".into(),
        NextPollReason::UrlChanged => "its URL was changed".into(),
        NextPollReason::Requested => "the operator requested a poll".into(),
        NextPollReason::FeedLinked => "the web page at its previous URL links to this feed".into(),
        NextPollReason::PollStarted { started_at, .. } => {
            let text = TimedText::from("the poll that started at ").time(*started_at);
            text.words(" is still running or was interrupted")
        }
        NextPollReason::Delay { delay_seconds, cause, moved_by_feed } => {
            let delay = duration(SignedDuration::from_secs(*delay_seconds));
            let moved = if *moved_by_feed { ", postponed past the hours and days that the feed skips" } else { "" };
            format!("{delay} after the last poll: {}{moved}", delay_cause(cause)).into()
        }
        NextPollReason::OriginHold { hold } => format!("its server is on hold: {}", hold_reason_text(hold)).into(),
        NextPollReason::SkippedByFeed => {
            "the feed asks not to be polled at this hour or on this day (skipHours, skipDays)".into()
        }
        NextPollReason::HoldCleared => "the hold on its server was cleared".into(),
        NextPollReason::NetworkDown => "newsfold had no network connection at the last poll".into(),
        NextPollReason::SafetyPoll { interval_seconds } => {
            let interval = duration(SignedDuration::from_secs(*interval_seconds));
            format!("{interval} after the last poll, as a safety poll: its hub pushes new items").into()
        }
        NextPollReason::HubUnreliable => "its hub is no longer reliable".into(),
        NextPollReason::PushesMissed => "newsfold restarted and may have missed pushes from its hub".into(),
    }
}

/// Describes the reason for the time of the next poll if it is neither a regular delay nor a failure, which is described
/// elsewhere.
pub fn unusual_poll_text(reason: &NextPollReason) -> Option<TimedText> {
    let is_usual = match reason {
        NextPollReason::Delay { moved_by_feed: true, .. } => false,
        NextPollReason::Delay { cause: DelayCause::UpdateRate { limit, .. }, .. } => {
            !matches!(limit, RateLimit::Overflow { .. } | RateLimit::OverflowRecovery { .. })
        }
        NextPollReason::Delay { cause, .. } => matches!(
            cause,
            DelayCause::MinInterval
                | DelayCause::FeedTtl
                | DelayCause::FeedUpdatePeriod
                | DelayCause::FeedMinimum
                | DelayCause::Freshness
                | DelayCause::Backoff { .. }
        ),
        NextPollReason::Added | NextPollReason::SafetyPoll { .. } => true,
        _ => false,
    };
    (!is_usual).then(|| next_poll_text(reason))
}

fn delay_cause(cause: &DelayCause) -> String {
    match cause {
        DelayCause::MinInterval => "the configured minimum interval".into(),
        DelayCause::FeedTtl => "the feed's ttl".into(),
        DelayCause::FeedUpdatePeriod => "the feed's updatePeriod".into(),
        DelayCause::FeedMinimum => "the minimum that the feed requests".into(),
        DelayCause::Freshness => "the server declares that its response stays fresh for this long".into(),
        DelayCause::UpdateRate { items_per_hour, limit, at_minimum } => {
            let minimum = if *at_minimum { "; polling as often as the minimum interval allows" } else { "" };
            format!("{}{minimum}", rate_limit(*items_per_hour, *limit))
        }
        DelayCause::RetryAfter => "requested by the server".into(),
        DelayCause::Backoff { failures: 1 } => "the last poll failed, and each failure doubles the delay".into(),
        DelayCause::Backoff { failures } => {
            format!("the last {failures} polls failed, and each failure doubles the delay")
        }
        DelayCause::Refused => "the server refused the request, and each refusal doubles the delay".into(),
        DelayCause::RedirectOnHold { origin } => format!("it redirects to {origin}, which is on hold"),
        DelayCause::GoneConfirmation => "to confirm that the feed is gone".into(),
        DelayCause::NetworkDown => {
            "newsfold has no network connection; all sources are polled when the connection is restored".into()
        }
        DelayCause::Interrupted => "the last poll was interrupted".into(),
    }
}

fn rate_limit(items_per_hour: f64, limit: RateLimit) -> String {
    let rate = match items_per_hour {
        rate if rate >= 9.95 => format!("about {rate:.0} new items per hour at this time"),
        rate if rate >= 0.095 => format!("about {rate:.1} new items per hour at this time"),
        rate => format!("about {:.1} new items per day", rate * 24.0),
    };
    match limit {
        RateLimit::PollBudget => format!("{rate}; the polling rate is proportional to the square root of this rate"),
        RateLimit::MaxInterval => format!("{rate}; polling at the maximum interval"),
        RateLimit::Window { items } => {
            format!("{rate}; half of the feed's {items} items are expected to be new by then")
        }
        RateLimit::Overflow { items } => {
            format!("none of the feed's {items} items appeared in the previous poll, so items may have been missed")
        }
        RateLimit::OverflowRecovery { items } => {
            format!("all {items} items of the feed were new in a recent poll; the delay is increasing gradually")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::wording::Audience;

    fn check(reason: NextPollReason, expected: &str) {
        assert_eq!(next_poll_text(&reason).format(Audience::PUBLIC), expected);
        let stored = serde_json::to_string(&reason).unwrap();
        assert_eq!(serde_json::from_str::<NextPollReason>(&stored).unwrap(), reason, "{stored}");
    }

    fn delay(minutes: i64, cause: DelayCause) -> NextPollReason {
        NextPollReason::Delay { delay_seconds: minutes * 60, cause, moved_by_feed: false }
    }

    #[test]
    fn regular_delays_and_failures_are_usual() {
        let rate = |limit| DelayCause::UpdateRate { items_per_hour: 1.0, limit, at_minimum: false };
        for usual in [DelayCause::FeedTtl, DelayCause::Backoff { failures: 2 }, rate(RateLimit::MaxInterval)] {
            assert_eq!(unusual_poll_text(&delay(10, usual.clone())), None, "{usual:?}");
        }
        for unusual in [delay(10, DelayCause::RetryAfter), delay(10, rate(RateLimit::Overflow { items: 9 }))] {
            assert_eq!(unusual_poll_text(&unusual), Some(next_poll_text(&unusual)));
        }
    }

    #[test]
    fn reasons_are_sentences_and_survive_storage() {
        check(delay(90, DelayCause::FeedTtl), "1 h 30 min after the last poll: the feed's ttl");
        check(
            delay(40, DelayCause::Backoff { failures: 2 }),
            "40 min after the last poll: the last 2 polls failed, and each failure doubles the delay",
        );
        let rate = |items_per_hour, limit, at_minimum| DelayCause::UpdateRate { items_per_hour, limit, at_minimum };
        check(
            delay(10, rate(169.2, RateLimit::Window { items: 20 }, true)),
            "10 min after the last poll: about 169 new items per hour at this time; half of the feed's 20 items are \
             expected to be new by then; polling as often as the minimum interval allows",
        );
        check(
            delay(1440, rate(0.01, RateLimit::MaxInterval, false)),
            "1 d after the last poll: about 0.2 new items per day; polling at the maximum interval",
        );
        check(
            NextPollReason::PollStarted { started_at: Timestamp::UNIX_EPOCH, planned: Box::new(NextPollReason::Added) },
            "the poll that started at 1 Jan 1970, 00:00 UTC is still running or was interrupted",
        );
    }
}
