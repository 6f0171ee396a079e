//! `newsfold storyline`: the stories that report an event and its consequences, the reasons for grouping them, and the
//! operator's decisions.

use super::constraint::decide;
use super::output::{optional_time, time};
use super::table::optional_table_time;
use super::{Context, id_prefix};
use crate::domain::display_text::one_line;
use crate::domain::{
    ConstraintId, GroupingConstraint, Story, StoryId, Storyline, StorylineEvidence, StorylineId, Timestamp,
};
use crate::store::{constraints, storylines};
use crate::wording::{constraint_text, count_of, storyline_reason, term_rate_text};
use serde::Serialize;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum StorylineCommand {
    /// List the storylines with the most recent changes.
    #[command(visible_alias = "ls")]
    List {
        /// Only storylines with at least N stories.
        #[arg(long, default_value_t = 2, value_name = "N")]
        min_stories: u32,
        /// Maximum number of storylines to list.
        #[arg(long, default_value_t = 30)]
        limit: u32,
    },
    /// Show a storyline and its stories, oldest first.
    Show {
        /// ID of the storyline, or a unique prefix of it.
        storyline: String,
    },
    /// Explain why each story belongs to its storyline, and which of the operator's decisions apply.
    Explain {
        /// ID of the storyline, or a unique prefix of it.
        storyline: String,
    },
    /// Merge two storylines permanently. The older ID is kept; the other ID redirects to it.
    Merge {
        /// ID of a storyline, or a unique prefix of it.
        one: String,
        /// ID of another storyline, or a unique prefix of it.
        other: String,
    },
    /// Split stories off into a new storyline, permanently.
    Split {
        /// ID of the storyline, or a unique prefix of it.
        storyline: String,
        /// IDs of the stories to split off, as printed by `newsfold storyline show`, or unique prefixes of them.
        #[arg(required = true)]
        stories: Vec<String>,
    },
}

impl StorylineCommand {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            StorylineCommand::List { min_stories, limit } => list(context, min_stories, limit).await,
            StorylineCommand::Show { storyline } => show(context, &storyline).await,
            StorylineCommand::Explain { storyline } => explain(context, &storyline).await,
            StorylineCommand::Merge { one, other } => merge(context, &one, &other).await,
            StorylineCommand::Split { storyline, stories } => split(context, &storyline, &stories).await,
        }
    }
}

/// A storyline in a list.
#[derive(Serialize)]
struct StorylineRow {
    id: StorylineId,
    /// The headline of its largest story.
    title: String,
    stories: usize,
    outlets: usize,
    items: usize,
    first_report_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

impl StorylineRow {
    fn new(storyline: &Storyline) -> StorylineRow {
        StorylineRow {
            id: storyline.id,
            title: title(storyline),
            stories: storyline.stories.len(),
            outlets: storyline.outlet_count(),
            items: storyline.stories.iter().map(|story| story.items.len()).sum(),
            first_report_at: storyline.stories.iter().filter_map(first_report_at).min(),
            updated_at: storyline.stories.iter().map(|story| story.updated_at).max(),
        }
    }
}

/// A storyline with the reasons for it and the active decisions.
#[derive(Serialize)]
struct StorylineDetails<'a> {
    id: StorylineId,
    created_at: Timestamp,
    merged_into: Option<StorylineId>,
    title: String,
    stories: Vec<PlacedStory<'a>>,
    decisions: &'a [GroupingConstraint],
}

/// A story in its storyline.
#[derive(Serialize)]
pub(super) struct PlacedStory<'a> {
    id: StoryId,
    title: String,
    outlets: usize,
    first_report_at: Option<Timestamp>,
    published_at: Option<Timestamp>,
    why: String,
    evidence: &'a StorylineEvidence,
    /// The active decisions that affect which storyline the story belongs to.
    decisions: Vec<ConstraintId>,
}

