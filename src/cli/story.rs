//! `newsfold story`: what was found to be one event, and why.

use super::Context;
use super::output::{json, maybe_time, print, table, time};
use crate::config::Config;
use crate::domain::display_text::one_line;
use crate::domain::{ConstraintId, Edition, GroupingConstraint, ItemId, Story as Kept, StoryId};
use crate::publish::choose_lead;
use crate::store::constraints::{self, ConstraintRefusal};
use crate::store::stories::{self, RecentFilter};
use crate::store::{Store, editions, items};
use crate::wording::{constraint_text, reason_sentence};
use anyhow::{Context as _, bail};
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Story {
    /// List the stories with the most recent changes.
    List {
        /// Only stories reported by at least N outlets.
        #[arg(long, default_value_t = 1, value_name = "N")]
        min_outlets: u32,
        /// Maximum number of stories to list.
        #[arg(long, default_value_t = 30)]
        limit: u32,
    },
    /// Show a story: its items, and the reason for each of them.
    Show {
        /// Id of the story, or a unique prefix of it.
        story: String,
    },
    /// Merge two stories permanently. The older id is kept; the other redirects.
    Merge { one: String, other: String },
    /// Split items off into a story of their own, permanently.
    Split {
        /// Id of the story, or a unique prefix of it.
        story: String,
        /// Numbers of the items to split off, as printed by `newsfold story show`.
        #[arg(required = true)]
        items: Vec<i64>,
    },
    /// List the decisions made by merge, split and separate, newest first.
    Decisions,
    /// Undo a decision and let the grouping decide again.
    Undo {
        /// Number of the decision, as printed by `newsfold story decisions`.
        decision: i64,
    },
}

impl Story {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            Story::List { min_outlets, limit } => list(context, min_outlets, limit).await,
            Story::Show { story } => show(context, &story).await,
            Story::Merge { one, other } => merge(context, &one, &other).await,
            Story::Split { story, items } => split(context, &story, items).await,
            Story::Decisions => list_decisions(context).await,
            Story::Undo { decision } => undo(context, ConstraintId(decision)).await,
        }
    }
}

async fn list(context: &Context, min_outlets: u32, limit: u32) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let found = store.read(move |db| stories::recent(db, RecentFilter { min_outlets, limit })).await?;
    if context.json() {
        json(&found)?;
    } else if found.is_empty() {
        print("no stories yet; they appear when polled sources have items")?;
    } else {
        table(
            ["story", "title", "outlets", "items", "first report", "changed"],
            found.iter().map(|story| {
                [
                    story.id.to_string(),
                    title(story),
                    story.outlets().len().to_string(),
                    story.items.len().to_string(),
                    maybe_time(story.items.first().map(|i| i.item.ranked_at)),
                    time(story.updated_at),
                ]
            }),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(context: &Context, name: &str) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let story = find(&store, name).await?;
    let id = story.id;
    let (decided, told) =
        store.read(move |db| Ok((constraints::active_in_story(db, id)?, editions::list_of_story(db, id)?))).await?;
    if context.json() {
        json(&Shown { story: &story, decisions: &decided, editions: &told })?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{}  {}", story.id, title(&story)))?;
    if let Some(into) = story.merged_into {
        print(&format!("merged into {into}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let published = story.published.as_ref();
    print(&format!("published: {}", published.map_or_else(|| "not yet (publish.delay)".into(), |p| time(p.at))))?;
    print(&format!("outlets: {}", story.outlets().join(", ")))?;
    for edition in told {
        let (cause, outlets) = (edition.reason.into_str(), edition.outlet_count);
        let plural = if outlets == 1 { "" } else { "s" };
        print(&format!("edition {}: {cause}, {outlets} outlet{plural} ({})", edition.number, time(edition.made_at)))?;
    }
    for decision in decided {
        print(&format!("{} ({})", constraint_text(&decision), time(decision.made_at)))?;
    }
    for report in &story.items {
        let item = &report.item;
        print("")?;
        print(&format!("{}  {}  {}  {}", item.id, time(item.ranked_at), item.outlet, one_line(&item.title, 200)))?;
        if let Some(url) = &item.url {
            print(&format!("    {}", one_line(url, 300)))?;
        }
        if let Some(original) = report.copy_of {
            print(&format!("    a copy of item {original}"))?;
        }
        print(&format!("    why: {}", one_line(&reason_sentence(&report.evidence), 500)))?;
        let id = item.id;
        for revision in store.read(move |db| items::revisions(db, id)).await? {
            print(&format!("    until {}: {}", time(revision.replaced_at), one_line(&revision.title, 200)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn merge(context: &Context, one: &str, other: &str) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let (one, other, now) = (find(&store, one).await?, find(&store, other).await?, context.clock.now());
    done(context, store.write(move |db| constraints::merge_stories(db, &one, &other, now, &lead(&config))).await?)
}

async fn split(context: &Context, story: &str, items: Vec<i64>) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let (story, now) = (find(&store, story).await?, context.clock.now());
    let items: Vec<ItemId> = items.into_iter().map(ItemId).collect();
    done(context, store.write(move |db| constraints::split_story(db, &story, &items, now, &lead(&config))).await?)
}

async fn undo(context: &Context, id: ConstraintId) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let now = context.clock.now();
    done(context, store.write(move |db| constraints::undo(db, id, now, &lead(&config))).await?)
}

async fn list_decisions(context: &Context) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let found = store.read(constraints::list).await?;
    if context.json() {
        json(&found)?;
    } else if found.is_empty() {
        print("no decisions yet; make one with `newsfold story merge`, `story split` or `item separate`")?;
    } else {
        table(
            ["decision", "kind", "made", "taken back", "items"],
            found.iter().map(|decision| {
                [
                    decision.id.to_string(),
                    decision.kind.into_str().to_owned(),
                    time(decision.made_at),
                    decision.undone_at.map_or_else(String::new, time),
                    (decision.stayed.len() + decision.moved.len()).to_string(),
                ]
            }),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The new lead of a story whose lead has left.
pub(super) fn lead(config: &Config) -> impl Fn(&Kept) -> Option<ItemId> {
    move |story| choose_lead(story, &config.publish).map(|lead| lead.item.id)
}

/// Prints the decision, or why it is refused.
pub(super) fn done(
    context: &Context,
    decided: Result<GroupingConstraint, ConstraintRefusal>,
) -> anyhow::Result<ExitCode> {
    let decision = decided?;
    if context.json() {
        json(&decision)?;
    } else if decision.undone_at.is_some() {
        print(&format!("{}: undone", constraint_text(&decision)))?;
    } else {
        print(&format!("{}; `newsfold story undo {}` undoes it", constraint_text(&decision), decision.id))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A story with its decisions and editions.
#[derive(serde::Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    story: &'a Kept,
    decisions: &'a [GroupingConstraint],
    editions: &'a [Edition],
}

fn title(story: &Kept) -> String {
    story.lead().map_or_else(|| "(merged away)".into(), |lead| one_line(&lead.item.title, 100))
}

/// The story with this id or unique prefix.
pub(super) async fn find(store: &Store, name: &str) -> anyhow::Result<Kept> {
    let rows = StoryId::rows_of_prefix(name)?;
    let ids = store.read(move |db| stories::find_in_id_range(db, rows)).await?;
    let none = || format!("there is no story ‘{name}’; `newsfold story list` shows the latest");
    match ids[..] {
        [] => bail!(none()),
        [id] => store.read(move |db| stories::get(db, id)).await?.with_context(none),
        _ => bail!("more than one story id begins with ‘{name}’; give more characters"),
    }
}
