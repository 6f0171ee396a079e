//! What an attempt means for its source: the record, the state, and when to ask again. Pure: facts in, record out.
//!
//! How long each kind of answer makes us wait is [`super::backoff`]'s, what a redirect means [`super::permanent_redirect`]'s.

use super::backoff::{self, PollDelay};
use super::options::Options;
use super::update_rate::{SeenDocument, UpdateRate};
use super::{AttemptOutcome, ParsedDocument, PollAttempt, PollFacts, permanent_redirect};
use crate::domain::duration::after;
use crate::domain::{
    CacheValidators, OperatorEvent, OperatorEventKind, OriginHold, OutletProvenance, PollOutcome, PollRecord, Source,
    SourceState, Timestamp,
};
use crate::urls::outlet::outlet_of_site;
use jiff::SignedDuration;
use url::Url;

/// A feed that said it is gone is asked once more after this, then no more.
const GONE_CONFIRMATION: SignedDuration = SignedDuration::from_hours(24);
/// A source that failed so often in a row is broken, and the operator is told. At the default interval that is after
/// five hours.
pub const BROKEN_AFTER_FAILURES: u32 = 5;

/// Judges an attempt to poll `source`.
pub fn decide(source: &Source, attempt: &mut PollAttempt, facts: &PollFacts, options: &Options) -> PollRecord {
    let at = attempt.finished_at;
    let mut record = blank(source, attempt);
    let origin = attempt.last_origin().map(str::to_owned);
    let wait = match &mut attempt.outcome {
        AttemptOutcome::Read(reading) => {
            let freshness = reading.freshness;
            take_over(&mut record, reading);
            let floor = backoff::min_delay(&reading.wishes, freshness, options);
            let mut rate = UpdateRate::from_json(&source.rate);
            // From its first document it learns by the dates of all that it holds.
            let all = || reading.items.iter().map(|item| item.published_at).collect();
            let new: Vec<_> = if rate.is_unknown() { all() } else { facts.new_item_dates.clone() };
            rate.observe(at, Some(SeenDocument { items: reading.items.len(), new: &new }));
            by_rate(&mut record, &rate, floor, facts, options)
        }
        AttemptOutcome::NotModified { validators, freshness } => {
            record.outcome = PollOutcome::NotModified;
            record.validators = renewed(source.validators.as_ref(), validators.take());
            let floor = backoff::min_delay(&source.wishes, *freshness, options);
            let mut rate = UpdateRate::from_json(&source.rate);
            rate.observe(at, None);
            by_rate(&mut record, &rate, floor, facts, options)
        }
        AttemptOutcome::Throttled { retry_after, freshness } => {
            record.outcome = PollOutcome::Throttled;
            record.failures = source.failures + 1;
            let asked = retry_after.unwrap_or_default().max(freshness.fresh_for.unwrap_or_default());
            let (asked, clamped) = backoff::asked(asked, options);
            record.detail = format!("the server asked us to come later{clamped}");
            let wait =
                backoff::longest([(asked, "the server asked for it"), backoff::back_off(record.failures, options)]);
            record.hold_until = (!asked.is_zero()).then(|| after(at, asked));
            // Too many requests are counted by server (RFC 6585, section 4); unavailable may be this document alone.
            if attempt.status == Some(429) {
                // The source's own failures are nothing to the others.
                let until = after(at, asked.max(options.interval));
                record.origin_hold = hold(origin.as_deref(), until, &record.detail);
            }
            wait
        }
        AttemptOutcome::Refused { retry_after } => {
            record.outcome = PollOutcome::Refused;
            record.detail = "the server does not want newsfold here (403)".into();
            stay_away(&mut record, source, origin.as_deref(), *retry_after, facts, options)
        }
        AttemptOutcome::Challenged { by, retry_after } => {
            record.outcome = PollOutcome::Challenged;
            record.detail = format!(
                "{by} asks for proof that a person asks, which newsfold never gives; ask the publisher to let feeds \
                 through"
            );
            stay_away(&mut record, source, origin.as_deref(), *retry_after, facts, options)
        }
        AttemptOutcome::Held { origin, until } => {
            record.outcome = PollOutcome::Held;
            record.failures = source.failures;
            record.detail = format!("it redirects to {origin}, which asked not to be asked before {until}");
            let left = until.duration_since(at).max(options.interval);
            PollDelay { span: left, reason: format!("{origin} asked us to stay away") }
        }
        AttemptOutcome::Gone => {
            record.outcome = PollOutcome::Gone;
            record.failures = source.failures + 1;
            record.detail = "the server says that the feed is gone for good (410)".into();
            let since = *record.gone_since.get_or_insert(at);
            let confirmed_at = after(since, GONE_CONFIRMATION);
            if at >= confirmed_at {
                record.state = SourceState::Gone;
                record.events.push(OperatorEvent { kind: OperatorEventKind::Gone, detail: record.detail.clone() });
            }
            let left = confirmed_at.duration_since(at).max(options.interval);
            PollDelay { span: left, reason: "to confirm that the feed is gone".into() }
        }
        AttemptOutcome::Offline { detail, since } => {
            record.outcome = PollOutcome::Offline;
            record.failures = source.failures;
            record.detail = format!("no server can be reached since {since}: {detail}");
            backoff::while_offline(at.duration_since(*since), options)
        }
        AttemptOutcome::NotAFeed { detail, bytes, .. } => {
            record.outcome = PollOutcome::NotAFeed;
            record.bytes = *bytes;
            failed(&mut record, source, detail, options)
        }
        AttemptOutcome::Failed { detail } | AttemptOutcome::Unreachable { detail } => {
            record.outcome = PollOutcome::Failed;
            failed(&mut record, source, detail, options)
        }
        AttemptOutcome::Crashed { detail } => {
            record.outcome = PollOutcome::Crashed;
            failed(&mut record, source, detail, options)
        }
        AttemptOutcome::Abandoned => {
            record.outcome = PollOutcome::Abandoned;
            record.failures = source.failures;
            record.detail = "newsfold was stopped before the poll had ended".into();
            PollDelay { span: options.interval, reason: "the last poll was cut off".into() }
        }
    };
    if record.outcome.is_success() {
        record.gone_since = None;
        record.feed_outlet = outlet_instead_of_guess(source, record.feed_site_url.as_deref());
        permanent_redirect::judge(&mut record, source, attempt.permanent_redirect.as_ref(), facts);
    }
    tell(&mut record, source);
    schedule(&mut record, source, wait, options);
    record
}

