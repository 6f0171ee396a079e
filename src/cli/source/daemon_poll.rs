//! Polls by the daemon on behalf of a command. If the database belongs to another user, a command that runs as root
//! neither fetches nor parses documents from other servers, because a vulnerability in that code would give access to
//! the whole system. Instead, it records which sources to poll, and waits until the daemon has recorded the polls.

use super::{poll_error_text, termination_signal};
use crate::cli::running_daemon::running_daemon;
use crate::config::Config;
use crate::domain::{NextPollReason, Source, SourceId, SourceState, Timestamp};
use crate::store::polls::{self, PollSummary};
use crate::store::{self, ReadConnection, Store, poll_schedule, sources};
use crate::wording::{Audience, duration, next_poll_text};
use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The interval between checks of the database.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// The time that a poll may take in addition to its request, for other polls of the same server and for parsing.
const POLL_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// The number of recorded polls among which the result is found. A poll of the previous URL may be recorded later.
const MAX_COMPARED_POLLS: u32 = 5;

/// Returns whether the command must leave polls to the daemon: it runs as root, and the database belongs to another user.
pub fn is_required(store: &Store) -> bool {
    rustix::process::geteuid().is_root() && store.path().metadata().is_ok_and(|database| database.uid() != 0)
}

/// Returns an error with the next step if the daemon is not running. The message ends with `alternative`, another way to
/// proceed.
pub async fn require_daemon(store: &Store, alternative: &str) -> anyhow::Result<()> {
    if running_daemon(store).await?.is_some() {
        return Ok(());
    }
    bail!(
        "the daemon is not running, and newsfold does not fetch documents as root; start the daemon, for example with \
         `systemctl start newsfold`{alternative}"
    );
}

/// The result of a poll that a command requested from the daemon.
pub struct DaemonPoll {
    pub source: Source,
    /// The poll, or the reason why the source was not polled.
    pub result: Result<PollSummary, String>,
}

impl DaemonPoll {
    /// Returns the poll if it read a feed, or else the reason why no feed was read.
    pub fn successful(&self) -> Result<&PollSummary, String> {
        match &self.result {
            Ok(poll) if poll.outcome.is_success() => Ok(poll),
            Ok(poll) => Err(poll_error_text(poll.outcome, &poll.detail, poll.detail_time)),
            Err(reason) => Err(reason.clone()),
        }
    }
}

/// A source whose poll a command has requested from the daemon.
pub struct RequestedPoll {
    pub id: SourceId,
    /// The time of the request. A poll that started earlier, for example of a previous URL, is not the result.
    pub requested_at: Timestamp,
}

/// Waits until the daemon has polled the sources, in the order in which they are given.
pub async fn wait(config: &Config, store: &Store, requested: Vec<RequestedPoll>) -> anyhow::Result<Vec<DaemonPoll>> {
    let bar = ProgressBar::new(requested.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("waiting for the daemon: {pos}/{len} sources, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(CHECK_INTERVAL);
    let wait_for_all = async {
        let mut polled = Vec::new();
        for poll in requested {
            polled.push(wait_for_poll(config, store, poll).await?);
            bar.inc(1);
        }
        anyhow::Ok(polled)
    };
    let polled = tokio::select! {
        polled = wait_for_all => polled,
        _ = termination_signal() => bail!("interrupted; the daemon will still poll the sources"),
    };
    bar.finish_and_clear();
    polled
}

async fn wait_for_poll(config: &Config, store: &Store, requested: RequestedPoll) -> anyhow::Result<DaemonPoll> {
    let RequestedPoll { id, requested_at } = requested;
    let limit = config.fetch.total_timeout.saturating_add(POLL_MARGIN);
    let deadline = Instant::now() + limit.unsigned_abs();
    loop {
        let read = move |db: &ReadConnection| Ok((sources::get(db, id)?, polls::latest(db, id, MAX_COMPARED_POLLS)?));
        let (Some(source), latest): (Option<Source>, Vec<PollSummary>) = store.read(read).await? else {
            bail!("source {id} was deleted in the meantime");
        };
        let is_requested = |poll: &PollSummary| {
            source.last_poll_at == Some(poll.started_at)
                // The database stores milliseconds.
                && poll.started_at.as_millisecond() >= requested_at.as_millisecond()
        };
        let result = match (source.next_poll_reason.planned(), latest.into_iter().find(is_requested)) {
            _ if source.state != SourceState::Active => Some(Err(format!("the source is {}", source.state.into_str()))),
            (NextPollReason::FeedLinked, _) => None,
            (_, Some(poll)) => Some(Ok(poll)),
            (NextPollReason::Added | NextPollReason::UrlChanged | NextPollReason::Requested, _) => None,
            (reason, _) => Some(Err(format!("postponed: {}", next_poll_text(reason).format(Audience::Operator)))),
        };
        if let Some(result) = result {
            return Ok(DaemonPoll { source, result });
        }
        if Instant::now() >= deadline {
            bail!(
                "the daemon has not polled source {id} within {}; the source is unchanged and still due. `newsfold status` \
                 shows the state of the daemon, and `newsfold source show {id}` the next poll",
                duration(limit)
            );
        }
        sleep(CHECK_INTERVAL).await;
    }
}

/// Makes sources due and waits until the daemon has polled them. With `is_full_request`, the requests are unconditional.
pub async fn poll(
    config: &Config,
    store: &Store,
    chosen: &[Source],
    (is_full_request, now): (bool, Timestamp),
) -> anyhow::Result<Vec<DaemonPoll>> {
    require_daemon(store, "").await?;
    let ids: Vec<SourceId> = chosen.iter().map(|source| source.id).collect();
    let request = move |db: &store::WriteConnection| {
        ids.into_iter().try_for_each(|id| poll_schedule::request_poll(db, id, is_full_request, now))
    };
    store.write(request).await?;
    let requested = |source: &Source| RequestedPoll { id: source.id, requested_at: now };
    wait(config, store, chosen.iter().map(requested).collect()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::NewSource;

    #[tokio::test(start_paused = true)]
    async fn wait_ends_with_the_next_step_if_the_daemon_does_not_poll() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("news.db")).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let new = NewSource { url: "https://a.example/".into(), outlet: "a.example".into(), ..NewSource::default() };
        let id = store.write(move |db| sources::add(db, &new, now, now)).await.unwrap().unwrap();
        let (config, started) = (Config::default(), Instant::now());
        let Err(error) = wait(&config, &store, vec![RequestedPoll { id, requested_at: now }]).await else {
            panic!("nothing polled the source")
        };
        let message = error.to_string();
        assert!(message.contains("has not polled source 1") && message.contains("newsfold status"), "{message}");
        let limit = config.fetch.total_timeout.saturating_add(POLL_MARGIN).unsigned_abs();
        assert!((limit..limit + 2 * CHECK_INTERVAL).contains(&started.elapsed()), "{:?}", started.elapsed());
    }
}
