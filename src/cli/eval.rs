//! `newsfold eval`: the real clusterer over labelled items, scored.

use super::Context;
use super::output::{json, print};
use crate::cluster::{Clusterer, score};
use crate::model::{Item, ItemId, SourceId, StoryId, Timestamp};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
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
}

/// A labelled item.
#[derive(Deserialize)]
struct Labelled {
    id: String,
    outlet: String,
    published: Timestamp,
    title: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    lang: Option<String>,
    story: serde_json::Value,
}

impl Eval {
    pub fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let mut labelled = read(&self.gold)?;
        if labelled.is_empty() {
            anyhow::bail!("{} holds no labelled item, one JSON object a line", self.gold.display());
        }
        // The daemon sees items in the order of their arrival.
        labelled.sort_by_key(|item| item.published);
        let mut options = context.config()?.cluster;
        if let Some(threshold) = self.threshold {
            options.threshold = threshold;
        }
        let mut clusterer = Clusterer::new(options);
        let mut found = Vec::with_capacity(labelled.len());
        let start = Instant::now();
        for (n, item) in labelled.iter().enumerate() {
            let n = n as i64;
            let placed = clusterer.place(&item.item(n), |_| StoryId::from_row(n));
            found.push(placed.assignment.story);
            for merge in placed.merges {
                for (item, _) in merge.items {
                    found[item.0 as usize] = merge.into;
                }
            }
        }
        let elapsed = start.elapsed();
        if let Some(out) = &self.out {
            write(out, &labelled, &found)?;
        }
        let pairs: Vec<(String, StoryId)> =
            labelled.iter().zip(&found).map(|(item, story)| (item.story.to_string(), *story)).collect();
        let report = score::report(&pairs);
        if context.json() {
            json(&report)?;
            return Ok(ExitCode::SUCCESS);
        }
        print(&format!(
            "items {} stories gold {} system {}",
            report.items, report.stories_labelled, report.stories_found
        ))?;
        for (name, s) in [("b-cubed", report.b_cubed), ("pairs  ", report.pairs)] {
            print(&format!("{name} P {:.4} R {:.4} F1 {:.4}", s.precision, s.recall, s.f1))?;
        }
        eprintln!("{:.0} items a second", found.len() as f64 / elapsed.as_secs_f64());
        Ok(ExitCode::SUCCESS)
    }
}

impl Labelled {
    fn item(&self, n: i64) -> Item {
        Item {
            id: ItemId(n),
            source: SourceId(0),
            source_title: self.outlet.clone(),
            source_url: self.outlet.clone(),
            outlet: self.outlet.clone(),
            priority: 0,
            guid: self.id.clone(),
            url: self.url.clone(),
            canonical_url: self.url.as_deref().and_then(crate::poll::canonical_link),
            title: self.title.clone(),
            summary: self.summary.clone(),
            content: None,
            author: None,
            lang: self.lang.clone().or_else(|| Some("en".into())),
            image: None,
            published_at: Some(self.published),
            first_seen_at: self.published,
            ranked_at: self.published,
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Labelled>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(n, line)| {
            serde_json::from_str(line).with_context(|| format!("{}, line {}: no labelled item", path.display(), n + 1))
        })
        .collect()
}

fn write(path: &Path, labelled: &[Labelled], found: &[StoryId]) -> anyhow::Result<()> {
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
