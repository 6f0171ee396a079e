//! Conditional answers (RFC 9110, sections 8.8 and 13): strong ETags, one for each coding, and dates to the second.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::io::Write;
use std::time::{Duration, SystemTime};

/// A document with its compressed form, ready to be sent any number of times.
pub(super) struct Ready {
    content_type: &'static str,
    plain: Vec<u8>,
    gzip: Vec<u8>,
    pub hash: String,
    /// Not said where it could not be written down: a date that is forgotten at a restart would go back.
    pub last_modified: Option<SystemTime>,
}

impl Ready {
    pub(super) fn new(content_type: &'static str, plain: Vec<u8>) -> Ready {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        // Writing into memory cannot fail.
        let _ = encoder.write_all(&plain);
        let gzip = encoder.finish().unwrap_or_default();
        let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&plain));
        Ready { content_type, plain, gzip, hash, last_modified: None }
    }

    /// The answer to a request with these headers.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response {
        let zipped = accepts_gzip(request) && !self.gzip.is_empty();
        let etag = if zipped { format!("\"{}-gzip\"", self.hash) } else { format!("\"{}\"", self.hash) };
        let mut headers = HeaderMap::new();
        let mut set = |name, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set(header::CONTENT_TYPE, self.content_type);
        set(header::ETAG, &etag);
        if let Some(modified) = self.last_modified {
            set(header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
        }
        set(header::CACHE_CONTROL, "public, max-age=60, stale-if-error=86400");
        set(header::VARY, "Accept-Encoding");
        if zipped {
            set(header::CONTENT_ENCODING, "gzip");
        }
        if self.is_known(request, &etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, if zipped { self.gzip.clone() } else { self.plain.clone() }).into_response()
    }

    /// Whether the client holds this very document. If-None-Match goes before If-Modified-Since.
    fn is_known(&self, request: &HeaderMap, etag: &str) -> bool {
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
        since.zip(self.last_modified).is_some_and(|(since, modified)| modified < since + Duration::from_secs(1))
    }
}

/// Whether gzip is named without `q=0` (section 12.5.3).
fn accepts_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse::<f32>() == Ok(0.0));
        matches!(name.trim().to_ascii_lowercase().as_str(), "gzip" | "x-gzip" | "*") && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: &[(header::HeaderName, &str)]) -> Response {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(86_400_500);
        let mut ready = Ready::new("text/plain", b"document ".repeat(100).to_vec());
        ready.last_modified = Some(modified);
        let headers = request.iter().map(|(n, v)| (n.clone(), HeaderValue::from_str(v).unwrap())).collect();
        ready.answer(&headers)
    }

    fn tag(response: &Response) -> String {
        response.headers()[header::ETAG].to_str().unwrap().to_owned()
    }

    #[test]
    fn each_coding_has_an_etag_of_its_own() {
        let plain = answer(&[]);
        let zipped = answer(&[(header::ACCEPT_ENCODING, "br, gzip")]);
        assert_ne!(tag(&plain), tag(&zipped));
        assert_eq!(zipped.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(answer(&[(header::ACCEPT_ENCODING, "gzip;q=0")]).headers().get(header::CONTENT_ENCODING).is_none());
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
