//! `newsfold eval`: runs the clusterer on labeled items and scores the result.

use super::Context;
use super::input::read_bytes;
use super::output::{self, print};
use crate::cluster::Clusterer;
use crate::config::Config;
use crate::daemon::{SimulatedFeed, simulate_feed};
use crate::domain::display_text::one_line;
use crate::domain::{Item, StoryId};
use crate::encoder::{Encoder, add_embeddings};
use crate::evaluation::metrics::{
    ClusteringMetrics, FeedMetrics, GroupingError, PrecisionRecall, false_merges, misses,
};
use crate::evaluation::simulated_feed::{FeedItem, ListedEntry, SimulatedFeedMetrics};
use crate::evaluation::{LabeledItem, group_into_storylines, items_of_dataset, parse_dataset, replay};
use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

#[derive(clap::Args)]
pub struct Eval {
    /// Labeled items: one JSON object per line with id, outlet, published, title, summary, url and story; - reads
    /// stdin.
    gold: PathBuf,
    /// Write each item's ID, predicted story and predicted storyline, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Minimum score for an item to join a story (overrides `cluster.threshold`).
    #[arg(long)]
    threshold: Option<f32>,
    /// Number of false merges and misses to show, worst first.
    #[arg(long, value_name = "N", default_value_t = 3)]
    samples: usize,
    /// Replay the items through a daemon with the configured publishing policy, and score the feed of all stories. This
    /// takes several minutes.
    #[arg(long)]
    feed: bool,
    #[command(flatten)]
    encoder: EncoderArguments,
}

#[derive(clap::Args)]
struct EncoderArguments {
    /// Compute embeddings with the encoder in this directory.
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// File in which the embeddings are cached for later runs.
    #[arg(long, value_name = "FILE")]
    embedding_cache: Option<PathBuf>,
}

/// The maximum number of parts to show per error, and of items per part.
const MAX_SHOWN_PARTS: usize = 5;
const MAX_SHOWN_ITEMS: usize = 2;

impl Eval {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let labeled = read_dataset(&self.gold)?;
        let mut config = context.config()?;
        if let Some(threshold) = self.threshold {
            config.cluster.threshold = threshold;
        }
        let mut items = items_of_dataset(&labeled);
        if let Some(folder) = &self.encoder.encoder {
            add_embeddings(&Encoder::load(folder)?, self.encoder.embedding_cache.as_deref(), &mut items)?;
        }
        let start = Instant::now();
        let found = replay(&mut Clusterer::new(config.cluster.clone()), &items);
        let elapsed = start.elapsed();
        let in_storylines = group_into_storylines(&items, &found);
        if let Some(out) = &self.out {
            let line = |((item, story), storyline): ((&LabeledItem, &StoryId), &StoryId)| {
                format!("{}\n", json!({ "id": item.id, "story": story, "storyline": storyline }))
            };
            let lines: String = labeled.iter().zip(&found).zip(&in_storylines).map(line).collect();
            std::fs::write(out, lines).with_context(|| format!("cannot write {}", out.display()))?;
        }
        let grouped: Vec<(String, StoryId)> =
            labeled.iter().zip(&found).map(|(item, story)| (item.story.to_string(), *story)).collect();
        let metrics = ClusteringMetrics::new(&grouped);
        let feed = feed_metrics(labeled.iter().map(|item| item.story.to_string()), &found, &labeled);
        let storylines = storyline_metrics(&labeled, &in_storylines);
        let simulated_feed = if self.feed { Some(simulated_metrics(&config, &labeled, &items).await?) } else { None };
        let (mut false_merges, mut misses) = (false_merges(&grouped), misses(&grouped));
        false_merges.truncate(self.samples);
        misses.truncate(self.samples);
        if context.json() {
            let by_id = |errors: &[GroupingError]| errors.iter().map(|error| by_id(error, &labeled)).collect::<Value>();
            let mistakes = json!({ "false_merges": by_id(&false_merges), "misses": by_id(&misses) });
            output::json(&Evaluation { metrics, feed, storylines, simulated_feed, mistakes })?;
            return Ok(ExitCode::SUCCESS);
        }
        let ClusteringMetrics { items, stories_labeled, stories_found, b_cubed, pairs } = metrics;
        print(&format!("items {items} stories gold {stories_labeled} system {stories_found}"))?;
        print_figures("b-cubed", &b_cubed)?;
        print_figures("pairs  ", &pairs)?;
        print_feed("feed", &feed)?;
        if let Some(StorylineFigures { metrics: storylines, feed }) = storylines {
            print(&format!("storylines gold {} system {}", storylines.stories_labeled, storylines.stories_found))?;
            print_figures("storyline b-cubed", &storylines.b_cubed)?;
            print_figures("storyline pairs  ", &storylines.pairs)?;
            print_feed("storyline feed", &feed)?;
        }
        simulated_feed.as_ref().map_or(Ok(()), print_simulated_feed)?;
        print_errors("false merge", &false_merges, &labeled)?;
        print_errors("miss", &misses, &labeled)?;
        eprintln!("{:.0} items per second", found.len() as f64 / elapsed.as_secs_f64());
        Ok(ExitCode::SUCCESS)
    }
}

