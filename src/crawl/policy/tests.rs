//! What each kind of answer means for a source.

use super::*;
use crate::domain::{PollingHints, RequestRecord, SourceId};
use crate::http_client::Freshness;
use std::time::Duration;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn source() -> Source {
    Source {
        id: SourceId(1),
        url: "https://a.example/feed".into(),
        outlet: "a.example".into(),
        outlet_provenance: OutletProvenance::Guess,
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
        full_text: Default::default(),
        wishes: PollingHints::default(),
        moving: None,
        gone_since: None,
        rate: String::new(),
        validators: Some(validators("old")),
    }
}

fn validators(etag: &str) -> CacheValidators {
    CacheValidators { url: "https://a.example/feed".into(), etag: Some(etag.into()), last_modified: None }
}

fn judge(source: &Source, answer: AttemptOutcome) -> PollRecord {
    judge_at(NOW, source, answer, None, &PollFacts::default())
}

fn judge_at(
    at: Timestamp,
    source: &Source,
    answer: AttemptOutcome,
    permanent_redirect: Option<&str>,
    facts: &PollFacts,
) -> PollRecord {
    let status = match &answer {
        AttemptOutcome::Throttled { .. } => Some(429),
        AttemptOutcome::Refused { .. } | AttemptOutcome::Challenged { .. } => Some(403),
        _ => None,
    };
    let mut attempt = PollAttempt {
        started_at: at,
        finished_at: at,
        url: Url::parse(&source.url).unwrap(),
        permanent_redirect: permanent_redirect.map(|url| Url::parse(url).unwrap()),
        requests: vec![RequestRecord { origin: "https://a.example".into(), status, bytes: 0 }],
        status,
        outcome: answer,
    };
    decide(source, &mut attempt, facts, &Options::default())
}

fn plain_reading() -> ParsedDocument {
    ParsedDocument {
        bytes: 1,
        items: vec![],
        problems: vec![],
        validators: None,
        freshness: Freshness::default(),
        title: None,
        site_url: None,
        lang: None,
        wishes: PollingHints::default(),
        hub: None,
    }
}

fn reading(max_age: u64, ttl: u32) -> AttemptOutcome {
    let freshness = Freshness { fresh_for: Some(Duration::from_secs(max_age)) };
    let wishes = PollingHints { ttl_minutes: Some(ttl), ..PollingHints::default() };
    AttemptOutcome::Read(Box::new(ParsedDocument { freshness, wishes, ..plain_reading() }))
}

fn wait_minutes(record: &PollRecord, least: i64) {
    let minutes = record.next_poll_at.duration_since(NOW).as_mins();
    assert!((least..=least + least / 10 + 1).contains(&minutes), "{minutes} min for {least}: {}", record.next_reason);
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
    let named =
        |site: &str| AttemptOutcome::Read(Box::new(ParsedDocument { site_url: Some(site.into()), ..plain_reading() }));
    let bbc = || named("https://www.bbc.co.uk/news");
    assert_eq!(judge(&source(), bbc()).feed_outlet.as_deref(), Some("bbc.co.uk"));
    assert_eq!(judge(&source(), named("https://feeds.feedburner.com/x")).feed_outlet, None);
    for outlet_provenance in [OutletProvenance::Operator, OutletProvenance::Site] {
        assert_eq!(judge(&Source { outlet_provenance, ..source() }, bbc()).feed_outlet, None);
    }
    let known = Source { site_url: Some("https://www.bbc.co.uk/".into()), ..source() };
    let unchanged = AttemptOutcome::NotModified { validators: None, freshness: Freshness::default() };
    assert_eq!(judge(&known, unchanged).feed_outlet.as_deref(), Some("bbc.co.uk"));
    assert_eq!(judge(&known, AttemptOutcome::Failed { detail: String::new() }).feed_outlet, None);
}

