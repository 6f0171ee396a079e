//! Conditional answers (RFC 9110, sections 8.8 and 13): strong ETags, one for each coding, and dates to the second.

use super::coding::{Coding, Effort, choose, choose_unseen};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::{Duration, SystemTime};

/// What may be kept, for how long, and for how long in need: a reader is better off with an old feed than with none.
pub(super) const FEED: &str = "public, max-age=60, stale-if-error=86400";
/// What is for one reader alone.
pub(super) const PRIVATE: &str = "private, max-age=60, stale-if-error=86400";
/// What is asked for anew each time; with its ETag that costs little.
pub(super) const PAGE: &str = "no-cache, stale-if-error=86400";
/// What changes with the program alone.
pub(super) const ASSET: &str = "public, max-age=3600, stale-if-error=86400";

/// A document in every coding, ready to be sent any number of times.
pub(super) struct Ready {
    pub content_type: &'static str,
    pub cache_control: &'static str,
    pub coded: Vec<(Coding, Bytes)>,
    pub hash: String,
    /// Not said where it could not be written down: a date that is forgotten at a restart would go back.
    pub last_modified: Option<SystemTime>,
}

impl Ready {
    pub(super) fn new(content_type: &'static str, cache_control: &'static str, plain: Vec<u8>) -> Ready {
        let hash = hash(&plain);
        let encode = |coding: Coding| Some((coding, coding.encode(&plain, Effort::Often)?.into()));
        let coded = Coding::ALL.into_iter().filter_map(encode).collect();
        Ready { content_type, cache_control, coded, hash, last_modified: None }
    }

    /// A document that is made for one request, for which no coding pays.
    pub(super) fn once(content_type: &'static str, cache_control: &'static str, plain: Vec<u8>) -> Ready {
        let hash = hash(&plain);
        let coded = vec![(Coding::Identity, plain.into())];
        Ready { content_type, cache_control, coded, hash, last_modified: None }
    }

    /// The answer to a request with these headers.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response {
        let sizes: Vec<_> = self.coded.iter().map(|(coding, bytes)| (*coding, bytes.len())).collect();
        let chosen = if sizes.len() == 1 { Some(sizes[0].0) } else { choose(request, &sizes) };
        let Some((coding, bytes)) = self.coded.iter().find(|(coding, _)| Some(*coding) == chosen) else {
            return unacceptable();
        };
        let tag = etag(&self.hash, *coding);
        let mut headers = headers(self.content_type, self.cache_control, &tag, *coding, self.last_modified);
        if sizes.len() == 1 {
            headers.remove(header::VARY);
        }
        if is_known(request, &tag, self.last_modified) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, bytes.clone()).into_response()
    }
}

/// The answer with a page that was made for this request. It is coded only where it is sent, in the one coding that is.
pub(super) fn answer_once(content_type: &'static str, plain: Vec<u8>, request: &HeaderMap) -> Response {
    let Some(coding) = choose_unseen(request) else { return unacceptable() };
    let tag = etag(&hash(&plain), coding);
    let headers = headers(content_type, PAGE, &tag, coding, None);
    if is_known(request, &tag, None) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    match coding.encode(&plain, Effort::Once) {
        Some(coded) => (headers, coded).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn unacceptable() -> Response {
    let vary = [(header::VARY, "Accept-Encoding"), (header::CACHE_CONTROL, "no-store")];
    let text = "newsfold sends br, zstd, gzip and identity; the request's Accept-Encoding refuses them all.\n";
    (StatusCode::NOT_ACCEPTABLE, vary, text).into_response()
}

fn headers(
    content_type: &str,
    cache_control: &str,
    etag: &str,
    coding: Coding,
    last_modified: Option<SystemTime>,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, content_type);
    set(header::ETAG, etag);
    if let Some(modified) = last_modified {
        set(header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
    }
    set(header::CACHE_CONTROL, cache_control);
    set(header::VARY, "Accept-Encoding");
    if coding != Coding::Identity {
        set(header::CONTENT_ENCODING, coding.name());
    }
    headers
}

/// Strong, and another for each coding, whose bytes differ.
fn etag(hash: &str, coding: Coding) -> String {
    match coding {
        Coding::Identity => format!("\"{hash}\""),
        coded => format!("\"{hash}-{}\"", coded.name()),
    }
}

/// Whether the client holds this very document. If-None-Match goes before If-Modified-Since.
fn is_known(request: &HeaderMap, etag: &str, last_modified: Option<SystemTime>) -> bool {
    let mut tags = request.get_all(header::IF_NONE_MATCH).iter().peekable();
    if tags.peek().is_some() {
        // Weak comparison (section 8.8.3.2): proxies that recompress mark our tags as weak.
        let known = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == etag;
        return tags
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| known(tag.trim()));
    }
    let since = request.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|value| httpdate::parse_http_date(value).ok());
    since.zip(last_modified).is_some_and(|(since, modified)| modified < since + Duration::from_secs(1))
}

pub(super) fn hash(bytes: &[u8]) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: &[(header::HeaderName, &str)]) -> Response {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(86_400_500);
        let mut ready = Ready::new("text/plain", FEED, b"document ".repeat(100).to_vec());
        ready.last_modified = Some(modified);
        let headers = request.iter().map(|(n, v)| (n.clone(), HeaderValue::from_str(v).unwrap())).collect();
        ready.answer(&headers)
    }

    fn tag(response: &Response) -> String {
        response.headers()[header::ETAG].to_str().unwrap().to_owned()
    }

    #[test]
    fn each_coding_has_an_etag_of_its_own() {
        let codings = ["identity", "gzip", "br", "zstd"];
        let tags: std::collections::BTreeSet<String> =
            codings.iter().map(|coding| tag(&answer(&[(header::ACCEPT_ENCODING, coding)]))).collect();
        assert_eq!(tags.len(), codings.len(), "{tags:?}");
        assert!(tags.iter().all(|tag| tag.starts_with('"') && tag.ends_with('"')), "strong: {tags:?}");
    }

    #[test]
    fn who_holds_the_document_is_told_so_with_its_headers() {
        let etag = tag(&answer(&[]));
        for value in [etag.clone(), format!("\"x\", W/{etag}"), "*".into()] {
            let response = answer(&[(header::IF_NONE_MATCH, &value)]);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "for {value}");
            assert_eq!(tag(&response), etag);
        }
        let since = [(header::IF_MODIFIED_SINCE, "Fri, 02 Jan 1970 00:00:00 GMT")];
        assert_eq!(answer(&since).status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn a_tag_that_differs_goes_before_a_date_that_agrees() {
        let request =
            [(header::IF_NONE_MATCH, "\"other\""), (header::IF_MODIFIED_SINCE, "Fri, 02 Jan 1970 00:00:00 GMT")];
        assert_eq!(answer(&request).status(), StatusCode::OK);
        assert_eq!(answer(&[(header::IF_MODIFIED_SINCE, "Thu, 01 Jan 1970 00:00:00 GMT")]).status(), StatusCode::OK);
    }
}
