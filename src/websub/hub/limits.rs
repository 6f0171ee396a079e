//! Whether a request may be taken now, and when its callback is asked. Pure: how things stand in, a time or a refusal out.
//!
//! Whoever asks us has us ask somebody else. So all of it is counted: by who asks, by the host that would be asked, and
//! over everybody.

use super::Options;
use super::request::Refusal;
use crate::domain::duration::after;
use crate::domain::{HubMode, Timestamp};
use crate::store::subscribers::Standing;
use axum::http::StatusCode;
use jiff::SignedDuration;

/// Between two questions to one callback about one topic.
pub const BETWEEN: SignedDuration = SignedDuration::from_secs(60);
/// Requests that wait for their callbacks: in all, of callbacks at one host, and by one client.
const PENDING: u32 = 1_000;
const PENDING_OF_HOST: u32 = 60;
const PENDING_OF_CLIENT: u32 = 120;
/// Requests of an hour that are taken: in all, for callbacks at one host, and by one client.
const HOUR: u32 = 5_000;
const HOUR_OF_HOST: u32 = 240;
const HOUR_OF_CLIENT: u32 = 240;
/// Subscribers at one host: a service that pushes on for many is one, and an attacker's is too.
const OF_HOST: u32 = 1_000;

/// When the callback of a request is asked; or why the request is not taken.
pub fn judge(standing: &Standing, mode: HubMode, options: &Options, now: Timestamp) -> Result<Timestamp, Refusal> {
    if mode == HubMode::Unsubscribe && !standing.subscribed && standing.pending_at.is_none() {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "this callback is not subscribed to this topic"));
    }
    let (pending, hour, subscribers) = (&standing.pending, &standing.hour, &standing.subscribers);
    if hour.of_client >= HOUR_OF_CLIENT || pending.of_client >= PENDING_OF_CLIENT {
        return Err(later(StatusCode::TOO_MANY_REQUESTS, "you have asked for too much within an hour"));
    }
    if hour.of_host >= HOUR_OF_HOST || pending.of_host >= PENDING_OF_HOST {
        return Err(later(
            StatusCode::TOO_MANY_REQUESTS,
            "too much was asked for callbacks at this host within an hour",
        ));
    }
    if hour.all >= HOUR || pending.all >= PENDING {
        return Err(later(StatusCode::SERVICE_UNAVAILABLE, "too much was asked of this hub within an hour"));
    }
    let joins = mode == HubMode::Subscribe && !standing.subscribed && standing.pending_at.is_none();
    let full = subscribers.all >= options.max_subscribers
        || subscribers.of_topic >= options.max_subscribers_per_topic
        || subscribers.of_host >= OF_HOST;
    if joins && full {
        return Err(later(StatusCode::SERVICE_UNAVAILABLE, "this hub has as many subscribers as it may"));
    }
    Ok(match (standing.pending_at, standing.asked_at) {
        // It takes the place of the other, and the callback is asked once.
        (Some(pending), _) => pending,
        (None, Some(asked)) => after(asked, BETWEEN).max(now),
        (None, None) => now,
    })
}

fn later(status: StatusCode, why: &str) -> Refusal {
    Refusal { status, why: why.to_owned(), retry_after: Some(SignedDuration::from_mins(15)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::subscribers::Counts;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn judged(standing: Standing, mode: HubMode) -> Result<Timestamp, u16> {
        judge(&standing, mode, &Options::default(), NOW).map_err(|refusal| refusal.status.as_u16())
    }

    fn seconds(n: i64) -> Timestamp {
        NOW + SignedDuration::from_secs(n)
    }

    #[test]
    fn a_callback_is_asked_about_a_topic_once_a_minute() {
        let asked = |at| Standing { asked_at: Some(seconds(at)), subscribed: true, ..Standing::default() };
        for mode in [HubMode::Subscribe, HubMode::Unsubscribe] {
            assert_eq!(judged(asked(-10), mode), Ok(seconds(50)));
            assert_eq!(judged(asked(-60), mode), Ok(NOW));
        }
        assert_eq!(judged(Standing::default(), HubMode::Subscribe), Ok(NOW));
        let pending = Standing { pending_at: Some(seconds(30)), ..asked(30) };
        assert_eq!(judged(pending, HubMode::Subscribe), Ok(seconds(30)), "once for both");
    }

    #[test]
    fn nobody_unsubscribes_who_is_not_subscribed() {
        assert_eq!(judged(Standing::default(), HubMode::Unsubscribe), Err(404));
        let pending = Standing { pending_at: Some(NOW), ..Standing::default() };
        assert_eq!(judged(pending, HubMode::Unsubscribe), Ok(NOW));
    }

    #[test]
    fn too_much_of_anybody_is_refused() {
        let all = |n| Counts { all: n, ..Counts::default() };
        let host = |n| Counts { of_host: n, ..Counts::default() };
        let client = |n| Counts { of_client: n, ..Counts::default() };
        let pending = |pending| Standing { pending, subscribed: true, ..Standing::default() };
        let hour = |hour| Standing { hour, subscribed: true, ..Standing::default() };
        for (standing, below, status) in [
            (pending(all(PENDING)), pending(all(PENDING - 1)), 503),
            (pending(host(PENDING_OF_HOST)), pending(host(PENDING_OF_HOST - 1)), 429),
            (pending(client(PENDING_OF_CLIENT)), pending(client(PENDING_OF_CLIENT - 1)), 429),
            (hour(all(HOUR)), hour(all(HOUR - 1)), 503),
            (hour(host(HOUR_OF_HOST)), hour(host(HOUR_OF_HOST - 1)), 429),
            (hour(client(HOUR_OF_CLIENT)), hour(client(HOUR_OF_CLIENT - 1)), 429),
        ] {
            for mode in [HubMode::Subscribe, HubMode::Unsubscribe] {
                assert_eq!(judged(standing.clone(), mode), Err(status), "{standing:?}");
                assert_eq!(judged(below.clone(), mode), Ok(NOW), "{below:?}");
            }
        }
    }

    #[test]
    fn a_full_hub_renews_and_lets_go_and_takes_nobody_else() {
        let options = Options::default();
        for subscribers in [
            Counts { all: options.max_subscribers, ..Counts::default() },
            Counts { of_topic: options.max_subscribers_per_topic, ..Counts::default() },
            Counts { of_host: OF_HOST, ..Counts::default() },
        ] {
            let full = Standing { subscribers, ..Standing::default() };
            assert_eq!(judged(full.clone(), HubMode::Subscribe), Err(503));
            let known = Standing { subscribed: true, ..full };
            assert_eq!(judged(known.clone(), HubMode::Subscribe), Ok(NOW));
            assert_eq!(judged(known, HubMode::Unsubscribe), Ok(NOW));
        }
    }
}
