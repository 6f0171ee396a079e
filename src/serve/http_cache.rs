//! HTTP caching and conditional requests (RFC 9110, sections 8.8 and 13): a strong ETag per content coding,
//! `Last-Modified` to the second, and `Cache-Control`.

use super::content_negotiation::{Compression, ContentCoding, choose_coding, choose_for_one_off};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::{Duration, SystemTime};
use strum::VariantArray;

/// The `Cache-Control` of feeds. An outdated feed is better for clients than an error.
pub const FEED_CACHE_CONTROL: &str = "public, max-age=60, stale-if-error=86400";
/// The `Cache-Control` of private feeds.
pub const PRIVATE_CACHE_CONTROL: &str = "private, max-age=60, stale-if-error=86400";
/// The `Cache-Control` of pages, which are revalidated each time. Revalidation is cheap with an ETag.
pub const PAGE_CACHE_CONTROL: &str = "no-cache, stale-if-error=86400";
/// The `Cache-Control` of files that change only with the program.
pub const ASSET_CACHE_CONTROL: &str = "public, max-age=3600, stale-if-error=86400";

/// A document that is sent many times, in every content coding or only unencoded.
#[derive(Clone)]
pub struct EncodedResponse {
    pub content_type: &'static str,
    pub cache_control: &'static str,
    pub encoded: Vec<(ContentCoding, Bytes)>,
    /// The hash of the unencoded bytes.
    pub hash: String,
    /// The time of the last change; `None` if it is unknown or in the future (RFC 9110, section 8.8.2.1).
    pub last_modified: Option<SystemTime>,
}

impl EncodedResponse {
    pub fn new(content_type: &'static str, cache_control: &'static str, plain: Vec<u8>) -> EncodedResponse {
        let encode = |coding: &ContentCoding| Some((*coding, coding.encode(&plain, Compression::Cached)?.into()));
        let (hash, encoded) = (content_hash(&plain), ContentCoding::VARIANTS.iter().filter_map(encode).collect());
        EncodedResponse { content_type, cache_control, encoded, hash, last_modified: None }
    }

    /// Creates a document that contains both a secret and third-party text. It is not compressed, because its
    /// compressed size would reveal how much of a guessed secret is correct (the BREACH attack).
    pub fn uncompressed(content_type: &'static str, cache_control: &'static str, plain: Vec<u8>) -> EncodedResponse {
        let (hash, encoded) = (content_hash(&plain), vec![(ContentCoding::Identity, plain.into())]);
        EncodedResponse { content_type, cache_control, encoded, hash, last_modified: None }
    }