/// Waits as long as the source's rate calls for, and not less than its floor.
fn by_rate(
    record: &mut PollRecord,
    rate: &UpdateRate,
    floor: PollDelay,
    facts: &PollFacts,
    options: &Options,
) -> PollDelay {
    record.rate = rate.to_json();
    let (span, reason) = rate.wait(record.finished_at, facts.budget_multiplier, floor.span, options.max_interval);
    if span > floor.span || floor.span == options.interval { PollDelay { span, reason } } else { floor }
}

/// The record of an attempt of which nothing is known yet: what stands of the source stays as it is.
fn blank(source: &Source, attempt: &PollAttempt) -> PollRecord {
    let at = attempt.finished_at;
    PollRecord {
        source: source.id,
        started_at: attempt.started_at,
        finished_at: at,
        asked_url: source.url.clone(),
        url: if attempt.url.scheme() == "about" { source.url.clone() } else { attempt.url.to_string() },
        outcome: PollOutcome::Failed,
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

fn take_over(record: &mut PollRecord, reading: &mut ParsedDocument) {
    record.outcome = PollOutcome::Read;
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
fn renewed(old: Option<&CacheValidators>, new: Option<CacheValidators>) -> Option<CacheValidators> {
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
    if source.outlet_provenance != OutletProvenance::Guess {
        return None;
    }
    let site = Url::parse(site.or(source.site_url.as_deref())?).ok()?;
    outlet_of_site(&site)
}

fn failed(record: &mut PollRecord, source: &Source, detail: &str, options: &Options) -> PollDelay {
    record.detail = crate::domain::display_text::one_line(detail, 500);
    record.failures = source.failures + 1;
    backoff::longest([backoff::back_off(record.failures, options)])
}

/// A server that turns us away is left alone for hours. It is the whole server, unless it serves other sources well.
fn stay_away(
    record: &mut PollRecord,
    source: &Source,
    origin: Option<&str>,
    retry_after: Option<std::time::Duration>,
    facts: &PollFacts,
    options: &Options,
) -> PollDelay {
    record.failures = source.failures + 1;
    let (asked, clamped) = backoff::asked(retry_after.unwrap_or_default(), options);
    record.detail.push_str(&clamped);
    let wait = backoff::longest([backoff::turned_away(source), (asked, "the server asked for it")]);
    let until = after(record.finished_at, wait.span);
    record.hold_until = Some(until);
    // Another's redirect, or words on a page, are no server's word about its other feeds; a 429 is.
    let own = Url::parse(&source.url)
        .is_ok_and(|url| Some(crate::http_client::Origin::from_url(&url).to_string().as_str()) == origin);
    let is_refusal = record.status.is_some_and(|status| status >= 400) && own && !facts.origin_serves_others;
    if is_refusal || record.status == Some(429) {
        let until = if is_refusal { until } else { after(record.finished_at, asked.max(options.interval)) };
        record.origin_hold = hold(origin, until, &record.detail);
    }
    wait
}

fn hold(origin: Option<&str>, until: Timestamp, reason: &str) -> Option<OriginHold> {
    Some(OriginHold { origin: origin?.to_owned(), until, reason: reason.to_owned() })
}

/// The operator hears once of a source that broke, and once that it is well again.
fn tell(record: &mut PollRecord, source: &Source) {
    if record.failures == BROKEN_AFTER_FAILURES && source.failures < BROKEN_AFTER_FAILURES {
        // It is published, and where a name leads inside our network is nobody's business.
        let is_inside = record.detail.contains("not public") || record.detail.contains("not a public");
        let last = if is_inside { "its address is not public" } else { &record.detail };
        let detail = format!("{BROKEN_AFTER_FAILURES} polls in a row failed; the last one: {last}");
        record.events.push(OperatorEvent { kind: OperatorEventKind::Broken, detail });
    } else if record.outcome.is_success() && source.failures >= BROKEN_AFTER_FAILURES {
        let detail = format!("it answers again, after {} polls that failed", source.failures);
        record.events.push(OperatorEvent { kind: OperatorEventKind::Recovered, detail });
    }
}

/// Sets the next poll: what is added to the wait is only ever added.
fn schedule(record: &mut PollRecord, source: &Source, wait: PollDelay, options: &Options) {
    let at = record.finished_at;
    let wishes = record.feed_wishes.as_ref().unwrap_or(&source.wishes);
    // What a feed asked for holds while it fails, too.
    let floor = PollDelay { span: backoff::floor(wishes, options), reason: "the feed asks for so much".into() };
    let wait = if wait.span < floor.span { floor } else { wait };
    let mut next = after(after(at, wait.span), backoff::jitter(&source.url, at, wait.span));
    record.next_reason = format!("{} after the last poll: {}", backoff::words(wait.span), wait.reason);
    if !record.outcome.is_success() && source.next_poll_at > next {
        // A poll by hand that brought nothing makes the next one no sooner.
        next = source.next_poll_at;
        record.next_reason.clone_from(&source.next_reason);
    }
    // However many hours are skipped, the feed is looked at once a day.
    let allowed = wishes.first_allowed(next, options.max_interval.saturating_sub(next.duration_since(at)));
    if allowed > next {
        record.next_reason.push_str(", and then the feed asks not to be fetched at that hour or on that day");
    }
    record.next_poll_at = allowed.max(next);
}

#[cfg(test)]
mod tests;
