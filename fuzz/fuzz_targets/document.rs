//! Parses a document and normalizes its items: bytes → character set → rewriter → feed-rs → items.
//!
//! The first byte selects the `Content-Type` and the limits; the rest is the document.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use newsfold::domain::display_text::is_invisible;
use newsfold::feed_parser::{FetchedDocument, NotAFeed, Options, ParsedFeed, parse_feed};
use newsfold::ingest::feed_language::detect_feed_language;
use newsfold::ingest::normalize::normalize_items;
use newsfold_fuzz::{MAX_SANITIZED_BYTES, check_harmless, check_link};
use std::collections::HashSet;
use url::Url;

const CONTENT_TYPES: [Option<&str>; 8] = [
    None,
    Some("application/rss+xml; charset=utf-8"),
    Some("text/xml; charset=\"iso-8859-1\""),
    Some("application/feed+json"),
    Some("text/html; charset=shift_jis"),
    Some("application/xml;charset='windows-1251'"),
    Some("text/plain; charset=iso-2022-jp"),
    Some(";;charset=;charset=utf-16le"),
];

/// The parser truncates longer guids.
const MAX_GUID_BYTES: usize = 4 * 1024;

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let content_type = CONTENT_TYPES[usize::from(choice & 7)];
    let options = match choice & 8 {
        0 => Options::default(),
        _ => Options { max_bytes: 4096, max_items: 3, max_depth: 5, max_text_bytes: 50 },
    };
    let url = Url::parse("https://news.example/world/feed.xml?page=1").unwrap();
    let document = FetchedDocument { bytes, content_type, url: &url };

    let parsed = parse_feed(&document, &options);
    assert_eq!(parsed, parse_feed(&document, &options), "parsing is deterministic");
    match &parsed {
        Ok((feed, _)) => check_feed(feed, &options, &url),
        Err(NotAFeed::Html { feeds, refresh_target }) => {
            feeds.iter().map(|feed| &feed.url).chain(&refresh_target).for_each(check_link);
        }
        Err(_) => {}
    }
});

fn check_feed(feed: &ParsedFeed, options: &Options, url: &Url) {
    [&feed.site_url, &feed.self_url].into_iter().flatten().for_each(check_link);
    feed.hubs.iter().for_each(check_link);
    assert!(feed.items.len() <= options.max_items);
    for item in &feed.items {
        [&item.link, &item.image].into_iter().flatten().for_each(check_link);
        item.enclosures.iter().for_each(|enclosure| check_link(&enclosure.url));
        for text in [&item.title, &item.summary_html, &item.content_html].into_iter().flatten() {
            assert!(text.len() <= options.max_text_bytes && !text.trim().is_empty(), "{text:?}");
        }
        assert!(item.guid.as_ref().is_none_or(|guid| !guid.is_empty() && guid.len() <= MAX_GUID_BYTES));
    }

    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let mut problems = Vec::new();
    let items = normalize_items(feed, url, url, now, &mut problems);
    assert_eq!(items, normalize_items(feed, url, now, &mut Vec::new()), "normalizing is deterministic");
    assert!(items.len() <= feed.items.len());
    let guids: HashSet<&str> = items.iter().map(|item| item.guid.as_str()).collect();
    assert_eq!(guids.len(), items.len(), "guids are unique");
    for item in &items {
        assert!(!item.guid.is_empty() && !item.title.is_empty());
        assert!(item.title.chars().count() <= 501 && item.summary.chars().count() <= 1001, "{item:?}");
        assert!(!item.title.contains(is_invisible) && !item.summary.contains(is_invisible), "{item:?}");
        assert_eq!(item.url.is_some(), item.canonical_url.is_some());
        if let Some(content) = &item.content {
            assert!(content.len() <= MAX_SANITIZED_BYTES);
            check_harmless(content);
        }
    }
    detect_feed_language(feed, &items);
}
