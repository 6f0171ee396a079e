//! An operator's desk: a folder with a database and a configuration, and the real binary.

use assert_cmd::Command;
use predicates::prelude::*;
use tempfile::TempDir;

/// A folder with a database and a configuration that allows loopback.
pub struct Desk {
    pub folder: TempDir,
}

impl Desk {
    pub fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let config = "[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n[publish]\ndelay = \"0s\"\n[cluster]\nrecluster_interval = \"0s\"\n";
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        Desk { folder }
    }

    pub fn newsfold(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("newsfold").unwrap();
        command
            .env("HOME", self.folder.path())
            .env("NEWSFOLD_DATABASE", self.folder.path().join("news.db"))
            .env("NEWSFOLD_CONFIG", self.folder.path().join("config.toml"))
            .args(arguments);
        command
    }

    /// Runs a command that must succeed and returns what it prints.
    pub fn run(&self, arguments: &[&str]) -> String {
        let done = self.newsfold(arguments).assert().success();
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let text = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"))
    }

    /// The same of a command that must say that something went wrong.
    pub fn json_of_failure(&self, arguments: &[&str]) -> serde_json::Value {
        let done = self.newsfold(&[arguments, &["--json"]].concat()).assert().code(1);
        let text = String::from_utf8(done.get_output().stdout.clone()).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"))
    }

    pub fn urls(&self) -> Vec<String> {
        let list = self.json(&["source", "list"]);
        let mut urls: Vec<String> =
            list.as_array().unwrap().iter().map(|s| s["url"].as_str().unwrap().into()).collect();
        urls.sort();
        urls
    }

    pub fn fails(&self, arguments: &[&str], why: &str) {
        self.newsfold(arguments).assert().code(1).stderr(predicate::str::contains(why));
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}
