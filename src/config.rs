//! The configuration file: composed of the modules' own options, every one of them with a default.
//!
//! `config.example.toml` documents each setting and equals the defaults, which a test holds. Sources are not in here:
//! they live in the database (`newsfold source`).

use crate::{cluster, fetch, poll, publish, serve};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// All that an operator sets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The database; the platform's state directory where it is not set.
    pub database: Option<PathBuf>,
    pub serve: serve::Options,
    pub publish: publish::Options,
    pub poll: poll::Options,
    pub fetch: fetch::Options,
    pub cluster: cluster::Options,
    pub daemon: Running,
}

/// The daemon itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Running {
    /// Polls under way at once, over all origins.
    pub concurrency: usize,
    /// How long polls and requests under way get to end when the daemon is stopped.
    #[serde(with = "crate::model::duration")]
    pub shutdown_grace: SignedDuration,
    /// How long the records of polls are kept; the newest one of each source stays.
    #[serde(with = "crate::model::duration")]
    pub keep_polls: SignedDuration,
}

impl Default for Running {
    fn default() -> Self {
        Running {
            concurrency: 32,
            shutdown_grace: SignedDuration::from_secs(8),
            keep_polls: SignedDuration::from_hours(14 * 24),
        }
    }
}

/// What is wrong with a configuration file, with the place and the way out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the configuration {path}: {cause}")]
    Unreadable { path: PathBuf, cause: std::io::Error },
    /// The parser's text shows line, column and the word.
    #[error("{path}: {cause}\nEvery setting is documented in config.example.toml.")]
    Wrong { path: PathBuf, cause: Box<toml::de::Error> },
    #[error("{path}, line {line}: {what}")]
    Invalid { path: PathBuf, line: usize, what: String },
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Config, Error> {
        let text = std::fs::read_to_string(path).map_err(|cause| Error::Unreadable { path: path.to_owned(), cause })?;
        let config: Config =
            toml::from_str(&text).map_err(|cause| Error::Wrong { path: path.to_owned(), cause: Box::new(cause) })?;
        config.check().map_err(|(word, what)| Error::Invalid {
            path: path.to_owned(),
            line: line_of(&text, &word),
            what,
        })?;
        Ok(config)
    }

    /// What no type can say: a word to look for in the file, and what is wrong with it.
    fn check(&self) -> Result<(), (String, String)> {
        let wrong = |word: &str, what: String| Err((word.to_owned(), what));
        if self.daemon.concurrency == 0 {
            return wrong("concurrency", "daemon.concurrency must be at least 1, or nothing is ever polled".into());
        }
        if self.poll.interval.as_secs() < 1 {
            return wrong("interval", "poll.interval must be at least \"1s\"".into());
        }
        if self.poll.max_interval < self.poll.interval {
            return wrong("max_interval", "poll.max_interval is shorter than poll.interval".into());
        }
        if !(0.0..=1.0).contains(&self.cluster.threshold) {
            return wrong("threshold", "cluster.threshold is a score from 0 to 1".into());
        }
        if !matches!(self.publish.base_url.scheme(), "http" | "https") {
            return wrong("base_url", "publish.base_url must be an http or https URL".into());
        }
        let mut names = BTreeSet::new();
        for feed in &self.publish.feeds {
            if !names.insert(&feed.name) {
                return wrong(&feed.name, format!("two feeds are named ‘{}’; a name stands in one URL", feed.name));
            }
        }
        Ok(())
    }
}

/// The line of the last place where a word stands in the file; 1 where it stands nowhere.
pub fn line_of(text: &str, word: &str) -> usize {
    text.lines().enumerate().filter(|(_, line)| line.contains(word)).last().map_or(1, |(number, _)| number + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../config.example.toml");

    #[test]
    fn the_example_equals_the_defaults() {
        let example: Config = toml::from_str(EXAMPLE).unwrap();
        assert_eq!(example, Config::default());
    }

    #[test]
    fn the_example_documents_every_setting() {
        let defaults = toml::Table::try_from(Config::default()).unwrap();
        let mut missing = Vec::new();
        for (section, settings) in &defaults {
            let Some(settings) = settings.as_table() else { continue };
            for setting in settings.keys() {
                let written = EXAMPLE.lines().any(|line| {
                    let line = line.trim_start_matches("# ");
                    line.starts_with(&format!("{setting} =")) || line.starts_with(&format!("[[{section}.{setting}]]"))
                });
                if !written {
                    missing.push(format!("{section}.{setting}"));
                }
            }
        }
        assert_eq!(missing, Vec::<String>::new());
        assert!(EXAMPLE.contains("# database ="));
    }

    #[test]
    fn the_commented_parts_of_the_example_are_valid_too() {
        let uncommented: String = EXAMPLE
            .lines()
            .map(|line| {
                let bare = line.strip_prefix("# ").unwrap_or(line);
                let is_setting =
                    bare.starts_with("[[") || bare.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
                format!("{}\n", if is_setting { bare } else { line })
            })
            .collect();
        let config: Config = toml::from_str(&uncommented).unwrap_or_else(|e| panic!("{e}"));
        assert!(config.database.is_some() && config.publish.feeds.len() == 1);
    }

    fn complaint(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path).unwrap_err().to_string()
    }

    #[test]
    fn errors_point_at_the_line_and_the_word() {
        let unknown = complaint("[poll]\nintervall = \"5m\"\n");
        assert!(
            unknown.contains("line 2") && unknown.contains("intervall") && unknown.contains("interval"),
            "{unknown}"
        );
        let bad = complaint("[poll]\n\ninterval = \"soon\"\n");
        assert!(bad.contains("line 3") && bad.contains("‘soon’ is no duration"), "{bad}");
        let negative = complaint("[poll]\ninterval = \"-5m\"\n");
        assert!(negative.contains("line 2") && negative.contains("no duration"), "{negative}");
        let network = complaint("[fetch]\nallowed_networks = [\"10.0.0.0/99\"]\n");
        assert!(network.contains("line 2"), "{network}");
        let name = complaint("[[publish.feeds]]\nname = \"a b\"\n");
        assert!(name.contains("line 2") && name.contains("can't stand in a URL"), "{name}");
        let twice = complaint("[[publish.feeds]]\nname = \"x\"\n[[publish.feeds]]\nname = \"x\"\n");
        assert!(twice.contains("line 4") && twice.contains("two feeds are named ‘x’"), "{twice}");
    }
}
