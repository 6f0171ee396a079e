//! `newsfold eval`: the real clusterer over labelled items, scored.

use super::Context;
use super::output::{json, print};
use crate::cluster::labelled::{Labelled, replay};
use crate::cluster::{Clusterer, score};
use crate::model::{Item, StoryId};
use anyhow::Context as _;
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

fn as_item(item: &Labelled, n: usize) -> Item {
    item.item(n, item.url.as_deref().and_then(crate::poll::canonical_link))
}

fn read(path: &Path) -> anyhow::Result<Vec<Labelled>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Labelled::read(&text).with_context(|| path.display().to_string())
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
