//! `newsfold story`: the items that report one event, the reasons for grouping them, and the operator's decisions.

use super::constraint::{decide, decide_together};
use super::output::time;
use super::storyline::{PlacedStory, decision_line, headline};
use super::table::{optional_table_time, table_time};
use super::{Context, examples, id_prefix};
use crate::domain::display_text::one_line;
use crate::domain::language::language_name;
use crate::domain::{ConstraintId, Edition, GroupingConstraint, ItemId, Story, StoryId, StoryItem, Storyline};
use crate::store::{self, Store, WriteConnection, constraints, editions, item_revisions, stories, storylines};
use crate::wording::{backlog_text, count_of, join_reasons, reason_sentence, storyline_reason};
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum StoryCommand {
    /// List the stories with the most recent changes.
    #[command(visible_alias = "ls")]
    #[command(after_long_help = examples::STORY_LIST)]
    List {
        /// Only stories reported by at least N outlets.
        #[arg(long, default_value_t = 1, value_name = "N")]
        min_outlets: u32,
        /// Maximum number of stories to list.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Show a story, its items, and why each item is in it.
    Show {
        /// ID of the story, or a unique prefix of it.
        story: String,
    },
    /// Explain why each item is in the story, and why the story is in its storyline.
    Explain {
        /// ID of the story, or a unique prefix of it.
        story: String,
    },
    /// Merge two stories permanently. The older ID is kept; the other ID redirects to it.
    #[command(after_long_help = examples::STORY_MERGE)]
    Merge {
        /// ID of a story, or a unique prefix of it.
        one: String,
        /// ID of another story, or a unique prefix of it.
        other: String,
    },
    /// Split items off into a new story, permanently.
    #[command(after_long_help = examples::STORY_SPLIT)]
    Split {
        /// ID of the story, or a unique prefix of it.
        story: String,
        /// Numbers of the items to split off, as printed by `newsfold story show`.
        #[arg(required = true)]
        items: Vec<i64>,
    },
    /// Move a story to another storyline permanently.
    Move {
        /// ID of the story, or a unique prefix of it.
        story: String,
        /// ID of the storyline, or a unique prefix of it.
        storyline: String,
    },
    /// List the decisions made by merge, split, move and separate, newest first.
    Decisions,
    /// Undo a decision, so that newsfold groups the items automatically again.
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
            StoryCommand::Explain { story } => explain(context, &story).await,
            StoryCommand::Merge { one, other } => merge(context, &one, &other).await,
            StoryCommand::Split { story, items } => split(context, &story, items).await,
            StoryCommand::Move { story, storyline } => move_story(context, &story, &storyline).await,
            StoryCommand::Decisions => list_decisions(context).await,
            StoryCommand::Undo { decision } => undo(context, ConstraintId(decision)).await,
        }
    }
}

async fn list(context: &Context, min_outlets: u32, limit: u32) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let stories = store.read(move |db| stories::recent(db, min_outlets, limit)).await?;
    context.print_rows(
        &stories,
        "no stories yet; they appear when polled sources have items",
        &[
            ("story", |story| story.id.to_string()),
            ("title", headline),
            ("outlets", |story| story.outlets().len().to_string()),
            ("items", |story| story.items.len().to_string()),
            ("first report", |story| optional_table_time(story.first_report().map(|report| report.item.ranked_at))),
            ("changed", |story| table_time(story.updated_at)),
        ],
    )
}

async fn show(context: &Context, name: &str) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let story = id_prefix::story(&store, name).await?;
    let (id, storyline) = (story.id, story.storyline);
    let (decisions, editions, storyline) = store
        .read(move |db| {
            let (decisions, editions) = (constraints::active_in_story(db, id)?, editions::list_of_story(db, id)?);
            Ok((decisions, editions, storylines::get(db, storyline)?))
        })
        .await?;
    let others = storyline.iter().flat_map(|storyline| others_in(storyline, id, &decisions)).collect::<Vec<_>>();
    let mut lines = vec![format!("{id}  {}", headline(&story))];
    match story.merged_into {
        Some(into) => lines.push(format!("merged into {into}")),
        None => {
            lines.extend(story_lines(&story, &decisions, &editions));
            lines.push(storyline_line(&story, others.len() as u32 + 1));
            lines.extend(others.iter().map(|other| format!("    {}", other.line())));
            lines.extend(item_lines(&store, &story).await?);
        }
    }
    let details =
        StoryDetails { story: &story, decisions: &decisions, editions: &editions, storyline_stories: &others };
    context.print(&details, lines.join("\n"))
}

