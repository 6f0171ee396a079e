//! Cookies within a redirect chain (RFC 6265). Some servers redirect to the same URL until the client sends a cookie.
//!
//! A cookie is sent only to the host that set it, regardless of its Domain attribute, and is never stored. A server
//! therefore cannot track a reader, or recognize newsfold in a later poll.

use crate::domain::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderValue};
use url::Url;

/// The maximum number of cookies, and the maximum size of a cookie in bytes. RFC 6265 (section 6.1) requires clients to
/// support at least 50 cookies of 4096 bytes per host.
const MAX_COOKIES: usize = 50;
const MAX_COOKIE_BYTES: usize = 4096;
/// The maximum size of the Cookie header in bytes. Many servers reject larger request headers.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// The cookies that the responses of one chain have set.
#[derive(Debug, Default)]
pub(super) struct ChainCookies(Vec<Cookie>);

#[derive(Debug, PartialEq)]
struct Cookie {
    name: Vec<u8>,
    value: Vec<u8>,
    host: String,
    path: String,
    secure_only: bool,
}

impl ChainCookies {
    /// Stores the cookies that a response sets. A cookie replaces an earlier cookie with the same name, host and path,
    /// or only deletes that cookie if the new one has expired.
    pub fn store(&mut self, url: &Url, headers: &HeaderMap, now: Timestamp) {
        for value in headers.get_all(header::SET_COOKIE) {
            let Some((cookie, is_expired)) = parse_set_cookie(url, value.as_bytes(), now) else { continue };
            let same =
                |known: &Cookie| (&known.name, &known.host, &known.path) == (&cookie.name, &cookie.host, &cookie.path);
            self.0.retain(|known| !same(known));
            if !is_expired && self.0.len() < MAX_COOKIES {
                self.0.push(cookie);
            }
        }
    }

