//! `newsfold source list` and `show`.

use super::find;
use crate::cli::Context;
use crate::cli::output::{json, maybe_time, one_line, print, table, time};
use crate::domain::{HubSubscription, OutletFrom, Source, SourceState, SubscriptionState};
use crate::store::polls::{self, PastPoll};
use crate::store::sources::{self, Filter};
use crate::store::websub_subscriptions;
use std::process::ExitCode;

pub async fn list(context: &Context, filter: Filter) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let wanted = filter.clone();
    let found = store.read(move |db| sources::list(db, &filter)).await?;
    if context.json() {
        json(&found)?;
    } else if found.is_empty() {
        print(&none_found(&wanted))?;
    } else {
        table(
            ["no", "title", "outlet", "tags", "state", "last poll", "next poll", "problem"],
            found.iter().map(|s| {
                [
                    s.id.to_string(),
                    one_line(&s.title, 50),
                    s.outlet.clone(),
                    s.tags.join(", "),
                    state(s),
                    maybe_time(s.last_poll_at),
                    if s.state == SourceState::Active { time(s.next_poll_at) } else { "none".into() },
                    one_line(&s.last_problem, 80),
                ]
            }),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn none_found(wanted: &Filter) -> String {
    let having = if wanted.problems { " and a problem" } else { "" };
    match &wanted.tag {
        Some(tag) => format!("no source has the tag ‘{}’{having}; `newsfold source list` shows all", one_line(tag, 60)),
        None if wanted.problems => "no source has a problem".into(),
        None => "no source; add one with `newsfold source add URL`".into(),
    }
}

fn state(source: &Source) -> String {
    match source.last_outcome {
        Some(outcome) => format!("{}, {}", source.state.as_str(), outcome.as_str()),
        None => source.state.as_str().to_owned(),
    }
}

pub async fn show(context: &Context, name: &str, count: u32) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let source = find(&store, name).await?;
    let id = source.id;
    let (past, hub) =
        store.read(move |db| Ok((polls::latest(db, id, count)?, websub_subscriptions::get(db, id)?))).await?;
    if context.json() {
        #[derive(serde::Serialize)]
        struct Shown<'a> {
            #[serde(flatten)]
            source: &'a Source,
            hub: Option<&'a HubSubscription>,
            polls: &'a [PastPoll],
        }
        json(&Shown { source: &source, hub: hub.as_ref(), polls: &past })?;
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value) in facts(&source).into_iter().chain(hub.map(|hub| ("hub", hub_in_words(&hub)))) {
        print(&format!("{name:>13}  {value}"))?;
    }
    if past.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    table(
        ["poll", "outcome", "status", "bytes", "items", "new", "changed", "detail"],
        past.iter().map(|p| {
            [
                time(p.started_at),
                p.outcome.as_str().to_owned(),
                p.status.map_or_else(String::new, |s| s.to_string()),
                p.bytes.to_string(),
                p.items.to_string(),
                p.new_items.to_string(),
                p.changed_items.to_string(),
                detail(p),
            ]
        }),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn facts(s: &Source) -> Vec<(&'static str, String)> {
    let next = match s.state {
        SourceState::Active => format!("{} ({})", time(s.next_poll_at), s.next_reason),
        _ => "none".into(),
    };
    let mut facts = vec![
        ("source", s.id.to_string()),
        ("title", one_line(&s.title, 200)),
        ("url", s.url.clone()),
        ("outlet", outlet(s)),
        ("site", one_line(s.site_url.as_deref().unwrap_or("unknown"), 200)),
        ("language", s.lang.clone().unwrap_or_else(|| "unknown".into())),
        ("tags", s.tags.join(", ")),
        ("priority", s.priority.to_string()),
        ("full text", s.full_text.in_words().into()),
        ("state", state(s)),
        ("added", time(s.added_at)),
        ("last poll", maybe_time(s.last_poll_at)),
        ("last success", maybe_time(s.last_success_at)),
        ("next poll", next),
    ];
    if let Some(hold) = s.hold_until {
        facts.push(("held until", format!("{}, as the server asked", time(hold))));
    }
    if let Some(moving) = &s.moving {
        let to = one_line(&moving.to, 200);
        facts.push(("moving", format!("to {to}; seen {} times since {}", moving.times, time(moving.since))));
    }
    if let Some(wishes) = s.wishes.in_words() {
        facts.push(("the feed asks", wishes));
    }
    if s.failures > 0 {
        facts.push(("failures", format!("{} in a row", s.failures)));
    }
    if !s.last_problem.is_empty() {
        facts.push(("problem", one_line(&s.last_problem, 500)));
    }
    facts
}

/// How things stand with the source's hub.
fn hub_in_words(hub: &HubSubscription) -> String {
    let named = hub.asked.as_ref().filter(|_| hub.state != SubscriptionState::None).or(hub.declared.as_ref());
    let Some(named) = named else { return "the feed names none any more".into() };
    let asked = maybe_time(hub.requested_at);
    let state = match hub.state {
        SubscriptionState::None if hub.next_at.is_none() => "not subscribed".to_owned(),
        SubscriptionState::None => "not subscribed yet".to_owned(),
        SubscriptionState::Asked => format!("asked {asked}, not verified yet"),
        SubscriptionState::Active => format!("active until {}", maybe_time(hub.lease_until)),
        SubscriptionState::Leaving => format!("being ended since {asked}"),
        SubscriptionState::Denied => format!("denied; asked again from {}", maybe_time(hub.next_at)),
        SubscriptionState::Failed => format!("not subscribed; asked again from {}", maybe_time(hub.next_at)),
    };
    let mut words = format!("{}: {state}", one_line(&named.hub, 200));
    if hub.pushes > 0 {
        let pushes = if hub.pushes == 1 { "push" } else { "pushes" };
        words += &format!(", {} {pushes}, last {}", hub.pushes, maybe_time(hub.last_push_at));
    }
    if hub.ignored > 0 {
        words += &format!(", {} not signed by it and ignored", hub.ignored);
    }
    if hub.trusted {
        words += "; polls are a safety net while they find nothing that it had not pushed";
    }
    if !hub.detail.is_empty() {
        words += &format!(" ({})", one_line(&hub.detail, 300));
    }
    words
}

fn outlet(source: &Source) -> String {
    let how = match source.outlet_from {
        OutletFrom::Operator => "as you said",
        OutletFrom::Site => "by the site that the feed calls its own",
        OutletFrom::Guess => "a guess from its address, until a poll finds the feed's own site",
    };
    format!("{} ({how})", source.outlet)
}

/// What went wrong, else what was repaired.
fn detail(poll: &PastPoll) -> String {
    let repairs =
        poll.problems.iter().map(|p| format!("{} ×{}: {}", p.kind.as_str(), p.count, one_line(&p.detail, 60)));
    let parts: Vec<String> =
        Some(one_line(&poll.detail, 200)).filter(|d| !d.is_empty()).into_iter().chain(repairs).collect();
    parts.join("; ")
}
