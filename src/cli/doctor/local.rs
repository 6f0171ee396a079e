//! Checks of this machine: configuration, database, disk, permissions and daemon.

use super::Finding;
use crate::cli::output::time;
use crate::cli::running_daemon::running_daemon;
use crate::cli::{Context, healthcheck};
use crate::config::Config;
use crate::daemon::DatabaseLock;
use crate::encoder::Encoder;
use crate::http_client::Fetcher;
use crate::store::{Store, daemon_state, folder_of, row_counts};
use crate::wording::byte_size;
use rustix::fs::{Access, access};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The minimum free space that lets the database grow for some time.
const COMFORTABLE_FREE_BYTES: u64 = 1 << 30;
/// The permission bits for users other than the owner and the group.
const OTHERS_READ: u32 = 0o4;
const OTHERS_ENTER: u32 = 0o1;

/// Checks the configuration. Also returns the settings if they can be used.
pub(super) fn configuration(context: &Context) -> (Finding, Option<Config>) {
    const CHECK: &str = "configuration";
    let location = context.config_location();
    let usable = context.config().map_err(|error| format!("{error:#}")).and_then(|config| {
        Fetcher::new(config.fetch.clone()).map_err(|error| error.to_string())?;
        Ok(config)
    });
    match (usable, location.path()) {
        (Err(error), _) => {
            (Finding::error(CHECK, error, "correct the file; config.example.toml lists all settings"), None)
        }
        (Ok(config), None) => (Finding::ok(CHECK, "there is no configuration file; the defaults apply"), Some(config)),
        (Ok(config), Some(path)) => (Finding::ok(CHECK, format!("{} is valid", path.display())), Some(config)),
    }
}

/// Checks the encoder by loading it, which takes some seconds for a large model. Returns `None` if no encoder is
/// configured.
pub(super) fn encoder(config: &Config) -> Option<Finding> {
    const CHECK: &str = "encoder";
    let folder = config.cluster.encoder.as_ref()?;
    Some(match Encoder::load(folder) {
        Ok(encoder) => {
            let (facts, folder) = (encoder.facts(), folder.display());
            Finding::ok(CHECK, format!("{folder} has a model with {} dimensions", facts.dimensions))
        }
        Err(error) => {
            let fix =
                "fix the contents of the directory (docs/encoder.md), or remove cluster.encoder to group by words only";
            Finding::error(CHECK, error.to_string(), fix)
        }
    })
}

/// Checks the files of webhooks and the directory of the export. Empty if the configuration has neither.
pub(super) fn files(context: &Context, config: &Config) -> Vec<Finding> {
    const CHECK: &str = "files";
    let location = context.config_location();
    let fix = "correct the setting or the file, and run this command as the user of the service";
    let unusable = config.unusable_settings();
    if unusable.is_empty() {
        let has_files = config.publish.export_dir.is_some() || config.notify.iter().any(|hook| hook.url_file.is_some());
        let detail = "the files of webhooks and the directory of the export can be used";
        return if has_files { vec![Finding::ok(CHECK, detail)] } else { Vec::new() };
    }
    unusable.iter().map(|setting| Finding::error(CHECK, setting.text(&location), fix)).collect()
}

/// Checks the database. Also returns the database if it exists and can be opened.
pub(super) async fn database(context: &Context, config: &Config) -> (Finding, Option<Store>) {
    const CHECK: &str = "database";
    let path = match context.database_path(config) {
        Ok(path) => path,
        Err(error) => return (Finding::error(CHECK, format!("{error:#}"), "follow the advice in the message"), None),
    };
    if !path.exists() {
        return (missing_database(CHECK, config, &path).await, None);
    }
    match context.open() {
        Err(error) => (Finding::error(CHECK, format!("{error:#}"), "follow the advice in the message"), None),
        Ok((_, store)) => {
            let size = store.disk_usage().map_or(0, |usage| usage.database_bytes);
            let detail = format!("{}, {}; `newsfold db check` checks its contents", path.display(), byte_size(size));
            (Finding::ok(CHECK, detail), Some(store))
        }
    }
}

