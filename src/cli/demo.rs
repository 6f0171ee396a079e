//! `newsfold demo`: the daemon over invented outlets that run on this machine, with a temporary database.
//!
//! The outlets are real HTTP servers on loopback, one each, and what polls, groups and publishes is the very code of
//! `newsfold serve`; only the settings are quicker.

mod content;
mod outlets;

use super::output::{print, reader_is_gone};
use super::{Context, serve};
use crate::config::Config;
use crate::daemon::{self, DatabaseLock};
use crate::domain::display_text::one_line;
use crate::domain::{FeedOrder, FeedSelection, NewSource, OutletProvenance, StoryId};
use crate::publish::FeedOptions;
use crate::store::{Store, sources, statistics, story_selection};
use anyhow::Context as _;
use content::Content;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use url::Url;

#[derive(clap::Args)]
pub struct Demo {
    /// Address and port of the front page and the feeds; if the port is in use, another one is chosen.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8686")]
    listen: SocketAddr,
    /// Stop after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

impl Demo {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let content = Arc::new(Content::read()?);
        let start = context.clock.now();
        let shutdown = CancellationToken::new();
        serve::cancel_on_signal(shutdown.clone());
        end_on_hangup(shutdown.clone())?;
        let folder = Folder::new()?;
        let listener = match TcpListener::bind(self.listen).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind(SocketAddr::new(self.listen.ip(), 0)).await?,
        };
        let config = settings(listener.local_addr()?, &folder.0)?;
        let database = folder.0.join("newsfold.db");
        let _lock = DatabaseLock::acquire(&database)?;
        let store = Store::open(&database)?;

        let mut added = Vec::new();
        for (place, outlet) in content.outlets.iter().enumerate() {
            let url = outlets::start(content.clone(), place, start, context.clock.clone()).await?;
            added.push(NewSource {
                url: url.to_string(),
                outlet: outlet.domain.clone(),
                outlet_provenance: OutletProvenance::Operator,
                title: None,
                lang: None,
                priority: outlet.priority,
                tags: outlet.tags.clone(),
                ..NewSource::default()
            });
        }
        let count = added.len();
        store.write(move |db| added.iter().try_for_each(|new| sources::add(db, new, start, start).map(drop))).await?;
        introduce(&config, &database, count)?;

        if let Some(seconds) = self.seconds {
            let shutdown = shutdown.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                shutdown.cancel();
            });
        }
        let watching = {
            let (store, shutdown) = (store.clone(), shutdown.clone());
            tokio::spawn(async move {
                let watched = watch(store, count as u64, shutdown.clone()).await;
                // Whatever it was, nobody is told anything any more.
                shutdown.cancel();
                watched
            })
        };
        daemon::run(config, store, listener, context.clock.clone(), shutdown).await?;
        watching.await??;
        Ok(ExitCode::SUCCESS)
    }
}

/// Also ends the demo when its terminal is closed, so that no files remain.
fn end_on_hangup(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        hangup.recv().await;
        shutdown.cancel();
    });
    Ok(())
}

/// A temporary directory that is deleted when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Folder> {
        let path = std::env::temp_dir().join(format!("newsfold-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is in the system's folder for what may be removed.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The defaults with short intervals and with loopback allowed, as an operator allows a private network.
fn settings(address: SocketAddr, folder: &Path) -> anyhow::Result<Config> {
    let mut config = Config { database: Some(folder.join("newsfold.db")), ..Config::default() };
    config.fetch.allowed_networks = vec!["127.0.0.0/8".parse()?];
    config.fetch.min_origin_delay = SignedDuration::from_millis(100);
    config.poll.interval = SignedDuration::from_secs(2);
    config.poll.average_interval = config.poll.interval;
    config.publish.delay = SignedDuration::ZERO;
    config.publish.min_update_interval = SignedDuration::ZERO;
    config.cluster.recluster_interval = SignedDuration::ZERO;
    config.publish.title = "newsfold demo".into();
    config.publish.base_url = Url::parse(&format!("http://{address}/"))?;
    config.publish.feeds = vec![FeedOptions {
        name: "top".into(),
        title: Some("Reported by three outlets or more".into()),
        tags: Vec::new(),
        outlets: Vec::new(),
        languages: Vec::new(),
        query: None,
        exclude_query: None,
        min_outlets: 3,
        max_age: None,
        limit: 100,
        order: FeedOrder::Newest,
        private: false,
    }];
    Ok(config)
}

fn introduce(config: &Config, database: &Path, count: usize) -> anyhow::Result<()> {
    let url = |path: &str| config.publish.url(path);
    print(&format!(
        "{count} invented outlets run on this machine and are polled every 2 s. No request leaves the machine.\n"
    ))?;
    print(&format!("  front page           {}", url("")))?;
    print(&format!("  one entry per event  {} (.rss, .json)", url("feeds/all.atom")))?;
    print(&format!("  3 outlets or more    {} (.rss, .json)", url("feeds/top.atom")))?;
    print(&format!("  on the command line  newsfold --database {} story list --min-outlets 3", database.display()))?;
    print("\nNew reports arrive for 45 s; watch stories grow here or in a reader. Ctrl-C ends the demo.\n")
}

/// Prints the growth of stories until the output is closed.
async fn watch(store: Store, outlets: u64, shutdown: CancellationToken) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut known: Option<HashMap<StoryId, usize>> = None;
    while !shutdown.is_cancelled() && !reader_is_gone() {
        let several = FeedSelection { min_outlets: 2, limit: 500, ..FeedSelection::default() };
        let (polled, counts, found) = store
            .read(move |db| {
                let all = sources::list(db, &sources::SourceFilter::default())?;
                let polled = all.iter().filter(|source| source.last_poll_at.is_some()).count() as u64;
                Ok((polled, statistics::row_counts(db)?, story_selection::select(db, &several)?))
            })
            .await?;
        let now: HashMap<StoryId, usize> = found.iter().map(|story| (story.id, story.outlets().len())).collect();
        if let Some(before) = &known {
            for story in &found {
                let outlets = story.outlets();
                if before.get(&story.id).copied().unwrap_or(1) < outlets.len() {
                    let title = story.lead().map_or("", |lead| lead.item.title.as_str());
                    let newest = story.items.iter().max_by_key(|i| i.item.id).map_or("", |i| &i.item.outlet);
                    let (seconds, count) = (start.elapsed().as_secs(), outlets.len());
                    print(&format!("{seconds:>4} s  {count} outlets, now with {newest}: {}", one_line(title, 90)))?;
                }
            }
            known = Some(now);
        } else if polled == outlets && counts.unassigned == 0 && counts.published == counts.stories {
            print(&format!(
                "{:>4} s  {} items of {outlets} outlets are {} stories, {} of them told by several outlets",
                start.elapsed().as_secs(),
                counts.items,
                counts.stories,
                found.len()
            ))?;
            known = Some(now);
        }
        tokio::select! {
            _ = shutdown.cancelled() => {}
            _ = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
    }
    Ok(())
}
