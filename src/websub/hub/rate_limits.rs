//! Decides whether our own hub accepts a request now, and when it verifies the request with the callback. Pure
//! functions map counts to a time or a refusal.
//!
//! Each accepted request makes the hub send a request to a third party. The limits therefore count requests per client,
//! per callback host, and in total.

use super::Options;
use super::subscription_request::RequestRefusal;
use crate::domain::duration::after;
use crate::domain::{HubMode, RateLimitCounts, Timestamp};
use jiff::SignedDuration;

/// The minimum time between two verification requests to a callback for the same topic.
pub const MIN_VERIFICATION_INTERVAL: SignedDuration = SignedDuration::from_secs(60);
/// The maximum number of requests that await confirmation.
const MAX_PENDING: u32 = 1_000;
const MAX_PENDING_PER_HOST: u32 = 60;
const MAX_PENDING_PER_CLIENT: u32 = 120;
/// The maximum number of requests accepted per hour.
const MAX_HOURLY: u32 = 5_000;
const MAX_HOURLY_PER_HOST: u32 = 240;
const MAX_HOURLY_PER_CLIENT: u32 = 240;
/// The maximum number of subscribers at one host: high enough for a service that forwards to many users, and low enough
/// to limit the host of an attacker.
const MAX_SUBSCRIBERS_PER_HOST: u32 = 1_000;

/// Returns when to send the verification request to the callback.
///
/// # Errors
/// Returns a refusal if the request exceeds a limit or unsubscribes a callback that is not subscribed.
pub fn check(
    counts: &RateLimitCounts,
    mode: HubMode,
    options: &Options,
    now: Timestamp,
) -> Result<Timestamp, RequestRefusal> {
    let is_new = !counts.subscribed && counts.pending_at.is_none();
    if mode == HubMode::Unsubscribe && is_new {
        return Err(RequestRefusal::NotSubscribed);
    }
    let (pending, hourly, subscribers) = (&counts.pending, &counts.last_hour, &counts.subscribers);
    if hourly.same_client >= MAX_HOURLY_PER_CLIENT || pending.same_client >= MAX_PENDING_PER_CLIENT {
        return Err(RequestRefusal::ClientLimit);
    }
    if hourly.same_host >= MAX_HOURLY_PER_HOST || pending.same_host >= MAX_PENDING_PER_HOST {
        return Err(RequestRefusal::HostLimit);
    }
    if hourly.total >= MAX_HOURLY || pending.total >= MAX_PENDING {
        return Err(RequestRefusal::HubLimit);
    }
    let is_full = subscribers.total >= options.max_subscribers
        || subscribers.same_topic >= options.max_subscribers_per_topic
        || subscribers.same_host >= MAX_SUBSCRIBERS_PER_HOST;
    if mode == HubMode::Subscribe && is_new && is_full {
        return Err(RequestRefusal::SubscriberLimit);
    }
    Ok(match (counts.pending_at, counts.verified_at) {
        // The request replaces the pending request, so one verification suffices.
        (Some(pending_at), _) => pending_at,
        (None, Some(verified_at)) => after(verified_at, MIN_VERIFICATION_INTERVAL).max(now),
        (None, None) => now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RequestCounts;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn check_default(counts: RateLimitCounts, mode: HubMode) -> Result<Timestamp, RequestRefusal> {
        check(&counts, mode, &Options::default(), NOW)
    }

    fn seconds(n: i64) -> Timestamp {
        NOW + SignedDuration::from_secs(n)
    }

    #[test]
    fn callback_is_asked_about_a_topic_at_most_once_a_minute() {
        let verified =
            |at| RateLimitCounts { verified_at: Some(seconds(at)), subscribed: true, ..RateLimitCounts::default() };
        for mode in [HubMode::Subscribe, HubMode::Unsubscribe] {
            assert_eq!(check_default(verified(-10), mode), Ok(seconds(50)));
            assert_eq!(check_default(verified(-60), mode), Ok(NOW));
        }
        assert_eq!(check_default(RateLimitCounts::default(), HubMode::Subscribe), Ok(NOW));
        let pending = RateLimitCounts { pending_at: Some(seconds(30)), ..verified(30) };
        assert_eq!(check_default(pending, HubMode::Subscribe), Ok(seconds(30)), "once for both");
    }

    #[test]
    fn callback_without_a_subscription_cannot_unsubscribe() {
        let unknown = RateLimitCounts::default();
        assert_eq!(check_default(unknown, HubMode::Unsubscribe), Err(RequestRefusal::NotSubscribed));
        let pending = RateLimitCounts { pending_at: Some(NOW), ..RateLimitCounts::default() };
        assert_eq!(check_default(pending, HubMode::Unsubscribe), Ok(NOW));
    }

    #[test]
    fn request_above_a_limit_is_refused() {
        let total = |n| RequestCounts { total: n, ..RequestCounts::default() };
        let host = |n| RequestCounts { same_host: n, ..RequestCounts::default() };
        let client = |n| RequestCounts { same_client: n, ..RequestCounts::default() };
        let pending = |pending| RateLimitCounts { pending, subscribed: true, ..RateLimitCounts::default() };
        let hourly = |last_hour| RateLimitCounts { last_hour, subscribed: true, ..RateLimitCounts::default() };
        for (reached, below, refusal) in [
            (pending(total(MAX_PENDING)), pending(total(MAX_PENDING - 1)), RequestRefusal::HubLimit),
            (pending(host(MAX_PENDING_PER_HOST)), pending(host(MAX_PENDING_PER_HOST - 1)), RequestRefusal::HostLimit),
            (
                pending(client(MAX_PENDING_PER_CLIENT)),
                pending(client(MAX_PENDING_PER_CLIENT - 1)),
                RequestRefusal::ClientLimit,
            ),
            (hourly(total(MAX_HOURLY)), hourly(total(MAX_HOURLY - 1)), RequestRefusal::HubLimit),
            (hourly(host(MAX_HOURLY_PER_HOST)), hourly(host(MAX_HOURLY_PER_HOST - 1)), RequestRefusal::HostLimit),
            (
                hourly(client(MAX_HOURLY_PER_CLIENT)),
                hourly(client(MAX_HOURLY_PER_CLIENT - 1)),
                RequestRefusal::ClientLimit,
            ),
        ] {
            for mode in [HubMode::Subscribe, HubMode::Unsubscribe] {
                assert_eq!(check_default(reached.clone(), mode), Err(refusal.clone()), "{reached:?}");
                assert_eq!(check_default(below.clone(), mode), Ok(NOW), "{below:?}");
            }
        }
    }

    #[test]
    fn full_hub_renews_and_ends_subscriptions_but_adds_none() {
        let options = Options::default();
        for subscribers in [
            RequestCounts { total: options.max_subscribers, ..RequestCounts::default() },
            RequestCounts { same_topic: options.max_subscribers_per_topic, ..RequestCounts::default() },
            RequestCounts { same_host: MAX_SUBSCRIBERS_PER_HOST, ..RequestCounts::default() },
        ] {
            let full = RateLimitCounts { subscribers, ..RateLimitCounts::default() };
            assert_eq!(check_default(full.clone(), HubMode::Subscribe), Err(RequestRefusal::SubscriberLimit));
            let subscribed = RateLimitCounts { subscribed: true, ..full };
            assert_eq!(check_default(subscribed.clone(), HubMode::Subscribe), Ok(NOW));
            assert_eq!(check_default(subscribed, HubMode::Unsubscribe), Ok(NOW));
        }
    }
}
