//! What an attempt means for its source: the record, the state, and when to ask again. Pure: facts in, record out.
//!
//! The next poll is never sooner than the operator's floor, the feed's `ttl`, the server's freshness and its
//! Retry-After allow; what is added at random is only ever added.

use super::{Answer, Attempt, Reading};
use crate::fetch::Freshness;
use crate::model::duration::after;
use crate::model::{Outcome, OutletFrom, PollRecord, Source, SourceState, Timestamp};
use crate::normalize::outlet_of_site;
use jiff::{SignedDuration, Unit};
use serde::{Deserialize, Serialize};
use url::Url;

/// How often sources are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A source is never polled sooner than this after the last poll.
    #[serde(with = "crate::model::duration")]
    pub interval: SignedDuration,
    /// However long a feed or its server asks us to wait after a good answer, we look again after this.
    #[serde(with = "crate::model::duration")]
    pub max_interval: SignedDuration,
    /// However long a server that throttles asks us to stay away, we look again after this.
    #[serde(with = "crate::model::duration")]
    pub max_hold: SignedDuration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            interval: SignedDuration::from_mins(10),
            max_interval: SignedDuration::from_hours(24),
            max_hold: SignedDuration::from_hours(7 * 24),
        }
    }
}

/// Longest time between polls of a source that keeps failing.
const MAX_BACK_OFF: SignedDuration = SignedDuration::from_hours(24);
/// A feed that said it is gone is asked once more after this, then no more.
const GONE_CONFIRMATION: SignedDuration = SignedDuration::from_hours(24);

/// Judges an attempt to poll `source`.
pub fn decide(source: &Source, attempt: &mut Attempt, options: &Options) -> PollRecord {
    let at = attempt.finished_at;
    let url = if attempt.url.scheme() == "about" { source.url.clone() } else { attempt.url.to_string() };
    let mut record = PollRecord {
        source: source.id,
        started_at: attempt.started_at,
        finished_at: at,
        url,
        outcome: Outcome::Failed,
        status: attempt.status,
        detail: String::new(),
        bytes: 0,
        items: 0,
        problems: Vec::new(),
        state: SourceState::Active,
        failures: 0,
        next_poll_at: at,
        next_reason: String::new(),
        hold_until: None,
        validators: source.validators.clone(),
        feed_title: None,
        feed_site_url: None,
        feed_outlet: None,
        feed_lang: None,
        feed_ttl_minutes: None,
    };
    let wait = match &mut attempt.answer {
        Answer::Read(reading) => {
            let freshness = reading.freshness;
            take_over(&mut record, reading);
            after_success(record.feed_ttl_minutes, freshness, options)
        }
        Answer::NotModified { validators, freshness } => {
            record.outcome = Outcome::NotModified;
            // A 304 may renew the validators; where it carries none the old ones stay good (RFC 9110, 15.4.5).
            if let Some(renewed) = validators.take() {
                record.validators = Some(renewed);
            }
            after_success(source.ttl_minutes, *freshness, options)
        }
        Answer::Throttled { retry_after, freshness } => {
            record.outcome = Outcome::Throttled;
            record.failures = source.failures + 1;
            let asked = retry_after.unwrap_or_default().max(freshness.fresh_for.unwrap_or_default());
            let asked = SignedDuration::try_from(asked).unwrap_or(options.max_hold).min(options.max_hold);
            record.detail = "the server asked us to come later".into();
            let wait = longest([(asked, "the server asked for it"), back_off(record.failures, options)]);
            record.hold_until = (!asked.is_zero()).then(|| after(at, asked));
            wait
        }
        Answer::Gone => {
            record.outcome = Outcome::Gone;
            record.failures = source.failures + 1;
            record.detail = "the server says that the feed is gone for good (410)".into();
            if source.last_outcome == Some(Outcome::Gone) {
                record.state = SourceState::Gone;
            }
            (GONE_CONFIRMATION.max(options.interval), "to confirm that the feed is gone".into())
        }
        Answer::NotAFeed { detail, bytes, .. } => {
            record.outcome = Outcome::NotAFeed;
            record.bytes = *bytes;
            failed(&mut record, source, detail, options)
        }
        Answer::Failed { detail } => {
            record.outcome = Outcome::Failed;
            failed(&mut record, source, detail, options)
        }
        Answer::Crashed { detail } => {
            record.outcome = Outcome::Crashed;
            failed(&mut record, source, detail, options)
        }
        Answer::Abandoned => {
            record.outcome = Outcome::Abandoned;
            record.failures = source.failures;
            record.detail = "newsfold was stopped before the poll had ended".into();
            (options.interval, "the last poll was cut off".into())
        }
    };
    if record.outcome.is_success() {
        record.feed_outlet = outlet_instead_of_guess(source, record.feed_site_url.as_deref());
    }
    let (span, reason) = wait;
    record.next_poll_at = after(after(at, span), jitter(source, at, span));
    record.next_reason = format!("{} after the last poll: {reason}", words(span));
    record
}

