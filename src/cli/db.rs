//! `newsfold db`: the database file.

use super::output::confirm;
use super::table::table;
use super::{Context, examples, termination_signal};
use crate::daemon::DatabaseLock;
use crate::store::backup::CopyProgress;
use crate::store::{self, Error, Store, damage, folder_of, row_counts, table_sizes, vacuum, with_suffix};
use crate::wording::{byte_size, count_of, grouped_digits};
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(clap::Subcommand)]
pub enum DbCommand {
    /// Print the path of the database and its row counts.
    Info,
    /// Print the size of each table with its indexes, and the unused space in the file.
    Stats,
    /// Copy the database into one file while the daemon runs.
    #[command(after_long_help = examples::DB_BACKUP)]
    Backup {
        /// File to write.
        file: PathBuf,
        /// Replace the file if it exists.
        #[arg(long)]
        force: bool,
    },
    /// Replace the database with a backup. The daemon must be stopped. The previous database is kept in the same
    /// directory.
    #[command(after_long_help = examples::DB_RESTORE)]
    Restore {
        /// Backup to restore.
        file: PathBuf,
        /// Skip the confirmation prompt.
        #[arg(long)]
        yes: bool,
    },
    /// Check the database for damage.
    Check,
    /// Return unused space to the disk. The daemon must be stopped. This needs as much free space as the database.
    Vacuum,
}

impl DbCommand {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            DbCommand::Info => info(context).await,
            DbCommand::Stats => stats(context).await,
            DbCommand::Backup { file, force } => back_up(context, file, force).await,
            DbCommand::Restore { file, yes } => restore(context, file, yes).await,
            DbCommand::Check => check(context).await,
            DbCommand::Vacuum => compact(context).await,
        }
    }
}

async fn info(context: &Context) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let counts = store.read(row_counts::count).await?;
    let path = store.path().display();
    let text = format!(
        "{path}\n{}, {} ({} waiting to be grouped), {} stories ({} published, {} with only backlog)",
        count_of(counts.sources as usize, "source", "sources"),
        count_of(counts.items as usize, "item", "items"),
        counts.unassigned,
        counts.stories,
        counts.published,
        counts.backlog_stories
    );
    context.print(&serde_json::json!({"database": path.to_string(), "counts": counts}), text)
}

async fn stats(context: &Context) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let (tables, unused) = store.read(|db| Ok((table_sizes::table_sizes(db)?, table_sizes::unused_bytes(db)?))).await?;
    let usage = store.disk_usage().context("the size of the database is unknown")?;
    let sizes = table(
        &tables,
        &[
            ("table", |table| table.name.clone()),
            ("rows", |table| grouped_digits(table.rows)),
            ("size", |table| byte_size(table.bytes)),
        ],
    );
    let text = format!(
        "{sizes}\n{}: {}, of which {} is unused; write-ahead log: {}; free disk space: {}",
        store.path().display(),
        byte_size(usage.database_bytes),
        byte_size(unused),
        byte_size(usage.write_ahead_log_bytes),
        byte_size(usage.free_bytes)
    );
    context.print(&serde_json::json!({"tables": tables, "unused_bytes": unused, "disk": usage}), text)
}

async fn check(context: &Context) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let damage = store.read(damage).await?;
    let is_whole = damage.is_empty();
    if !is_whole && !context.json() {
        let next = "Restore a backup with `newsfold db restore FILE`";
        return Err(Error::Damaged { path: store.path().to_owned(), damage, next }.into());
    }
    let path = store.path().display().to_string();
    context.print(&serde_json::json!({"database": path, "whole": is_whole, "damage": damage}), "database OK")?;
    Ok(ExitCode::from(u8::from(!is_whole)))
}

async fn back_up(context: &Context, file: PathBuf, force: bool) -> anyhow::Result<ExitCode> {
    let path = context.existing_database(&context.database_config()?)?;
    if file == Path::new("-") {
        bail!("a backup cannot be written to stdout; enter the name of a file (./- for a file named -)");
    }
    let folder = folder_of(&file);
    if !folder.is_dir() {
        bail!("cannot write {}: there is no directory {}; create it first", file.display(), folder.display());
    }
    if file.metadata().is_ok_and(|found| !found.is_file()) {
        bail!("{} is not a regular file; choose another name", file.display());
    }
    if file.exists() && !force {
        bail!("{} exists; pass --force to replace it", file.display());
    }
    if is_part_of_database(&file, &path) {
        bail!("{} is the database or one of its files; choose another name", file.display());
    }
    if DatabaseLock::is_held(&file) {
        bail!("a daemon is using the database {}; choose another file", file.display());
    }
    match copy_with_progress(&file, move |to, progress| store::back_up(&path, to, progress)).await? {
        Err(Error::Interrupted) => bail!("interrupted; no backup was written"),
        done => done?,
    }
    let bytes = std::fs::metadata(&file)?.len();
    let text = format!("wrote {}, {}", file.display(), byte_size(bytes));
    context.print(&serde_json::json!({"file": file.display().to_string(), "bytes": bytes}), text)
}

