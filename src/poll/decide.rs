//! What an attempt means for its source: the record, the state, and when to ask again. Pure: facts in, record out.
//!
//! How long each kind of answer makes us wait is [`super::wait`]'s, what a redirect means [`super::moved`]'s.

use super::rate::{Rate, Seen};
use super::wait::{self, Wait};
use super::{Answer, Attempt, Known, Reading, moved};
use crate::model::duration::after;
use crate::model::{
    Event, EventKind, OriginHold, Outcome, OutletFrom, PollRecord, Source, SourceState, Timestamp, Validators,
};
use crate::normalize::outlet_of_site;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use url::Url;

/// How often sources are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A source is never polled sooner than this after the last poll.
    #[serde(with = "crate::model::duration")]
    pub interval: SignedDuration,
    /// Between two polls of a source, averaged over all of them: the budget that they share by how much they bring.
    #[serde(with = "crate::model::duration")]
    pub average_interval: SignedDuration,
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
            average_interval: SignedDuration::from_mins(20),
            max_interval: SignedDuration::from_hours(24),
            max_hold: SignedDuration::from_hours(7 * 24),
        }
    }
}

/// A feed that said it is gone is asked once more after this, then no more.
const GONE_CONFIRMATION: SignedDuration = SignedDuration::from_hours(24);
/// A source that failed so often in a row is broken, and the operator is told. At the default interval that is after
/// five hours.
pub const BROKEN: u32 = 5;

/// Judges an attempt to poll `source`.
pub fn decide(source: &Source, attempt: &mut Attempt, known: &Known, options: &Options) -> PollRecord {
    let at = attempt.finished_at;
    let mut record = blank(source, attempt);
    let origin = attempt.origin().map(str::to_owned);
    let wait = match &mut attempt.answer {
        Answer::Read(reading) => {
            let freshness = reading.freshness;
            take_over(&mut record, reading);
            let seen = Seen { items: reading.items.len(), new: &known.new };
            let by_rate = by_rate(&mut record, source, Some(seen), known, options);
            wait::after_success(&reading.wishes, freshness, by_rate, options)
        }
        Answer::NotModified { validators, freshness } => {
            record.outcome = Outcome::NotModified;
            record.validators = renewed(source.validators.as_ref(), validators.take());
            let by_rate = by_rate(&mut record, source, None, known, options);
            wait::after_success(&source.wishes, *freshness, by_rate, options)
        }
        Answer::Throttled { retry_after, freshness } => {
            record.outcome = Outcome::Throttled;
            record.failures = source.failures + 1;
            let asked = retry_after.unwrap_or_default().max(freshness.fresh_for.unwrap_or_default());
            let (asked, clamped) = wait::asked(asked, options);
            record.detail = format!("the server asked us to come later{clamped}");
            let wait = wait::longest([(asked, "the server asked for it"), wait::back_off(record.failures, options)]);
            record.hold_until = (!asked.is_zero()).then(|| after(at, asked));
            // Too many requests are counted by server (RFC 6585, section 4); unavailable may be this document alone.
            if attempt.status == Some(429) {
                record.origin_hold = hold(origin.as_deref(), after(at, wait.span), &record.detail);
            }
            wait
        }
        Answer::Refused { retry_after } => {
            record.outcome = Outcome::Refused;
            record.detail = "the server does not want newsfold here (403)".into();
            stay_away(&mut record, source, origin.as_deref(), *retry_after, known, options)
        }
        Answer::Challenged { by } => {
            record.outcome = Outcome::Challenged;
            record.detail = format!(
                "{by} asks for proof that a person asks, which newsfold never gives; ask the publisher to let feeds \
                 through"
            );
            stay_away(&mut record, source, origin.as_deref(), None, known, options)
        }
        Answer::Held { origin, until } => {
            record.outcome = Outcome::Held;
            record.failures = source.failures;
            record.detail = format!("it redirects to {origin}, which asked not to be asked before {until}");
            let left = until.duration_since(at).max(options.interval);
            Wait { span: left, reason: format!("{origin} asked us to stay away") }
        }
        Answer::Gone => {
            record.outcome = Outcome::Gone;
            record.failures = source.failures + 1;
            record.detail = "the server says that the feed is gone for good (410)".into();
            let since = *record.gone_since.get_or_insert(at);
            let confirmed_at = after(since, GONE_CONFIRMATION);
            if at >= confirmed_at {
                record.state = SourceState::Gone;
                record.events.push(Event { kind: EventKind::Gone, detail: record.detail.clone() });
            }
            let left = confirmed_at.duration_since(at).max(options.interval);
            Wait { span: left, reason: "to confirm that the feed is gone".into() }
        }
        Answer::Offline { detail, since } => {
            record.outcome = Outcome::Offline;
            record.failures = source.failures;
            record.detail = format!("no server can be reached since {since}: {detail}");
            wait::while_offline(at.duration_since(*since), options)
        }
        Answer::NotAFeed { detail, bytes, .. } => {
            record.outcome = Outcome::NotAFeed;
            record.bytes = *bytes;
            failed(&mut record, source, detail, options)
        }
        Answer::Failed { detail } | Answer::Unreachable { detail } => {
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
            Wait { span: options.interval, reason: "the last poll was cut off".into() }
        }
    };
    if record.outcome.is_success() {
        record.gone_since = None;
        record.feed_outlet = outlet_instead_of_guess(source, record.feed_site_url.as_deref());
        moved::judge(&mut record, source, attempt.moved_to.as_ref(), known);
    }
    tell(&mut record, source);
    schedule(&mut record, source, wait, options);
    record
}

