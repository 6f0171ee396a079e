//! Runs the test suites of other parsers and counts how many of their expectations newsfold meets.
//!
//! `cargo test --test documents conformance -- --ignored --nocapture` prints all counts and failures. The rules in
//! `conformance/policy.rs` exclude checks and give a reason for each.
//! `docs/decisions/0011-other-parsers-suites-are-the-measure.md` contains the results.

mod checks;
mod policy;

use checks::{CheckClass, ExpectedValue};
use newsfold::feed_parser::{FetchedDocument, Options, ParsedFeed, parse_feed};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use url::Url;

fn json_lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn parse(bytes: &[u8], content_type: Option<&str>, url: &Url) -> Option<ParsedFeed> {
    parse_feed(&FetchedDocument { bytes, content_type, url }, &Options::default()).ok().map(|(feed, _)| feed)
}

#[derive(Default)]
struct CheckCounts {
    passed: usize,
    failed: usize,
    excluded: usize,
}

#[test]
#[ignore = "needs ../shared"]
#[allow(clippy::too_many_lines, reason = "counts and prints the checks of one corpus by kind")]
fn at_least_97_percent_of_the_expectations_of_feedparser_are_met() {
    let folder = crate::shared_folder("corpus/feedparser");
    let root = Url::parse("http://127.0.0.1:8097/").unwrap();
    let mut counts: BTreeMap<CheckClass, CheckCounts> = BTreeMap::new();
    let mut excluded: BTreeMap<&str, usize> = BTreeMap::new();
    let mut outside: BTreeMap<String, usize> = BTreeMap::new();
    let (mut markup, mut unread) = (CheckCounts::default(), 0);
    for line in json_lines(&folder.join("expected.jsonl")) {
        let file = line["file"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let header = |name: &str| {
            let headers = line["header"].as_object().unwrap().iter();
            headers.clone().find(|(n, _)| n.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
        };
        let base = header("Content-Location").and_then(|base| root.join(base).ok()).unwrap_or(root.clone());
        let feed = parse(&bytes, header("Content-Type"), &base);
        if feed.is_none() {
            unread += 1;
            println!("UNREAD {file}");
        }
        for check in line["checks"].as_array().unwrap() {
            let check: ExpectedValue = serde_json::from_value(check.clone()).unwrap();
            let Some(class) = check.class() else {
                *outside.entry(check.general_path()).or_default() += 1;
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
                println!("{class:?}: {file}: {} {} {}: {failure}", check.full_path(), check.op, check.value);
            }
            if class == CheckClass::Text
                && let Some(feed) = &feed
            {
                if check.has_same_markup(feed, &base) {
                    markup.passed += 1;
                } else {
                    markup.failed += 1;
                    println!("markup: {file}: {} {}", check.full_path(), check.value);
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
    println!("text values with the same markup: {} of {}", markup.passed, markup.passed + markup.failed);
    let mut sum = CheckCounts::default();
    for (class, count) in &counts {
        println!("{class:?}: {} of {}, {} excluded", count.passed, count.passed + count.failed, count.excluded);
        if class.in_bar() {
            sum.passed += count.passed;
            sum.failed += count.failed;
            sum.excluded += count.excluded;
        }
    }
    let counted = sum.passed + sum.failed;
    println!("in all: {} of {counted} ({:.1} %), {} excluded", sum.passed, percent(sum.passed, counted), sum.excluded);
    assert!(percent(sum.excluded, counted + sum.excluded) <= 10.0, "too much is excluded");
    assert!(percent(sum.passed, counted) >= 97.0);
}

#[test]
#[ignore = "needs ../shared"]
fn at_least_97_percent_of_the_dates_of_feedparser_are_read() {
    let folder = crate::shared_folder("corpus/feedparser");
    let lines = json_lines(&folder.join("dates.jsonl"));
    let mut passed = 0;
    for line in &lines {
        let input = line["input"].as_str().unwrap();
        let found = checks::parse_item_date(input).map(|at| at.as_second());
        let expected = checks::expected_timestamp(&line["expected_utc_struct_time"]).map(|at| at.as_second());
        if found == expected {
            passed += 1;
        } else {
            println!("date: {input:?} is {found:?}, expected {expected:?}");
        }
    }
    println!("dates: {passed} of {}", lines.len());
    assert!(percent(passed, lines.len()) >= 97.0);
}

/// Returns the number of items in a document. Counts start tags outside comments and CDATA sections.
fn count_item_tags(bytes: &[u8]) -> usize {
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
        // Exclude `<item />`, which is empty.
        tags.filter(|after| !after.trim_start().starts_with('/')).count()
    };
    ["<item", "<rss:item", "<entry", "<atom:entry"].iter().map(|name| opens(name)).sum()
}

#[test]
#[ignore = "needs ../shared"]
fn at_least_99_percent_of_the_items_in_fixtures_of_other_parsers_are_read() {
    for (name, folder) in
        [("feed-rs", "feed-rs/fixture"), ("rss-parser", "test/input"), ("node-feedparser", "test/feeds")]
    {
        let corpus = crate::shared_folder("corpus").join(name);
        let (mut complete, mut documents, mut items, mut item_tags) = (0, 0, 0, 0);
        for file in crate::files_under(&corpus.join(folder)) {
            let bytes = std::fs::read(&file).unwrap();
            let tagged = count_item_tags(&bytes);
            if tagged == 0 {
                continue;
            }
            let url = Url::parse("https://feed.invalid/").unwrap();
            let found = parse(&bytes, None, &url).map_or(0, |feed| feed.items.len());
            documents += 1;
            item_tags += tagged;
            items += found.min(tagged);
            complete += usize::from(found == tagged);
            if found != tagged {
                println!("{}: {found} of {tagged} items", file.display());
            }
        }
        println!("{name}: {complete} of {documents} documents complete, {items} of {item_tags} items");
        assert!(percent(complete, documents) >= 99.0 || documents - complete <= 1);
        assert!(percent(items, item_tags) >= 99.0);
    }
}

fn percent(part: usize, total: usize) -> f64 {
    100.0 * part as f64 / total.max(1) as f64
}
