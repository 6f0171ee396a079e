//! Reads the response headers that affect the next request: validators, freshness and Retry-After (RFC 9110, RFC 9111).

use crate::domain::{CacheValidators, Timestamp};
use jiff::SignedDuration;
use reqwest::header::{self, HeaderMap};
use url::Url;

/// The maximum length of a validator in bytes. Longer validators are discarded, because the next request would send
/// them in a header.
const MAX_VALIDATOR_BYTES: usize = 4096;

/// Returns the validators for the next request, byte for byte as received.
pub(super) fn validators(url: &Url, headers: &HeaderMap) -> Option<CacheValidators> {
    let bytes = |name| {
        let value = headers.get(name)?.as_bytes();
        (!value.is_empty() && value.len() <= MAX_VALIDATOR_BYTES).then(|| value.to_vec())
    };
    let (etag, last_modified) = (bytes(header::ETAG), bytes(header::LAST_MODIFIED));
    if etag.is_none() && last_modified.is_none() {
        return None;
    }
    Some(CacheValidators { url: url.to_string(), etag, last_modified })
}

/// Returns the freshness lifetime of a response (RFC 9111, section 4.2): max-age minus Age, or Expires minus Date.
/// Returns `None` if the response has neither max-age nor Expires.
pub(super) fn fresh_for(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    max_age(headers).or_else(|| {
        let expires = date(headers, header::EXPIRES)?;
        let sent = date(headers, header::DATE).unwrap_or(now);
        Some(expires.duration_since(sent).max(SignedDuration::ZERO))
    })
}

fn max_age(headers: &HeaderMap) -> Option<SignedDuration> {
    let mut found = None;
    for value in headers.get_all(header::CACHE_CONTROL) {
        for directive in value.to_str().ok()?.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "max-age" => found = seconds(value.trim().trim_matches('"')),
                "no-store" | "no-cache" => return Some(SignedDuration::ZERO),
                _ => {}
            }
        }
    }
    let age = headers.get(header::AGE).and_then(|v| v.to_str().ok()).and_then(seconds).unwrap_or_default();
    Some(found?.saturating_sub(age).max(SignedDuration::ZERO))
}

/// Returns the delay that the server requests, given in seconds or as a date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let seconds = seconds(headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim());
    seconds.or_else(|| Some(date(headers, header::RETRY_AFTER)?.duration_since(now).max(SignedDuration::ZERO)))
}

/// Returns the date in a header field.
pub(super) fn date(headers: &HeaderMap, name: header::HeaderName) -> Option<Timestamp> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok()?.try_into().ok()
}

fn seconds(text: &str) -> Option<SignedDuration> {
    let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // A number that overflows counts as the maximum (RFC 9111, section 1.2.2).
    all_digits.then(|| SignedDuration::from_secs(text.parse::<u32>().unwrap_or(u32::MAX).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderName;

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        list.iter().map(pair).collect()
    }

    fn fresh(list: &[(&str, &str)]) -> Option<i64> {
        fresh_for(&headers(list), Timestamp::UNIX_EPOCH).map(|d| d.as_secs())
    }

    #[test]
    fn freshness_is_max_age_minus_age_or_expires_minus_date() {
        assert_eq!(fresh(&[("cache-control", "public, max-age=600"), ("age", "100")]), Some(500));
        assert_eq!(fresh(&[("cache-control", "max-age=99999999999999999999")]), Some(i64::from(u32::MAX)));
        assert_eq!(fresh(&[("cache-control", "no-cache, max-age=600")]), Some(0));
        let dates = [("date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("expires", "Thu, 01 Jan 1970 00:05:00 GMT")];
        assert_eq!(fresh(&dates), Some(300));
        assert_eq!(fresh(&[("expires", "0")]), None);
        assert_eq!(fresh(&[("cache-control", "max-age=-5")]), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |value: &str| retry_after(&headers(&[("retry-after", value)]), Timestamp::UNIX_EPOCH);
        assert_eq!(after("120"), Some(SignedDuration::from_secs(120)));
        assert_eq!(after("Thu, 01 Jan 1970 01:00:00 GMT"), Some(SignedDuration::from_secs(3600)));
        assert_eq!(after("soon"), None);
    }

    #[test]
    fn validators_keep_the_received_bytes() {
        let url = Url::parse("https://a.example/feed").unwrap();
        let mut map = HeaderMap::new();
        map.insert(header::ETAG, reqwest::header::HeaderValue::from_bytes(b"W/\"caf\xe9\" ").unwrap());
        let kept = validators(&url, &map).unwrap();
        assert_eq!(kept.etag.as_deref(), Some(&b"W/\"caf\xe9\" "[..]));
        assert_eq!(validators(&url, &HeaderMap::new()), None);
    }
}