/// Returns the other stories of a storyline.
fn others_in<'a>(
    storyline: &'a Storyline,
    story: StoryId,
    decisions: &'a [GroupingConstraint],
) -> impl Iterator<Item = PlacedStory<'a>> {
    let others = storyline.stories.iter().filter(move |other| other.id != story);
    others.map(move |other| PlacedStory::new(other, storyline, decisions))
}

fn storyline_line(story: &Story, story_count: u32) -> String {
    let count = count_of(story_count as usize, "story", "stories");
    let reason = one_line(&storyline_reason(&story.storyline_evidence, story_count), 500);
    format!("storyline: {} ({count}): {reason}", story.storyline)
}

async fn explain(context: &Context, name: &str) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let story = id_prefix::unmerged_story(&store, name).await?;
    let (id, storyline) = (story.id, story.storyline);
    let (decisions, story_count) = store
        .read(move |db| Ok((constraints::active_in_story(db, id)?, storylines::count_stories(db, storyline)?)))
        .await?;
    let mut lines = vec![format!("{id}  {}", headline(&story)), storyline_line(&story, story_count)];
    lines.extend(decisions.iter().map(decision_line));
    for StoryItem { item, copy_of, evidence, .. } in &story.items {
        lines.push(format!("\n{}  {}  {}", item.id, one_line(&item.byline(), 200), one_line(&item.title, 200)));
        lines.extend(copy_of.map(|original| format!("    a copy of item {original}")));
        lines.extend(join_reasons(evidence).iter().map(|reason| format!("    {}", one_line(&reason.to_string(), 500))));
    }
    let items = story.items.iter().map(|report| {
        let (item, why) = (&report.item, reason_sentence(&report.evidence));
        json!({"id": item.id, "outlet": item.outlet, "title": item.title, "why": why, "evidence": report.evidence})
    });
    let why = storyline_reason(&story.storyline_evidence, story_count);
    let value = json!({
        "id": id,
        "storyline": {"id": story.storyline, "stories": story_count, "why": why, "evidence": story.storyline_evidence},
        "items": items.collect::<Vec<_>>(),
        "decisions": decisions,
    });
    context.print(&value, lines.join("\n"))
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
        let language = edition.for_language.as_deref().map(|code| language_name(code).unwrap_or(code));
        let readers = language.map_or(String::new(), |language| format!(" for entries in {language}"));
        let (number, reason) = (edition.number, edition.reason.into_str());
        format!("edition {number}{readers}: {reason}, {outlets} ({})", time(edition.made_at))
    }));
    lines.extend(decisions.iter().map(decision_line));
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
        for revision in store.read(move |db| item_revisions::revisions(db, id)).await? {
            lines.push(format!("    until {}: {}", time(revision.replaced_at), one_line(&revision.title, 200)));
        }
    }
    Ok(lines)
}

async fn merge(context: &Context, one: &str, other: &str) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let (one, other) = (id_prefix::story(&store, one).await?, id_prefix::story(&store, other).await?);
    decide(context, config, &store, move |db, now| constraints::merge_stories(db, &one, &other, now)).await
}

async fn split(context: &Context, story: &str, items: Vec<i64>) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let story = id_prefix::story(&store, story).await?;
    let items: Vec<ItemId> = items.into_iter().map(ItemId).collect();
    decide(context, config, &store, move |db, now| constraints::split_story(db, &story, &items, now)).await
}

async fn move_story(context: &Context, story: &str, storyline: &str) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let story = id_prefix::unmerged_story(&store, story).await?;
    let storyline = id_prefix::unmerged_storyline(&store, storyline).await?;
    let record = move |db: &WriteConnection, now| constraints::move_story(db, &story, &storyline, now);
    decide_together(context, config, &store, record).await
}

async fn undo(context: &Context, id: ConstraintId) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    decide(context, config, &store, move |db, now| constraints::undo(db, id, now)).await
}

async fn list_decisions(context: &Context) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    context.print_rows(
        &store.read(constraints::list).await?,
        "no decisions yet; make one with `newsfold story merge`, `story split`, `item separate` or `storyline merge`",
        &[
            ("decision", |decision| decision.id.to_string()),
            ("kind", |decision| decision.kind.into_str().to_owned()),
            ("made", |decision| table_time(decision.made_at)),
            ("undone", |decision| decision.undone_at.map_or_else(String::new, table_time)),
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
    /// The other stories of the storyline.
    storyline_stories: &'a [PlacedStory<'a>],
}
