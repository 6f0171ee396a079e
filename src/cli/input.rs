//! The input files of commands; `-` means standard input.

use anyhow::Context as _;
use std::io::Read;
use std::path::Path;

pub fn read_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    read_at_most(path, u64::MAX)
}

/// Reads at most this number of bytes.
pub fn read_at_most(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if is_stdin(path) {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes).context("cannot read stdin")?;
    } else {
        let file = std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
        file.with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(bytes)
}

/// Returns the name of a file for messages.
pub fn shown_name(path: &Path) -> String {
    if is_stdin(path) { "stdin".into() } else { path.display().to_string() }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}
