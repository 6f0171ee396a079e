//! `newsfold eval`: runs the clusterer over labeled items and scores the outcome.

use super::Context;
use super::output::{json, print};
use crate::cluster::Clusterer;
use crate::cluster::evaluation::metrics::{ClusteringMetrics, GroupingError, GroupingErrors};
use crate::cluster::evaluation::{LabeledItem, parse_dataset, replay};
use crate::domain::display_text::one_line;
use crate::domain::{Item, StoryId};
use crate::urls::canonical::canonical_url_from_str;
use anyhow::{Context as _, bail};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

#[derive(clap::Args)]
pub struct Eval {
    /// Labeled items: one JSON object per line with id, outlet, published, title, summary, url and story.
    gold: PathBuf,
    /// Write the id and the found story of each item, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Score from which an item joins a story (overrides `cluster.threshold`).
    #[arg(long)]
    threshold: Option<f32>,
    /// Number of the worst false merges and misses to show.
    #[arg(long, value_name = "N", default_value_t = 3)]
    samples: usize,
}

/// The parts of an error that are shown, and the items of each part.
const MAX_SHOWN_PARTS: usize = 5;
const MAX_SHOWN_ITEMS: usize = 2;

impl Eval {
    pub fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let labeled = read_dataset(&self.gold)?;
        let mut options = context.config()?.cluster;
        if let Some(threshold) = self.threshold {
            options.threshold = threshold;
        }
        let items: Vec<Item> = labeled.iter().enumerate().map(|(n, item)| with_canonical_url(item, n)).collect();
        let start = Instant::now();
        let found = replay(&mut Clusterer::new(options), &items);
        let elapsed = start.elapsed();
        if let Some(out) = &self.out {
            write_stories(out, &labeled, &found)?;
        }
        let grouped: Vec<(String, StoryId)> =
            labeled.iter().zip(&found).map(|(item, story)| (item.story.to_string(), *story)).collect();
        let metrics = ClusteringMetrics::new(&grouped);
        let errors = GroupingErrors::new(&grouped, self.samples);
        if context.json() {
            json(&Evaluation { metrics: &metrics, mistakes: errors_by_id(&errors, &labeled) })?;
            return Ok(ExitCode::SUCCESS);
        }
        let ClusteringMetrics { items, stories_labeled, stories_found, b_cubed, pairs } = metrics;
        print(&format!("items {items} stories gold {stories_labeled} system {stories_found}"))?;
        for (name, figures) in [("b-cubed", b_cubed), ("pairs  ", pairs)] {
            print(&format!("{name} P {:.4} R {:.4} F1 {:.4}", figures.precision, figures.recall, figures.f1))?;
        }
        print_errors("false merge", &errors.false_merges, &labeled)?;
        print_errors("miss", &errors.misses, &labeled)?;
        eprintln!("{:.0} items per second", found.len() as f64 / elapsed.as_secs_f64());
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints the parts of each error with their first items.
fn print_errors(kind: &str, errors: &[GroupingError], labeled: &[LabeledItem]) -> anyhow::Result<()> {
    for error in errors {
        let parts = error.parts.iter().map(|part| part.len().to_string()).collect::<Vec<_>>().join(" + ");
        print(&format!("{kind}: {} pairs, parts of {}", error.pairs, one_line(&parts, 120)))?;
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
struct Evaluation<'a> {
    #[serde(flatten)]
    metrics: &'a ClusteringMetrics,
    mistakes: serde_json::Value,
}

/// Errors with the ids of items in place of their positions.
fn errors_by_id(errors: &GroupingErrors, labeled: &[LabeledItem]) -> serde_json::Value {
    let ids = |part: &Vec<usize>| part.iter().map(|position| labeled[*position].id.as_str()).collect::<Vec<_>>();
    let by_id = |errors: &[GroupingError]| {
        let error = |error: &GroupingError| serde_json::json!({ "pairs": error.pairs, "parts": error.parts.iter().map(ids).collect::<Vec<_>>() });
        errors.iter().map(error).collect::<Vec<_>>()
    };
    serde_json::json!({ "false_merges": by_id(&errors.false_merges), "misses": by_id(&errors.misses) })
}

fn with_canonical_url(item: &LabeledItem, n: usize) -> Item {
    item.to_item(n, item.url.as_deref().and_then(canonical_url_from_str))
}

fn read_dataset(path: &Path) -> anyhow::Result<Vec<LabeledItem>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let items = parse_dataset(&text).with_context(|| path.display().to_string())?;
    if items.is_empty() {
        bail!(
            "{} contains no items; each line must be a JSON object with id, outlet, published, title and story",
            path.display()
        );
    }
    Ok(items)
}

fn write_stories(path: &Path, labeled: &[LabeledItem], found: &[StoryId]) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        id: &'a str,
        story: StoryId,
    }
    let mut text = Vec::new();
    for (item, story) in labeled.iter().zip(found) {
        serde_json::to_writer(&mut text, &Line { id: &item.id, story: *story })?;
        text.write_all(b"\n")?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
