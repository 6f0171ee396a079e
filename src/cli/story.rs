//! `newsfold story`: the items that report one event, the reasons for grouping them, and the operator's decisions.

use super::Context;
use super::output::{optional_time, time};
use crate::config::Config;
use crate::domain::display_text::one_line;
use crate::domain::{ConstraintId, Edition, GroupingConstraint, ItemId, Story, StoryId, StoryItem, Timestamp};
use crate::publish::choose_lead;
use crate::store::constraints::{self, ConstraintResult};
use crate::store::{self, Store, WriteConnection, editions, items, stories};
use crate::wording::{backlog_text, constraint_text, count_of, reason_sentence};
use anyhow::{Context as _, bail};
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum StoryCommand {
    /// List the stories with the most recent changes.
    List {
        /// Only stories reported by at least N outlets.
        #[arg(long, default_value_t = 1, value_name = "N")]
        min_outlets: u32,
        /// Maximum number of stories to list.
        #[arg(long, default_value_t = 30)]
        limit: u32,
    },
    /// Show a story, its items, and why each item is in it.
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
    /// Undo a decision, so that newsfold groups the items by itself again.
    Undo {
        /// Number of the decision, as printed by `newsfold story decisions`.
        decision: i64,
    },
}

impl StoryCommand {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            StoryCommand::List { min_outlets, limit } => list(context, min_outlets, limit).await,
            StoryCommand::Show { story } => show(context, &story).await,
            StoryCommand::Merge { one, other } => merge(context, &one, &other).await,
            StoryCommand::Split { story, items } => split(context, &story, items).await,
            StoryCommand::Decisions => list_decisions(context).await,
            StoryCommand::Undo { decision } => undo(context, ConstraintId(decision)).await,
        }
    }
}

async fn list(context: &Context, min_outlets: u32, limit: u32) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let stories = store.read(move |db| stories::recent(db, min_outlets, limit)).await?;
    context.print_rows(
        &stories,
        "no stories yet; they appear when polled sources have items",
        &[
            ("story", |story| story.id.to_string()),
            ("title", title),
            ("outlets", |story| story.outlets().len().to_string()),
            ("items", |story| story.items.len().to_string()),
            ("first report", |story| optional_time(story.first_report().map(|report| report.item.ranked_at))),
            ("changed", |story| time(story.updated_at)),
        ],
    )
}

async fn show(context: &Context, name: &str) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let story = find(&store, name).await?;
    let id = story.id;
    let (decisions, editions) =
        store.read(move |db| Ok((constraints::active_in_story(db, id)?, editions::list_of_story(db, id)?))).await?;
    let mut lines = vec![format!("{id}  {}", title(&story))];
    match story.merged_into {
        Some(into) => lines.push(format!("merged into {into}")),
        None => {
            lines.extend(story_lines(&story, &decisions, &editions));
            lines.extend(item_lines(&store, &story).await?);
        }
    }
    context.print(&StoryDetails { story: &story, decisions: &decisions, editions: &editions }, lines.join("\n"))
}

fn story_lines(story: &Story, decisions: &[GroupingConstraint], editions: &[Edition]) -> Vec<String> {
    let published = match (story.published_at, story.news().next()) {
        (Some(at), _) => time(at),
        (None, Some(_)) => "not yet (publish.delay, publish.probation)".into(),
        (None, None) => "no, because all reports are backlog".into(),
    };
    let mut lines = vec![format!("published: {published}"), format!("outlets: {}", story.outlets().join(", "))];
    lines.extend(editions.iter().map(|edition| {
        let outlets = count_of(edition.outlet_count as usize, "outlet", "outlets");
        format!("edition {}: {}, {outlets} ({})", edition.number, edition.reason.into_str(), time(edition.made_at))
    }));
    lines.extend(decisions.iter().map(|made| format!("{} ({})", constraint_text(made), time(made.made_at))));
    lines
}

