//! `newsfold source list` and `show`.

use super::find;
use crate::cli::Context;
use crate::cli::output::{json, maybe_time, print, table, time};
use crate::domain::display_text::one_line;
use crate::domain::{HubSubscription, Source, SourceState};
use crate::store::polls::{self, PollSummary};
use crate::store::sources::{self, SourceFilter};
use crate::store::websub_subscriptions;
use crate::wording::{Audience, next_poll_text, poll_remarks, source_facts};
use std::process::ExitCode;

pub async fn list(context: &Context, filter: SourceFilter) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let wanted = filter.clone();
    let found = store.read(move |db| sources::list(db, &filter)).await?;
    if context.json() {
        json(&found.iter().map(SourceJson::new).collect::<Vec<_>>())?;
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
                    one_line(&s.last_error, 80),
                ]
            }),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A source as JSON, with the reason of its next poll as data and in words.
#[derive(serde::Serialize)]
struct SourceJson<'a> {
    #[serde(flatten)]
    source: &'a Source,
    next_poll_text: String,
}

impl SourceJson<'_> {
    fn new(source: &Source) -> SourceJson<'_> {
        SourceJson { source, next_poll_text: next_poll_text(&source.next_poll_reason, Audience::Operator) }
    }
}

fn none_found(wanted: &SourceFilter) -> String {
    let having = if wanted.problems { " and a problem" } else { "" };
    match &wanted.tag {
        Some(tag) => format!("no source has the tag ‘{}’{having}; `newsfold source list` shows all", one_line(tag, 60)),
        None if wanted.problems => "no source has a problem".into(),
        None => "no source; add one with `newsfold source add URL`".into(),
    }
}

fn state(source: &Source) -> String {
    match source.last_outcome {
        Some(outcome) => format!("{}, {}", source.state.into_str(), outcome.into_str()),
        None => source.state.into_str().to_owned(),
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
            source: SourceJson<'a>,
            hub: Option<&'a HubSubscription>,
            polls: &'a [PollSummary],
        }
        json(&Shown { source: SourceJson::new(&source), hub: hub.as_ref(), polls: &past })?;
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value) in facts(&source, hub.as_ref()) {
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
                p.outcome.into_str().to_owned(),
                p.status.map_or_else(String::new, |s| s.to_string()),
                p.bytes.to_string(),
                p.items.to_string(),
                p.new_items.to_string(),
                p.changed_items.to_string(),
                poll_remarks(p.outcome, &p.detail, &p.problems, Audience::Operator).join("; "),
            ]
        }),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// The facts of a source, those first that the pages show elsewhere.
fn facts(source: &Source, hub: Option<&HubSubscription>) -> Vec<(&'static str, String)> {
    let next = match source.state {
        SourceState::Active => {
            format!("{} ({})", time(source.next_poll_at), next_poll_text(&source.next_poll_reason, Audience::Operator))
        }
        _ => "none".into(),
    };
    let mut facts = vec![
        ("Source", source.id.to_string()),
        ("Title", one_line(&source.title, 200)),
        ("Website", one_line(source.site_url.as_deref().unwrap_or("unknown"), 200)),
        ("State", state(source)),
        ("Last poll", maybe_time(source.last_poll_at)),
        ("Next poll", next),
    ];
    facts.extend(source_facts(source, hub, Audience::Operator));
    facts
}
