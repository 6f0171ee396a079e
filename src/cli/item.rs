//! `newsfold item`: one entry of one source, and why it is where it is.

use super::Context;
use super::output::{json, maybe_time, one_line, print, time};
use crate::model::ItemId;
use crate::store::{items, stories};
use anyhow::Context as _;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Item {
    /// Show an item, what it said before, its story and why it is in it.
    Show {
        /// The item's number, as `newsfold story show` prints it.
        item: i64,
    },
}

impl Item {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let Item::Show { item } = self;
        show(context, ItemId(item)).await
    }
}

async fn show(context: &Context, id: ItemId) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let found = store
        .read(move |db| {
            let story = stories::of_item(db, id)?.map(|story| stories::get(db, story)).transpose()?.flatten();
            Ok(items::get(db, id)?.map(|item| (item, story, items::revisions(db, id))))
        })
        .await?;
    let (item, story, revisions) = found
        .with_context(|| format!("there is no item {id}; `newsfold story show ID` prints the numbers of items"))?;
    let revisions = revisions?;
    let report = story.as_ref().and_then(|story| story.items.iter().find(|report| report.item.id == id));
    if context.json() {
        json(&serde_json::json!({
            "item": item, "story": story.as_ref().map(|s| s.id), "copy_of": report.and_then(|r| r.copy_of),
            "evidence": report.map(|r| &r.evidence), "why": report.map(|r| r.why()), "revisions": revisions,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let none = || "none".to_owned();
    let facts = [
        ("item", item.id.to_string()),
        ("title", one_line(&item.title, 300)),
        ("source", format!("{} ({})", item.source, one_line(&item.source_title, 80))),
        ("outlet", item.outlet.clone()),
        ("link", item.url.as_deref().map_or_else(none, |url| one_line(url, 300))),
        ("guid", one_line(&item.guid, 300)),
        ("author", item.author.as_deref().map_or_else(none, |author| one_line(author, 200))),
        ("language", item.lang.clone().unwrap_or_else(none)),
        ("claimed date", item.published_at.map_or_else(none, time)),
        ("first seen", time(item.first_seen_at)),
        ("ranked at", time(item.ranked_at)),
        ("summary", one_line(&item.summary, 400)),
    ];
    for (name, value) in facts {
        print(&format!("{name:>12}  {value}"))?;
    }
    match (&story, report) {
        (Some(story), Some(report)) => {
            let title = story.lead().map_or("", |lead| lead.item.title.as_str());
            print(&format!("{:>12}  {} ({})", "story", story.id, one_line(title, 100)))?;
            if let Some(original) = report.copy_of {
                print(&format!("{:>12}  item {original}", "copy of"))?;
            }
            print(&format!("{:>12}  {}", "why", one_line(&report.why(), 500)))?;
        }
        _ => print(&format!("{:>12}  not placed yet; the daemon does it", "story"))?,
    }
    for revision in revisions {
        let claimed = maybe_time(revision.published_at);
        let title = one_line(&revision.title, 200);
        print(&format!("{:>12}  until {}: {title} (dated {claimed})", "revision", time(revision.replaced_at)))?;
    }
    Ok(ExitCode::SUCCESS)
}
