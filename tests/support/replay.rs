//! Replays captured feeds through the real daemon with a manual clock, and measures which big stories the feed `top`
//! shows after each capture time. Each source is a server on loopback that serves the versions of its document.

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
use newsfold::store::{
    ReadConnection, Store, feed_entries, review_queue, row_counts, sources, stories, story_selection,
};
use newsfold::urls::outlet::outlet_of_url;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The minimum number of outlets of a big story.
const BIG_STORY_OUTLETS: u32 = 6;
/// The maximum number of times that the clock advances by the publishing delay after a capture time.
const MAX_PUBLISHING_STEPS: usize = 20;

/// The versions of one source's document, in order of capture.
pub struct ReplayedSource {
    pub outlet: String,
    pub versions: Vec<(Timestamp, Vec<u8>)>,
}

/// The big stories that the feed `top` shows and lacks after a capture time. A big story has six or more outlets and a
/// report in the last 24 hours.
pub struct TopFeed {
    pub at: Timestamp,
    /// The number of big stories.
    pub big_stories: usize,
    /// The big stories that the feed neither shows nor lists in the entry of their storyline: outlets, rank and title.
    pub missing: Vec<String>,
}

impl TopFeed {
    /// Returns the share of the big stories that the feed shows or lists, 0 to 1.
    pub fn shown_share(&self) -> f64 {
        1.0 - self.missing.len() as f64 / self.big_stories.max(1) as f64
    }
}

#[derive(Clone)]
struct FeedServer {
    versions: Arc<Vec<(Timestamp, Vec<u8>)>>,
    clock: Clock,
}

/// Reads a directory of captured feeds. The first line of its `index.tsv` names the columns: `outlet` or `feed` (the
/// source), `captured` (RFC 3339) or `day`, and `file`.
pub fn read_index(folder: &Path) -> anyhow::Result<Vec<ReplayedSource>> {
    let path = folder.join("index.tsv");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |names: &[&str]| {
        let position = columns.iter().position(|column| names.contains(column));
        position.with_context(|| format!("{} has none of the columns {names:?}", path.display()))
    };
    let (source, time, file) = (column(&["outlet", "feed"])?, column(&["captured", "day"])?, column(&["file"])?);
    let mut by_source: BTreeMap<String, Vec<(Timestamp, Vec<u8>)>> = BTreeMap::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |column: usize| {
            cells.get(column).copied().with_context(|| format!("this line has too few columns: {line}"))
        };
        let time = cell(time)?;
        // A document without a time of day counts as captured at the end of the day.
        let time = time.parse::<Timestamp>().or_else(|_| format!("{time}T23:59:59Z").parse())?;
        let document = std::fs::read(folder.join(cell(file)?))?;
        by_source.entry(cell(source)?.to_owned()).or_default().push((time, document));
    }
    let replayed = by_source.into_iter().map(|(name, mut versions)| {
        versions.sort();
        let outlet =
            url::Url::parse(&name).map(|url| outlet_of_url(&url)).unwrap_or_else(|_| format!("{name}.example"));
        ReplayedSource { outlet, versions }
    });
    Ok(replayed.collect())
}

/// Replays the sources with the default settings and calls `report` after each capture time. Requests to loopback are
/// allowed, without a delay between requests.
pub async fn replay(
    store: &Store,
    replayed: Vec<ReplayedSource>,
    mut report: impl FnMut(TopFeed),
) -> anyhow::Result<()> {
    let times: BTreeSet<Timestamp> = replayed.iter().flat_map(|r| r.versions.iter().map(|(at, _)| *at)).collect();
    let first = *times.first().context("there is no document")?;
    let clock = Clock::manual(first);
    serve_and_add(store, replayed, &clock, first).await?;

    let mut config = Config::default();
    config.fetch.allowed_networks = vec!["127.0.0.0/8".parse()?];
    config.fetch.min_origin_delay = SignedDuration::ZERO;
    let publish = config.publish.clone();
    let top = config.publish.published_feeds().into_iter().find(|feed| feed.name == "top").context("no feed `top`")?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let health = format!("http://{}/healthz", listener.local_addr()?);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(daemon::run(config, store.clone(), listener, clock.clone(), shutdown.clone()));
    // Once the daemon responds, it has already spread out the overdue sources, which happens only at startup.
    newsfold::http_client::install_tls_provider();
    reqwest::get(&health).await?.error_for_status()?;
    for time in &times {
        clock.advance(time.duration_since(clock.now()));
        poll_all(store, clock.now()).await?;
        publish_all(store, &clock, publish.delay).await?;
        // Entries list new developments of their storyline after this interval.
        clock.advance(publish.min_update_interval + SignedDuration::from_mins(1));
        let now = clock.now();
        wait_until(store, "all editions are written", move |db| Ok(review_queue::due_reviews(db, now, 1)?.is_empty()))
            .await?;
        report(top_feed(store, &top, *time).await?);
    }
    shutdown.cancel();
    running.await?
}