fn take_over(record: &mut PollRecord, reading: &mut Reading) {
    record.outcome = Outcome::Read;
    record.bytes = reading.bytes;
    record.items = reading.items.len() as u32;
    record.problems = std::mem::take(&mut reading.problems);
    // The validators of this very document or none: older ones would ask about a document that we no longer hold.
    record.validators = reading.validators.take();
    record.feed_title = reading.title.take();
    record.feed_site_url = reading.site_url.take();
    record.feed_lang = reading.lang.take();
    record.feed_ttl_minutes = reading.ttl_minutes;
}

/// Feeds are often served by another's host, so that the site which a feed calls its own says better whose it is. What
/// the operator named stays, and so does what a site said once: an outlet does not move with every poll.
fn outlet_instead_of_guess(source: &Source, site: Option<&str>) -> Option<String> {
    if source.outlet_from != OutletFrom::Guess {
        return None;
    }
    let site = Url::parse(site.or(source.site_url.as_deref())?).ok()?;
    outlet_of_site(&site)
}

fn after_success(ttl: Option<u32>, freshness: Freshness, options: &Options) -> (SignedDuration, String) {
    let ttl = SignedDuration::from_mins(i64::from(ttl.unwrap_or(0))).min(options.max_interval);
    let fresh = freshness.fresh_for.and_then(|d| SignedDuration::try_from(d).ok()).unwrap_or_default();
    longest([
        (options.interval, "the configured interval"),
        (ttl, "the feed's ttl"),
        (fresh.min(options.max_interval), "the server calls its answer fresh for so long"),
    ])
}

fn failed(record: &mut PollRecord, source: &Source, detail: &str, options: &Options) -> (SignedDuration, String) {
    record.detail = crate::model::text::one_line(detail, 500);
    record.failures = source.failures + 1;
    let (span, reason) = back_off(record.failures, options);
    (span, reason.into())
}

/// The interval, doubled with each failure in a row.
fn back_off(failures: u32, options: &Options) -> (SignedDuration, &'static str) {
    let doubled = options.interval.checked_mul(1 << failures.min(12)).unwrap_or(MAX_BACK_OFF);
    (doubled.min(MAX_BACK_OFF).max(options.interval), "the last polls failed, and each failure doubles the wait")
}

fn longest<const N: usize>(spans: [(SignedDuration, &str); N]) -> (SignedDuration, String) {
    let mut best = spans[0];
    for next in spans {
        if next.0 > best.0 {
            best = next;
        }
    }
    (best.0, best.1.to_owned())
}

/// Up to a tenth of the span, different for each source and poll, so that sources added together drift apart.
fn jitter(source: &Source, at: Timestamp, span: SignedDuration) -> SignedDuration {
    let seed = format!("{}\0{}", source.url, at.as_millisecond());
    let share = xxhash_rust::xxh3::xxh3_64(seed.as_bytes()) % 1000;
    SignedDuration::from_millis((span.as_millis() as i64 / 10_000).saturating_mul(share as i64))
}

