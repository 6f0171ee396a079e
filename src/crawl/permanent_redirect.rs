//! Decides when a permanent redirect (301, 308) changes a source's URL. All functions are pure.
//!
//! Misconfigured servers, captive portals and lapsed domains also send permanent redirects, and a discarded URL cannot
//! be recovered. The URL therefore changes only after many redirects over several days, and only if the target serves
//! the same feed. A redirect from http to https on the same host takes effect immediately.

use super::poll_facts::PollFacts;
use crate::domain::{
    OperatorEvent, OperatorEventKind, PendingRedirect, PollOutcome, PollRecord, Source, SourceUpdate, Timestamp,
};
use crate::urls::redact::redact_url;
use jiff::SignedDuration;
use url::Url;

/// The number of consecutive redirects, and the time from the first to the last, before the URL changes.
const MIN_REDIRECTS: u32 = 10;
const MIN_REDIRECT_PERIOD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Records the redirect of a successful poll of `source` and changes the URL once the redirect has proved stable.
pub(super) fn apply(
    target: Option<&Url>,
    source: &Source,
    facts: &PollFacts,
    record: &PollRecord,
    update: &mut SourceUpdate,
) {
    let at = record.finished_at;
    update.pending_redirect =
        target.map(Url::as_str).filter(|to| *to != source.url).map(|to| count_redirect(source, to, at));
    let Some(redirect) = &update.pending_redirect else { return };
    if facts.redirect_target_is_taken {
        return;
    }
    let is_stable = redirect.times >= MIN_REDIRECTS && at.duration_since(redirect.since) >= MIN_REDIRECT_PERIOD;
    let is_same_feed = record.outcome == PollOutcome::Read && facts.known_items > 0;
    if is_https_upgrade(&source.url, &redirect.to) || (is_stable && is_same_feed) {
        let detail = format!(
            "permanent redirects changed its URL from {} to {}",
            redact_url(&source.url),
            redact_url(&redirect.to)
        );
        update.events.push(OperatorEvent::new(OperatorEventKind::Moved, detail));
        update.new_url = Some(redirect.to.clone());
        update.pending_redirect = None;
    }
}

fn count_redirect(source: &Source, to: &str, at: Timestamp) -> PendingRedirect {
    match &source.pending_redirect {
        Some(known) if known.to == to => PendingRedirect { times: known.times.saturating_add(1), ..known.clone() },
        _ => PendingRedirect { to: to.to_owned(), times: 1, since: at },
    }
}

/// Returns whether the URLs differ only in the scheme, which changed from http to https.
fn is_https_upgrade(from: &str, to: &str) -> bool {
    let (Ok(mut from), Ok(to)) = (Url::parse(from), Url::parse(to)) else { return false };
    from.scheme() == "http" && from.port().is_none() && from.set_scheme("https").is_ok() && from == to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_upgrade_changes_only_the_scheme() {
        assert!(is_https_upgrade("http://a.example/feed?x=1", "https://a.example/feed?x=1"));
        for to in
            ["https://b.example/feed", "https://a.example/other", "http://a.example/feed", "https://a.example:444/feed"]
        {
            assert!(!is_https_upgrade("http://a.example/feed", to), "{to}");
        }
        assert!(!is_https_upgrade("https://a.example/feed", "http://a.example/feed"));
    }
}
