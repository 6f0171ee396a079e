//! Checks that a request has exactly one `Host` header (RFC 9112, section 3.2). Its value does not affect the response.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Returns 400 if the `Host` header is missing, repeated or invalid. HTTP/1.0 does not require the header.
pub async fn require_one_host(request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let is_valid = match (hosts.next(), hosts.next()) {
        (None, _) => request.version() < Version::HTTP_11,
        (Some(host), None) => is_host(host),
        (Some(_), Some(_)) => false,
    };
    match is_valid {
        true => next.run(request).await,
        false => (StatusCode::BAD_REQUEST, "The request must have exactly one valid Host header.\n").into_response(),
    }
}

/// Whether the value is a host with or without a port. It is empty if the request URL has no authority.
fn is_host(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return false };
    text.is_empty() || text.parse::<Authority>().is_ok_and(|host| !host.as_str().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_has_a_name_or_an_address_and_perhaps_a_port() {
        for valid in ["", "news.example", "news.example:8686", "127.0.0.1", "[2001:db8::1]:80", "xn--bcher-kva.example"]
        {
            assert!(is_host(&HeaderValue::from_str(valid).unwrap()), "{valid}");
        }
        for invalid in
            ["a.example b.example", "a.example, b.example", "user@a.example", "a.example/path", "http://a.example/"]
        {
            assert!(!is_host(&HeaderValue::from_str(invalid).unwrap()), "{invalid}");
        }
    }
}