    /// Returns the Cookie header for a request to `url`. Cookies with longer paths come first (section 5.4).
    pub fn header(&self, url: &Url) -> Option<HeaderValue> {
        let host = url.host_str()?;
        let mut matching: Vec<&Cookie> =
            self.0.iter().filter(|cookie| cookie.host == host && cookie.matches(url)).collect();
        matching.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let mut header = Vec::new();
        for cookie in matching {
            if header.len() + cookie.name.len() + cookie.value.len() + 3 > MAX_HEADER_BYTES {
                break;
            }
            if !header.is_empty() {
                header.extend_from_slice(b"; ");
            }
            header.extend_from_slice(&cookie.name);
            header.push(b'=');
            header.extend_from_slice(&cookie.value);
        }
        if header.is_empty() {
            return None;
        }
        let mut header = HeaderValue::from_bytes(&header).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

impl Cookie {
    fn matches(&self, url: &Url) -> bool {
        path_matches(url.path(), &self.path) && (!self.secure_only || url.scheme() == "https")
    }
}

/// Parses a Set-Cookie header (section 5.2). Also returns whether the cookie has expired. `None` if the cookie is
/// invalid or belongs to another host.
fn parse_set_cookie(url: &Url, header: &[u8], now: Timestamp) -> Option<(Cookie, bool)> {
    if header.len() > MAX_COOKIE_BYTES {
        return None;
    }
    let mut parts = header.split(|byte| *byte == b';');
    let (name, value) = split_pair(parts.next()?);
    let host = url.host_str()?;
    if name.is_empty() {
        return None;
    }
    let (mut path, mut secure_only, mut expires, mut max_age) = (None, false, None, None);
    for part in parts {
        let (attribute, value) = split_pair(part);
        let value = std::str::from_utf8(value).unwrap_or_default();
        match attribute.to_ascii_lowercase().as_slice() {
            b"path" => path = Some(value).filter(|path| path.starts_with('/')),
            b"secure" => secure_only = true,
            b"domain" if !domain_covers(value, host) => return None,
            // A number that overflows means a time in the far past or future.
            b"max-age" if is_integer(value) => {
                max_age =
                    Some(value.parse::<i64>().is_ok_and(|age| age <= 0) || value.len() > 18 && value.starts_with('-'))
            }
            b"expires" => {
                let at: Option<Timestamp> =
                    httpdate::parse_http_date(&value.replace('-', " ")).ok().and_then(|at| at.try_into().ok());
                expires = at.map(|at| at <= now).or(expires);
            }
            _ => {}
        }
    }
    let path = path.unwrap_or_else(|| default_path(url)).to_owned();
    let cookie = Cookie { name: name.to_vec(), value: value.to_vec(), host: host.to_owned(), path, secure_only };
    Some((cookie, max_age.or(expires).unwrap_or(false)))
}

/// Splits a part into a trimmed name and value. RFC 6265 ignores a cookie without `=`, and takes an attribute without
/// `=` to have an empty value. Here, a cookie without `=` also has an empty value, so `x` becomes `x=`.
fn split_pair(part: &[u8]) -> (&[u8], &[u8]) {
    let at = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
    (part[..at].trim_ascii(), part[(at + 1).min(part.len())..].trim_ascii())
}

/// Returns whether the host equals a cookie's domain or is a subdomain of it. An empty domain is ignored.
fn domain_covers(domain: &str, host: &str) -> bool {
    let domain = domain.trim_start_matches('.').to_ascii_lowercase();
    domain.is_empty() || host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the default path of cookies from a URL (section 5.1.4).
fn default_path(url: &Url) -> &str {
    match url.path().rsplit_once('/') {
        Some((folder, _)) if !folder.is_empty() => folder,
        _ => "/",
    }
}

fn path_matches(path: &str, of_cookie: &str) -> bool {
    path.strip_prefix(of_cookie)
        .is_some_and(|rest| rest.is_empty() || of_cookie.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the Cookie header of a request to `to` after a response from `from` with these Set-Cookie headers.
    fn sent(from: &str, set: &[&str], to: &str) -> Option<String> {
        let mut cookies = ChainCookies::default();
        let headers = set.iter().map(|value| (header::SET_COOKIE, value.parse().unwrap())).collect();
        cookies.store(&Url::parse(from).unwrap(), &headers, Timestamp::UNIX_EPOCH);
        let header = cookies.header(&Url::parse(to).unwrap())?;
        Some(String::from_utf8(header.as_bytes().to_vec()).unwrap())
    }

    const FEED: &str = "https://news.example/feeds/top";

    fn check(set: &[&str], to: &str, expected: Option<&str>) {
        assert_eq!(sent(FEED, set, to).as_deref(), expected, "{set:?} at {to}");
    }

    #[test]
    fn cookie_returns_only_to_the_host_that_set_it() {
        check(&["seen=1; Path=/"], "https://news.example/other", Some("seen=1"));
        check(&["seen=1; Path=/; Domain=news.example"], "https://news.example/", Some("seen=1"));
        for to in ["https://www.news.example/feeds/top", "https://example/feeds/top", "https://evil.example/feeds/top"]
        {
            check(&["seen=1; Path=/; Domain=.news.example"], to, None);
        }
        for foreign in ["evil.example", "ws.example", "www.news.example"] {
            check(&[&format!("seen=1; Path=/; Domain={foreign}")], FEED, None);
        }
    }

    #[test]
    fn path_and_secure_limit_a_cookie() {
        check(&["a=1"], "https://news.example/feeds/world?x=1", Some("a=1"));
        check(&["a=1"], "https://news.example/feedsx", None);
        check(&["a=1; path=/feeds/"], "https://news.example/feeds", None);
        check(&["a=1; path=x"], "https://news.example/feeds", Some("a=1"));
        check(&["a=1; SECURE; path=/"], "http://news.example/feeds", None);
        check(&["a=1; path=/", "b=2; path=/feeds"], FEED, Some("b=2; a=1"));
    }

    #[test]
    fn later_cookie_replaces_or_deletes_an_earlier_one() {
        check(&["a=1", "a=2"], FEED, Some("a=2"));
        check(&["a=1", "a=; Max-Age=0"], FEED, None);
        check(&["a=1", "a=; expires=Thu, 01-Jan-1970 00:00:00 GMT"], FEED, None);
        check(&["a=1; expires=Fri, 01 Jan 2100 00:00:00 GMT"], FEED, Some("a=1"));
        check(&["a=1; Max-Age=60; expires=Thu, 01 Jan 1970 00:00:00 GMT"], FEED, Some("a=1"));
        check(&["=x", "; a=1", " b = 2 ; HttpOnly"], FEED, Some("b=2"));
    }

    #[test]
    fn number_and_size_of_cookies_are_limited() {
        let many: Vec<String> = (0..500).map(|n| format!("c{n}=1")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(sent(FEED, &many, FEED).unwrap().matches('=').count(), MAX_COOKIES);
        let large = format!("a={}", "x".repeat(MAX_COOKIE_BYTES));
        check(&[&large], FEED, None);
        let several: Vec<String> = (0..20).map(|n| format!("c{n}={}", "x".repeat(2_000))).collect();
        let several: Vec<&str> = several.iter().map(String::as_str).collect();
        assert!(sent(FEED, &several, FEED).unwrap().len() <= MAX_HEADER_BYTES);
    }
}