impl<'a> PlacedStory<'a> {
    pub(super) fn new(story: &'a Story, storyline: &Storyline, decisions: &[GroupingConstraint]) -> PlacedStory<'a> {
        let applies = |decision: &&GroupingConstraint| {
            let mut named = decision.stayed.iter().chain(&decision.moved);
            decision.kind.is_on_storylines() && named.any(|item| story.items.iter().any(|own| own.item.id == *item))
        };
        PlacedStory {
            id: story.id,
            title: headline(story),
            outlets: story.outlets().len(),
            first_report_at: first_report_at(story),
            published_at: story.published_at,
            why: storyline_reason(&story.storyline_evidence, storyline.stories.len() as u32),
            evidence: &story.storyline_evidence,
            decisions: decisions.iter().filter(applies).map(|decision| decision.id).collect(),
        }
    }

    /// Formats the story on one line: `k3f…  1 Mar 2026, 12:00 UTC  3 outlets  Headline`.
    pub(super) fn line(&self) -> String {
        let outlets = count_of(self.outlets, "outlet", "outlets");
        format!("{}  {}  {outlets}  {}", self.id, optional_time(self.first_report_at), self.title)
    }
}

async fn list(context: &Context, min_stories: u32, limit: u32) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let found = store.read(move |db| storylines::recent(db, min_stories, limit)).await?;
    context.print_rows(
        &found.iter().map(StorylineRow::new).collect::<Vec<_>>(),
        "no storyline has that many stories yet; the daemon groups related stories into storylines",
        &[
            ("storyline", |row| row.id.to_string()),
            ("title", |row| row.title.clone()),
            ("stories", |row| row.stories.to_string()),
            ("outlets", |row| row.outlets.to_string()),
            ("items", |row| row.items.to_string()),
            ("first report", |row| optional_table_time(row.first_report_at)),
            ("changed", |row| optional_table_time(row.updated_at)),
        ],
    )
}

async fn show(context: &Context, name: &str) -> anyhow::Result<ExitCode> {
    print_details(context, name, |details, decisions| {
        let mut lines: Vec<String> = decisions.iter().map(decision_line).collect();
        for story in &details.stories {
            lines.push(format!("\n{}", story.line()));
            lines.push(format!("    why: {}", one_line(&story.why, 500)));
        }
        lines
    })
    .await
}

async fn explain(context: &Context, name: &str) -> anyhow::Result<ExitCode> {
    print_details(context, name, |details, decisions| {
        let mut lines = Vec::new();
        for story in &details.stories {
            lines.push(format!("\n{}", story.line()));
            lines.push(format!("    why: {}", one_line(&story.why, 500)));
            let terms = story.evidence.terms.iter().map(|term| one_line(&term_rate_text(term), 200));
            lines.extend(terms.map(|term| format!("    {term}")));
            if story.evidence.score > 0.0 {
                let score = story.evidence.score;
                lines.push(format!("    probability that it belongs with the most similar story: {score:.2}"));
            }
            let applying = decisions.iter().filter(|decision| story.decisions.contains(&decision.id));
            lines.extend(applying.map(|decision| format!("    {}", decision_line(decision))));
        }
        lines
    })
    .await
}

/// Prints a storyline with the lines that `describe` returns.
async fn print_details(
    context: &Context,
    name: &str,
    describe: impl FnOnce(&StorylineDetails, &[GroupingConstraint]) -> Vec<String>,
) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let storyline = id_prefix::storyline(&store, name).await?;
    let id = storyline.id;
    let decisions = store.read(move |db| constraints::active_in_storyline(db, id)).await?;
    let stories = storyline.stories.iter();
    let details = StorylineDetails {
        id,
        created_at: storyline.created_at,
        merged_into: storyline.merged_into,
        title: title(&storyline),
        stories: stories.map(|story| PlacedStory::new(story, &storyline, &decisions)).collect(),
        decisions: &decisions,
    };
    let mut lines = vec![format!("{id}  {}", details.title)];
    match storyline.merged_into {
        Some(into) => lines.push(format!("merged into {into}")),
        None => {
            let stories = count_of(storyline.stories.len(), "story", "stories");
            lines.push(format!("{stories} by {}", count_of(storyline.outlet_count(), "outlet", "outlets")));
            lines.extend(describe(&details, &decisions));
        }
    }
    context.print(&details, lines.join("\n"))
}

async fn merge(context: &Context, one: &str, other: &str) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let one = id_prefix::unmerged_storyline(&store, one).await?;
    let other = id_prefix::unmerged_storyline(&store, other).await?;
    decide(context, config, &store, move |db, now| constraints::merge_storylines(db, &one, &other, now)).await
}

async fn split(context: &Context, storyline: &str, stories: &[String]) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let storyline = id_prefix::unmerged_storyline(&store, storyline).await?;
    let mut moved: Vec<StoryId> = Vec::new();
    for name in stories {
        moved.push(id_prefix::unmerged_story(&store, name).await?.id);
    }
    decide(context, config, &store, move |db, now| constraints::split_storyline(db, &storyline, &moved, now)).await
}

fn title(storyline: &Storyline) -> String {
    storyline.main_story().map_or_else(|| "(merged into another storyline)".into(), headline)
}

pub(super) fn headline(story: &Story) -> String {
    story.lead().map_or_else(|| "(merged into another story)".into(), |lead| one_line(&lead.item.title, 100))
}

pub(super) fn decision_line(decision: &GroupingConstraint) -> String {
    format!("{} ({})", constraint_text(decision), time(decision.made_at))
}

fn first_report_at(story: &Story) -> Option<Timestamp> {
    story.first_report().map(|report| report.item.ranked_at)
}
