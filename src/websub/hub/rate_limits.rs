//! Whether a request may be taken now, and when its callback is asked. Pure: how things stand in, a time or a refusal out.
//!
//! Whoever asks us has us ask somebody else. So all of it is counted: by who asks, by the host that would be asked, and
//! over everybody.

use super::Options;
use super::subscription_request::RequestRefusal;
use crate::domain::duration::after;
use crate::domain::{HubMode, Timestamp};
use crate::store::websub_subscribers::RateLimitCounts;
use axum::http::StatusCode;
use jiff::SignedDuration;

/// Between two questions to one callback about one topic.
pub const MIN_VERIFICATION_INTERVAL: SignedDuration = SignedDuration::from_secs(60);
/// Requests that wait for their callbacks: in all, of callbacks at one host, and by one client.
const MAX_PENDING: u32 = 1_000;
const MAX_PENDING_PER_HOST: u32 = 60;
const MAX_PENDING_PER_CLIENT: u32 = 120;
/// Requests of an hour that are taken: in all, for callbacks at one host, and by one client.
const MAX_HOURLY: u32 = 5_000;
const MAX_HOURLY_PER_HOST: u32 = 240;
const MAX_HOURLY_PER_CLIENT: u32 = 240;
/// Subscribers at one host: a service that pushes on for many is one, and an attacker's is too.
const MAX_SUBSCRIBERS_PER_HOST: u32 = 1_000;

/// When the callback of a request is asked; or why the request is not taken.
pub fn check(
    counts: &RateLimitCounts,
    mode: HubMode,
    options: &Options,
    now: Timestamp,
) -> Result<Timestamp, RequestRefusal> {
    if mode == HubMode::Unsubscribe && !counts.subscribed && counts.pending_at.is_none() {
        return Err(RequestRefusal::new(StatusCode::NOT_FOUND, "this callback is not subscribed to this topic"));
    }
    let (pending, hour, subscribers) = (&counts.pending, &counts.hour, &counts.subscribers);
    if hour.of_client >= MAX_HOURLY_PER_CLIENT || pending.of_client >= MAX_PENDING_PER_CLIENT {
        return Err(later(StatusCode::TOO_MANY_REQUESTS, "you have asked for too much within an hour"));
    }
    if hour.of_host >= MAX_HOURLY_PER_HOST || pending.of_host >= MAX_PENDING_PER_HOST {
        return Err(later(
            StatusCode::TOO_MANY_REQUESTS,
            "too much was asked for callbacks at this host within an hour",
        ));
    }
    if hour.all >= MAX_HOURLY || pending.all >= MAX_PENDING {
        return Err(later(StatusCode::SERVICE_UNAVAILABLE, "too much was asked of this hub within an hour"));
    }
    let joins = mode == HubMode::Subscribe && !counts.subscribed && counts.pending_at.is_none();
    let full = subscribers.all >= options.max_subscribers
        || subscribers.of_topic >= options.max_subscribers_per_topic
        || subscribers.of_host >= MAX_SUBSCRIBERS_PER_HOST;
    if joins && full {
        return Err(later(StatusCode::SERVICE_UNAVAILABLE, "this hub has as many subscribers as it may"));
    }
    Ok(match (counts.pending_at, counts.asked_at) {
        // It takes the place of the other, and the callback is asked once.
        (Some(pending), _) => pending,
        (None, Some(asked)) => after(asked, MIN_VERIFICATION_INTERVAL).max(now),
        (None, None) => now,
    })
}

fn later(status: StatusCode, why: &str) -> RequestRefusal {
    RequestRefusal { status, why: why.to_owned(), retry_after: Some(SignedDuration::from_mins(15)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::websub_subscribers::RequestCounts;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn judged(counts: RateLimitCounts, mode: HubMode) -> Result<Timestamp, u16> {
        check(&counts, mode, &Options::default(), NOW).map_err(|refusal| refusal.status.as_u16())
    }

    fn seconds(n: i64) -> Timestamp {
        NOW + SignedDuration::from_secs(n)
    }

    #[test]
    fn a_callback_is_asked_about_a_topic_once_a_minute() {
        let asked =
            |at| RateLimitCounts { asked_at: Some(seconds(at)), subscribed: true, ..RateLimitCounts::default() };
        for mode in [HubMode::Subscribe, HubMode::Unsubscribe] {
            assert_eq!(judged(asked(-10), mode), Ok(seconds(50)));
            assert_eq!(judged(asked(-60), mode), Ok(NOW));
        }
        assert_eq!(judged(RateLimitCounts::default(), HubMode::Subscribe), Ok(NOW));
        let pending = RateLimitCounts { pending_at: Some(seconds(30)), ..asked(30) };
        assert_eq!(judged(pending, HubMode::Subscribe), Ok(seconds(30)), "once for both");
    }

    #[test]
    fn nobody_unsubscribes_who_is_not_subscribed() {
        assert_eq!(judged(RateLimitCounts::default(), HubMode::Unsubscribe), Err(404));
        let pending = RateLimitCounts { pending_at: Some(NOW), ..RateLimitCounts::default() };
        assert_eq!(judged(pending, HubMode::Unsubscribe), Ok(NOW));
    }

    #[test]
    fn too_much_of_anybody_is_refused() {
        let all = |n| RequestCounts { all: n, ..RequestCounts::default() };
        let host = |n| RequestCounts { of_host: n, ..RequestCounts::default() };
        let client = |n| RequestCounts { of_client: n, ..RequestCounts::default() };
        let pending = |pending| RateLimitCounts { pending, subscribed: true, ..RateLimitCounts::default() };
        let hour = |hour| RateLimitCounts { hour, subscribed: true, ..RateLimitCounts::default() };
        for (counts, below, status) in [
            (pending(all(MAX_PENDING)), pending(all(MAX_PENDING - 1)), 503),
            (pending(host(MAX_PENDING_PER_HOST)), pending(host(MAX_PENDING_PER_HOST - 1)), 429),
            (pending(client(MAX_PENDING_PER_CLIENT)), pending(client(MAX_PENDING_PER_CLIENT - 1)), 429),
            (hour(all(MAX_HOURLY)), hour(all(MAX_HOURLY - 1)), 503),
            (hour(host(MAX_HOURLY_PER_HOST)), hour(host(MAX_HOURLY_PER_HOST - 1)), 429),
            (hour(client(MAX_HOURLY_PER_CLIENT)), hour(client(MAX_HOURLY_PER_CLIENT - 1)), 429),
        ] {
            for mode in [HubMode::Subscribe, HubMode::Unsubscribe] {
                assert_eq!(judged(counts.clone(), mode), Err(status), "{counts:?}");
                assert_eq!(judged(below.clone(), mode), Ok(NOW), "{below:?}");
            }
        }
    }

    #[test]
    fn a_full_hub_renews_and_lets_go_and_takes_nobody_else() {
        let options = Options::default();
        for subscribers in [
            RequestCounts { all: options.max_subscribers, ..RequestCounts::default() },
            RequestCounts { of_topic: options.max_subscribers_per_topic, ..RequestCounts::default() },
            RequestCounts { of_host: MAX_SUBSCRIBERS_PER_HOST, ..RequestCounts::default() },
        ] {
            let full = RateLimitCounts { subscribers, ..RateLimitCounts::default() };
            assert_eq!(judged(full.clone(), HubMode::Subscribe), Err(503));
            let known = RateLimitCounts { subscribed: true, ..full };
            assert_eq!(judged(known.clone(), HubMode::Subscribe), Ok(NOW));
            assert_eq!(judged(known, HubMode::Unsubscribe), Ok(NOW));
        }
    }
}
