//! Headers of every response that restrict what browsers do with it.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

pub async fn with_security_headers(mut response: Response) -> Response {
    insert_security_headers(response.headers_mut());
    response
}

pub fn insert_security_headers(headers: &mut HeaderMap) {
    const ALL: [(HeaderName, &str); 3] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        ),
    ];
    for (name, value) in ALL {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
