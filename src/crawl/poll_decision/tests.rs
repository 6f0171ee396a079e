//! Tests of the decision for each kind of outcome.

use super::*;
use crate::crawl::HoldBy;
use crate::domain::duration::after;
use crate::domain::{
    CacheValidators, FeedMetadata, NextPollReason, OperatorEventKind, OutletProvenance, PendingRedirect, PollingHints,
    RequestRecord, ShortenedDelay, SourceId, Timestamp,
};
use crate::feed_parser::FeedLink;
use crate::http_client::ForbiddenAddress;
use jiff::SignedDuration;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn source() -> Source {
    Source {
        id: SourceId(1),
        url: "https://a.example/feed".into(),
        outlet: "a.example".into(),
        outlet_name: None,
        outlet_provenance: OutletProvenance::Guess,
        title: "A".into(),
        site_url: None,
        lang: None,
        priority: 0,
        tags: vec![],
        state: SourceState::Active,
        added_at: NOW,
        is_initial: true,
        first_document_at: None,
        publish_backlog: false,
        next_poll_at: NOW,
        next_poll_reason: NextPollReason::Added,
        last_poll_at: None,
        last_outcome: None,
        last_success_at: None,
        failures: 0,
        last_error: String::new(),
        last_error_time: None,
        hold_until: None,
        full_text: Default::default(),
        aggregator: false,
        polling_hints: PollingHints::default(),
        pending_redirect: None,
        gone_since: None,
        update_rate: String::new(),
        validators: Some(validators("old")),
        not_modified_since: None,
        full_request_at: None,
        truncated_end: None,
        feed_search_steps: 0,
        request_settings: Default::default(),
        poll_interval: None,
        is_grouped: true,
    }
}

fn validators(etag: &str) -> CacheValidators {
    CacheValidators { url: "https://a.example/feed".into(), etag: Some(etag.into()), last_modified: None }
}

fn decide_now(source: &Source, outcome: impl Into<AttemptOutcome>) -> PollDecision {
    decide_at(NOW, source, outcome, None, &PollFacts::default())
}

fn update_after(source: &Source, outcome: impl Into<AttemptOutcome>) -> SourceUpdate {
    decide_now(source, outcome).update
}

fn decide_at(
    at: Timestamp,
    source: &Source,
    outcome: impl Into<AttemptOutcome>,
    permanent_redirect: Option<&str>,
    facts: &PollFacts,
) -> PollDecision {
    let outcome = outcome.into();
    let status = match &outcome {
        AttemptOutcome::NoDocument(NoDocument::Throttled { .. }) => Some(429),
        AttemptOutcome::NoDocument(NoDocument::Refused { .. } | NoDocument::Challenged { .. }) => Some(403),
        _ => None,
    };
    let attempt = PollAttempt {
        started_at: at,
        finished_at: at,
        url: Url::parse(&source.url).ok(),
        permanent_redirect: permanent_redirect.map(|url| Url::parse(url).unwrap()),
        is_conditional: true,
        requests: vec![RequestRecord { origin: "https://a.example".into(), status, bytes: 0 }],
        status,
        outcome,
    };
    decide(source, &attempt, facts, &Options::default())
}

fn plain_document() -> ParsedDocument {
    ParsedDocument {
        bytes: 1,
        items: vec![],
        incomplete_item: None,
        problems: vec![],
        validators: None,
        fresh_for: None,
        feed: FeedMetadata::default(),
        hub: None,
    }
}

/// Returns a document that is fresh for `max_age` seconds and has a ttl of `ttl` minutes.
fn document(max_age: i64, ttl: u32) -> AttemptOutcome {
    let fresh_for = Some(SignedDuration::from_secs(max_age));
    let hints = PollingHints { ttl_minutes: Some(ttl), ..PollingHints::default() };
    AttemptOutcome::Read(Box::new(ParsedDocument { fresh_for, feed: with_hints(hints), ..plain_document() }))
}

fn with_hints(polling_hints: PollingHints) -> FeedMetadata {
    FeedMetadata { polling_hints, ..FeedMetadata::default() }
}