#[test]
fn a_304_keeps_to_the_ttl_that_the_feed_gave_before() {
    let source = Source { wishes: PollingHints { ttl_minutes: Some(60), ..PollingHints::default() }, ..source() };
    wait_minutes(
        &judge(&source, AttemptOutcome::NotModified { validators: None, freshness: Freshness::default() }),
        60,
    );
}

#[test]
fn failures_double_the_wait_up_to_a_day() {
    for (failures, minutes) in [(0, 20), (1, 40), (2, 80), (30, 24 * 60)] {
        let source = Source { failures, ..source() };
        let record = judge(&source, AttemptOutcome::Failed { detail: "refused".into() });
        wait_minutes(&record, minutes);
        assert_eq!((record.failures, record.detail.as_str()), (failures + 1, "refused"));
    }
}

#[test]
fn retry_after_is_kept_and_held() {
    let throttled = |seconds| AttemptOutcome::Throttled {
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
    assert_eq!(judge(&source(), AttemptOutcome::Failed { detail: String::new() }).validators, kept);
    let page = AttemptOutcome::NotAFeed { detail: String::new(), feeds: vec![], bytes: 9 };
    assert_eq!(judge(&source(), page).validators, kept);
    let freshness = Freshness::default();
    assert_eq!(judge(&source(), AttemptOutcome::NotModified { validators: None, freshness }).validators, kept);
    let renewed = AttemptOutcome::NotModified { validators: Some(validators("new")), freshness };
    assert_eq!(judge(&source(), renewed).validators, Some(validators("new")));
}

#[test]
fn a_304_renews_what_it_carries_and_leaves_the_rest() {
    let modified = Some(b"Sun, 01 Mar 2026 09:00:00 GMT".to_vec());
    let old = CacheValidators { last_modified: modified.clone(), ..validators("old") };
    let source = Source { validators: Some(old), ..source() };
    let unchanged = |validators| AttemptOutcome::NotModified { validators, freshness: Freshness::default() };
    let record = judge(&source, unchanged(Some(validators("new"))));
    assert_eq!(record.validators, Some(CacheValidators { last_modified: modified, ..validators("new") }));
    let elsewhere = CacheValidators { url: "https://b.example/".into(), ..validators("new") };
    assert_eq!(judge(&source, unchanged(Some(elsewhere.clone()))).validators, Some(elsewhere));
}

#[test]
fn gone_is_confirmed_once_after_a_day_and_not_sooner() {
    let first = judge(&source(), AttemptOutcome::Gone);
    assert_eq!((first.state, first.gone_since), (SourceState::Active, Some(NOW)));
    wait_minutes(&first, 24 * 60);
    let said = Source { last_outcome: Some(PollOutcome::Gone), gone_since: Some(NOW), ..source() };
    let again = |hours| {
        judge_at(
            after(NOW, SignedDuration::from_hours(hours)),
            &said,
            AttemptOutcome::Gone,
            None,
            &PollFacts::default(),
        )
    };
    let asked_by_hand = again(1);
    assert_eq!(asked_by_hand.state, SourceState::Active);
    assert!(asked_by_hand.next_poll_at >= after(NOW, SignedDuration::from_hours(24)));
    let confirmed = again(24);
    assert_eq!(confirmed.state, SourceState::Gone);
    assert_eq!(confirmed.events[0].kind, OperatorEventKind::Gone);
    assert_eq!(judge(&said, reading(0, 0)).gone_since, None, "it is there again");
}

#[test]
fn being_turned_away_waits_four_hours_and_doubles_to_a_day() {
    let mut turned = source();
    let mut at = NOW;
    for hours in [4, 8, 16, 24, 24] {
        let record = judge_at(at, &turned, AttemptOutcome::Refused { retry_after: None }, None, &PollFacts::default());
        let until = after(at, SignedDuration::from_hours(hours));
        assert_eq!(record.hold_until, Some(until), "{hours} h");
        assert_eq!(record.origin_hold.unwrap().until, until, "the whole server");
        turned.last_outcome = Some(PollOutcome::Refused);
        turned.last_poll_at = Some(at);
        turned.hold_until = record.hold_until;
        at = record.next_poll_at;
    }
    let known = PollFacts { origin_serves_others: true, ..PollFacts::default() };
    let record =
        judge_at(NOW, &source(), AttemptOutcome::Challenged { by: "Cloudflare", retry_after: None }, None, &known);
    assert_eq!(record.outcome, PollOutcome::Challenged);
    assert_eq!((record.origin_hold, record.hold_until.is_some()), (None, true), "it serves others well");
}

#[test]
fn a_429_holds_its_server_and_a_clamp_is_told() {
    let throttled = |seconds| AttemptOutcome::Throttled {
        retry_after: Some(Duration::from_secs(seconds)),
        freshness: Freshness::default(),
    };
    let record = judge(&source(), throttled(7200));
    let hold = record.origin_hold.unwrap();
    assert_eq!((hold.origin.as_str(), hold.until), ("https://a.example", after(NOW, SignedDuration::from_hours(2))));
    let record = judge(&source(), throttled(30 * 24 * 3600));
    assert!(record.detail.ends_with("after 720h; newsfold looks again after 168h"), "{}", record.detail);
}

#[test]
fn a_new_address_is_taken_over_after_ten_sightings_in_seven_days_of_the_same_feed() {
    let to = "https://b.example/feed";
    let known = PollFacts { known_items: 3, ..PollFacts::default() };
    let mut moving = source();
    let mut at = NOW;
    for n in 1..=10 {
        let record = judge_at(at, &moving, reading(0, 0), Some(to), &known);
        if n < 10 {
            assert_eq!(record.moving.as_ref().map(|moving| moving.times), Some(n));
            assert_eq!(record.new_url, None, "after {n} sightings");
        } else {
            assert_eq!(record.new_url.as_deref(), Some(to));
            assert_eq!(record.events[0].kind, OperatorEventKind::Moved);
        }
        moving.moving = record.moving;
        at = after(at, SignedDuration::from_hours(20));
    }
    let seen = |times, hours: i64| {
        let since = after(NOW, SignedDuration::from_hours(-hours));
        Source { moving: Some(crate::domain::PendingRedirect { to: to.into(), times, since }), ..source() }
    };
    let taken_over = |source: &Source, answer, permanent_redirect, facts: &PollFacts| {
        judge_at(NOW, source, answer, permanent_redirect, facts).new_url.is_some()
    };
    assert!(taken_over(&seen(9, 168), reading(0, 0), Some(to), &known));
    assert!(!taken_over(&seen(9, 167), reading(0, 0), Some(to), &known), "too soon");
    assert!(!taken_over(&seen(8, 200), reading(0, 0), Some(to), &known), "too few");
    assert!(!taken_over(&seen(99, 200), reading(0, 0), Some(to), &PollFacts::default()), "another feed");
    let taken = PollFacts { redirect_target_is_taken: true, ..known.clone() };
    assert!(!taken_over(&seen(99, 200), reading(0, 0), Some(to), &taken), "another source is there");
    let unchanged = AttemptOutcome::NotModified { validators: None, freshness: Freshness::default() };
    assert!(!taken_over(&seen(99, 200), unchanged, Some(to), &known), "nothing was read");
    let back = judge_at(NOW, &seen(9, 168), reading(0, 0), None, &known);
    assert_eq!(back.moving, None, "one poll that is not led away begins it anew");
    let failed = judge_at(NOW, &seen(9, 168), AttemptOutcome::Failed { detail: String::new() }, None, &known);
    assert_eq!(failed.moving.unwrap().times, 9, "a failure says nothing");
}

#[test]
fn https_at_the_same_host_is_taken_over_at_once() {
    let plain = Source { url: "http://a.example/feed".into(), ..source() };
    let record = judge_at(NOW, &plain, reading(0, 0), Some("https://a.example/feed"), &PollFacts::default());
    assert_eq!(record.new_url.as_deref(), Some("https://a.example/feed"));
}

#[test]
fn an_outage_of_our_own_blames_no_source() {
    let source = Source { failures: 2, ..source() };
    let offline = |since| AttemptOutcome::Offline { detail: "no route".into(), since };
    let record = judge(&source, offline(NOW));
    assert_eq!((record.outcome, record.failures), (PollOutcome::Offline, 2));
    wait_minutes(&record, 10);
    wait_minutes(&judge(&source, offline(after(NOW, SignedDuration::from_hours(-90)))), 60);
}

#[test]
fn a_source_that_breaks_and_one_that_recovers_are_told_once() {
    let told = |failures, answer| {
        judge(&Source { failures, ..source() }, answer).events.iter().map(|event| event.kind).collect::<Vec<_>>()
    };
    let failure = || AttemptOutcome::Failed { detail: "refused".into() };
    assert_eq!(told(BROKEN_AFTER_FAILURES - 1, failure()), [OperatorEventKind::Broken]);
    assert_eq!(told(BROKEN_AFTER_FAILURES - 2, failure()), []);
    assert_eq!(told(BROKEN_AFTER_FAILURES, failure()), []);
    assert_eq!(told(BROKEN_AFTER_FAILURES, reading(0, 0)), [OperatorEventKind::Recovered]);
    assert_eq!(told(BROKEN_AFTER_FAILURES - 1, reading(0, 0)), []);
}

#[test]
fn skipped_hours_put_the_next_poll_off() {
    let wishes = PollingHints { skip_hours: (0..6).collect(), ..PollingHints::default() };
    let answer = AttemptOutcome::Read(Box::new(ParsedDocument { wishes, ..plain_reading() }));
    let record = judge(&source(), answer);
    assert_eq!(record.next_poll_at, after(NOW, SignedDuration::from_hours(6)), "{}", record.next_reason);
    assert!(record.next_reason.contains("asks not to be fetched"), "{}", record.next_reason);
}

#[test]
fn what_a_feed_asked_for_holds_while_it_fails_and_a_poll_by_hand_makes_nothing_sooner() {
    let wishes = PollingHints { ttl_minutes: Some(600), skip_hours: (0..6).collect(), ..PollingHints::default() };
    let source = Source { wishes, ..source() };
    let failed = || AttemptOutcome::Failed { detail: "refused".into() };
    wait_minutes(&judge(&source, failed()), 600);
    wait_minutes(&judge(&source, AttemptOutcome::Abandoned), 600);
    let night = after(NOW, SignedDuration::from_hours(17));
    let record = judge_at(night, &source, failed(), None, &PollFacts::default());
    assert!(record.next_poll_at >= after(NOW, SignedDuration::from_hours(30)), "{}", record.next_poll_at);
    let later = after(NOW, SignedDuration::from_hours(50));
    let planned = Source { next_poll_at: later, next_reason: "as it was".into(), ..source };
    let record = judge(&planned, failed());
    assert_eq!((record.next_poll_at, record.next_reason.as_str()), (later, "as it was"));
}

#[test]
fn a_source_that_fails_holds_no_server_by_its_own_failures() {
    let failing = Source { failures: 5, ..source() };
    let throttled = |seconds| AttemptOutcome::Throttled {
        retry_after: Some(Duration::from_secs(seconds)),
        freshness: Freshness::default(),
    };
    let record = judge(&failing, throttled(1));
    assert_eq!(record.origin_hold.unwrap().until, after(NOW, SignedDuration::from_mins(10)));
    wait_minutes(&judge(&failing, throttled(1)), 640);
    // Where a redirect led to it, a server that turns us away says nothing of its own feeds.
    let mut attempt = PollAttempt {
        started_at: NOW,
        finished_at: NOW,
        url: Url::parse("https://victim.example/closed").unwrap(),
        permanent_redirect: None,
        requests: vec![RequestRecord { origin: "https://victim.example".into(), status: Some(403), bytes: 0 }],
        status: Some(403),
        outcome: AttemptOutcome::Refused { retry_after: None },
    };
    assert_eq!(decide(&source(), &mut attempt, &PollFacts::default(), &Options::default()).origin_hold, None);
}