/// Learns from a good answer how often the source brings something, and says how long to wait for that.
fn by_rate(
    record: &mut PollRecord,
    source: &Source,
    seen: Option<Seen>,
    known: &Known,
    options: &Options,
) -> (SignedDuration, String) {
    let mut rate = Rate::from_json(&source.rate);
    rate.observe(record.finished_at, seen);
    record.rate = rate.to_json();
    rate.wait(record.finished_at, known.pace, options.interval, options.max_interval)
}

/// The record of an attempt of which nothing is known yet: what stands of the source stays as it is.
fn blank(source: &Source, attempt: &Attempt) -> PollRecord {
    let at = attempt.finished_at;
    PollRecord {
        source: source.id,
        started_at: attempt.started_at,
        finished_at: at,
        url: if attempt.url.scheme() == "about" { source.url.clone() } else { attempt.url.to_string() },
        outcome: Outcome::Failed,
        status: attempt.status,
        detail: String::new(),
        bytes: 0,
        items: 0,
        requests: attempt.requests.clone(),
        problems: Vec::new(),
        state: SourceState::Active,
        failures: 0,
        next_poll_at: at,
        next_reason: String::new(),
        hold_until: None,
        origin_hold: None,
        moving: source.moving.clone(),
        new_url: None,
        gone_since: source.gone_since,
        rate: source.rate.clone(),
        events: Vec::new(),
        validators: source.validators.clone(),
        feed_title: None,
        feed_site_url: None,
        feed_outlet: None,
        feed_lang: None,
        feed_wishes: None,
    }
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
    record.feed_wishes = Some(reading.wishes.clone());
}

