//! HTTP caching and conditional requests (RFC 9110, sections 8.8 and 13): a strong ETag per content coding,
//! `Last-Modified` to the second, and `Cache-Control`.

use super::content_coding::{Compression, ContentCoding, choose_coding, choose_for_one_off};
use axum::body::{Body, Bytes};
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
        self.prepare(&HeaderMap::new()).respond(request).unwrap_or_else(not_acceptable)
    }

    /// Returns the responses with all their headers, including `others`.
    pub fn prepare(&self, others: &HeaderMap) -> PreparedResponse {
        let has_codings = self.encoded.len() > 1;
        let variant = |(coding, bytes): &(ContentCoding, Bytes)| {
            let etag = etag(&self.hash, *coding);
            let mut headers = cache_headers(self.content_type, self.cache_control, &etag, *coding);
            if !has_codings {
                headers.remove(header::VARY);
            }
            if let Some(modified) = self.last_modified {
                insert_header(&mut headers, header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
            }
            headers.extend(others.clone());
            let not_modified = without_content_headers(headers.clone());
            PreparedVariant { etag, headers, not_modified, bytes: bytes.clone() }
        };
        PreparedResponse {
            sizes: self.encoded.iter().map(|(coding, bytes)| (*coding, bytes.len())).collect(),
            variants: self.encoded.iter().map(variant).collect(),
            last_modified: self.last_modified,
        }
    }
}

/// The responses with a document. Only their bodies and headers have to be copied.
#[derive(Clone)]
pub struct PreparedResponse {
    /// The size of each variant, in the same order.
    sizes: Vec<(ContentCoding, usize)>,
    variants: Vec<PreparedVariant>,
    last_modified: Option<SystemTime>,
}

#[derive(Clone)]
struct PreparedVariant {
    etag: String,
    headers: HeaderMap,
    /// The headers of a 304 response.
    not_modified: HeaderMap,
    bytes: Bytes,
}

impl PreparedResponse {
    /// Returns the response to a request with these headers: 200 or 304; `None` if the client accepts no coding.
    pub fn respond(&self, request: &HeaderMap) -> Option<Response> {
        let chosen = match self.sizes[..] {
            [(only, _)] => Some(only),
            _ => choose_coding(request, &self.sizes),
        };
        let position = self.sizes.iter().position(|(coding, _)| Some(*coding) == chosen)?;
        let variant = &self.variants[position];
        let (status, headers, body) = match is_not_modified(request, &variant.etag, self.last_modified) {
            true => (StatusCode::NOT_MODIFIED, &variant.not_modified, Body::empty()),
            false => (StatusCode::OK, &variant.headers, Body::from(variant.bytes.clone())),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers.clone();
        Some(response)
    }

    /// Removes the date of the document, because it is in the future.
    pub fn without_date(mut self) -> PreparedResponse {
        for variant in &mut self.variants {
            variant.headers.remove(header::LAST_MODIFIED);
            variant.not_modified.remove(header::LAST_MODIFIED);
        }
        self.last_modified = None;
        self
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
        return (StatusCode::NOT_MODIFIED, without_content_headers(headers)).into_response();
    }
    match coding.encode(&plain, Compression::OneOff) {
        Some(encoded) => (headers, encoded).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Returns the headers of a 304 response. It omits the headers that describe content (RFC 9110, section 15.4.5), because
/// caches would copy them to the stored response.
fn without_content_headers(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(header::CONTENT_TYPE);
    headers.remove(header::CONTENT_ENCODING);
    headers
}

pub fn not_acceptable() -> Response {
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