fn throttled(seconds: i64) -> NoDocument {
    NoDocument::Throttled { retry_after: Some(SignedDuration::from_secs(seconds)), fresh_for: None }
}

fn failed() -> NoDocument {
    NoDocument::Failed { detail: "refused".into() }
}

/// Returns the cause of the delay.
fn cause(update: &SourceUpdate) -> &DelayCause {
    match &update.next_poll_reason {
        NextPollReason::Delay { cause, .. } => cause,
        reason => panic!("{reason:?}"),
    }
}

fn check_delay(update: &SourceUpdate, least: i64) {
    let minutes = update.next_poll_at.duration_since(NOW).as_mins();
    assert!((least..=least + least / 10 + 1).contains(&minutes), "{minutes} min for {least}: {update:?}");
}

#[test]
fn longest_of_minimum_interval_ttl_and_freshness_is_the_delay() {
    check_delay(&update_after(&source(), document(0, 0)), 10);
    check_delay(&update_after(&source(), document(3600, 0)), 60);
    check_delay(&update_after(&source(), document(3600, 90)), 90);
    check_delay(&update_after(&source(), document(10_000_000, 0)), 24 * 60);
    let update = update_after(&source(), document(5400, 0));
    assert_eq!(
        update.next_poll_reason,
        NextPollReason::Delay { delay_seconds: 5400, cause: DelayCause::Freshness, moved_by_feed: false }
    );
    assert_eq!(cause(&update_after(&source(), document(3600, 90))), &DelayCause::FeedTtl);
}

#[test]
fn website_of_the_feed_replaces_a_guessed_outlet() {
    let with_site = |site: &str| {
        let feed = FeedMetadata { site_url: Some(site.into()), ..FeedMetadata::default() };
        AttemptOutcome::Read(Box::new(ParsedDocument { feed, ..plain_document() }))
    };
    let bbc = || with_site("https://www.bbc.co.uk/news");
    assert_eq!(update_after(&source(), bbc()).outlet.as_deref(), Some("bbc.co.uk"));
    assert_eq!(update_after(&source(), with_site("https://feeds.feedburner.com/x")).outlet, None);
    for outlet_provenance in [OutletProvenance::Operator, OutletProvenance::Site] {
        assert_eq!(update_after(&Source { outlet_provenance, ..source() }, bbc()).outlet, None);
    }
    let known = Source { site_url: Some("https://www.bbc.co.uk/".into()), ..source() };
    let unchanged = NoDocument::NotModified { validators: None, fresh_for: None };
    assert_eq!(update_after(&known, unchanged).outlet.as_deref(), Some("bbc.co.uk"));
    assert_eq!(update_after(&known, failed()).outlet, None);
}

#[test]
fn response_304_respects_the_earlier_ttl_of_the_feed() {
    let hints = PollingHints { ttl_minutes: Some(60), ..PollingHints::default() };
    let source = Source { polling_hints: hints, ..source() };
    let unchanged = NoDocument::NotModified { validators: None, fresh_for: None };
    check_delay(&update_after(&source, unchanged), 60);
}

#[test]
fn failures_double_the_delay_up_to_a_day() {
    for (failures, minutes) in [(0, 20), (1, 40), (2, 80), (30, 24 * 60)] {
        let source = Source { failures, ..source() };
        let PollDecision { record, update } = decide_now(&source, failed());
        check_delay(&update, minutes);
        assert_eq!((update.failures, record.detail.as_str()), (failures + 1, "refused"));
        assert_eq!(cause(&update), &DelayCause::Backoff { failures: failures + 1 });
    }
}

#[test]
fn retry_after_is_respected_and_held() {
    let update = update_after(&source(), throttled(7200));
    check_delay(&update, 120);
    assert_eq!(update.hold_until, Some(NOW + SignedDuration::from_hours(2)));
    check_delay(&update_after(&source(), throttled(u32::MAX.into())), 7 * 24 * 60);
}

