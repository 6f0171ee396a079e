//! How well the clusterer does on labelled stories, where they are beside the project: its figures must not fall.

mod support;

use std::path::Path;

#[test]
fn the_figures_on_labelled_stories_do_not_fall() {
    let gold = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/stories/dev.jsonl");
    if !gold.exists() {
        support::skipped("there are no labelled stories beside this project");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
    let done = command.env("HOME", folder.path()).arg("--json").arg("eval").arg(&gold).assert().success();
    let scores: serde_json::Value = serde_json::from_slice(&done.get_output().stdout).unwrap();
    // The figures of docs/clustering.md, less what a change of a library's word list may cost.
    let (b_cubed, pairs) = (scores["b_cubed"]["f1"].as_f64().unwrap(), scores["pairs"]["f1"].as_f64().unwrap());
    assert!(b_cubed >= 0.88 && pairs >= 0.63, "{scores}");
}
