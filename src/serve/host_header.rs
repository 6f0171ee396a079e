//! Checks that a request has exactly one `Host` header with a host (RFC 9112, section 3.2). Its value does not affect
//! the response. An empty value is refused, because an http URL always has a host (RFC 9110, section 4.2.1; RFC 9112,
//! section 3.3 allows the refusal).

use axum::body::Body;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Request, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Returns 400 if the `Host` header is missing, repeated or invalid. HTTP/1.0 does not require the header.
pub async fn require_one_host(request: Request<Body>, next: Next) -> Response {
    match has_one_host(&request) {
        true => next.run(request).await,
        false => (StatusCode::BAD_REQUEST, "The request must have exactly one valid Host header.\n").into_response(),
    }
}

/// Returns whether the request has exactly one valid `Host` header, or is an HTTP/1.0 request without one.
pub fn has_one_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() < Version::HTTP_11,
        (Some(host), None) => is_host(host),
        (Some(_), Some(_)) => false,
    }
}

/// Returns whether the value is a host with or without a port. A comma shows that two headers were joined (RFC 9110,
/// section 5.3).
fn is_host(value: &HeaderValue) -> bool {
    let authority = value.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
    authority.is_some_and(|authority| !authority.host().is_empty() && !authority.as_str().contains(['@', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_has_a_name_or_an_address_and_perhaps_a_port() {
        for valid in ["news.example", "news.example:8686", "127.0.0.1", "[2001:db8::1]:80", "xn--bcher-kva.example"] {
            assert!(is_host(&HeaderValue::from_str(valid).unwrap()), "{valid}");
        }
        for invalid in [
            "",
            ":80",
            "a.example b.example",
            "a.example, b.example",
            "a.example,b.example",
            "user@a.example",
            "a.example/path",
            "http://a.example/",
        ] {
            assert!(!is_host(&HeaderValue::from_str(invalid).unwrap()), "{invalid}");
        }
    }
}
