//! The header fields that the operator sets for the requests for a source.

use crate::domain::RequestSettings;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The fields that newsfold sets itself, or that change how a message is sent (RFC 9110, RFC 9112).
const RESERVED: [&str; 17] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "proxy-authorization",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Checks a header field that the operator sets. `name` must be in lower case.
///
/// # Errors
/// Returns a message for the operator. The message does not contain the value.
pub fn check_request_header(name: &str, value: &str) -> Result<(), String> {
    if RESERVED.contains(&name) {
        return Err(format!("the header {name} cannot be set here (use --cookie for cookies)"));
    }
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        return Err("the name of the header is not valid; use letters, digits and -".into());
    }
    if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
        return Err(format!("the value of the header {name} is not one line of ASCII characters"));
    }
    Ok(())
}

/// Returns the header fields of the settings. Includes the secret fields if `with_secrets` is true.
pub(super) fn of_settings(settings: &RequestSettings, with_secrets: bool) -> HeaderMap {
    let mut fields = HeaderMap::new();
    let user_agent = settings.user_agent.as_deref().and_then(|text| HeaderValue::from_str(text).ok());
    fields.extend(user_agent.map(|text| (header::USER_AGENT, text)));
    if with_secrets {
        let cookie = settings.cookie.as_ref().map(|cookie| ("cookie", cookie));
        let secrets = settings.headers.iter().map(|(name, value)| (name.as_str(), value)).chain(cookie);
        for (name, secret) in secrets {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_str(secret.reveal())) {
                value.set_sensitive(true);
                fields.append(name, value);
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;

    #[test]
    fn reserved_and_invalid_fields_are_refused() {
        for (name, value) in
            [("host", "a"), ("cookie", "a"), ("range", "a"), ("a b", "x"), ("x", "a\nb"), ("x", "a\u{7f}"), ("x", "é")]
        {
            assert!(check_request_header(name, value).is_err(), "{name}: {value}");
        }
        assert_eq!(check_request_header("x-token", "a b~"), Ok(()));
        assert_eq!(check_request_header("authorization", "Bearer abc"), Ok(()));
    }

    #[test]
    fn secrets_are_omitted_outside_of_their_origin() {
        let settings = RequestSettings {
            user_agent: Some("desk".into()),
            headers: vec![("x-token".into(), Secret::new("t".into()))],
            cookie: Some(Secret::new("c=1".into())),
            ..RequestSettings::default()
        };
        let names = |fields: &HeaderMap| fields.keys().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&of_settings(&settings, false)), ["user-agent"]);
        assert_eq!(of_settings(&settings, true).len(), 3);
        assert!(!format!("{:?} {settings:?}", of_settings(&settings, true)).contains("c=1"));
    }
}
