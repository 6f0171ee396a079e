//! The site as files under `DIR/current`, which is always a complete generation, even after a crash of the machine.
//!
//! A generation is a directory. It is written under a temporary name and renamed once every file is durable. `current`
//! is a symbolic link that is replaced with a rename. Unchanged files are hard links to the previous generation and
//! keep their date. Two generations are kept, so that a web server can finish responses from the previous generation.

use super::database_watcher::NextRun;
use super::task_context::TaskContext;
use crate::clock::Clock;
use crate::config::Config;
use crate::crawl::PollContext;
use crate::metrics::METRICS;
use crate::serve::{self, EncodedResponse, ExportedVersions, SiteDocument, SiteFiles};
use crate::store::{Store, publication};
use crate::wording::Audience;
use anyhow::Context as _;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The link to the newest generation.
const CURRENT: &str = "current";
/// The prefix of a generation's directory name, followed by its number.
const GENERATION: &str = "generation-";
/// The suffix of an incomplete generation or link.
const INCOMPLETE_SUFFIX: &str = ".tmp";
/// The list of a generation's documents with their HTTP headers.
const MANIFEST: &str = "manifest.json";
/// The number of generations to keep, including the newest generation.
const KEPT_GENERATIONS: usize = 2;

/// The name of this component in the health of the daemon.
const COMPONENT: &str = "export";
/// The minimum interval between exports by the daemon. Caches may keep a feed for the same length of time.
const MIN_EXPORT_INTERVAL: SignedDuration = SignedDuration::from_secs(60);

/// The result of an export.
#[derive(Debug, serde::Serialize)]
pub struct ExportReport {
    /// The generation that `current` points to.
    pub generation: PathBuf,
    /// Whether this export created the generation. If nothing has changed, no generation is created.
    pub new: bool,
    pub documents: usize,
    /// The number of files written. All other files are hard links to the previous generation.
    pub written: usize,
}

/// Writes a generation to `folder`, unless the newest generation is identical.
pub async fn export(config: &Config, store: &Store, clock: &Clock, folder: &Path) -> anyhow::Result<ExportReport> {
    let done = export_changes(config, store, clock, folder, ExportedVersions::new());
    done.await.map(|(report, _)| report).with_context(|| format!("cannot export to {}", folder.display()))
}

/// Writes a generation like [`export`], but renders only the feeds that have changed since the previous export by this
/// process, which returned `exported`.
async fn export_changes(
    config: &Config,
    store: &Store,
    clock: &Clock,
    folder: &Path,
    exported: ExportedVersions,
) -> anyhow::Result<(ExportReport, ExportedVersions)> {
    let (to, now) = (folder.to_owned(), SystemTime::try_from(clock.now())?);
    let generation = tokio::task::spawn_blocking(move || Generation::begin(&to, now)).await??;
    let (mut generation, versions) =
        serve::write_static_site(store, &config.site_options(), clock, generation, exported).await?;
    let report = tokio::task::spawn_blocking(move || generation.complete()).await??;
    Ok((report, versions))
}

