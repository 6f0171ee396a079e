//! `newsfold serve`: runs the daemon in the foreground, as systemd expects.

use super::{Context, termination_signal};
use crate::config::{Config, MetricsOptions};
use crate::daemon::{self, ConfigurationSource, DatabaseLock};
use crate::store::{Store, folder_of};
use anyhow::{Context as _, bail};
use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[derive(clap::Args)]
pub struct Serve {
    /// Address and port to listen on (overrides `serve.listen`).
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<std::net::SocketAddr>,
}

impl Serve {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let reload = notify_on_hangup()?;
        let location = context.config_location();
        let file = location.read()?;
        let mut config = context.with_options(file.clone());
        if let Some(listen) = self.listen {
            config.set_listen_address(listen);
        }
        let path = context.database_path(&config)?;
        refuse_root(&path)?;
        let _lock = DatabaseLock::acquire_for_daemon(&path).await?;
        let is_new = !path.exists();
        let store = Store::open(&path)?;
        if is_new {
            tracing::warn!(database = %path.display(), "created a new database, because no database existed");
        }
        open_more_files()?;
        let listener = listen(&config).await?;
        let shutdown = CancellationToken::new();
        cancel_on_signal(shutdown.clone());
        let metrics = metrics_listener(&config.metrics);
        let configuration = ConfigurationSource { config, file, location, metrics, reload };
        daemon::run(configuration, store, listener, context.clock.clone(), shutdown).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns an error if root starts the daemon on the database of another user, because the daemon parses documents from
/// other servers. A vulnerability in that code would give access to the whole system.
fn refuse_root(database: &Path) -> anyhow::Result<()> {
    let owned = database.metadata().or_else(|_| folder_of(database).metadata());
    match owned.map_or(0, |owned| owned.uid()) {
        owner if owner != 0 && geteuid().is_root() => bail!(
            "the database {} belongs to another user, and newsfold does not fetch documents as root; start the daemon \
             as that user, for example with `systemctl start newsfold` or `setpriv --reuid {owner} --clear-groups \
             newsfold serve`",
            database.display()
        ),
        _ => Ok(()),
    }
}

/// Uses the socket passed by systemd, or opens a new one.
async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    if let Some(handed) = listenfd::ListenFd::from_env().take_tcp_listener(0).context("cannot use systemd's socket")? {
        handed.set_nonblocking(true)?;
        return Ok(TcpListener::from_std(handed)?);
    }
    let address = config.serve.listen;
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; choose another address with serve.listen in the configuration or --listen")
    })
}

/// Opens the socket for metrics. They are not necessary, so a failure does not keep the daemon from starting.
fn metrics_listener(options: &MetricsOptions) -> Option<std::net::TcpListener> {
    let address = options.enabled.then_some(options.listen)?;
    let bind = || {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        tracing::info!(listen = %listener.local_addr()?, "serving metrics at /metrics");
        Ok::<_, std::io::Error>(listener)
    };
    let log = |error: &std::io::Error| {
        tracing::warn!(%error, "cannot listen on {address} for /metrics; choose another address with metrics.listen");
    };
    bind().inspect_err(log).ok()
}

/// The minimum limit on open files: for the database, polls and a few connections.
const MIN_OPEN_FILES: u64 = 256;

/// Raises the limit on open files to the hard limit, because each connection needs one.
fn open_more_files() -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    // If this fails, the server accepts fewer connections.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    if let Some(files) = getrlimit(Resource::Nofile).current.filter(|files| *files < MIN_OPEN_FILES) {
        bail!(
            "newsfold may open only {files} files, but needs {MIN_OPEN_FILES}; raise the limit with `ulimit -n {MIN_OPEN_FILES}`, \
             or with LimitNOFILE= in the systemd unit"
        );
    }
    Ok(())
}

/// Requests a reload on SIGHUP. Signals that arrive during a reload cause one further reload.
fn notify_on_hangup() -> anyhow::Result<Arc<Notify>> {
    let (mut hangup, reload) = (signal(SignalKind::hangup())?, Arc::new(Notify::new()));
    let requested = reload.clone();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            requested.notify_one();
        }
    });
    Ok(reload)
}

/// Shuts the daemon down on SIGINT or SIGTERM. A second signal during shutdown ends the program immediately.
pub fn cancel_on_signal(shutdown: CancellationToken) {
    tokio::spawn(async move {
        while termination_signal().await.is_ok() {
            if shutdown.is_cancelled() {
                std::process::exit(1);
            }
            shutdown.cancel();
        }
    });
}