/// Returns whether a path leads to the database or to a file that belongs to it, directly or through symbolic links.
fn is_part_of_database(file: &Path, database: &Path) -> bool {
    let resolved = |path: &Path| {
        let folder = folder_of(path).canonicalize().unwrap_or_else(|_| folder_of(path).to_owned());
        path.canonicalize().unwrap_or_else(|_| folder.join(path.file_name().unwrap_or_default()))
    };
    let (file, database) = (resolved(file), resolved(database));
    let own = ["", "-wal", "-shm", "-journal", ".lock", ".grouping.lock"];
    own.iter().any(|suffix| with_suffix(&database, suffix) == file)
}

async fn restore(context: &Context, file: PathBuf, yes: bool) -> anyhow::Result<ExitCode> {
    let path = context.database_path(&context.database_config()?)?;
    if is_part_of_database(&file, &path) {
        bail!("{} is the database or one of its files; choose a backup", file.display());
    }
    let _lock = DatabaseLock::acquire(&path)?;
    if path.exists() && !confirm(&format!("Replace {} with {}?", path.display(), file.display()), yes)? {
        bail!("nothing was changed");
    }
    let to = path.clone();
    let previous = match copy_with_progress(&file, move |from, progress| store::restore(from, &to, progress)).await? {
        Err(Error::Interrupted) => bail!("interrupted; nothing was changed"),
        restored => restored?,
    };
    // Applies the migrations that the backup lacks.
    let counts = Store::open(&path)?.read(row_counts::count).await?;
    let previous = previous.map(|path| path.display().to_string());
    let kept = previous.as_ref().map_or_else(String::new, |path| format!("; the previous database is now {path}"));
    let sources = count_of(counts.sources as usize, "source", "sources");
    let items = count_of(counts.items as usize, "item", "items");
    let text = format!("restored {} with {sources} and {items}{kept}", path.display());
    context.print(&serde_json::json!({"database": path.display().to_string(), "previous": previous}), text)
}

async fn compact(context: &Context) -> anyhow::Result<ExitCode> {
    let config = context.database_config()?;
    let path = context.existing_database(&config)?;
    let _lock = DatabaseLock::acquire(&path)?;
    let store = context.open_existing(&config)?;
    let before = store.disk_usage().context("the size of the database is unknown")?;
    if before.free_bytes < before.database_bytes {
        let (needed, free) = (byte_size(before.database_bytes), byte_size(before.free_bytes));
        bail!("this needs {needed} of free space on the disk that holds the database, but only {free} is available");
    }
    tokio::task::spawn_blocking(move || vacuum(&path)).await??;
    let (before, after) = (before.database_bytes, store.disk_usage()?.database_bytes);
    let text = match after < before {
        true => format!("the database size is now {} (previously {})", byte_size(after), byte_size(before)),
        false => format!("the database has no unused space; its size stays {}", byte_size(after)),
    };
    context.print(&serde_json::json!({"bytes_before": before, "bytes_after": after}), text)
}

/// Runs a copy to or from `file` and shows its progress on a terminal. Interrupts the copy after a termination signal.
async fn copy_with_progress<T: Send + 'static>(
    file: &Path,
    copy: impl FnOnce(&Path, &mut dyn FnMut(CopyProgress) -> ControlFlow<()>) -> store::Result<T> + Send + 'static,
) -> anyhow::Result<store::Result<T>> {
    let file = file.to_owned();
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent} %, {elapsed}, {eta} left") {
        bar.set_style(style);
    }
    let (shown, interrupted) = (bar.clone(), Arc::new(AtomicBool::new(false)));
    let is_interrupted = interrupted.clone();
    let mut copied = tokio::task::spawn_blocking(move || {
        copy(&file, &mut |progress: CopyProgress| {
            shown.set_length(progress.all_pages);
            shown.set_position(progress.copied_pages);
            if is_interrupted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    });
    let result = tokio::select! {
        done = &mut copied => done?,
        _ = termination_signal() => {
            interrupted.store(true, Ordering::Relaxed);
            copied.await?
        }
    };
    bar.finish_and_clear();
    Ok(result)
}
