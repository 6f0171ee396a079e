//! Canonicalizes the link on the first line, and parses the response headers on the lines after it, one value per line.
//!
//! The header parsers are not public, so their files are compiled into this target.

#![no_main]

#[allow(dead_code)]
#[path = "../../src/http_client/cache_headers.rs"]
mod cache_headers;
#[allow(dead_code)]
#[path = "../../src/http_client/link_header.rs"]
mod link_header;

use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use newsfold::urls::canonical::canonical_url;
use newsfold::urls::outlet::{outlet_of_site, outlet_of_url};
use newsfold::{domain, http_client};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
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

/// The longest duration that a header can contain, in seconds or as a date.
const MAX_WAIT: SignedDuration = SignedDuration::from_secs(10_000 * 366 * 24 * 3600);

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
    http_client::origin_of(link);
}

/// The first byte of a line selects the header.
fn check_headers<'a>(lines: impl Iterator<Item = &'a [u8]>, base: &Url) {
    let mut headers = HeaderMap::new();
    for line in lines.take(100) {
        let Some((choice, value)) = line.split_first() else { continue };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(NAMES[usize::from(*choice) % NAMES.len()].clone(), value);
        }
    }
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let links = link_header::link_relations(&headers, base);
    assert!(links.hubs.len() <= 8);
    assert!(cache_headers::fresh_for(&headers, now).is_none_or(|time| time <= MAX_WAIT));
    assert!(cache_headers::retry_after(&headers, now).is_none_or(|time| time <= MAX_WAIT));
    if let Some(validators) = cache_headers::validators(base, &headers) {
        let kept = [&validators.etag, &validators.last_modified].into_iter().flatten();
        assert!(kept.into_iter().all(|value| !value.is_empty() && value.len() <= 4096));
    }
}
