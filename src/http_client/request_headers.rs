//! The header fields of a request for a document: the operator's fields, cookies, Accept, Accept-Encoding, and the
//! validators that make the request conditional (RFC 9110, section 13). [`super::user_agent`] forms the User-Agent.

use super::{RequestSpec, body_decoder, operator_headers};
use reqwest::header::{self, HeaderMap, HeaderValue};
use url::Url;

/// Returns the header fields of a request for `url`. `cookies` are the cookies of the chain of redirects. Includes the
/// secrets of the source's settings if `with_secrets` is true.
pub(super) fn request_headers(
    url: &Url,
    spec: &RequestSpec<'_>,
    cookies: Option<HeaderValue>,
    with_secrets: bool,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(settings) = spec.request.settings {
        headers.extend(operator_headers::of_settings(settings, with_secrets));
    }
    if let Some(cookies) = cookies {
        let set = headers.get(header::COOKIE).map(HeaderValue::as_bytes);
        let joined = set.map(|set| [set, b"; ", cookies.as_bytes()].concat());
        let mut all = joined.and_then(|joined| HeaderValue::from_bytes(&joined).ok()).unwrap_or(cookies);
        all.set_sensitive(true);
        headers.insert(header::COOKIE, all);
    }
    headers.insert(header::ACCEPT, HeaderValue::from_static(spec.accept));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(body_decoder::ACCEPT_ENCODING));
    if let Some(known) = spec.request.validators.filter(|validators| validators.url == url.as_str()) {
        for (name, value) in [(header::IF_NONE_MATCH, &known.etag), (header::IF_MODIFIED_SINCE, &known.last_modified)] {
            if let Some(value) = value.as_ref().and_then(|bytes| HeaderValue::from_bytes(bytes).ok()) {
                headers.insert(name, value);
            }
        }
    }
    headers
}
