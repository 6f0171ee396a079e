//! Compares the real program with nginx, newsboat and the PyPI package `reader`, and prints tables.
//!
//! `cargo bench --bench compare` starts `benches/comparison/run` with the program of this build. `-- --tables passes`
//! selects tables; `benches/comparison/main.py` describes all options.

use std::path::Path;
use std::process::Command;

fn main() -> anyhow::Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/comparison/run");
    // Cargo adds `--bench` to the arguments of each benchmark.
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let status = Command::new(script).args(arguments).env("NEWSFOLD", env!("CARGO_BIN_EXE_newsfold")).status()?;
    anyhow::ensure!(status.success(), "the comparison failed");
    Ok(())
}