/// Describes the items of a story with their earlier titles.
async fn item_lines(store: &Store, story: &Story) -> store::Result<Vec<String>> {
    let mut lines = Vec::new();
    for StoryItem { item, copy_of, evidence, .. } in &story.items {
        let title = one_line(&item.title, 200);
        lines.push(format!("\n{}  {}  {}  {title}", item.id, time(item.ranked_at), one_line(&item.byline(), 200)));
        lines.extend(item.url.as_ref().map(|url| format!("    {}", one_line(url, 300))));
        lines.extend(copy_of.map(|original| format!("    a copy of item {original}")));
        lines.extend(item.backlog_reason.map(|reason| format!("    {}", backlog_text(reason))));
        lines.push(format!("    why: {}", one_line(&reason_sentence(evidence), 500)));
        let id = item.id;
        for revision in store.read(move |db| items::revisions(db, id)).await? {
            lines.push(format!("    until {}: {}", time(revision.replaced_at), one_line(&revision.title, 200)));
        }
    }
    Ok(lines)
}

async fn merge(context: &Context, one: &str, other: &str) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let (one, other) = (find(&store, one).await?, find(&store, other).await?);
    decide(context, config, &store, move |db, now| constraints::merge_stories(db, &one, &other, now)).await
}

async fn split(context: &Context, story: &str, items: Vec<i64>) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let story = find(&store, story).await?;
    let items: Vec<ItemId> = items.into_iter().map(ItemId).collect();
    decide(context, config, &store, move |db, now| constraints::split_story(db, &story, &items, now)).await
}

async fn undo(context: &Context, id: ConstraintId) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    decide(context, config, &store, move |db, now| constraints::undo(db, id, now)).await
}

/// Records a decision with `record`, and sets a new lead for each story that lost its lead. Prints the decision, or
/// fails with the reason why it was refused.
pub(super) async fn decide(
    context: &Context,
    config: Config,
    store: &Store,
    record: impl FnOnce(&WriteConnection, Timestamp) -> store::Result<ConstraintResult> + Send + 'static,
) -> anyhow::Result<ExitCode> {
    let now = context.clock.now();
    let recorded = store.write(move |db| {
        let recorded = record(db, now)?;
        for story in recorded.iter().flat_map(|applied| &applied.leaderless) {
            if let Some(lead) = choose_lead(story, &config.publish) {
                stories::set_lead(db, story.id, lead.item.id)?;
            }
        }
        Ok(recorded)
    });
    let decision = recorded.await??.constraint;
    let next = match decision.undone_at {
        Some(_) => ": undone".into(),
        None => format!("; `newsfold story undo {}` undoes it", decision.id),
    };
    context.print(&decision, constraint_text(&decision) + &next)
}

async fn list_decisions(context: &Context) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    context.print_rows(
        &store.read(constraints::list).await?,
        "no decisions yet; make one with `newsfold story merge`, `story split` or `item separate`",
        &[
            ("decision", |decision| decision.id.to_string()),
            ("kind", |decision| decision.kind.into_str().to_owned()),
            ("made", |decision| time(decision.made_at)),
            ("undone", |decision| decision.undone_at.map_or_else(String::new, time)),
            ("items", |decision| (decision.stayed.len() + decision.moved.len()).to_string()),
        ],
    )
}

/// A story with its decisions and editions.
#[derive(serde::Serialize)]
struct StoryDetails<'a> {
    #[serde(flatten)]
    story: &'a Story,
    decisions: &'a [GroupingConstraint],
    editions: &'a [Edition],
}

fn title(story: &Story) -> String {
    story.lead().map_or_else(|| "(merged away)".into(), |lead| one_line(&lead.item.title, 100))
}

/// Finds the story with this id or unique prefix.
pub(super) async fn find(store: &Store, name: &str) -> anyhow::Result<Story> {
    let rows = StoryId::rows_of_prefix(name)?;
    let ids = store.read(move |db| stories::find_in_id_range(db, rows)).await?;
    if ids.len() > 1 {
        bail!("more than one story id begins with ‘{name}’; give more characters");
    }
    let story = store.read(move |db| ids.first().map_or(Ok(None), |id| stories::get(db, *id))).await?;
    story.with_context(|| format!("there is no story ‘{name}’; `newsfold story list` shows the latest"))
}
