//! `newsfold eval`: the real clusterer over labelled items, scored.

use super::Context;
use super::output::{json, one_line, print};
use crate::cluster::Clusterer;
use crate::cluster::evaluation::dataset::{LabeledItem, replay};
use crate::cluster::evaluation::metrics::{self, GroupingError, GroupingErrors};
use crate::domain::{Item, StoryId};
use anyhow::{Context as _, bail};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

#[derive(clap::Args)]
pub struct Eval {
    /// One JSON object a line: id, outlet, published, title, summary, url, story.
    gold: PathBuf,
    /// Write id and found story of each item, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The score from which an item joins a story, instead of the configured one.
    #[arg(long)]
    threshold: Option<f32>,
    /// Show so many of the worst false merges and of the worst misses.
    #[arg(long, value_name = "N", default_value_t = 3)]
    samples: usize,
}

impl Eval {
    pub fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let labelled = read(&self.gold)?;
        let mut options = context.config()?.cluster;
        if let Some(threshold) = self.threshold {
            options.threshold = threshold;
        }
        let items: Vec<Item> = labelled.iter().enumerate().map(|(n, item)| as_item(item, n)).collect();
        let start = Instant::now();
        let found = replay(&mut Clusterer::new(options), &items);
        let elapsed = start.elapsed();
        if let Some(out) = &self.out {
            write(out, &labelled, &found)?;
        }
        let pairs: Vec<(String, StoryId)> =
            labelled.iter().zip(&found).map(|(item, story)| (item.story.to_string(), *story)).collect();
        if pairs.is_empty() {
            bail!(
                "{} holds no labelled item; each line is a JSON object with id, outlet, published, title, story",
                self.gold.display()
            );
        }
        let report = metrics::report(&pairs);
        let mistakes = metrics::mistakes(&pairs, self.samples);
        if context.json() {
            json(&Scored { report: &report, mistakes: in_ids(&mistakes, &labelled) })?;
            return Ok(ExitCode::SUCCESS);
        }
        print(&format!(
            "items {} stories gold {} system {}",
            report.items, report.stories_labelled, report.stories_found
        ))?;
        for (name, s) in [("b-cubed", report.b_cubed), ("pairs  ", report.pairs)] {
            print(&format!("{name} P {:.4} R {:.4} F1 {:.4}", s.precision, s.recall, s.f1))?;
        }
        show("false merge", &mistakes.false_merges, &labelled)?;
        show("miss", &mistakes.misses, &labelled)?;
        eprintln!("{:.0} items a second", found.len() as f64 / elapsed.as_secs_f64());
        Ok(ExitCode::SUCCESS)
    }
}

/// Parts of a mistake that are shown, and items of each.
const PARTS: usize = 5;
const ITEMS: usize = 2;

/// Says of each mistake what it joins or tears: the parts, and the first items of each.
fn show(kind: &str, mistakes: &[GroupingError], labelled: &[LabeledItem]) -> anyhow::Result<()> {
    for mistake in mistakes {
        let parts = mistake.parts.iter().map(|part| part.len().to_string()).collect::<Vec<_>>().join(" + ");
        print(&format!("{kind}: {} pairs, parts of {}", mistake.pairs, one_line(&parts, 120)))?;
        for part in mistake.parts.iter().take(PARTS) {
            for (n, at) in part.iter().take(ITEMS).enumerate() {
                let (item, mark) = (&labelled[*at], if n == 0 { "-" } else { " " });
                let when = item.published.strftime("%m-%d %H:%M");
                print(&format!("  {mark} {when}  {:<20}  {}", one_line(&item.outlet, 20), one_line(&item.title, 100)))?;
            }
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Scored<'a> {
    #[serde(flatten)]
    report: &'a metrics::ClusteringMetrics,
    mistakes: serde_json::Value,
}

/// GroupingErrors with the items' ids in place of their positions.
fn in_ids(mistakes: &GroupingErrors, labelled: &[LabeledItem]) -> serde_json::Value {
    let ids = |part: &Vec<usize>| part.iter().map(|at| labelled[*at].id.as_str()).collect::<Vec<_>>();
    let of = |mistakes: &[GroupingError]| {
        let one = |m: &GroupingError| serde_json::json!({ "pairs": m.pairs, "parts": m.parts.iter().map(ids).collect::<Vec<_>>() });
        mistakes.iter().map(one).collect::<Vec<_>>()
    };
    serde_json::json!({ "false_merges": of(&mistakes.false_merges), "misses": of(&mistakes.misses) })
}

fn as_item(item: &LabeledItem, n: usize) -> Item {
    item.item(n, item.url.as_deref().and_then(crate::urls::canonical::canonical_url_from_str))
}

fn read(path: &Path) -> anyhow::Result<Vec<LabeledItem>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    LabeledItem::read(&text).map_err(|fault| anyhow::anyhow!("{}, {fault}", path.display()))
}

fn write(path: &Path, labelled: &[LabeledItem], found: &[StoryId]) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        id: &'a str,
        story: StoryId,
    }
    let mut text = Vec::new();
    for (item, story) in labelled.iter().zip(found) {
        serde_json::to_writer(&mut text, &Line { id: &item.id, story: *story })?;
        text.write_all(b"\n")?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