/// Queries the daemon, which keeps a deleted database open and reports it.
async fn missing_database(check: &'static str, config: &Config, path: &Path) -> Finding {
    let faults = healthcheck::problems(config.serve.listen).await.unwrap_or_default().faults;
    let detail = format!("{} does not exist", path.display());
    if DatabaseLock::is_held(path) || faults.iter().any(|fault| fault.starts_with("database:")) {
        let detail = format!("{detail}, but a daemon is using it. {}", faults.join("; "));
        let fix = "stop the daemon and restore a backup with `newsfold db restore FILE`; a restart without a backup \
                   creates an empty database";
        return Finding::error(check, detail.trim_end(), fix);
    }
    let fix = "start the daemon or add a source, or choose another file with --database or NEWSFOLD_DATABASE";
    Finding::warning(check, detail, fix)
}

pub(super) fn disk(store: &Store) -> Finding {
    const CHECK: &str = "disk";
    if let Some(shortage) = store.disk_shortage() {
        return Finding::error(CHECK, shortage, "delete files, or move the database to a larger disk");
    }
    match store.disk_usage() {
        Err(error) => {
            Finding::warning(CHECK, format!("the free space is unknown: {error}"), "check the disk with `df`")
        }
        Ok(usage) => {
            let free = format!("{} free", byte_size(usage.free_bytes));
            if usage.free_bytes < COMFORTABLE_FREE_BYTES.max(usage.database_bytes) {
                let fix = "free up space: a backup or `newsfold db vacuum` needs as much space as the database";
                return Finding::warning(CHECK, free, fix);
            }
            Finding::ok(CHECK, free)
        }
    }
}

pub(super) fn permissions(store: &Store) -> Finding {
    const CHECK: &str = "permissions";
    let path = store.path();
    let folder = folder_of(path);
    for needed in [path, folder] {
        if access(needed, Access::WRITE_OK).is_err() {
            let fix = "run the command as the user of the service, or give the current user write permission";
            return Finding::error(CHECK, format!("the current user cannot write to {}", needed.display()), fix);
        }
    }
    let allows = |path: &Path, bits| path.metadata().is_ok_and(|found| found.mode() & bits == bits);
    if allows(path, OTHERS_READ) && allows(folder, OTHERS_ENTER) {
        let detail = format!("every user of this machine can read {}, which may contain secrets", path.display());
        return Finding::warning(CHECK, detail, format!("chmod o-rwx {}", path.display()));
    }
    Finding::ok(CHECK, "the current user can write to the database, and other users cannot read it")
}

pub(super) async fn daemon(store: &Store) -> Finding {
    const CHECK: &str = "daemon";
    let daemon = match running_daemon(store).await {
        Ok(Some(daemon)) => daemon,
        Ok(None) => return stopped_daemon(CHECK, store).await,
        Err(error) => return Finding::error(CHECK, error.to_string(), "check the database with `newsfold db check`"),
    };
    let log = "see its log, for example with `journalctl -u newsfold`";
    let problems = healthcheck::problems_of(&daemon).await;
    if !problems.faults.is_empty() {
        return Finding::error(CHECK, problems.faults.join("; "), log);
    }
    match daemon.reload_error {
        None if !problems.warnings.is_empty() => Finding::warning(CHECK, problems.warnings.join("; "), log),
        Some(error) => Finding::warning(CHECK, format!("it rejected the configuration: {error}"), "correct the file"),
        None => Finding::ok(CHECK, format!("process {} is healthy", daemon.process_id)),
    }
}

/// A daemon that is not running is an error if one has run before and there are sources to poll.
async fn stopped_daemon(check: &'static str, store: &Store) -> Finding {
    let fix = "start it with `newsfold serve` or systemctl";
    let facts = store.read(|db| Ok((daemon_state::get(db)?, row_counts::count(db)?.sources))).await;
    match facts {
        Ok((Some(last), 1..)) => {
            let detail =
                format!("it is not running, so no source is polled; it last started {}", time(last.started_at));
            Finding::error(check, detail, fix)
        }
        Ok(_) => Finding::warning(check, "it is not running", fix),
        Err(error) => Finding::error(check, error.to_string(), "check the database with `newsfold db check`"),
    }
}