/// A span as people say it: `1h 30m`.
fn words(span: SignedDuration) -> String {
    let unit = if span >= SignedDuration::from_mins(1) { Unit::Minute } else { Unit::Second };
    span.round(unit).map(|rounded| format!("{rounded:#}")).unwrap_or_else(|_| format!("{span:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SourceId, Validators};
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn source() -> Source {
        Source {
            id: SourceId(1),
            url: "https://a.example/feed".into(),
            outlet: "a.example".into(),
            outlet_from: OutletFrom::Guess,
            title: "A".into(),
            site_url: None,
            lang: None,
            priority: 0,
            tags: vec![],
            state: SourceState::Active,
            added_at: NOW,
            next_poll_at: NOW,
            next_reason: String::new(),
            last_poll_at: None,
            last_outcome: None,
            last_success_at: None,
            failures: 0,
            last_problem: String::new(),
            hold_until: None,
            ttl_minutes: None,
            validators: Some(validators("old")),
        }
    }

    fn validators(etag: &str) -> Validators {
        Validators { url: "https://a.example/feed".into(), etag: Some(etag.into()), last_modified: None }
    }

    fn judge(source: &Source, answer: Answer) -> PollRecord {
        let url = Url::parse(&source.url).unwrap();
        let mut attempt = Attempt { started_at: NOW, finished_at: NOW, url, status: None, answer };
        decide(source, &mut attempt, &Options::default())
    }

    fn plain_reading() -> Reading {
        Reading {
            bytes: 1,
            items: vec![],
            problems: vec![],
            validators: None,
            freshness: Freshness::default(),
            title: None,
            site_url: None,
            lang: None,
            ttl_minutes: None,
            hub: None,
        }
    }

    fn reading(max_age: u64, ttl: u32) -> Answer {
        let freshness = Freshness { fresh_for: Some(Duration::from_secs(max_age)) };
        Answer::Read(Box::new(Reading { freshness, ttl_minutes: Some(ttl), ..plain_reading() }))
    }

    fn wait_minutes(record: &PollRecord, least: i64) {
        let minutes = record.next_poll_at.duration_since(NOW).as_mins();
        assert!(
            (least..=least + least / 10 + 1).contains(&minutes),
            "{minutes} min for {least}: {}",
            record.next_reason
        );
    }

    #[test]
    fn the_longest_of_floor_ttl_and_freshness_counts() {
        wait_minutes(&judge(&source(), reading(0, 0)), 10);
        wait_minutes(&judge(&source(), reading(3600, 0)), 60);
        wait_minutes(&judge(&source(), reading(3600, 90)), 90);
        wait_minutes(&judge(&source(), reading(10_000_000, 0)), 24 * 60);
        assert_eq!(
            judge(&source(), reading(5400, 0)).next_reason,
            "1h 30m after the last poll: the server calls its answer fresh for so long"
        );
    }

    #[test]
    fn a_guessed_outlet_gives_way_to_the_feeds_own_site() {
        let named = |site: &str| Answer::Read(Box::new(Reading { site_url: Some(site.into()), ..plain_reading() }));
        let bbc = || named("https://www.bbc.co.uk/news");
        assert_eq!(judge(&source(), bbc()).feed_outlet.as_deref(), Some("bbc.co.uk"));
        assert_eq!(judge(&source(), named("https://feeds.feedburner.com/x")).feed_outlet, None);
        for outlet_from in [OutletFrom::Operator, OutletFrom::Site] {
            assert_eq!(judge(&Source { outlet_from, ..source() }, bbc()).feed_outlet, None);
        }
        let known = Source { site_url: Some("https://www.bbc.co.uk/".into()), ..source() };
        let unchanged = Answer::NotModified { validators: None, freshness: Freshness::default() };
        assert_eq!(judge(&known, unchanged).feed_outlet.as_deref(), Some("bbc.co.uk"));
        assert_eq!(judge(&known, Answer::Failed { detail: String::new() }).feed_outlet, None);
    }

    #[test]
    fn a_304_keeps_to_the_ttl_that_the_feed_gave_before() {
        let source = Source { ttl_minutes: Some(60), ..source() };
        wait_minutes(&judge(&source, Answer::NotModified { validators: None, freshness: Freshness::default() }), 60);
    }

    #[test]
    fn failures_double_the_wait_up_to_a_day() {
        for (failures, minutes) in [(0, 20), (1, 40), (2, 80), (30, 24 * 60)] {
            let source = Source { failures, ..source() };
            let record = judge(&source, Answer::Failed { detail: "refused".into() });
            wait_minutes(&record, minutes);
            assert_eq!((record.failures, record.detail.as_str()), (failures + 1, "refused"));
        }
    }

    #[test]
    fn retry_after_is_kept_and_held() {
        let throttled = |seconds| Answer::Throttled {
            retry_after: Some(Duration::from_secs(seconds)),
            freshness: Freshness::default(),
        };
        let record = judge(&source(), throttled(7200));
        wait_minutes(&record, 120);
        assert_eq!(record.hold_until, Some(NOW + SignedDuration::from_hours(2)));
        wait_minutes(&judge(&source(), throttled(u64::from(u32::MAX))), 7 * 24 * 60);
    }

    #[test]
    fn validators_follow_the_document_that_we_hold() {
        assert_eq!(judge(&source(), reading(0, 0)).validators, None, "the new document came without");
        let kept = Some(validators("old"));
        assert_eq!(judge(&source(), Answer::Failed { detail: String::new() }).validators, kept);
        let page = Answer::NotAFeed { detail: String::new(), feeds: vec![], bytes: 9 };
        assert_eq!(judge(&source(), page).validators, kept);
        let freshness = Freshness::default();
        assert_eq!(judge(&source(), Answer::NotModified { validators: None, freshness }).validators, kept);
        let renewed = Answer::NotModified { validators: Some(validators("new")), freshness };
        assert_eq!(judge(&source(), renewed).validators, Some(validators("new")));
    }

    #[test]
    fn gone_is_confirmed_once_after_a_day() {
        let first = judge(&source(), Answer::Gone);
        assert_eq!(first.state, SourceState::Active);
        wait_minutes(&first, 24 * 60);
        let before = Source { last_outcome: Some(Outcome::Gone), ..source() };
        assert_eq!(judge(&before, Answer::Gone).state, SourceState::Gone);
    }
}