#[test]
fn validators_belong_to_the_stored_document() {
    assert_eq!(update_after(&source(), document(0, 0)).validators, None, "the new document has none");
    let kept = Some(validators("old"));
    assert_eq!(update_after(&source(), failed()).validators, kept);
    let page = AttemptOutcome::NotAFeed { detail: String::new(), feeds: vec![], refresh_target: None, bytes: 9 };
    assert_eq!(update_after(&source(), page).validators, kept);
    let fresh_for = None;
    assert_eq!(update_after(&source(), NoDocument::NotModified { validators: None, fresh_for }).validators, kept);
    let renewed = NoDocument::NotModified { validators: Some(validators("new")), fresh_for };
    assert_eq!(update_after(&source(), renewed).validators, Some(validators("new")));
}

#[test]
fn response_304_renews_the_validators_that_it_carries() {
    let modified = Some(b"Sun, 01 Mar 2026 09:00:00 GMT".to_vec());
    let old = CacheValidators { last_modified: modified.clone(), ..validators("old") };
    let source = Source { validators: Some(old), ..source() };
    let unchanged = |validators| NoDocument::NotModified { validators, fresh_for: None };
    let update = update_after(&source, unchanged(Some(validators("new"))));
    assert_eq!(update.validators, Some(CacheValidators { last_modified: modified, ..validators("new") }));
    let elsewhere = CacheValidators { url: "https://b.example/".into(), ..validators("new") };
    assert_eq!(update_after(&source, unchanged(Some(elsewhere.clone()))).validators, Some(elsewhere));
}

#[test]
fn gone_is_confirmed_once_after_a_day() {
    let first = update_after(&source(), NoDocument::Gone);
    assert_eq!((first.state, first.gone_since), (SourceState::Active, Some(NOW)));
    check_delay(&first, 24 * 60);
    let gone = Source { last_outcome: Some(PollOutcome::Gone), gone_since: Some(NOW), ..source() };
    let again = |hours| {
        let at = after(NOW, SignedDuration::from_hours(hours));
        decide_at(at, &gone, NoDocument::Gone, None, &PollFacts::default()).update
    };
    let manual_poll = again(1);
    assert_eq!(manual_poll.state, SourceState::Active);
    assert!(manual_poll.next_poll_at >= after(NOW, SignedDuration::from_hours(24)));
    let confirmed = again(24);
    assert_eq!(confirmed.state, SourceState::Gone);
    assert_eq!(confirmed.events[0].kind, OperatorEventKind::Gone);
    assert_eq!(update_after(&gone, document(0, 0)).gone_since, None, "the feed is back");
}

#[test]
fn refusals_delay_by_four_hours_and_double_up_to_a_day() {
    let mut refused = source();
    let mut at = NOW;
    for hours in [4, 8, 16, 24, 24] {
        let outcome = NoDocument::Refused { retry_after: None };
        let update = decide_at(at, &refused, outcome, None, &PollFacts::default()).update;
        let until = after(at, SignedDuration::from_hours(hours));
        assert_eq!(update.hold_until, Some(until), "{hours} h");
        assert_eq!(update.origin_hold.unwrap().until, until, "the whole origin");
        refused.last_outcome = Some(PollOutcome::Refused);
        refused.last_poll_at = Some(at);
        refused.hold_until = update.hold_until;
        at = update.next_poll_at;
    }
    let facts = PollFacts { origin_serves_others: true, ..PollFacts::default() };
    let challenge = NoDocument::Challenged { service: "Cloudflare", retry_after: None };
    let PollDecision { record, update } = decide_at(NOW, &source(), challenge, None, &facts);
    assert_eq!(record.outcome, PollOutcome::Challenged);
    assert_eq!((update.origin_hold, update.hold_until.is_some()), (None, true), "it serves other sources");
}

