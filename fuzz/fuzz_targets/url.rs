//! Links in canonical form, and the headers of an answer: the text's first line is a link, every other line is a
//! header's value.
//!
//! The readers of headers are no public interface, so that their files are compiled in here as they are.

#![no_main]

#[allow(dead_code)]
#[path = "../../src/fetch/headers.rs"]
mod headers;
#[allow(dead_code)]
#[path = "../../src/fetch/links.rs"]
mod links;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use newsfold::urls::canonical::canonical_url;
use newsfold::urls::outlet::{outlet_of_site, outlet_of_url};
use newsfold::{http_client, domain};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;
use url::Url;

const NAMES: [HeaderName; 8] = [
    header::LINK,
    header::RETRY_AFTER,
    header::CACHE_CONTROL,
    header::EXPIRES,
    header::DATE,
    header::AGE,
    header::ETAG,
    header::LAST_MODIFIED,
];

/// The longest time that a header can ask for in seconds, and that a date can be away.
const MAX_WAIT: Duration = Duration::from_secs(10_000 * 366 * 24 * 3600);

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|b| *b == b'\n');
    let link = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let base = Url::parse("https://news.example/a/feed").unwrap();
    if let Ok(link) = base.join(&link)
        && matches!(link.scheme(), "http" | "https")
    {
        check_canonical(&link);
    }
    check_headers(lines, &base);
});

fn check_canonical(link: &Url) {
    let canonical = canonical_url(link);
    let parsed = Url::parse(&canonical).unwrap_or_else(|error| panic!("{canonical:?} of {link}: {error}"));
    assert_eq!(canonical, canonical_url(&parsed), "the canonical form of {link}");
    assert_eq!(outlet_of_url(link), outlet_of_url(&parsed), "the outlet of {link}");
    outlet_of_site(link);
    http_client::Origin::from_url(link);
}

/// The first byte of a line chooses the header.
fn check_headers<'a>(lines: impl Iterator<Item = &'a [u8]>, base: &Url) {
    let mut headers = HeaderMap::new();
    for line in lines.take(100) {
        let Some((choice, value)) = line.split_first() else { continue };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(NAMES[usize::from(*choice) % NAMES.len()].clone(), value);
        }
    }
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let links = links::links(&headers, base);
    assert!(links.hubs.len() <= 8);
    assert!(headers::freshness(&headers, now).fresh_for.is_none_or(|time| time <= MAX_WAIT));
    assert!(headers::retry_after(&headers, now).is_none_or(|time| time <= MAX_WAIT));
    if let Some(validators) = headers::validators(base, &headers) {
        let kept = [&validators.etag, &validators.last_modified].into_iter().flatten();
        assert!(kept.into_iter().all(|value| !value.is_empty() && value.len() <= 4096));
    }
}