/// Exports the site to `publish.export_dir` after each change, at most once per [`MIN_EXPORT_INTERVAL`].
pub(super) async fn run(context: TaskContext) {
    let TaskContext { config, polling: PollContext { store, clock, .. }, mut work, health, shutdown, .. } = context;
    health.forget_delivery_failures(COMPONENT);
    let Some(folder) = &config.publish.export_dir else { return shutdown.cancelled().await };
    ["succeeded", "failed"].iter().for_each(|outcome| METRICS.exports.with_label_values(&[outcome]).inc_by(0));
    let (mut exported_version, mut feeds) = (None, ExportedVersions::new());
    loop {
        let next = match store.read(publication::version).await {
            Ok(version) if exported_version == Some(version) => NextRun::AfterChange,
            Ok(version) => {
                let exported = tokio::select! {
                    // The next export deletes the incomplete generation.
                    _ = shutdown.cancelled() => return,
                    exported = export_changes(&config, &store, &clock, folder, feeds.clone()) => exported,
                };
                match exported {
                    Ok((report, versions)) => {
                        let generation = report.generation.display();
                        tracing::info!(%generation, new = report.new, written = report.written, "exported the site");
                        (exported_version, feeds) = (Some(version), versions);
                        METRICS.exports.with_label_values(&["succeeded"]).inc();
                        METRICS.last_export_at.set(clock.now().as_second());
                        health.set_delivery_failure(COMPONENT, "", None);
                    }
                    Err(error) => {
                        tracing::error!(folder = %folder.display(), "the site could not be exported; retrying: {error:#}");
                        METRICS.exports.with_label_values(&["failed"]).inc();
                        let reason = format!("the site could not be exported to publish.export_dir: {error:#}");
                        health.set_delivery_failure(COMPONENT, "", Some(Audience::PUBLIC.remark(&reason)));
                    }
                }
                tokio::select! {
                    _ = shutdown.cancelled() => return,
                    _ = clock.sleep(MIN_EXPORT_INTERVAL) => continue,
                }
            }
            Err(_) => NextRun::Retry,
        };
        tokio::select! {
            _ = shutdown.cancelled() => return,
            _ = work.wait(next) => {}
        }
    }
}

/// A generation in progress.
struct Generation {
    folder: PathBuf,
    number: u64,
    previous: Option<PathBuf>,
    /// The documents of the previous generation, by path.
    known: HashMap<String, SiteDocument>,
    now: SystemTime,
    documents: Vec<SiteDocument>,
    written: usize,
    /// Allows only one export at a time. The operating system releases the lock when the process ends.
    _lock: File,
}

impl Generation {
    fn begin(folder: &Path, now: SystemTime) -> io::Result<Generation> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.join(".lock"))?;
        lock.lock()?;
        for name in names(folder)?.iter().filter(|name| name.ends_with(INCOMPLETE_SUFFIX)) {
            remove(&folder.join(name))?;
        }
        let number = numbers(folder)?.last().map_or(1, |last| last + 1);
        let previous = fs::canonicalize(folder.join(CURRENT)).ok();
        let manifest = previous.as_ref().and_then(|previous| fs::read(previous.join(MANIFEST)).ok());
        let known: Vec<SiteDocument> =
            manifest.and_then(|manifest| serde_json::from_slice(&manifest).ok()).unwrap_or_default();
        let generation = Generation {
            folder: folder.to_owned(),
            number,
            previous,
            known: known.into_iter().map(|document| (document.path.clone(), document)).collect(),
            now,
            documents: Vec::new(),
            written: 0,
            _lock: lock,
        };
        fs::create_dir(generation.temporary_folder())?;
        Ok(generation)
    }

    fn name(&self) -> String {
        format!("{GENERATION}{:08}", self.number)
    }

    fn temporary_folder(&self) -> PathBuf {
        self.folder.join(self.name() + INCOMPLETE_SUFFIX)
    }

    /// Returns the path of a new file in the temporary directory, and creates the directory that contains it.
    fn new_path(&self, path: &str) -> io::Result<PathBuf> {
        let to = self.temporary_folder().join(path);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(to)
    }

    /// Adds a file. Identical content becomes a link to the previous file. Changed content gets a later date, because
    /// web servers derive ETags from date and length.
    fn file(&mut self, path: &str, bytes: &[u8], modified: Option<SystemTime>) -> io::Result<()> {
        let to = self.new_path(path)?;
        let before = self.previous.as_ref().map(|previous| previous.join(path));
        let mut at = modified.unwrap_or(self.now);
        if let Some(before) = before.filter(|before| before.is_file()) {
            if fs::metadata(&before)?.len() == bytes.len() as u64 && fs::read(&before)? == bytes {
                // On a file system without hard links, the content is written again.
                if fs::hard_link(&before, &to).is_ok() {
                    return Ok(());
                }
                at = fs::metadata(&before)?.modified()?;
            } else {
                at = at.max(fs::metadata(&before)?.modified()? + Duration::from_secs(1));
            }
        }
        self.written += 1;
        let mut file = File::create_new(&to)?;
        file.write_all(bytes)?;
        file.set_modified(at)
    }

    /// Makes this generation the current one if it differs from the previous generation.
    fn complete(&mut self) -> io::Result<ExportReport> {
        self.documents.sort_by(|a, b| a.path.cmp(&b.path));
        let mut manifest = serde_json::to_vec_pretty(&self.documents)?;
        manifest.push(b'\n');
        let documents = self.documents.len();
        if let Some(previous) = &self.previous
            && fs::read(previous.join(MANIFEST)).is_ok_and(|known| known == manifest)
        {
            remove(&self.temporary_folder())?;
            return Ok(ExportReport { generation: previous.clone(), new: false, documents, written: 0 });
        }
        self.file(MANIFEST, &manifest, None)?;
        sync_file_system(&self.folder)?;
        let complete = self.folder.join(self.name());
        fs::rename(self.temporary_folder(), &complete)?;
        sync(&self.folder)?;
        let link = self.folder.join(format!("{CURRENT}{INCOMPLETE_SUFFIX}"));
        std::os::unix::fs::symlink(self.name(), &link)?;
        fs::rename(&link, self.folder.join(CURRENT))?;
        sync(&self.folder)?;
        let numbers = numbers(&self.folder)?;
        for old in &numbers[..numbers.len().saturating_sub(KEPT_GENERATIONS)] {
            remove(&self.folder.join(format!("{GENERATION}{old:08}")))?;
        }
        Ok(ExportReport { generation: complete, new: true, documents, written: self.written })
    }
}

