//! URLs without their secrets.

use url::Url;

/// Removes the user name and the password from a URL, since logs and published documents must not contain them. Text that
/// is not a valid URL stays unchanged.
pub fn strip_credentials(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            // Both fail only for a URL without a host, which has no credentials.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.into()
        }
        _ => text.to_owned(),
    }
}

/// Removes credentials, query and fragment from an http URL, since a query may contain a secret too. Text that is not a
/// valid http URL stays unchanged.
pub fn redact_url(text: &str) -> String {
    match Url::parse(&strip_credentials(text)) {
        Ok(mut url) if matches!(url.scheme(), "http" | "https") => {
            url.set_query(None);
            url.set_fragment(None);
            url.into()
        }
        _ => text.to_owned(),
    }
}
