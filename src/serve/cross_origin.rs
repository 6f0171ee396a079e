//! Cross-origin requests (CORS, fetch.spec.whatwg.org): scripts from any site may read feeds, as web-based feed readers
//! do. Pages and `/hub` are not shared.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// Responds to preflight requests and allows any site to read the responses to other requests.
pub async fn allow_any_origin(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        let headers = [
            (header::ALLOW, METHODS),
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*")),
            (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400")),
        ];
        (StatusCode::NO_CONTENT, headers).into_response()
    } else {
        next.run(request).await
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, METHODS);
    }
    insert_allowed_origin(response.headers_mut());
    response
}

/// Allows any site to read a response. Requests with cookies remain forbidden, because `*` excludes them.
pub fn insert_allowed_origin(headers: &mut HeaderMap) {
    const ALL: [(HeaderName, &str); 2] =
        [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Link")];
    for (name, value) in ALL {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
