//! Whether a source has moved for good: what permanent redirects (301, 308) mean, over time. Pure.
//!
//! A misconfigured server, a captive portal or a lapsed domain sends permanent redirects too, and a URL that is given up
//! can't be had back. So another address is taken over only after many sightings over days, and where what stands there
//! is the same feed. From http to https at the same host is no other address, only a safer way to it.

use super::PollFacts;
use crate::domain::{OperatorEvent, OperatorEventKind, PendingRedirect, PollOutcome, PollRecord, Source, Timestamp};
use crate::urls::redact::redact_url;
use jiff::SignedDuration;
use url::Url;

/// Sightings in a row before a new address is believed.
const TIMES: u32 = 10;
/// Time from the first to the last of them.
const SPAN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Notes where a successful poll of `source` was led, and takes the address over where that is sure.
pub(super) fn judge(record: &mut PollRecord, source: &Source, permanent_redirect: Option<&Url>, facts: &PollFacts) {
    record.moving = permanent_redirect
        .map(Url::as_str)
        .filter(|to| *to != source.url)
        .map(|to| sighting(source, to, record.finished_at));
    let Some(moving) = &record.moving else { return };
    if facts.redirect_target_is_taken {
        return;
    }
    let long_enough = moving.times >= TIMES && record.finished_at.duration_since(moving.since) >= SPAN;
    let same_feed = record.outcome == PollOutcome::Read && facts.known_items > 0;
    if is_upgrade(&source.url, &moving.to) || (long_enough && same_feed) {
        let (from, to) = (redact_url(&source.url), redact_url(&moving.to));
        let detail = format!("{from} is polled at {to} from now on, where permanent redirects led");
        record.events.push(OperatorEvent { kind: OperatorEventKind::Moved, detail });
        record.new_url = Some(moving.to.clone());
        record.moving = None;
    }
}

fn sighting(source: &Source, to: &str, at: Timestamp) -> PendingRedirect {
    match &source.moving {
        Some(seen) if seen.to == to => PendingRedirect { times: seen.times.saturating_add(1), ..seen.clone() },
        _ => PendingRedirect { to: to.to_owned(), times: 1, since: at },
    }
}

/// The same address but for http that became https.
fn is_upgrade(from: &str, to: &str) -> bool {
    let (Ok(mut from), Ok(to)) = (Url::parse(from), Url::parse(to)) else { return false };
    from.scheme() == "http" && from.port().is_none() && from.set_scheme("https").is_ok() && from == to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_changes_the_scheme_and_nothing_else() {
        assert!(is_upgrade("http://a.example/feed?x=1", "https://a.example/feed?x=1"));
        for to in
            ["https://b.example/feed", "https://a.example/other", "http://a.example/feed", "https://a.example:444/feed"]
        {
            assert!(!is_upgrade("http://a.example/feed", to), "{to}");
        }
        assert!(!is_upgrade("https://a.example/feed", "http://a.example/feed"));
    }
}
