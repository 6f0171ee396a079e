//! Documents as publishers served them, where they are beside the project: every one is read.

use newsfold::feed_parser::{FetchedDocument, Options, parse_feed};
use std::path::{Path, PathBuf};
use url::Url;

/// The rows of a corpus' index: file → a named column.
fn index(corpus: &str, column: &str) -> Option<Vec<(PathBuf, String)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus").join(corpus);
    let Ok(text) = std::fs::read_to_string(folder.join("index.tsv")) else {
        crate::support::skipped(&format!("there is no corpus {corpus} beside this project"));
        return None;
    };
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let columns = lines.next().unwrap();
    let place = |name: &str| columns.iter().position(|c| *c == name).unwrap();
    let (file, value) = (place("file"), place(column));
    Some(lines.map(|cells| (folder.join(cells[file]), cells[value].to_owned())).collect())
}

fn items_in(file: &Path) -> usize {
    let bytes = std::fs::read(file).unwrap();
    let url = Url::parse("https://feed.invalid/").unwrap();
    let document = FetchedDocument { bytes: &bytes, content_type: None, url: &url };
    let read = parse_feed(&document, &Options::default());
    read.unwrap_or_else(|error| panic!("{}: {error}", file.display())).0.items.len()
}

#[test]
fn every_document_of_2020_that_holds_items_yields_them() {
    let Some(documents) = index("outlets-2020", "bytes") else {
        return;
    };
    let empty: Vec<PathBuf> = documents.into_iter().map(|(file, _)| file).filter(|file| items_in(file) == 0).collect();
    for file in &empty {
        let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
        assert!(!text.contains("<item") && !text.contains("<entry"), "{} holds items", file.display());
    }
}

#[test]
fn every_document_of_2023_yields_as_many_items_as_it_holds() {
    let Some(documents) = index("outlets-2023", "items") else {
        return;
    };
    for (file, items) in documents {
        assert_eq!(items_in(&file), items.parse::<usize>().unwrap(), "{}", file.display());
    }
}
