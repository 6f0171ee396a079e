//! Replays a directory of captured feeds through the real daemon. Each outlet is a server on loopback that serves the
//! versions of its document in order of capture. The clock is set to each time of capture.
//!
//!     cargo run --release --example replay -- FOLDER [--limit N] [--keep DATABASE]
//!
//! FOLDER contains `index.tsv`. Its first line names the columns: `outlet` or `feed` (the source), `captured` (RFC
//! 3339) or `day`, and `file`. After each time of capture, the example prints how many big stories the feed `top`
//! shows. At the end, it prints the numbers of sources, documents, poll outcomes, items and problems by kind, the
//! largest stories, the elapsed time and the peak memory.

use anyhow::{Context, bail};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use newsfold::clock::Clock;
use newsfold::config::Config;
use newsfold::daemon;
use newsfold::domain::{FeedSelection, FeedVariant, NewSource, OutletProvenance, PublishedFeed, Story};
use newsfold::publish::arrange_entries;
use newsfold::store::{ReadConnection, Store, feed_entries, review_queue, sources, statistics, story_selection};
use newsfold::urls::outlet::outlet_of_url;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The versions of one source's document, in order of capture.
struct ReplayedSource {
    outlet: String,
    versions: Vec<(Timestamp, PathBuf)>,
}

