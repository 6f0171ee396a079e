//! Runs the real daemon as a separate process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A running daemon. Dropping the value kills the daemon.
pub struct DaemonProcess {
    pub process: Child,
    pub base: String,
    log: Arc<Mutex<String>>,
}

impl DaemonProcess {
    /// Returns the log of the daemon so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends a signal such as `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for DaemonProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the path of the database in a directory.
pub fn database_path(folder: &Path) -> PathBuf {
    folder.join("news.db")
}

/// Starts `newsfold serve` and waits until it logs its address. `shell_setup` is a shell script that runs first, for
/// example to set limits.
pub fn start_daemon(folder: &Path, shell_setup: &str) -> DaemonProcess {
    // The tests send requests to the daemon.
    newsfold::http_client::install_tls_provider();
    let binary = assert_cmd::cargo::cargo_bin("newsfold");
    let script = format!("{shell_setup} exec \"$0\" \"$@\"");
    let mut process = Command::new("sh")
        .args(["-c", &script])
        .arg(binary)
        .args(["serve", "--config"])
        .arg(folder.join("config.toml"))
        .arg("--database")
        .arg(database_path(folder))
        .env("HOME", folder)
        .env("NO_COLOR", "1")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let log = Arc::new(Mutex::new(String::new()));
    let base = loop {
        let Some(Ok(line)) = lines.next() else { panic!("the daemon did not start: {}", log.lock().unwrap()) };
        append_line(&log, &line);
        if let Some((_, rest)) = line.split_once("address=") {
            break format!("http://{}", rest.split_whitespace().next().unwrap());
        }
    };
    // Read the rest of the log, so that the daemon never blocks on a full pipe.
    let shared = log.clone();
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| append_line(&shared, &line)));
    DaemonProcess { process, base, log }
}

fn append_line(log: &Mutex<String>, line: &str) {
    let mut log = log.lock().unwrap();
    log.push_str(line);
    log.push('\n');
}
