//! The daemon that is running on the database of a command.

use super::Context;
use crate::config::Config;
use crate::daemon::DatabaseLock;
use crate::store::daemon_state::{self, DaemonState};
use crate::store::{self, Store};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// The time limit for the checkpoint at the end of a command.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_secs(1);

/// Returns the state of the running daemon; `None` if no daemon is running.
pub async fn running_daemon(store: &Store) -> store::Result<Option<DaemonState>> {
    if DatabaseLock::is_held(store.path()) { store.read(daemon_state::get).await } else { Ok(None) }
}

/// Returns the address that the daemon on a database has recorded; `None` if no daemon is running or the database
/// cannot be read.
pub fn recorded_address(database: &Path) -> Option<SocketAddr> {
    let is_running = DatabaseLock::is_held(database);
    let daemon = is_running.then(|| daemon_state::read_file(database).ok()).flatten()?;
    daemon?.listen.parse().ok()
}

/// Sets the listen address to that of the running daemon. The URL of the site may be derived from it.
pub fn use_recorded_address(config: &mut Config) {
    if let Some(address) = recorded_address(&config.database_path()) {
        config.set_listen_address(address);
    }
}

/// Prints a note if the running daemon's settings differ from the command's settings.
pub async fn note_other_configuration(context: &Context, store: &Store) {
    // The command has already reported a database that it cannot read.
    let Ok(Some(daemon)) = running_daemon(store).await else { return };
    if let Some(note) = other_configuration(context, &daemon) {
        eprintln!("newsfold: {note}");
    }
}

/// Moves the write-ahead log into the database file if no daemon is running, so that a copy of the file is complete.
pub async fn checkpoint_without_daemon(store: &Store) {
    if !DatabaseLock::is_held(store.path()) {
        // If other commands use the database, the last command to close it completes the file.
        let _ = tokio::time::timeout(CHECKPOINT_TIMEOUT, store.checkpoint()).await;
    }
}

/// Describes why the running daemon's settings differ from the command's settings, with the next step; `None` if they
/// are the same.
pub fn other_configuration(context: &Context, daemon: &DaemonState) -> Option<String> {
    // If the file cannot be read, the command itself reports the error.
    let file = context.config_location().read().ok();
    if file.is_none_or(|file| daemon.config_hash == file.fingerprint()) && daemon.reload_error.is_none() {
        return None;
    }
    let version = env!("CARGO_PKG_VERSION");
    if daemon.version != version {
        let running = &daemon.version;
        return Some(format!(
            "the running daemon has version {running}, but this command has version {version}; restart the daemon"
        ));
    }
    let shown = |path: Option<&str>| path.map_or("the default settings".to_owned(), |path| format!("the file {path}"));
    let path = context.config_location().path().map(|path| path.display().to_string());
    if path.is_none() && daemon.config_path.is_none() {
        // The daemon is the demo: no other daemon without a file has settings that differ from the defaults.
        return None;
    }
    if path != daemon.config_path {
        let (used, own) = (shown(daemon.config_path.as_deref()), shown(path.as_deref()));
        let note =
            format!("the running daemon uses {used}, but this command uses {own}; choose the file with --config");
        return Some(note);
    }
    Some(match &daemon.reload_error {
        Some(error) => format!("the running daemon does not use the new configuration: {error}"),
        None => format!(
            "the running daemon uses an earlier version of {}; apply the current one with `systemctl reload newsfold` \
             or `kill -HUP {}`",
            shown(path.as_deref()),
            daemon.process_id
        ),
    })
}