#[test]
fn response_429_holds_the_origin_and_reports_a_shortened_delay() {
    let hold = update_after(&source(), throttled(7200)).origin_hold.unwrap();
    assert_eq!((hold.origin.as_str(), hold.until), ("https://a.example", after(NOW, SignedDuration::from_hours(2))));
    let PollDecision { record, update } = decide_now(&source(), throttled(30 * 24 * 3600));
    assert!(
        record.detail.contains("delay of 30 d exceeds poll.max_retry_after, so newsfold retries after 7 d"),
        "{}",
        record.detail
    );
    let shortened = ShortenedDelay { requested_seconds: 30 * 86_400, kept_seconds: 7 * 86_400 };
    assert_eq!(update.origin_hold.unwrap().reason, HoldReason::Throttled { shortened: Some(shortened) });
}

#[test]
fn url_changes_after_ten_redirects_in_seven_days_to_the_same_feed() {
    let to = "https://b.example/feed";
    let facts = PollFacts { known_items: 3, ..PollFacts::default() };
    let mut redirected = source();
    let mut at = NOW;
    for n in 1..=10 {
        let update = decide_at(at, &redirected, document(0, 0), Some(to), &facts).update;
        if n < 10 {
            assert_eq!(update.pending_redirect.as_ref().map(|redirect| redirect.times), Some(n));
            assert_eq!(update.new_url, None, "after {n} redirects");
        } else {
            assert_eq!(update.new_url.as_deref(), Some(to));
            assert_eq!(update.events[0].kind, OperatorEventKind::Moved);
        }
        redirected.pending_redirect = update.pending_redirect;
        at = after(at, SignedDuration::from_hours(20));
    }
}

#[test]
fn url_does_not_change_to_an_uncertain_redirect_target() {
    let to = "https://b.example/feed";
    let facts = PollFacts { known_items: 3, ..PollFacts::default() };
    let seen = |times, hours: i64| {
        let since = after(NOW, SignedDuration::from_hours(-hours));
        Source { pending_redirect: Some(PendingRedirect { to: to.into(), times, since }), ..source() }
    };
    let changes = |source: &Source, outcome, facts: &PollFacts| {
        decide_at(NOW, source, outcome, Some(to), facts).update.new_url.is_some()
    };
    assert!(changes(&seen(9, 168), document(0, 0), &facts));
    assert!(!changes(&seen(9, 167), document(0, 0), &facts), "too early");
    assert!(!changes(&seen(8, 200), document(0, 0), &facts), "too few");
    assert!(!changes(&seen(99, 200), document(0, 0), &PollFacts::default()), "another feed");
    let taken = PollFacts { redirect_target_is_taken: true, ..facts.clone() };
    assert!(!changes(&seen(99, 200), document(0, 0), &taken), "another source has the URL");
    let unchanged = NoDocument::NotModified { validators: None, fresh_for: None };
    assert!(!changes(&seen(99, 200), unchanged.into(), &facts), "no document was read");
    let back = decide_at(NOW, &seen(9, 168), document(0, 0), None, &facts).update;
    assert_eq!(back.pending_redirect, None, "a poll without a redirect resets the count");
    let failed = decide_at(NOW, &seen(9, 168), failed(), None, &facts).update;
    assert_eq!(failed.pending_redirect.unwrap().times, 9, "a failure changes nothing");
}

#[test]
fn https_on_the_same_host_replaces_http_at_once() {
    let plain = Source { url: "http://a.example/feed".into(), ..source() };
    let target = Some("https://a.example/feed");
    let update = decide_at(NOW, &plain, document(0, 0), target, &PollFacts::default()).update;
    assert_eq!(update.new_url.as_deref(), target);
}

#[test]
fn outage_of_our_network_does_not_count_as_a_failure() {
    let source = Source { failures: 2, ..source() };
    let offline = |since| AttemptOutcome::Offline { detail: "no route".into(), since };
    let PollDecision { record, update } = decide_now(&source, offline(NOW));
    assert_eq!((record.outcome, update.failures), (PollOutcome::Offline, 2));
    check_delay(&update, 10);
    check_delay(&update_after(&source, offline(after(NOW, SignedDuration::from_hours(-90)))), 60);
}

