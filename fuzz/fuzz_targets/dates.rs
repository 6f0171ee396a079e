//! Parses a date as the date of the only item of a JSON Feed, because the date parser is not public.

#![no_main]

use libfuzzer_sys::fuzz_target;
use newsfold::feed_parser::{FetchedDocument, Options, parse_feed};
use url::Url;

fuzz_target!(|text: &str| {
    let Some(first) = read(text) else { return };
    // A date that newsfold writes is read as the same date.
    let written = first.to_string();
    if !written.starts_with('-') {
        assert_eq!(read(&written), Some(first), "{text:?} is read as {written}");
    }
    assert_eq!(read(&format!(" {text}\n")), Some(first), "white space around {text:?} is ignored");
});

fn read(text: &str) -> Option<jiff::Timestamp> {
    let url = Url::parse("https://news.example/feed.json").unwrap();
    let json = serde_json::json!({"items": [{"id": "a", "date_published": text}]}).to_string();
    let document = FetchedDocument { bytes: json.as_bytes(), content_type: None, url: &url };
    let (feed, _) = parse_feed(&document, &Options::default()).expect("a feed");
    feed.items[0].published
}
