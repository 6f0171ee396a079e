//! Tests that newsfold extracts items from each document in a corpus of publishers' documents.

use newsfold::feed_parser::{FetchedDocument, Options, parse_feed};
use std::path::{Path, PathBuf};
use url::Url;

/// Returns the files of a corpus, each with the value of one column of the corpus index.
fn indexed_files(corpus: &str, column: &str) -> Vec<(PathBuf, String)> {
    let folder = crate::shared_folder("corpus").join(corpus);
    let text = std::fs::read_to_string(folder.join("index.tsv")).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let columns = lines.next().unwrap();
    let index_of = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let (file, value) = (index_of("file"), index_of(column));
    lines.map(|cells| (folder.join(cells[file]), cells[value].to_owned())).collect()
}

fn item_count(file: &Path) -> usize {
    let bytes = std::fs::read(file).unwrap();
    let url = Url::parse("https://feed.invalid/").unwrap();
    let document = FetchedDocument { bytes: &bytes, content_type: None, url: &url };
    let parsed = parse_feed(&document, &Options::default());
    parsed.unwrap_or_else(|error| panic!("{}: {error}", file.display())).0.items.len()
}

#[test]
#[ignore = "needs ../shared"]
fn every_document_of_2020_that_contains_items_yields_items() {
    for (file, _) in indexed_files("outlets-2020", "bytes") {
        if item_count(&file) == 0 {
            let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
            assert!(!text.contains("<item") && !text.contains("<entry"), "{} contains items", file.display());
        }
    }
}

#[test]
#[ignore = "needs ../shared"]
fn every_document_of_2023_yields_all_its_items() {
    for (file, items) in indexed_files("outlets-2023", "items") {
        assert_eq!(item_count(&file), items.parse::<usize>().unwrap(), "{}", file.display());
    }
}
