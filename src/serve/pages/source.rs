//! The page of a source: how it is, how much it brings, when it is polled next and why, and how its last polls went.

use super::plot::{Bar, DAYS, bars, day_of};
use super::sources::Condition;
use super::words::{counted, language, link, machine_time, number, public, span, time};
use super::{Found, Rendered, Site, answer};
use crate::domain::text::{one_line, public_address};
use crate::domain::{
    HubSubscription, OutletFrom, RecordedEvent, Source, SourceId, SourceState, SubscriptionState, Timestamp,
};
use crate::serve::{App, Failure};
use crate::store::polls::PastPoll;
use crate::store::{self, events, items, polls, sources, websub_subscriptions};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use rusqlite::Connection;

/// Polls and events that are shown.
const POLLS: u32 = 20;
const EVENTS: u32 = 20;

#[derive(Template)]
#[template(path = "source.html")]
struct SourcePage<'a> {
    site: Site<'a>,
    source: &'a Source,
    condition: Condition,
    facts: Vec<(&'static str, String)>,
    /// The days up to the last poll; none before it.
    bars: Vec<Bar>,
    polls: Vec<PastPoll>,
    events: Vec<RecordedEvent>,
}

pub(in crate::serve) async fn source(
    State(app): State<App>,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    answer(app, request, move |db, site| {
        // Digits alone, so that a source has one address.
        let Some(id) = id.parse::<i64>().ok().filter(|number| number.to_string() == id) else {
            return Ok(Found::Nothing);
        };
        let source = sources::get(db, SourceId(id))?.filter(|source| source.state != SourceState::Removed);
        let Some(source) = source else { return Ok(Found::Nothing) };
        Ok(Found::Page(source_page(db, site, &source)?))
    })
    .await
}

pub(in crate::serve) fn source_page(db: &Connection, site: Site, source: &Source) -> store::Result<Rendered> {
    let bars = match source.last_poll_at.map(day_of) {
        None => Vec::new(),
        // Counted back from the last poll, so that the same database gives the same page at any time.
        Some(last) => bars(&items::per_day(db, source.id, last - DAYS + 1, last)?, last),
    };
    let page = SourcePage {
        site,
        source,
        condition: Condition::of(source),
        facts: facts(source, websub_subscriptions::get(db, source.id)?.as_ref()),
        bars,
        polls: polls::latest(db, source.id, POLLS)?,
        events: events::of(db, source.id, EVENTS)?,
    };
    Ok(page.render())
}

fn facts(source: &Source, hub: Option<&HubSubscription>) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Feed", public_address(&source.url)),
        ("Outlet", outlet(source)),
        ("Language", source.lang.as_deref().map_or("unknown", |lang| language(lang).unwrap_or(lang)).to_owned()),
        ("Tags", if source.tags.is_empty() { "none".into() } else { source.tags.join(", ") }),
    ];
    if source.priority != 0 {
        facts.push(("Priority", source.priority.to_string()));
    }
    facts.push(("Full text", source.full_text.in_words().to_owned()));
    facts.push(("Added", time(&source.added_at)));
    if let Some(success) = source.last_success_at.filter(|at| Some(*at) != source.last_poll_at) {
        facts.push(("Last success", time(&success)));
    }
    if let Some(hold) = source.hold_until {
        facts.push(("On hold", format!("until {}, as the server asked", time(&hold))));
    }
    if let Some(moving) = &source.moving {
        let (to, times) = (one_line(&public_address(&moving.to), 200), counted(moving.times as usize, "time", "times"));
        facts.push(("Moving", format!("to {to}; seen {times} since {}", time(&moving.since))));
    }
    if let Some(since) = source.gone_since {
        facts.push(("Gone", format!("so its server has said since {}", time(&since))));
    }
    if let Some(wishes) = source.wishes.in_words() {
        facts.push(("The feed asks", wishes));
    }
    if source.failures > 0 {
        facts.push(("Failures", format!("{} in a row", source.failures)));
    }
    if !source.last_problem.is_empty() {
        facts.push(("Last problem", public(&source.last_problem)));
    }
    if let Some(hub) = hub.and_then(hub_in_words) {
        facts.push(("Hub", hub));
    }
    facts
}

fn outlet(source: &Source) -> String {
    let how = match source.outlet_from {
        OutletFrom::Operator => "as the operator says",
        OutletFrom::Site => "by the site that the feed calls its own",
        OutletFrom::Guess => "a guess from its address",
    };
    format!("{} ({how})", source.outlet)
}

/// How things stand with the source's hub; what hubs answer is the operator's business.
fn hub_in_words(hub: &HubSubscription) -> Option<String> {
    let named = hub.asked.as_ref().or(hub.declared.as_ref())?;
    let at = |time: Option<Timestamp>| time.as_ref().map_or_else(|| "then".into(), self::time);
    let state = match hub.state {
        SubscriptionState::None => "not subscribed".to_owned(),
        SubscriptionState::Asked => "asked, not verified yet".to_owned(),
        SubscriptionState::Active => format!("pushes news until {}", at(hub.lease_until)),
        SubscriptionState::Leaving => "being ended".to_owned(),
        SubscriptionState::Denied => "said no".to_owned(),
        SubscriptionState::Failed => "could not be asked".to_owned(),
    };
    let mut words = format!("{}: {state}", one_line(&public_address(&named.hub), 200));
    if hub.pushes > 0 {
        let pushes = counted(hub.pushes as usize, "push", "pushes");
        words += &format!("; {pushes}, the last {}", at(hub.last_push_at));
    }
    if hub.trusted {
        words += "; polls are a safety net";
    }
    Some(words)
}

impl SourcePage<'_> {
    fn total(&self) -> String {
        counted(self.bars.iter().map(|bar| bar.items).sum::<u64>() as usize, "item", "items")
    }

    fn most(&self) -> u64 {
        self.bars.iter().map(|bar| bar.items).max().unwrap_or(0)
    }

    fn next_poll(&self) -> Option<&Timestamp> {
        (self.source.state == SourceState::Active).then_some(&self.source.next_poll_at)
    }

    fn site_url(&self) -> Option<&str> {
        link(self.source.site_url.as_deref()).filter(|url| public_address(url) == *url)
    }
}

/// What went wrong, else what was repaired.
fn remarks(poll: &PastPoll) -> Vec<String> {
    let detail = Some(public(&poll.detail)).filter(|detail| !detail.is_empty());
    let repairs = poll.problems.iter().map(|problem| {
        let (kind, detail) = (problem.kind.as_str(), one_line(&public(&problem.detail), 60));
        let count = if problem.count > 1 { format!(" ×{}", problem.count) } else { String::new() };
        if detail.is_empty() { format!("{kind}{count}") } else { format!("{kind}{count}: {detail}") }
    });
    detail.into_iter().chain(repairs).collect()
}

fn took(poll: &PastPoll) -> String {
    span(poll.finished_at.duration_since(poll.started_at))
}

fn short_day(at: &Timestamp) -> String {
    at.strftime("%-d %b").to_string()
}
