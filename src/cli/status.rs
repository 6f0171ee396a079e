//! `newsfold status`: the state of newsfold on one screen.

use super::output::{facts, optional_time, time};
use super::running_daemon::{other_configuration, running_daemon};
use super::{Context, healthcheck};
use crate::domain::{PublishedFeed, SourceState, Timestamp};
use crate::store::daemon_state::DaemonState;
use crate::store::queue_lengths::{self, QueueLengths};
use crate::store::row_counts::{self, RowCounts};
use crate::store::sources::{self, SourceFilter};
use crate::store::{DiskUsage, ReadConnection, Store, feed_selections, polls};
use crate::wording::{SourceStatus, byte_size, duration, grouped_digits};
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Status {}

/// The output of the command.
#[derive(serde::Serialize)]
struct Report {
    version: &'static str,
    /// The running daemon; `None` if no daemon is running.
    daemon: Option<DaemonState>,
    configuration: Option<String>,
    database: String,
    disk: DiskUsage,
    stored: StoredFacts,
    problems: Vec<String>,
}

/// The facts that are read from the database.
#[derive(serde::Serialize)]
struct StoredFacts {
    /// The number of sources by status.
    sources: BTreeMap<&'static str, u64>,
    last_poll_at: Option<Timestamp>,
    next_poll_at: Option<Timestamp>,
    counts: RowCounts,
    queues: QueueLengths,
    /// Feeds that are new, have a changed selection, or select by tags of sources that have changed. The daemon has not
    /// filled them yet. `None` if the configuration is not valid.
    feeds_to_fill: Option<usize>,
}

impl Status {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (config, config_error) = context.lenient_config();
        let store = context.open_existing(&config)?;
        let daemon = running_daemon(&store).await?;
        let now = context.clock.now();
        let feeds = config_error.is_none().then(|| config.publish.published_feeds());
        let stored = store.read(move |db| stored_facts(db, feeds.as_deref(), now)).await?;
        let mut problems = problems(context, &store, daemon.as_ref()).await;
        // The running daemon has already reported the same error if a reload failed.
        let config_error = config_error.map(|error| error.to_string());
        let unknown = config_error.filter(|error| !problems.iter().any(|problem| problem.contains(error.as_str())));
        problems.extend(unknown.map(|error| format!("the daemon cannot start with this configuration: {error}")));
        let report = Report {
            version: env!("CARGO_PKG_VERSION"),
            problems,
            daemon,
            configuration: context.config_location().path().map(|path| path.display().to_string()),
            database: store.path().display().to_string(),
            disk: store.disk_usage()?,
            stored,
        };
        context.print(&report, report.text(now))
    }
}

fn stored_facts(
    db: &ReadConnection,
    feeds: Option<&[PublishedFeed]>,
    now: Timestamp,
) -> crate::store::Result<StoredFacts> {
    let sources = sources::list(db, &SourceFilter::default())?;
    let active = sources.iter().filter(|source| source.state == SourceState::Active);
    Ok(StoredFacts {
        sources: SourceStatus::count(&sources),
        last_poll_at: polls::last_poll_at(db)?,
        next_poll_at: active.map(|source| source.next_poll_at).min(),
        counts: row_counts::count(db)?,
        queues: queue_lengths::count(db, now)?,
        feeds_to_fill: feeds.map(|feeds| feed_selections::count_outdated(db, feeds)).transpose()?,
    })
}

/// Returns the problems that require the operator's attention.
async fn problems(context: &Context, store: &Store, daemon: Option<&DaemonState>) -> Vec<String> {
    let mut problems = Vec::new();
    match daemon {
        None => problems.push("the daemon is not running; start it with `newsfold serve` or systemctl".to_owned()),
        Some(daemon) => {
            problems.extend(other_configuration(context, daemon));
            if !daemon.restart_settings.is_empty() {
                let settings = daemon.restart_settings.join(", ");
                problems.push(format!("these settings take effect after a restart of the daemon: {settings}"));
            }
            let reported = healthcheck::problems_of(daemon).await;
            problems.extend(reported.faults.into_iter().chain(reported.warnings));
        }
    }
    let known = |shortage: &String| problems.iter().any(|problem| problem.contains(shortage.as_str()));
    let shortage = store.disk_shortage().filter(|shortage| !known(shortage));
    problems.extend(shortage);
    problems
}

impl Report {
    fn text(&self, now: Timestamp) -> String {
        let Report { daemon, disk, stored, .. } = self;
        let StoredFacts { counts, queues, .. } = stored;
        let path = |path: &Option<String>| path.clone().unwrap_or_else(|| "none; the defaults apply".into());
        let mut lines = vec![("version", self.version.to_owned())];
        match daemon {
            Some(daemon) => lines.extend([
                ("daemon", format!("process {} at http://{}", daemon.process_id, daemon.listen)),
                ("running for", duration(now.duration_since(daemon.started_at))),
                ("configuration", format!("{}, applied {}", path(&daemon.config_path), time(daemon.config_applied_at))),
            ]),
            None => lines.extend([("daemon", "not running".into()), ("configuration", path(&self.configuration))]),
        }
        let sources: Vec<String> = stored.sources.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let queues = [
            (queues.items_to_group, "items to group"),
            (queues.items_to_encode, "items to encode"),
            (queues.stories_to_review, "stories to review"),
            (queues.due_sources, "sources due"),
            (queues.pending_deliveries, "WebSub deliveries"),
        ]
        .into_iter()
        .chain(stored.feeds_to_fill.map(|count| (count as u64, "feeds to fill")))
        .map(|(count, what)| format!("{} {what}", grouped_digits(count)))
        .collect::<Vec<_>>();
        lines.extend([
            ("database", format!("{}, {}", self.database, byte_size(disk.database_bytes + disk.write_ahead_log_bytes))),
            ("free space", byte_size(disk.free_bytes)),
            ("sources", if sources.is_empty() { "none".into() } else { sources.join(", ") }),
            ("last poll", optional_time(stored.last_poll_at)),
            ("next poll", optional_time(stored.next_poll_at)),
            ("items", grouped_digits(counts.items)),
            ("stories", format!("{}, {} published", grouped_digits(counts.stories), grouped_digits(counts.published))),
            ("queues", queues.join(", ")),
        ]);
        lines.extend(self.problems.iter().map(|problem| ("problem", problem.clone())));
        if self.problems.is_empty() {
            lines.push(("problems", "none".into()));
        }
        facts(&lines)
    }
}