/// A 304 may renew the validators; what it carries none of stays good (RFC 9110, section 15.4.5; RFC 9111, 4.3.4).
fn renewed(old: Option<&Validators>, new: Option<Validators>) -> Option<Validators> {
    let Some(mut new) = new else { return old.cloned() };
    if let Some(old) = old.filter(|old| old.url == new.url) {
        new.etag = new.etag.or_else(|| old.etag.clone());
        new.last_modified = new.last_modified.or_else(|| old.last_modified.clone());
    }
    Some(new)
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

fn failed(record: &mut PollRecord, source: &Source, detail: &str, options: &Options) -> Wait {
    record.detail = crate::model::text::one_line(detail, 500);
    record.failures = source.failures + 1;
    wait::longest([wait::back_off(record.failures, options)])
}

/// A server that turns us away is left alone for hours. It is the whole server, unless it serves other sources well.
fn stay_away(
    record: &mut PollRecord,
    source: &Source,
    origin: Option<&str>,
    retry_after: Option<std::time::Duration>,
    known: &Known,
    options: &Options,
) -> Wait {
    record.failures = source.failures + 1;
    let (asked, clamped) = wait::asked(retry_after.unwrap_or_default(), options);
    record.detail.push_str(&clamped);
    let wait = wait::longest([wait::turned_away(source), (asked, "the server asked for it")]);
    let until = after(record.finished_at, wait.span);
    record.hold_until = Some(until);
    if !known.origin_serves_others {
        record.origin_hold = hold(origin, until, &record.detail);
    }
    wait
}

fn hold(origin: Option<&str>, until: Timestamp, reason: &str) -> Option<OriginHold> {
    Some(OriginHold { origin: origin?.to_owned(), until, reason: reason.to_owned() })
}

/// The operator hears once of a source that broke, and once that it is well again.
fn tell(record: &mut PollRecord, source: &Source) {
    if record.failures == BROKEN && source.failures < BROKEN {
        let detail = format!("{BROKEN} polls in a row failed; the last one: {}", record.detail);
        record.events.push(Event { kind: EventKind::Broken, detail });
    } else if record.outcome.is_success() && source.failures >= BROKEN {
        let detail = format!("it answers again, after {} polls that failed", source.failures);
        record.events.push(Event { kind: EventKind::Recovered, detail });
    }
}

/// Sets the next poll: what is added to the wait is only ever added.
fn schedule(record: &mut PollRecord, source: &Source, wait: Wait, options: &Options) {
    let at = record.finished_at;
    let wanted = after(after(at, wait.span), wait::jitter(&source.url, at, wait.span));
    record.next_poll_at = wanted;
    record.next_reason = format!("{} after the last poll: {}", wait::words(wait.span), wait.reason);
    if record.outcome.is_success() {
        let wishes = record.feed_wishes.as_ref().unwrap_or(&source.wishes);
        // However many hours are skipped, the feed is looked at once a day.
        let allowed = wishes.first_allowed(wanted, options.max_interval.saturating_sub(wait.span));
        if allowed > wanted {
            record.next_poll_at = allowed;
            record.next_reason.push_str(", and then the feed asks not to be fetched at that hour or on that day");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Freshness;
    use crate::model::{Request, SourceId, Wishes};
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
            wishes: Wishes::default(),
            moving: None,
            gone_since: None,
            rate: String::new(),
            validators: Some(validators("old")),
        }
    }

    fn validators(etag: &str) -> Validators {
        Validators { url: "https://a.example/feed".into(), etag: Some(etag.into()), last_modified: None }
    }

    fn judge(source: &Source, answer: Answer) -> PollRecord {
        judge_at(NOW, source, answer, None, &Known::default())
    }

    fn judge_at(at: Timestamp, source: &Source, answer: Answer, moved_to: Option<&str>, known: &Known) -> PollRecord {
        let status = match &answer {
            Answer::Throttled { .. } => Some(429),
            _ => None,
        };
        let mut attempt = Attempt {
            started_at: at,
            finished_at: at,
            url: Url::parse(&source.url).unwrap(),
            moved_to: moved_to.map(|url| Url::parse(url).unwrap()),
            requests: vec![Request { origin: "https://a.example".into(), status, bytes: 0 }],
            status,
            answer,
        };
        decide(source, &mut attempt, known, &Options::default())
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
            wishes: Wishes::default(),
            hub: None,
        }
    }

    fn reading(max_age: u64, ttl: u32) -> Answer {
        let freshness = Freshness { fresh_for: Some(Duration::from_secs(max_age)) };
        let wishes = Wishes { ttl_minutes: Some(ttl), ..Wishes::default() };
        Answer::Read(Box::new(Reading { freshness, wishes, ..plain_reading() }))
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
        let source = Source { wishes: Wishes { ttl_minutes: Some(60), ..Wishes::default() }, ..source() };
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
    fn a_304_renews_what_it_carries_and_leaves_the_rest() {
        let modified = Some(b"Sun, 01 Mar 2026 09:00:00 GMT".to_vec());
        let old = Validators { last_modified: modified.clone(), ..validators("old") };
        let source = Source { validators: Some(old), ..source() };
        let unchanged = |validators| Answer::NotModified { validators, freshness: Freshness::default() };
        let record = judge(&source, unchanged(Some(validators("new"))));
        assert_eq!(record.validators, Some(Validators { last_modified: modified, ..validators("new") }));
        let elsewhere = Validators { url: "https://b.example/".into(), ..validators("new") };
        assert_eq!(judge(&source, unchanged(Some(elsewhere.clone()))).validators, Some(elsewhere));
    }

    #[test]
    fn gone_is_confirmed_once_after_a_day_and_not_sooner() {
        let first = judge(&source(), Answer::Gone);
        assert_eq!((first.state, first.gone_since), (SourceState::Active, Some(NOW)));
        wait_minutes(&first, 24 * 60);
        let said = Source { last_outcome: Some(Outcome::Gone), gone_since: Some(NOW), ..source() };
        let again = |hours| {
            judge_at(after(NOW, SignedDuration::from_hours(hours)), &said, Answer::Gone, None, &Known::default())
        };
        let asked_by_hand = again(1);
        assert_eq!(asked_by_hand.state, SourceState::Active);
        assert!(asked_by_hand.next_poll_at >= after(NOW, SignedDuration::from_hours(24)));
        let confirmed = again(24);
        assert_eq!(confirmed.state, SourceState::Gone);
        assert_eq!(confirmed.events[0].kind, EventKind::Gone);
        assert_eq!(judge(&said, reading(0, 0)).gone_since, None, "it is there again");
    }

    #[test]
    fn being_turned_away_waits_four_hours_and_doubles_to_a_day() {
        let mut turned = source();
        let mut at = NOW;
        for hours in [4, 8, 16, 24, 24] {
            let record = judge_at(at, &turned, Answer::Refused { retry_after: None }, None, &Known::default());
            let until = after(at, SignedDuration::from_hours(hours));
            assert_eq!(record.hold_until, Some(until), "{hours} h");
            assert_eq!(record.origin_hold.unwrap().until, until, "the whole server");
            turned.last_outcome = Some(Outcome::Refused);
            turned.last_poll_at = Some(at);
            turned.hold_until = record.hold_until;
            at = record.next_poll_at;
        }
        let known = Known { origin_serves_others: true, ..Known::default() };
        let record = judge_at(NOW, &source(), Answer::Challenged { by: "Cloudflare" }, None, &known);
        assert_eq!(record.outcome, Outcome::Challenged);
        assert_eq!((record.origin_hold, record.hold_until.is_some()), (None, true), "it serves others well");
    }

    #[test]
    fn a_429_holds_its_server_and_a_clamp_is_told() {
        let throttled = |seconds| Answer::Throttled {
            retry_after: Some(Duration::from_secs(seconds)),
            freshness: Freshness::default(),
        };
        let record = judge(&source(), throttled(7200));
        let hold = record.origin_hold.unwrap();
        assert_eq!(
            (hold.origin.as_str(), hold.until),
            ("https://a.example", after(NOW, SignedDuration::from_hours(2)))
        );
        let record = judge(&source(), throttled(30 * 24 * 3600));
        assert!(record.detail.ends_with("after 720h; newsfold looks again after 168h"), "{}", record.detail);
    }

    #[test]
    fn a_new_address_is_taken_over_after_ten_sightings_in_seven_days_of_the_same_feed() {
        let to = "https://b.example/feed";
        let known = Known { shared_items: 3, ..Known::default() };
        let mut moving = source();
        let mut at = NOW;
        for n in 1..=10 {
            let record = judge_at(at, &moving, reading(0, 0), Some(to), &known);
            if n < 10 {
                assert_eq!(record.moving.as_ref().map(|moving| moving.times), Some(n));
                assert_eq!(record.new_url, None, "after {n} sightings");
            } else {
                assert_eq!(record.new_url.as_deref(), Some(to));
                assert_eq!(record.events[0].kind, EventKind::Moved);
            }
            moving.moving = record.moving;
            at = after(at, SignedDuration::from_hours(20));
        }
        let seen = |times, hours: i64| {
            let since = after(NOW, SignedDuration::from_hours(-hours));
            Source { moving: Some(crate::model::Moving { to: to.into(), times, since }), ..source() }
        };
        let taken_over = |source: &Source, answer, moved_to, known: &Known| {
            judge_at(NOW, source, answer, moved_to, known).new_url.is_some()
        };
        assert!(taken_over(&seen(9, 168), reading(0, 0), Some(to), &known));
        assert!(!taken_over(&seen(9, 167), reading(0, 0), Some(to), &known), "too soon");
        assert!(!taken_over(&seen(8, 200), reading(0, 0), Some(to), &known), "too few");
        assert!(!taken_over(&seen(99, 200), reading(0, 0), Some(to), &Known::default()), "another feed");
        let taken = Known { moved_to_is_taken: true, ..known.clone() };
        assert!(!taken_over(&seen(99, 200), reading(0, 0), Some(to), &taken), "another source is there");
        let unchanged = Answer::NotModified { validators: None, freshness: Freshness::default() };
        assert!(!taken_over(&seen(99, 200), unchanged, Some(to), &known), "nothing was read");
        let back = judge_at(NOW, &seen(9, 168), reading(0, 0), None, &known);
        assert_eq!(back.moving, None, "one poll that is not led away begins it anew");
        let failed = judge_at(NOW, &seen(9, 168), Answer::Failed { detail: String::new() }, None, &known);
        assert_eq!(failed.moving.unwrap().times, 9, "a failure says nothing");
    }

    #[test]
    fn https_at_the_same_host_is_taken_over_at_once() {
        let plain = Source { url: "http://a.example/feed".into(), ..source() };
        let record = judge_at(NOW, &plain, reading(0, 0), Some("https://a.example/feed"), &Known::default());
        assert_eq!(record.new_url.as_deref(), Some("https://a.example/feed"));
    }

    #[test]
    fn an_outage_of_our_own_blames_no_source() {
        let source = Source { failures: 2, ..source() };
        let offline = |since| Answer::Offline { detail: "no route".into(), since };
        let record = judge(&source, offline(NOW));
        assert_eq!((record.outcome, record.failures), (Outcome::Offline, 2));
        wait_minutes(&record, 10);
        wait_minutes(&judge(&source, offline(after(NOW, SignedDuration::from_hours(-90)))), 60);
    }

    #[test]
    fn a_source_that_breaks_and_one_that_recovers_are_told_once() {
        let told = |failures, answer| {
            judge(&Source { failures, ..source() }, answer).events.iter().map(|event| event.kind).collect::<Vec<_>>()
        };
        let failure = || Answer::Failed { detail: "refused".into() };
        assert_eq!(told(BROKEN - 1, failure()), [EventKind::Broken]);
        assert_eq!(told(BROKEN - 2, failure()), []);
        assert_eq!(told(BROKEN, failure()), []);
        assert_eq!(told(BROKEN, reading(0, 0)), [EventKind::Recovered]);
        assert_eq!(told(BROKEN - 1, reading(0, 0)), []);
    }

    #[test]
    fn skipped_hours_put_the_next_poll_off() {
        let wishes = Wishes { skip_hours: (0..6).collect(), ..Wishes::default() };
        let answer = Answer::Read(Box::new(Reading { wishes, ..plain_reading() }));
        let record = judge(&source(), answer);
        assert_eq!(record.next_poll_at, after(NOW, SignedDuration::from_hours(6)), "{}", record.next_reason);
        assert!(record.next_reason.contains("asks not to be fetched"), "{}", record.next_reason);
    }
}
