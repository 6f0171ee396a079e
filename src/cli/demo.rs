//! `newsfold demo`: runs the daemon with fictional outlets on this machine and with a temporary database.
//!
//! Each outlet is a real HTTP server on loopback. The same code as in `newsfold serve` polls, groups and publishes the
//! items; only the settings differ (`demo/config.toml`).

mod outlets;

use super::output::{print, reader_is_gone};
use super::{Context, serve};
use crate::config::Config;
use crate::daemon::{self, DatabaseLock};
use crate::domain::display_text::one_line;
use crate::domain::{FeedSelection, StoryId};
use crate::store::{Store, row_counts, sources, story_selection};
use anyhow::Context as _;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use url::Url;

#[derive(clap::Args)]
pub struct Demo {
    /// Address and port of the front page and the feeds; if the port is in use, another port is chosen.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8686")]
    listen: SocketAddr,
    /// Stop after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

impl Demo {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let shutdown = CancellationToken::new();
        serve::cancel_on_signal(shutdown.clone());
        self.cancel_on_time_limit_or_hangup(shutdown.clone())?;
        let folder =
            tempfile::Builder::new().prefix("newsfold-demo-").tempdir().context("cannot create a directory")?;
        let listener = match TcpListener::bind(self.listen).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind(SocketAddr::new(self.listen.ip(), 0)).await?,
        };
        let mut config: Config = toml::from_str(include_str!("../../demo/config.toml"))?;
        config.publish.base_url = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
        let database = folder.path().join("newsfold.db");
        config.database = Some(database.clone());
        let _lock = DatabaseLock::acquire(&database)?;
        let store = Store::open(&database)?;

        let start = context.clock.now();
        let sources = outlets::start(&context.clock).await?;
        let outlets = sources.len();
        store.write(move |db| sources.iter().try_for_each(|new| sources::add(db, new, start, start).map(drop))).await?;

        let url = |path: &str| config.publish.url(path);
        print(&format!(
            "{outlets} fictional outlets run on this machine and are polled every 2 s. No request leaves the machine.\n\n  \
             front page           {}\n  \
             one entry per event  {} (.rss, .json)\n  \
             3 outlets or more    {} (.rss, .json)\n  \
             on the command line  newsfold --database {} story list --min-outlets 3\n\n\
             Reload the front page, or watch them in a feed reader:\n  \
             now         each event is one entry with its outlets' headlines; single reports are beside the entries\n  \
             0–30 s      more outlets report the arrival of Marshal Vaskil\n  \
             after 25 s  the headline of the airport strike changes; the story's page shows the earlier headline\n  \
             after 40 s  Vaskil's visit is a storyline with three stories: arrival, illness, deputy\n\n\
             Ctrl-C ends the demo.\n",
            url(""),
            url("feeds/all.atom"),
            url("feeds/top.atom"),
            database.display()
        ))?;
        let watching = tokio::spawn(print_growth(store.clone(), shutdown.clone()));
        daemon::run(config, store, listener, context.clock.clone(), shutdown).await?;
        watching.await??;
        Ok(ExitCode::SUCCESS)
    }

    /// Ends the demo after its time limit or when its terminal closes, so that no files remain.
    fn cancel_on_time_limit_or_hangup(&self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let limit = self.seconds.map_or(Duration::MAX, Duration::from_secs);
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            let _ = tokio::time::timeout(limit, hangup.recv()).await;
            shutdown.cancel();
        });
        Ok(())
    }
}

/// Prints how stories grow until shutdown or until the output is closed. Ends the demo when it returns.
async fn print_growth(store: Store, shutdown: CancellationToken) -> anyhow::Result<()> {
    let _end_of_demo = shutdown.clone().drop_guard();
    let start = Instant::now();
    let mut known: Option<HashMap<StoryId, usize>> = None;
    let pause = || shutdown.run_until_cancelled(tokio::time::sleep(Duration::from_millis(500)));
    while pause().await.is_some() && !reader_is_gone() {
        let several_outlets = FeedSelection { min_outlets: 2, limit: 500, ..FeedSelection::default() };
        let stories = store.read(move |db| story_selection::select(db, &several_outlets)).await?;
        let seconds = start.elapsed().as_secs();
        if let Some(known) = &known {
            for story in &stories {
                let count = story.outlets().len();
                if known.get(&story.id).copied().unwrap_or(1) < count {
                    let title = story.lead().map_or("", |lead| lead.item.title.as_str());
                    let newest = story.items.iter().max_by_key(|i| i.item.id).map_or("", |i| &i.item.outlet_name);
                    print(&format!("{seconds:>4} s  {count} outlets, now with {newest}: {}", one_line(title, 90)))?;
                }
            }
        } else {
            let all = store.read(|db| sources::list(db, &sources::SourceFilter::default())).await?;
            let counts = store.read(row_counts::count).await?;
            let is_polled = all.iter().all(|source| source.last_poll_at.is_some());
            if !is_polled || counts.unassigned > 0 || counts.published + counts.backlog_stories < counts.stories {
                continue;
            }
            let (items, found, shared) = (counts.items, counts.stories, stories.len());
            print(&format!(
                "{seconds:>4} s  {items} items from {} outlets form {found} stories, {shared} of them with \
                 reports from several outlets",
                all.len()
            ))?;
        }
        known = Some(stories.iter().map(|story| (story.id, story.outlets().len())).collect());
    }
    Ok(())
}