fn print_simulated_feed(figures: &SimulatedFeedMetrics) -> anyhow::Result<()> {
    let SimulatedFeedMetrics { entries, repeats, visible, with_entry, foreign } = figures;
    print(&format!(
        "simulated feed entries {entries} repeats {repeats:.4} visible {visible:.4} with entry {with_entry:.4} foreign {foreign:.4}"
    ))
}

/// Replays the items through a daemon and scores the feed of all stories.
async fn simulated_metrics(
    config: &Config,
    labeled: &[LabeledItem],
    items: &[Item],
) -> anyhow::Result<SimulatedFeedMetrics> {
    let folder = tempfile::tempdir().context("cannot create a temporary directory for the database")?;
    let SimulatedFeed { stories, entries } = simulate_feed(config, items, folder.path()).await?;
    let labels: Vec<[String; 2]> =
        labeled.iter().map(|item| [format!("story {}", item.story), item.storyline_label()]).collect();
    let feed_items: Vec<FeedItem<'_>> = labeled
        .iter()
        .zip(&labels)
        .zip(&stories)
        .filter_map(|((item, [story_label, storyline_label]), story)| {
            let story = story.as_ref()?.to_row();
            Some(FeedItem { outlet: &item.outlet, story_label, storyline_label, story })
        })
        .collect();
    let entries: Vec<ListedEntry> = entries
        .into_iter()
        .map(|(story, listed)| ListedEntry {
            story: story.to_row(),
            listed: listed.into_iter().map(StoryId::to_row).collect(),
        })
        .collect();
    Ok(SimulatedFeedMetrics::new(&feed_items, &entries))
}

/// Scores storylines, if the dataset labels any.
fn storyline_metrics(labeled: &[LabeledItem], found: &[StoryId]) -> Option<StorylineFigures> {
    labeled.iter().find(|item| item.storyline.is_some())?;
    let labels = labeled.iter().map(LabeledItem::storyline_label);
    let metrics = ClusteringMetrics::new(&labels.clone().zip(found.iter().copied()).collect::<Vec<_>>());
    Some(StorylineFigures { metrics, feed: feed_metrics(labels, found, labeled) })
}

/// Scores the feed with one entry for each group with items from two or more outlets.
fn feed_metrics(labels: impl Iterator<Item = String>, found: &[StoryId], labeled: &[LabeledItem]) -> FeedMetrics {
    let outlets = labeled.iter().map(|item| item.outlet.as_str());
    let grouped = labels.zip(found).zip(outlets).map(|((label, group), outlet)| (label, *group, outlet));
    FeedMetrics::new(&grouped.collect::<Vec<_>>())
}

fn print_figures(name: &str, figures: &PrecisionRecall) -> anyhow::Result<()> {
    print(&format!("{name} P {:.4} R {:.4} F1 {:.4}", figures.precision, figures.recall, figures.f1))
}

fn print_feed(name: &str, feed: &FeedMetrics) -> anyhow::Result<()> {
    let FeedMetrics { entries, labels, pure, repeats, found } = feed;
    print(&format!("{name} entries {entries} gold {labels} pure {pure:.3} repeats {repeats:.3} found {found:.3}"))
}

/// Prints the parts of each error and the first items of each part.
fn print_errors(kind: &str, errors: &[GroupingError], labeled: &[LabeledItem]) -> anyhow::Result<()> {
    for error in errors {
        let parts = error.parts.iter().map(|part| part.len().to_string()).collect::<Vec<_>>().join(" + ");
        print(&format!("{kind}: {} pairs, part sizes {}", error.pairs, one_line(&parts, 120)))?;
        for part in error.parts.iter().take(MAX_SHOWN_PARTS) {
            for (n, position) in part.iter().take(MAX_SHOWN_ITEMS).enumerate() {
                let (item, bullet) = (&labeled[*position], if n == 0 { "-" } else { " " });
                let (time, outlet) = (item.published.strftime("%m-%d %H:%M"), one_line(&item.outlet, 20));
                print(&format!("  {bullet} {time}  {outlet:<20}  {}", one_line(&item.title, 100)))?;
            }
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Evaluation {
    #[serde(flatten)]
    metrics: ClusteringMetrics,
    feed: FeedMetrics,
    /// `None` if the dataset labels no storylines.
    storylines: Option<StorylineFigures>,
    /// `None` without `--feed`.
    simulated_feed: Option<SimulatedFeedMetrics>,
    mistakes: Value,
}

#[derive(Serialize)]
struct StorylineFigures {
    #[serde(flatten)]
    metrics: ClusteringMetrics,
    feed: FeedMetrics,
}

/// Returns an error with item IDs instead of positions.
fn by_id(error: &GroupingError, labeled: &[LabeledItem]) -> Value {
    let ids = |part: &Vec<usize>| part.iter().map(|position| labeled[*position].id.as_str()).collect::<Value>();
    json!({ "pairs": error.pairs, "parts": error.parts.iter().map(ids).collect::<Value>() })
}

fn read_dataset(path: &Path) -> anyhow::Result<Vec<LabeledItem>> {
    let text = String::from_utf8(read_bytes(path)?).with_context(|| format!("{} is not UTF-8", path.display()))?;
    let items =
        parse_dataset(&text).with_context(|| format!("{} is not a dataset of labeled items", path.display()))?;
    if items.is_empty() {
        bail!(
            "{} contains no items; each line must be a JSON object with id, outlet, published, title and story",
            path.display()
        );
    }
    Ok(items)
}