/// Waits until each source has been polled once since `now`, and all items are grouped.
async fn poll_all(store: &Store, now: Timestamp) -> anyhow::Result<()> {
    let sqlite = rusqlite::Connection::open(store.path())?;
    sqlite.busy_timeout(Duration::from_secs(20))?;
    // Make sources due regardless of backoff, so that no version is missed. The result of an earlier poll that is still
    // in progress can postpone a source again.
    let make_due = "UPDATE source SET next_poll_at = ?1, hold_until = NULL, state = 'active'
                    WHERE coalesce(last_poll_at, 0) < ?1";
    let deadline = Instant::now() + MAX_WAIT;
    while sqlite.execute(make_due, [now.as_millisecond()])? > 0 {
        if Instant::now() > deadline {
            bail!("not all sources have been polled within {MAX_WAIT:?}");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    wait_until(store, "all items are grouped", |db| Ok(row_counts::count(db)?.unassigned == 0)).await
}

/// Advances the clock until all stories are published, including stories that reclustering splits off in the meantime.
/// The clock advances no further than necessary, so that the time of day stays close to the capture time.
async fn publish_all(store: &Store, clock: &Clock, delay: SignedDuration) -> anyhow::Result<()> {
    for _ in 0..MAX_PUBLISHING_STEPS {
        let counts = store.read(row_counts::count).await?;
        if counts.published + counts.backlog_stories == counts.stories && counts.unassigned == 0 {
            break;
        }
        clock.advance(delay + SignedDuration::from_mins(1));
        let due_until = clock.now() - delay;
        wait_until(store, "all due stories are published", move |db| {
            Ok(stories::unpublished(db, due_until, None, 1)?.is_empty())
        })
        .await?;
    }
    Ok(())
}

async fn top_feed(store: &Store, top: &PublishedFeed, at: Timestamp) -> anyhow::Result<TopFeed> {
    let top = top.clone();
    let read = move |db: &ReadConnection| {
        let selection = FeedSelection { min_outlets: BIG_STORY_OUTLETS, limit: 100_000, ..FeedSelection::default() };
        let mut big = story_selection::select(db, &selection)?;
        big.retain(|story| story.items.iter().any(|report| report.item.ranked_at >= at - DAY));
        let page = feed_entries::current_page(db, &top, FeedVariant::Live)?;
        let mut shown = BTreeSet::new();
        for entry in arrange_entries(&top.selection, page.candidates) {
            shown.insert(entry.edition.story);
            shown.extend(entry.edition.text.developments.iter().map(|development| development.story));
        }
        let ranked = feed_entries::ranked_stories(db, &top, FeedVariant::Live)?;
        let describe = |story: &Story| {
            let title = story.lead().map_or("", |lead| lead.item.title.as_str());
            let rank = ranked.iter().position(|(id, _)| *id == story.id);
            let rank = rank.map_or("not ranked".into(), |rank| format!("rank {rank}"));
            format!("{} outlets, {rank}: {title}", story.outlets().len())
        };
        let missing = big.iter().filter(|story| !shown.contains(&story.id)).map(describe).collect();
        Ok(TopFeed { at, big_stories: big.len(), missing })
    };
    Ok(store.read(read).await?)
}

/// The maximum time to wait for the daemon, in real time.
const MAX_WAIT: Duration = Duration::from_secs(600);

async fn wait_until(
    store: &Store,
    what: &str,
    condition: impl Fn(&ReadConnection) -> newsfold::store::Result<bool> + Send + Clone + 'static,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + MAX_WAIT;
    while !store.read(condition.clone()).await? {
        if Instant::now() > deadline {
            bail!("not reached within {MAX_WAIT:?}: {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn serve_and_add(
    store: &Store,
    replayed: Vec<ReplayedSource>,
    clock: &Clock,
    now: Timestamp,
) -> anyhow::Result<()> {
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
    Ok(store.write(move |db| added.iter().try_for_each(|new| sources::add(db, new, now, now).map(drop))).await?)
}

/// Serves the latest version captured before the current time.
async fn document(State(server): State<FeedServer>) -> Response {
    let now = server.clock.now();
    match server.versions.iter().rev().find(|(at, _)| *at <= now) {
        Some((_, document)) => ([(header::CONTENT_TYPE, "text/xml")], document.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