impl SiteFiles for Generation {
    fn keep(&mut self, path: &str, is_current: impl Fn(&SiteDocument) -> bool) -> io::Result<bool> {
        let (Some(previous), Some(document)) = (&self.previous, self.known.get(path)) else { return Ok(false) };
        if !is_current(document) {
            return Ok(false);
        }
        for suffix in &document.codings {
            let file = format!("{path}{suffix}");
            let to = self.new_path(&file)?;
            if fs::hard_link(previous.join(&file), &to).is_err() {
                // The file is missing, or the file system has no hard links. The caller then adds the document.
                document.codings.iter().try_for_each(|suffix| remove(&self.new_path(&format!("{path}{suffix}"))?))?;
                return Ok(false);
            }
        }
        self.documents.push(document.clone());
        Ok(true)
    }

    /// Adds a document, with one file for each of its content codings.
    fn add(&mut self, path: &str, response: &EncodedResponse) -> io::Result<()> {
        let EncodedResponse { content_type, cache_control, encoded, hash, last_modified } = response;
        let mut codings = Vec::new();
        for (coding, bytes) in encoded {
            self.file(&format!("{path}{}", coding.file_suffix()), bytes, *last_modified)?;
            codings.push(coding.file_suffix().to_owned());
        }
        self.documents.push(SiteDocument {
            cache_control: (*cache_control).to_owned(),
            codings,
            content_type: (*content_type).to_owned(),
            hash: hash.clone(),
            path: path.to_owned(),
        });
        Ok(())
    }
}

impl Drop for Generation {
    /// Deletes an incomplete generation.
    fn drop(&mut self) {
        let _ = remove(&self.temporary_folder());
    }
}

/// Returns the numbers of the complete generations, in ascending order.
fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let names = names(folder)?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.strip_prefix(GENERATION)?.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Returns the names in a directory that an export has created.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string()
            && (name.starts_with(GENERATION) || name.starts_with(CURRENT))
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Deletes a directory or a link if it exists.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Flushes all written data of the file system that contains `folder` to the disk. One call for all files is much
/// faster than one call for each file.
fn sync_file_system(folder: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(File::open(folder)?)?;
    #[cfg(not(target_os = "linux"))]
    rustix::fs::sync();
    Ok(())
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