#[derive(Clone)]
struct FeedServer {
    versions: Arc<Vec<(Timestamp, PathBuf)>>,
    clock: Clock,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("usage: replay FOLDER [--limit N] [--keep DATABASE]")?);
    let (mut limit, mut keep) = (usize::MAX, None);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{argument} needs a value"))?;
        match argument.as_str() {
            "--limit" => limit = value.parse()?,
            "--keep" => keep = Some(PathBuf::from(value)),
            other => bail!("unknown argument {other}"),
        }
    }
    let mut replayed = read_index(&folder)?;
    replayed.truncate(limit);
    let times: BTreeSet<Timestamp> = replayed.iter().flat_map(|r| r.versions.iter().map(|(at, _)| *at)).collect();
    let first = *times.first().context("the index names no document")?;
    let clock = Clock::manual(first);

    let scratch = std::env::temp_dir().join(format!("newsfold-replay-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let database = keep.unwrap_or_else(|| scratch.join("newsfold.db"));
    let store = Store::open(&database)?;
    let documents: usize = replayed.iter().map(|r| r.versions.len()).sum();
    let source_count = serve_and_add(&store, replayed, &clock, first).await?;

    let mut config = Config::default();
    config.fetch.allowed_networks = vec!["127.0.0.0/8".parse()?];
    config.fetch.min_origin_delay = SignedDuration::ZERO;
    let publish = config.publish.clone();
    let top = config.publish.published_feeds().into_iter().find(|feed| feed.name == "top").context("no feed `top`")?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let health = format!("http://{}/healthz", listener.local_addr()?);
    let shutdown = CancellationToken::new();
    let start = Instant::now();
    let running = tokio::spawn(daemon::run(config, store.clone(), listener, clock.clone(), shutdown.clone()));
    // Once the daemon responds, it has already spread out the overdue sources, which happens only at startup.
    newsfold::http_client::install_tls_provider();
    reqwest::get(&health).await?.error_for_status()?;
    for time in &times {
        poll_all(&store, &clock, *time, source_count).await?;
        publish_all(&store, &clock).await?;
        // Entries list new developments of their storyline after this interval.
        clock.advance(publish.min_update_interval + SignedDuration::from_mins(1));
        let now = clock.now();
        wait_until(&store, "all editions are written", move |db| Ok(review_queue::due_reviews(db, now, 1)?.is_empty()))
            .await?;
        report_top(&store, &top, *time).await?;
    }
    let elapsed = start.elapsed();
    shutdown.cancel();
    running.await??;
    report(&store, source_count, documents, elapsed).await?;
    std::fs::remove_dir_all(&scratch)?;
    Ok(())
}

/// Sets the clock to a time of capture, and waits until each source has been polled once.
async fn poll_all(store: &Store, clock: &Clock, time: Timestamp, source_count: u64) -> anyhow::Result<()> {
    clock.advance(time.duration_since(clock.now()));
    let now = clock.now();
    // Disable backoff, so that no version is missed.
    let due = "UPDATE source SET next_poll_at = ?1, hold_until = NULL, state = 'active'";
    let sqlite = rusqlite::Connection::open(store.path())?;
    sqlite.busy_timeout(Duration::from_secs(20))?;
    sqlite.execute(due, [now.as_millisecond()])?;
    wait_until(store, "all sources are polled and all items grouped", move |db| {
        let all = sources::list(db, &sources::SourceFilter::default())?;
        let polled = all.iter().filter(|source| source.last_poll_at.is_some_and(|at| at >= now)).count() as u64;
        Ok(polled >= source_count && statistics::row_counts(db)?.unassigned == 0)
    })
    .await
}

/// Advances the clock until all stories are published, including those that reclustering splits off meanwhile.
async fn publish_all(store: &Store, clock: &Clock) -> anyhow::Result<()> {
    for _ in 0..240 {
        let counts = store.read(statistics::row_counts).await?;
        if counts.published + counts.backlog_stories == counts.stories && counts.unassigned == 0 {
            break;
        }
        clock.advance(SignedDuration::from_mins(15));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Prints how many stories of six or more outlets with a report in the last 24 hours the feed `top` shows or lists.
async fn report_top(store: &Store, top: &PublishedFeed, now: Timestamp) -> anyhow::Result<()> {
    let top = top.clone();
    let (big, shown, ranked) = store
        .read(move |db| {
            let selection = FeedSelection { min_outlets: 6, limit: 100_000, ..FeedSelection::default() };
            let mut big = story_selection::select(db, &selection)?;
            big.retain(|story| story.items.iter().any(|report| report.item.ranked_at >= now - DAY));
            let page = feed_entries::current_page(db, &top, FeedVariant::Live)?;
            let mut shown = BTreeSet::new();
            for entry in arrange_entries(&top.selection, page.candidates) {
                shown.insert(entry.edition.story);
                shown.extend(entry.edition.text.developments.iter().map(|development| development.story));
            }
            Ok((big, shown, feed_entries::ranked_stories(db, &top, FeedVariant::Live)?))
        })
        .await?;
    let missing: Vec<&Story> = big.iter().filter(|story| !shown.contains(&story.id)).collect();
    println!("{now}: top shows {} of {} big stories", big.len() - missing.len(), big.len());
    for story in missing {
        let title = story.lead().map_or("", |lead| lead.item.title.as_str());
        let rank =
            ranked.iter().position(|(id, _)| *id == story.id).map_or("not ranked".into(), |n| format!("rank {n}"));
        println!("  missing: {} outlets, {rank}: {title}", story.outlets().len());
    }
    Ok(())
}

async fn wait_until(
    store: &Store,
    what: &str,
    condition: impl Fn(&ReadConnection) -> newsfold::store::Result<bool> + Send + Clone + 'static,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(300);
    while !store.read(condition.clone()).await? {
        if Instant::now() > deadline {
            bail!("not reached within five minutes: {what}");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn serve_and_add(
    store: &Store,
    replayed: Vec<ReplayedSource>,
    clock: &Clock,
    now: Timestamp,
) -> anyhow::Result<u64> {
    let mut added = Vec::new();
    for source in replayed {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/feed", listener.local_addr()?);
        let server = FeedServer { versions: Arc::new(source.versions), clock: clock.clone() };
        let router = axum::Router::new().fallback(document).with_state(server);
        tokio::spawn(axum::serve(listener, router).into_future());
        added.push(NewSource {
            url,
            outlet: source.outlet,
            outlet_provenance: OutletProvenance::Operator,
            publish_backlog: true,
            ..NewSource::default()
        });
    }
    let count = added.len() as u64;
    store.write(move |db| added.iter().try_for_each(|new| sources::add(db, new, now, now).map(drop))).await?;
    Ok(count)
}

/// Serves the latest version captured before the current time.
async fn document(State(server): State<FeedServer>) -> Response {
    let now = server.clock.now();
    let Some((_, file)) = server.versions.iter().rev().find(|(at, _)| *at <= now) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match tokio::fs::read(file).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, "text/xml")], bytes).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn read_index(folder: &Path) -> anyhow::Result<Vec<ReplayedSource>> {
    let path = folder.join("index.tsv");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |names: &[&str]| {
        let position = columns.iter().position(|column| names.contains(column));
        position.with_context(|| format!("{} has none of the columns {names:?}", path.display()))
    };
    let (source, time, file) = (column(&["outlet", "feed"])?, column(&["captured", "day"])?, column(&["file"])?);
    let mut by_source: BTreeMap<String, Vec<(Timestamp, PathBuf)>> = BTreeMap::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |column: usize| {
            cells.get(column).copied().with_context(|| format!("this line has too few columns: {line}"))
        };
        let time = cell(time)?;
        // A document without a time of day counts as captured at the end of its day.
        let time = time.parse::<Timestamp>().or_else(|_| format!("{time}T23:59:59Z").parse())?;
        by_source.entry(cell(source)?.to_owned()).or_default().push((time, folder.join(cell(file)?)));
    }
    let replayed = by_source.into_iter().map(|(name, mut versions)| {
        versions.sort();
        let outlet =
            url::Url::parse(&name).map(|url| outlet_of_url(&url)).unwrap_or_else(|_| format!("{name}.example"));
        ReplayedSource { outlet, versions }
    });
    Ok(replayed.collect())
}

async fn report(store: &Store, source_count: u64, documents: usize, elapsed: Duration) -> anyhow::Result<()> {
    let (counts, largest, silent) = store
        .read(|db| {
            let selection = FeedSelection { min_outlets: 2, limit: 100_000, ..FeedSelection::default() };
            let mut largest = story_selection::select(db, &selection)?;
            largest.sort_by_key(|story| std::cmp::Reverse((story.outlets().len(), story.items.len())));
            let all = sources::list(db, &sources::SourceFilter::default())?;
            let silent = all.iter().filter(|source| source.last_outcome.is_none()).count();
            Ok((statistics::row_counts(db)?, largest, silent))
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
