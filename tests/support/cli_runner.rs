//! Runs the real binary with a separate database and configuration.

use assert_cmd::Command;
use predicates::prelude::*;
use tempfile::TempDir;

/// A directory with a database and a configuration that allows requests to loopback.
pub struct CliRunner {
    pub folder: TempDir,
}

impl CliRunner {
    pub fn new() -> CliRunner {
        let folder = tempfile::tempdir().unwrap();
        let config = "[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n[publish]\ndelay = \"0s\"\n[cluster]\nrecluster_interval = \"0s\"\n";
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        CliRunner { folder }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("newsfold").unwrap();
        command
            .env("HOME", self.folder.path())
            .env("NEWSFOLD_DATABASE", self.folder.path().join("news.db"))
            .env("NEWSFOLD_CONFIG", self.folder.path().join("config.toml"))
            .args(arguments);
        command
    }

    /// Runs a command, which must succeed, and returns its output.
    pub fn run(&self, arguments: &[&str]) -> String {
        let assert = self.command(arguments).assert().success();
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    }

    /// Runs a command, which must succeed, and returns its JSON output.
    pub fn run_json(&self, arguments: &[&str]) -> serde_json::Value {
        let text = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"))
    }

    /// Runs a command, which must exit with status 1, and returns its JSON output.
    pub fn run_json_failing(&self, arguments: &[&str]) -> serde_json::Value {
        let assert = self.command(&[arguments, &["--json"]].concat()).assert().code(1);
        let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"))
    }

    /// Returns the URLs of all sources, sorted.
    pub fn source_urls(&self) -> Vec<String> {
        let list = self.run_json(&["source", "list"]);
        let mut urls: Vec<String> =
            list.as_array().unwrap().iter().map(|s| s["url"].as_str().unwrap().into()).collect();
        urls.sort();
        urls
    }

    /// Runs a command, which must exit with status 1 and print this text to stderr.
    pub fn assert_fails(&self, arguments: &[&str], message: &str) {
        self.command(arguments).assert().code(1).stderr(predicate::str::contains(message));
    }

    /// Writes a file to the directory and returns its path.
    pub fn write_file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}
