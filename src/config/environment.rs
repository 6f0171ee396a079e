//! Checks the settings whose validity depends on this machine: the files with the URLs of webhooks, and the directory
//! of the export. The daemon starts regardless of these checks, because their result can change while it runs.

use super::validate::line_of;
use super::{Config, ConfigLocation};
use crate::publish::WebhookOptions;
use rustix::fs::{Access, access};
use std::path::{Path, PathBuf};
use url::Url;

/// The directory of the files that systemd passes to the service.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// A setting that the daemon cannot use on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableSetting {
    /// The key, such as `notify.0.url_file`.
    pub key: String,
    pub problem: String,
}

impl Config {
    /// Returns the settings that refer to files and directories that the current user cannot use. Omits files that
    /// systemd passes only to the service.
    pub fn unusable_settings(&self) -> Vec<UnusableSetting> {
        let mut found = Vec::new();
        for (position, hook) in self.notify.iter().enumerate() {
            if let Some(problem) = webhook_url(hook).err().filter(|_| !is_hidden_credential(hook)) {
                found.push(UnusableSetting { key: format!("notify.{position}.url_file"), problem });
            }
        }
        if let Some(problem) = self.publish.export_dir.as_deref().and_then(folder_problem) {
            found.push(UnusableSetting { key: "publish.export_dir".into(), problem });
        }
        found
    }
}

impl UnusableSetting {
    /// Describes the problem with the line of the setting in the configuration file.
    pub fn text(&self, location: &ConfigLocation) -> String {
        let UnusableSetting { key, problem } = self;
        let Some(path) = location.path() else { return format!("{key}: {problem}") };
        let line = std::fs::read_to_string(&path).ok().and_then(|text| line_of(&text, std::slice::from_ref(key)));
        match line {
            Some(line) => format!("{}, line {line}: {key}: {problem}", path.display()),
            None => format!("{}: {key}: {problem}", path.display()),
        }
    }
}

/// Returns whether the file with the URL of a webhook is a credential that this process cannot read. systemd passes
/// credentials to the daemon, but neither to other programs nor to the check of the configuration before a reload, although
/// the variable is set there.
fn is_hidden_credential(hook: &WebhookOptions) -> bool {
    let Some(file) = hook.url_file.as_deref().filter(|file| file.is_relative()) else { return false };
    std::env::var_os(CREDENTIALS_DIRECTORY)
        .is_none_or(|credentials| access(PathBuf::from(credentials).join(file), Access::READ_OK).is_err())
}

/// Returns the URL of a webhook, from the configuration or from its file. An error does not quote the text of the file,
/// which is a secret.
pub fn webhook_url(hook: &WebhookOptions) -> Result<Url, String> {
    if let Some(url) = &hook.url {
        return Ok(url.clone());
    }
    let credentials = std::env::var_os(CREDENTIALS_DIRECTORY).map(PathBuf::from).unwrap_or_default();
    let file = credentials.join(hook.url_file.as_deref().unwrap_or_else(|| "".as_ref()));
    let text = std::fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| format!("{} does not contain an http or https URL", file.display()))
}

/// Returns why the current user cannot create files in a directory, which is created if it does not exist.
fn folder_problem(folder: &Path) -> Option<String> {
    let existing = folder.ancestors().find(|part| part.exists()).filter(|part| !part.as_os_str().is_empty());
    let existing = existing.unwrap_or(Path::new("."));
    if !existing.is_dir() {
        return Some(format!("{} is not a directory", existing.display()));
    }
    let is_writable = access(existing, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    (!is_writable).then(|| format!("the current user cannot write to {}", existing.display()))
}
