//! Tests on data: suites of other parsers, hostile and real documents, labeled stories, and simulated sources.
//!
//! Tests that need the directory `../shared` are ignored by default, and fail if the directory is missing: `cargo test
//! --test documents -- --ignored --skip of_16_mib`.

mod clusters;
mod conformance;
mod corpus;
mod hostile;
mod policies;
#[path = "../support/replay.rs"]
mod replay;
#[path = "../support/mod.rs"]
mod support;
mod top_stories;

/// Returns a directory of test data next to the project.
fn shared_folder(name: &str) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name);
    assert!(folder.exists(), "{} does not exist", folder.display());
    folder
}

/// Returns all files under a directory, sorted.
fn files_under(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_under(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