#[test]
fn broken_and_recovered_source_is_reported_once() {
    let events = |failures, outcome: AttemptOutcome| {
        let update = update_after(&Source { failures, ..source() }, outcome);
        update.events.iter().map(|event| event.kind).collect::<Vec<_>>()
    };
    assert_eq!(events(BROKEN_AFTER_FAILURES - 1, failed().into()), [OperatorEventKind::Broken]);
    assert_eq!(events(BROKEN_AFTER_FAILURES - 2, failed().into()), []);
    assert_eq!(events(BROKEN_AFTER_FAILURES, failed().into()), []);
    assert_eq!(events(BROKEN_AFTER_FAILURES, document(0, 0)), [OperatorEventKind::Recovered]);
    assert_eq!(events(BROKEN_AFTER_FAILURES - 1, document(0, 0)), []);
}

#[test]
fn event_of_a_broken_source_names_no_private_address() {
    let failing = Source { failures: BROKEN_AFTER_FAILURES - 1, ..source() };
    let reason = ForbiddenAddress::Address("10.0.0.7".parse().unwrap());
    let PollDecision { record, update } = decide_now(&failing, NoDocument::Blocked { reason });
    assert_eq!(record.outcome, PollOutcome::PrivateAddress);
    assert!(record.detail.contains("10.0.0.7"), "the operator sees it: {}", record.detail);
    let event = &update.events[0].detail;
    assert!(event.ends_with("its address is not public") && !event.contains("10.0.0.7"), "{event}");
}

#[test]
fn skipped_hours_move_the_next_poll() {
    let hints = PollingHints { skip_hours: (0..6).collect(), ..PollingHints::default() };
    let document = ParsedDocument { feed: with_hints(hints), ..plain_document() };
    let update = update_after(&source(), AttemptOutcome::Read(Box::new(document)));
    assert_eq!(update.next_poll_at, after(NOW, SignedDuration::from_hours(6)), "{update:?}");
    assert!(matches!(update.next_poll_reason, NextPollReason::Delay { moved_by_feed: true, .. }), "{update:?}");
}

#[test]
fn failure_respects_the_feed_and_makes_no_poll_earlier() {
    let hints = PollingHints { ttl_minutes: Some(600), skip_hours: (0..6).collect(), ..PollingHints::default() };
    let source = Source { polling_hints: hints, ..source() };
    check_delay(&update_after(&source, failed()), 600);
    check_delay(&update_after(&source, AttemptOutcome::Abandoned), 600);
    let night = after(NOW, SignedDuration::from_hours(17));
    let update = decide_at(night, &source, failed(), None, &PollFacts::default()).update;
    assert!(update.next_poll_at >= after(NOW, SignedDuration::from_hours(30)), "{}", update.next_poll_at);
    let later = after(NOW, SignedDuration::from_hours(50));
    let planned = Source { next_poll_at: later, next_poll_reason: NextPollReason::HubUnreliable, ..source };
    let update = update_after(&planned, failed());
    assert_eq!((update.next_poll_at, update.next_poll_reason), (later, NextPollReason::HubUnreliable));
}

#[test]
fn failure_restores_the_reason_that_a_started_poll_replaced() {
    let later = after(NOW, SignedDuration::from_hours(50));
    let planned = Box::new(NextPollReason::SafetyPoll { interval_seconds: 86_400 });
    let started = NextPollReason::PollStarted { started_at: NOW, planned: planned.clone() };
    let started = Source { next_poll_at: later, next_poll_reason: started, ..source() };
    let update = update_after(&started, AttemptOutcome::Abandoned);
    assert_eq!((update.next_poll_at, update.next_poll_reason), (later, *planned));
}

#[test]
fn failures_of_a_source_do_not_lengthen_the_hold_of_its_origin() {
    let failing = Source { failures: 5, ..source() };
    let hold = update_after(&failing, throttled(1)).origin_hold.unwrap();
    assert_eq!(hold.until, after(NOW, SignedDuration::from_mins(10)));
    check_delay(&update_after(&failing, throttled(1)), 640);
}

