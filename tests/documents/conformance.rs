//! Other parsers' own suites, where they are beside the project: how much of what they expect newsfold reads.
//!
//! `cargo test --test documents conformance -- --nocapture` prints every count and every failure. What is left out of a count is
//! left out by a rule with a reason, in `conformance/policy.rs`; `docs/decisions/0011-other-parsers-suites-are-the-measure.md` has the
//! figures.

mod checks;
mod policy;

use checks::{Check, Class};
use newsfold::feed_parser::{FetchedDocument, Options, ParsedFeed, parse_feed};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use url::Url;

fn corpus(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus").join(name);
    if !folder.exists() {
        crate::support::skipped(&format!("there is no corpus {name} beside this project"));
        return None;
    }
    Some(folder)
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn read(bytes: &[u8], content_type: Option<&str>, url: &Url) -> Option<ParsedFeed> {
    parse_feed(&FetchedDocument { bytes, content_type, url }, &Options::default()).ok().map(|(feed, _)| feed)
}

#[derive(Default)]
struct Count {
    passed: usize,
    failed: usize,
    excluded: usize,
}

#[test]
fn of_feedparser_s_expectations_97_in_100_hold() {
    let Some(folder) = corpus("feedparser") else { return };
    let root = Url::parse("http://127.0.0.1:8097/").unwrap();
    let mut counts: BTreeMap<Class, Count> = BTreeMap::new();
    let mut excluded: BTreeMap<&str, usize> = BTreeMap::new();
    let mut outside: BTreeMap<String, usize> = BTreeMap::new();
    let (mut markup, mut unread) = (Count::default(), 0);
    for line in lines(&folder.join("expected.jsonl")) {
        let file = line["file"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let header = |name: &str| {
            let headers = line["header"].as_object().unwrap().iter();
            headers.clone().find(|(n, _)| n.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
        };
        let base = header("Content-Location").and_then(|base| root.join(base).ok()).unwrap_or(root.clone());
        let feed = read(&bytes, header("Content-Type"), &base);
        if feed.is_none() {
            unread += 1;
            println!("UNREAD {file}");
        }
        for check in line["checks"].as_array().unwrap() {
            let check: Check = serde_json::from_value(check.clone()).unwrap();
            let Some(class) = check.class() else {
                *outside.entry(check.general()).or_default() += 1;
                continue;
            };
            let count = counts.entry(class).or_default();
            if let Some(reason) = policy::exclusion(&check, class, &bytes, header("Content-Language").is_some()) {
                *excluded.entry(reason).or_default() += 1;
                count.excluded += 1;
                continue;
            }
            let failure = feed.as_ref().map_or("not read".to_owned(), |feed| check.failure(feed, class, &base));
            if failure.is_empty() {
                count.passed += 1;
            } else {
                count.failed += 1;
                println!("{class:?}: {file}: {} {} {}: {failure}", check.shown(), check.op, check.value);
            }
            if class == Class::Text
                && let Some(feed) = &feed
            {
                if check.markup_same(feed, &base) {
                    markup.passed += 1;
                } else {
                    markup.failed += 1;
                    println!("markup: {file}: {} {}", check.shown(), check.value);
                }
            }
        }
    }
    println!("unread: {unread}; checks outside: {} of {} paths", outside.values().sum::<usize>(), outside.len());
    for (path, count) in &outside {
        println!("  outside {count:4} {path}");
    }
    for (reason, count) in &excluded {
        println!("  excluded {count:4} {reason}");
    }
    println!("texts whose markup is the same too: {} of {}", markup.passed, markup.passed + markup.failed);
    let mut sum = Count::default();
    for (class, count) in &counts {
        println!("{class:?}: {} of {}, {} excluded", count.passed, count.passed + count.failed, count.excluded);
        if class.in_bar() {
            sum.passed += count.passed;
            sum.failed += count.failed;
            sum.excluded += count.excluded;
        }
    }
    let judged = sum.passed + sum.failed;
    println!("in all: {} of {judged} ({:.1} %), {} excluded", sum.passed, percent(sum.passed, judged), sum.excluded);
    assert!(percent(sum.excluded, judged + sum.excluded) <= 10.0, "too much is excluded");
    assert!(percent(sum.passed, judged) >= 97.0);
}

#[test]
fn of_feedparser_s_dates_97_in_100_are_read() {
    let Some(folder) = corpus("feedparser") else { return };
    let lines = lines(&folder.join("dates.jsonl"));
    let mut passed = 0;
    for line in &lines {
        let input = line["input"].as_str().unwrap();
        let found = checks::date(input).map(|at| at.as_second());
        let expected = checks::moment(&line["expected_utc_struct_time"]).map(|at| at.as_second());
        if found == expected {
            passed += 1;
        } else {
            println!("date: {input:?} is {found:?}, expected {expected:?}");
        }
    }
    println!("dates: {passed} of {}", lines.len());
    assert!(percent(passed, lines.len()) >= 97.0);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// How many items a document holds, counted by their tags. An entry's `<source>` and what is quoted are no items.
fn items_by_sight(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
        return json["items"].as_array().map_or(0, Vec::len);
    }
    let mut outside = String::new();
    let mut rest = &*text;
    while let Some(at) = rest.find("<![CDATA[").into_iter().chain(rest.find("<!--")).min() {
        outside.push_str(&rest[..at]);
        let end = if rest[at..].starts_with("<!--") { "-->" } else { "]]>" };
        rest = rest[at..].find(end).map_or("", |to| &rest[at + to + end.len()..]);
    }
    outside.push_str(rest);
    let opens = |name: &str| {
        let tags = outside.match_indices(name).map(|(at, _)| &outside[at + name.len()..]);
        let tags = tags.filter(|after| after.starts_with(['>', ' ', '\n', '\r', '\t']));
        // `<item />` holds nothing.
        tags.filter(|after| !after.trim_start().starts_with('/')).count()
    };
    ["<item", "<rss:item", "<entry", "<atom:entry"].iter().map(|name| opens(name)).sum()
}

#[test]
fn of_other_parsers_fixtures_that_hold_items_99_in_100_yield_them() {
    for (name, folder) in
        [("feed-rs", "feed-rs/fixture"), ("rss-parser", "test/input"), ("node-feedparser", "test/feeds")]
    {
        let Some(corpus) = corpus(name) else { return };
        let (mut whole, mut held, mut items, mut items_held) = (0, 0, 0, 0);
        for file in files(&corpus.join(folder)) {
            let bytes = std::fs::read(&file).unwrap();
            let sight = items_by_sight(&bytes);
            if sight == 0 {
                continue;
            }
            let url = Url::parse("https://feed.invalid/").unwrap();
            let found = read(&bytes, None, &url).map_or(0, |feed| feed.items.len());
            held += 1;
            items_held += sight;
            items += found.min(sight);
            whole += usize::from(found == sight);
            if found != sight {
                println!("{}: {found} of {sight} items", file.display());
            }
        }
        println!("{name}: {whole} of {held} documents whole, {items} of {items_held} items");
        assert!(percent(whole, held) >= 99.0 || held - whole <= 1);
        assert!(percent(items, items_held) >= 99.0);
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
