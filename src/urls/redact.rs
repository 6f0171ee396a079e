//! URLs without what is secret in them.

use url::Url;

/// A URL without the name and the password that may stand in it: those are between us and its server, and go neither
/// into logs nor into what we publish. Any other text stays as it is.
pub fn strip_credentials(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            // Both fail for URLs without a host alone, which have no credentials.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.into()
        }
        _ => text.to_owned(),
    }
}

/// Where a URL leads, for everybody to see: neither credentials nor a query, which may be as secret as they are. Any
/// other text stays as it is.
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
