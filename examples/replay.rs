//! Replays a directory of captured feeds through the real daemon. Each outlet is a server on loopback that serves the
//! versions of its document in order of capture. The clock is set to each capture time.
//!
//!     cargo run --release --example replay -- DIR [--limit N] [--keep DATABASE]
//!
//! DIR contains `index.tsv`. Its first line names the columns: `outlet` or `feed` (the source), `captured` (RFC 3339)
//! or `day`, and `file`. After each capture time, the example prints how many big stories the feed `top` shows. At the
//! end, it prints the number of sources, documents, poll outcomes, items and problems by kind, the largest stories, the
//! elapsed time and the peak memory.

#[path = "../tests/support/replay.rs"]
mod replay;

use anyhow::{Context, bail};
use newsfold::domain::FeedSelection;
use newsfold::store::{Store, row_counts, sources, story_selection};
use replay::TopFeed;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("usage: replay DIR [--limit N] [--keep DATABASE]")?);
    let (mut limit, mut keep) = (usize::MAX, None);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{argument} needs a value"))?;
        match argument.as_str() {
            "--limit" => limit = value.parse()?,
            "--keep" => keep = Some(PathBuf::from(value)),
            other => bail!("unknown argument {other}"),
        }
    }
    let mut replayed = replay::read_index(&folder)?;
    replayed.truncate(limit);
    let (source_count, documents) = (replayed.len(), replayed.iter().map(|source| source.versions.len()).sum());

    let scratch = std::env::temp_dir().join(format!("newsfold-replay-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let store = Store::open(&keep.unwrap_or_else(|| scratch.join("newsfold.db")))?;
    let start = Instant::now();
    replay::replay(&store, replayed, print_top_feed).await?;
    report(&store, source_count, documents, start.elapsed()).await?;
    std::fs::remove_dir_all(&scratch)?;
    Ok(())
}

fn print_top_feed(top: TopFeed) {
    let TopFeed { at, big_stories, missing } = &top;
    let (shown, share) = (big_stories - missing.len(), 100.0 * top.shown_share());
    println!("{at}: top shows {shown} of {big_stories} big stories ({share:.0} %)");
    missing.iter().for_each(|story| println!("  missing: {story}"));
}

async fn report(store: &Store, source_count: usize, documents: usize, elapsed: Duration) -> anyhow::Result<()> {
    let (counts, largest, silent) = store
        .read(|db| {
            let selection = FeedSelection { min_outlets: 2, limit: 100_000, ..FeedSelection::default() };
            let mut largest = story_selection::select(db, &selection)?;
            largest.sort_by_key(|story| std::cmp::Reverse((story.outlets().len(), story.items.len())));
            let all = sources::list(db, &sources::SourceFilter::default())?;
            let silent = all.iter().filter(|source| source.last_outcome.is_none()).count();
            Ok((row_counts::count(db)?, largest, silent))
        })
        .await?;
    let sqlite = rusqlite::Connection::open(store.path())?;
    println!("sources {source_count}, documents {documents}");
    println!("polls");
    print_counts(&sqlite, "SELECT outcome, count(*) FROM poll GROUP BY outcome ORDER BY 1")?;
    println!("sources without a recorded outcome {silent}");
    println!("items {}", counts.items);
    println!("problems");
    print_counts(&sqlite, "SELECT kind, sum(count) FROM poll_problem GROUP BY kind ORDER BY 2 DESC, 1")?;
    println!("stories {}, of several outlets {}", counts.stories, largest.len());
    println!("largest stories by outlets");
    for story in largest.iter().take(15) {
        let title = story.lead().map_or("", |lead| lead.item.title.as_str());
        println!("  {} outlets, {} items: {title}", story.outlets().len(), story.items.len());
    }
    println!("wall time {:.1} s, peak memory {}", elapsed.as_secs_f64(), peak_memory());
    Ok(())
}

/// Prints the rows of a query: a name and a count.
fn print_counts(sqlite: &rusqlite::Connection, query: &str) -> anyhow::Result<()> {
    let mut statement = sqlite.prepare(query)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    for row in rows {
        let (name, count) = row?;
        println!("  {name} {count}");
    }
    Ok(())
}

/// The peak resident memory of this process (Linux only).
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".into(), |value| value.trim().to_owned())
}
