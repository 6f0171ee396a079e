//! The real daemon as a process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub struct Daemon {
    pub process: Child,
    pub base: String,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The database of a folder.
pub fn database(folder: &Path) -> PathBuf {
    folder.join("news.db")
}

/// Starts `newsfold serve`, through a shell that sets limits first, and waits until it says where it listens.
pub fn serve(folder: &Path, before: &str) -> Daemon {
    let binary = assert_cmd::cargo::cargo_bin("newsfold");
    let script = format!("{before} exec \"$0\" \"$@\"");
    let mut process = Command::new("sh")
        .args(["-c", &script])
        .arg(binary)
        .args(["serve", "--config"])
        .arg(folder.join("config.toml"))
        .arg("--database")
        .arg(database(folder))
        .env("HOME", folder)
        .env("NO_COLOR", "1")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    let base = loop {
        let Some(Ok(line)) = lines.next() else { panic!("the daemon did not start: {seen:?}") };
        if let Some((_, rest)) = line.split_once("address=") {
            break format!("http://{}", rest.split_whitespace().next().unwrap());
        }
        seen.push(line);
    };
    // What it says later is read, so that it never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    Daemon { process, base }
}