    /// Returns the response to a request with these headers: 200, 304 or 406.
    pub fn respond(&self, request: &HeaderMap) -> Response {
        let sizes: Vec<_> = self.encoded.iter().map(|(coding, bytes)| (*coding, bytes.len())).collect();
        let chosen = if sizes.len() == 1 { Some(sizes[0].0) } else { choose_coding(request, &sizes) };
        let Some((coding, bytes)) = self.encoded.iter().find(|(coding, _)| Some(*coding) == chosen) else {
            return not_acceptable();
        };
        let etag = etag(&self.hash, *coding);
        let mut headers = cache_headers(self.content_type, self.cache_control, &etag, *coding);
        if sizes.len() == 1 {
            headers.remove(header::VARY);
        }
        if let Some(modified) = self.last_modified {
            insert_header(&mut headers, header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
        }
        if is_not_modified(request, &etag, self.last_modified) {
            return not_modified(headers);
        }
        (headers, bytes.clone()).into_response()
    }
}

/// Returns the response with a document that was rendered for this request. The document is encoded only in the chosen
/// coding, and only if it is sent.
pub fn respond_once(
    content_type: &'static str,
    cache_control: &'static str,
    plain: Vec<u8>,
    request: &HeaderMap,
) -> Response {
    let Some(coding) = choose_for_one_off(request) else { return not_acceptable() };
    let etag = etag(&content_hash(&plain), coding);
    let headers = cache_headers(content_type, cache_control, &etag, coding);
    if is_not_modified(request, &etag, None) {
        return not_modified(headers);
    }
    match coding.encode(&plain, Compression::OneOff) {
        Some(encoded) => (headers, encoded).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Returns a 304 response. It omits the headers that describe content (RFC 9110, section 15.4.5), because caches would
/// copy them to the stored response.
fn not_modified(mut headers: HeaderMap) -> Response {
    headers.remove(header::CONTENT_TYPE);
    headers.remove(header::CONTENT_ENCODING);
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

fn not_acceptable() -> Response {
    let headers = [(header::VARY, "Accept-Encoding"), (header::CACHE_CONTROL, "no-store")];
    let text = "newsfold sends br, gzip and identity; the Accept-Encoding header of the request accepts none of \
                them.\n";
    (StatusCode::NOT_ACCEPTABLE, headers, text).into_response()
}

fn cache_headers(content_type: &str, cache_control: &str, etag: &str, coding: ContentCoding) -> HeaderMap {
    let mut headers = HeaderMap::new();
    insert_header(&mut headers, header::CONTENT_TYPE, content_type);
    insert_header(&mut headers, header::ETAG, etag);
    insert_header(&mut headers, header::CACHE_CONTROL, cache_control);
    insert_header(&mut headers, header::VARY, "Accept-Encoding");
    if coding != ContentCoding::Identity {
        insert_header(&mut headers, header::CONTENT_ENCODING, coding.name());
    }
    headers
}

fn insert_header(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Returns a strong ETag. Each coding has its own ETag, because its bytes differ.
fn etag(hash: &str, coding: ContentCoding) -> String {
    match coding {
        ContentCoding::Identity => format!("\"{hash}\""),
        coding => format!("\"{hash}-{}\"", coding.name()),
    }
}

/// Returns whether the client already has this document. `If-None-Match` takes precedence over `If-Modified-Since`.
fn is_not_modified(request: &HeaderMap, etag: &str, last_modified: Option<SystemTime>) -> bool {
    let mut tags = request.get_all(header::IF_NONE_MATCH).iter().peekable();
    if tags.peek().is_some() {
        // Uses weak comparison (section 8.8.3.2), because proxies that recompress mark our ETags as weak.
        let matches = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == etag;
        return tags
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| matches(tag.trim()));
    }
    let since = request.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|value| httpdate::parse_http_date(value).ok());
    since.zip(last_modified).is_some_and(|(since, modified)| modified < since + Duration::from_secs(1))
}

pub fn content_hash(bytes: &[u8]) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn respond(request: &[(header::HeaderName, &str)]) -> Response {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(86_400_500);
        let mut response = EncodedResponse::new("text/plain", FEED_CACHE_CONTROL, b"document ".repeat(100).to_vec());
        response.last_modified = Some(modified);
        let headers = request.iter().map(|(n, v)| (n.clone(), HeaderValue::from_str(v).unwrap())).collect();
        response.respond(&headers)
    }

    fn etag_of(response: &Response) -> String {
        response.headers()[header::ETAG].to_str().unwrap().to_owned()
    }

    #[test]
    fn each_coding_has_its_own_strong_etag() {
        let codings = ["identity", "gzip", "br"];
        let tags: std::collections::BTreeSet<String> =
            codings.iter().map(|coding| etag_of(&respond(&[(header::ACCEPT_ENCODING, coding)]))).collect();
        assert_eq!(tags.len(), codings.len(), "{tags:?}");
        assert!(tags.iter().all(|tag| tag.starts_with('"') && tag.ends_with('"')), "strong: {tags:?}");
    }

    #[test]
    fn client_that_has_the_document_gets_304_with_its_headers() {
        let etag = etag_of(&respond(&[]));
        for value in [etag.clone(), format!("\"x\", W/{etag}"), "*".into()] {
            let response = respond(&[(header::IF_NONE_MATCH, &value)]);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "for {value}");
            assert_eq!(etag_of(&response), etag);
        }
        let since = [(header::IF_MODIFIED_SINCE, "Fri, 02 Jan 1970 00:00:00 GMT")];
        assert_eq!(respond(&since).status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn etag_that_differs_takes_precedence_over_a_date_that_matches() {
        let request =
            [(header::IF_NONE_MATCH, "\"other\""), (header::IF_MODIFIED_SINCE, "Fri, 02 Jan 1970 00:00:00 GMT")];
        assert_eq!(respond(&request).status(), StatusCode::OK);
        assert_eq!(respond(&[(header::IF_MODIFIED_SINCE, "Thu, 01 Jan 1970 00:00:00 GMT")]).status(), StatusCode::OK);
    }
}