#[test]
fn page_leads_to_its_feed_only_during_a_search() {
    let feed = Url::parse("https://a.example/real").unwrap();
    let page = |feeds: &[&Url]| {
        let feeds = feeds.iter().map(|url| FeedLink { url: (*url).clone(), title: None, kind: None }).collect();
        AttemptOutcome::NotAFeed { detail: "a page".into(), feeds, refresh_target: None, bytes: 9 }
    };
    let searching = Source { feed_search_steps: 2, ..source() };
    let update = update_after(&searching, page(&[&feed]));
    assert_eq!((update.new_url.as_deref(), update.feed_search_steps), (Some("https://a.example/real"), 1));
    assert_eq!((update.next_poll_at, update.failures), (NOW, 0));
    assert_eq!(update_after(&source(), page(&[&feed])).new_url, None);
    let update = update_after(&searching, page(&[]));
    assert_eq!((update.new_url, update.feed_search_steps, update.failures), (None, 2, 1));
}

#[test]
fn refusal_by_the_target_of_a_redirect_holds_no_origin() {
    let attempt = PollAttempt {
        started_at: NOW,
        finished_at: NOW,
        url: Url::parse("https://victim.example/closed").ok(),
        permanent_redirect: None,
        is_conditional: false,
        requests: vec![RequestRecord { origin: "https://victim.example".into(), status: Some(403), bytes: 0 }],
        status: Some(403),
        outcome: NoDocument::Refused { retry_after: None }.into(),
    };
    let decision = decide(&source(), &attempt, &PollFacts::default(), &Options::default());
    assert_eq!(decision.update.origin_hold, None);
}

#[test]
fn server_that_answers_only_304_gets_a_full_request_a_week_after_two_weeks() {
    let day = |n: i64| after(NOW, SignedDuration::from_hours(24 * n));
    let unchanged = || NoDocument::NotModified { validators: None, fresh_for: None };
    let first = update_after(&source(), unchanged());
    assert_eq!(first.not_modified_since, Some(NOW));
    let stale = Source { not_modified_since: Some(NOW), ..source() };
    assert_eq!(
        decide_at(day(3), &stale, unchanged(), None, &PollFacts::default()).update.not_modified_since,
        Some(NOW)
    );
    assert!(!full_request_is_due(&stale, day(13)) && full_request_is_due(&stale, day(14)));
    // The next full request is due a week later, regardless of the response.
    let asked = Source { full_request_at: Some(day(14)), ..stale.clone() };
    assert!(!full_request_is_due(&asked, day(20)) && full_request_is_due(&asked, day(21)));
    let with_validators = ParsedDocument { validators: Some(validators("new")), ..plain_document() };
    let read = AttemptOutcome::Read(Box::new(with_validators));
    assert_eq!(update_after(&asked, read).not_modified_since, None, "a conditional request brought a document");
    assert!(!full_request_is_due(&source(), day(99)));
}

#[test]
fn document_of_a_full_request_does_not_end_the_weekly_check() {
    let stale = Source { not_modified_since: Some(NOW), ..source() };
    let with_validators = ParsedDocument { validators: Some(validators("new")), ..plain_document() };
    let attempt = PollAttempt {
        requests: vec![RequestRecord { origin: "https://a.example".into(), status: Some(200), bytes: 1 }],
        ..PollAttempt::without_request(NOW, AttemptOutcome::Read(Box::new(with_validators)))
    };
    let update = decide(&stale, &attempt, &PollFacts::default(), &Options::default()).update;
    assert_eq!((update.not_modified_since, update.full_request_at), (Some(NOW), Some(NOW)));
}

#[test]
fn response_429_holds_the_registrable_domain_if_configured() {
    let options = Options { hold_by: HoldBy::Domain, ..Options::default() };
    let hold =
        |options: &Options, origin: &str| options.throttling_hold(origin.into(), NOW, HoldReason::ArticleThrottled);
    assert_eq!(hold(&options, "https://ann.blogs.example").domain.as_deref(), Some("blogs.example"));
    assert_eq!(hold(&options, "http://127.0.0.1:8080").domain, None);
    assert_eq!(hold(&Options::default(), "https://ann.blogs.example").domain, None);
}
