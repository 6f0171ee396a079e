//! Determines the target of a redirect (RFC 9110, section 15.4).
//!
//! A redirect to another origin drops the credentials in the URL, and a redirect cannot add credentials.

use reqwest::Response;
use reqwest::header;
use url::Url;

/// The target of a redirect.
pub(super) struct RedirectTarget {
    pub url: Url,
    /// Whether the redirect is permanent (301, 308).
    pub is_permanent: bool,
}

/// Returns the target of a redirect, or the reason why it cannot be followed. Returns `None` if the response is not a
/// redirect.
pub(super) fn redirect_target(from: &Url, response: &Response) -> Result<Option<RedirectTarget>, String> {
    let status = response.status();
    let is_permanent = match status.as_u16() {
        301 | 308 => true,
        302 | 303 | 307 => false,
        _ => return Ok(None),
    };
    let Some(location) = response.headers().get(header::LOCATION) else {
        return Err(format!("the server responded with status {status} but without a Location header"));
    };
    let location = String::from_utf8_lossy(location.as_bytes());
    let url = resolve(from, &location).map_err(|error| format!("the server redirects to an invalid URL: {error}"))?;
    Ok(Some(RedirectTarget { url, is_permanent }))
}

fn resolve(from: &Url, location: &str) -> Result<Url, url::ParseError> {
    let mut target = from.join(location)?;
    // Clients never send fragments. With fragments, one URL would look like several URLs.
    target.set_fragment(None);
    let (name, password) =
        if target.origin() == from.origin() { (from.username(), from.password()) } else { ("", None) };
    // The two calls fail only for URLs without a host, which the address policy refuses.
    let _ = target.set_username(name);
    let _ = target.set_password(password);
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(at: &str, location: &str, expected: &str) {
        assert_eq!(resolve(&Url::parse(at).unwrap(), location).unwrap().as_str(), expected);
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let at = "https://ann:p%40ss@news.example/feed";
        check(at, "/other", "https://ann:p%40ss@news.example/other");
        check(at, "https://news.example/x", "https://ann:p%40ss@news.example/x");
        check(at, "https://elsewhere.example/x", "https://elsewhere.example/x");
        check(at, "http://news.example/x", "http://news.example/x");
        check("https://news.example/feed", "https://eve:evil@other.example/", "https://other.example/");
    }

    #[test]
    fn relative_redirect_is_resolved_without_its_fragment() {
        check("https://news.example/a/feed?x=1", "../b#top", "https://news.example/b");
    }
}
