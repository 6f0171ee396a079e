//! Where a redirect leads (RFC 9110, section 15.4).
//!
//! Credentials that stand in a URL stay at their origin: another one never gets them, and none can name its own.

use reqwest::Response;
use reqwest::header;
use url::Url;

/// Where an answer sends us.
pub(super) struct RedirectTarget {
    pub to: Url,
    /// Whether it means for good (301, 308).
    pub for_good: bool,
}

/// The target of a redirect, or why it can't be followed. `None` where the answer is none.
pub(super) fn target(at: &Url, response: &Response) -> Option<Result<RedirectTarget, String>> {
    let status = response.status();
    let for_good = match status.as_u16() {
        301 | 308 => true,
        302 | 303 | 307 => false,
        _ => return None,
    };
    let Some(location) = response.headers().get(header::LOCATION) else {
        return Some(Err(format!("{status} without a place to go")));
    };
    let location = String::from_utf8_lossy(location.as_bytes());
    Some(match next(at, &location) {
        Ok(to) => Ok(RedirectTarget { to, for_good }),
        Err(error) => Err(format!("a redirect to something that is no URL: {error}")),
    })
}

fn next(at: &Url, location: &str) -> Result<Url, url::ParseError> {
    let mut to = at.join(location)?;
    // A fragment is the reader's, never the server's: it would make one address look like two.
    to.set_fragment(None);
    let same = to.origin() == at.origin();
    let (name, password) = if same { (at.username(), at.password()) } else { ("", None) };
    // Both fail for URLs without a host alone, which the address_policy refuses.
    let _ = to.set_username(name);
    let _ = to.set_password(password);
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(at: &str, location: &str, expect: &str) {
        assert_eq!(next(&Url::parse(at).unwrap(), location).unwrap().as_str(), expect);
    }

    #[test]
    fn credentials_stay_at_their_origin() {
        let at = "https://ann:p%40ss@news.example/feed";
        check(at, "/other", "https://ann:p%40ss@news.example/other");
        check(at, "https://news.example/x", "https://ann:p%40ss@news.example/x");
        check(at, "https://elsewhere.example/x", "https://elsewhere.example/x");
        check(at, "http://news.example/x", "http://news.example/x");
        check("https://news.example/feed", "https://eve:evil@other.example/", "https://other.example/");
    }

    #[test]
    fn a_redirect_may_be_relative_and_loses_its_fragment() {
        check("https://news.example/a/feed?x=1", "../b#top", "https://news.example/b");
    }
}
