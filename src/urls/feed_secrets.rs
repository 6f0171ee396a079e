//! The secrets in the URL of a feed, and the links and text that would reveal them.
//!
//! A personal feed has a secret in its URL, and its items may repeat the secret. A URL does not state which part is
//! secret, so the functions look for random characters and for the names of query parameters.

use std::borrow::Cow;
use std::cmp::Reverse;
use url::{Position, Url, form_urlencoded};

/// Suffixes of the names of query parameters whose values are secret.
const SECRET_NAMES: [&str; 10] =
    ["auth", "token", "secret", "key", "pass", "password", "passwd", "pwd", "sig", "signature"];
/// The minimum length of a secret that is searched for by itself. A shorter secret may occur in other URLs by chance.
const MIN_SECRET_CHARS: usize = 8;
/// The minimum length of a password that ordinary values of parameters do not contain.
const MIN_VALUE_CHARS: usize = 6;
/// The minimum length of a run of random characters that counts as a secret. Shorter identifiers (`54nAGcIl`) are
/// usually public.
const MIN_RANDOM_CHARS: usize = 16;

/// The secrets in the URLs of one feed. The default value contains no secrets.
#[derive(Debug, Clone, Default)]
pub struct FeedSecrets {
    addresses: Vec<Url>,
    /// Strings that contain a secret, longest first, because a longer string is no longer found if a shorter string
    /// inside it was removed first.
    secrets: Vec<String>,
}

impl FeedSecrets {
    /// Returns the secrets of a feed with these URLs.
    pub fn of<'a>(addresses: impl IntoIterator<Item = &'a Url>) -> FeedSecrets {
        let mut all = FeedSecrets::default();
        for address in addresses {
            all.secrets.extend(secrets_in_path(address));
            all.secrets.extend(address.query().unwrap_or_default().split('&').filter_map(secret_in_parameter));
            all.secrets.extend(is_random(address.username()).then(|| address.username().to_owned()));
            all.secrets.extend(secrets_of_password(address));
            if path_with(address, is_unusual_segment).is_some() || has_unusual_parameter(address) {
                all.secrets.push(address[Position::BeforeHost..Position::AfterQuery].to_owned());
            }
            all.addresses.push(address.clone());
        }
        all.secrets.sort_by_key(|secret| Reverse(secret.len()));
        all
    }

    /// Returns whether a link leads to the feed itself or contains one of the secrets.
    pub fn are_in_link(&self, link: &Url) -> bool {
        let is_revealed = |text: &str| self.secrets.iter().any(|secret| text.contains(secret.as_str()));
        self.addresses.iter().any(|address| is_feed(link, address))
            || is_revealed(link.as_str())
            || link.query_pairs().any(|(_, value)| is_revealed(&value))
    }

    /// Returns whether a link that was relative contains a part of the feed's path that may be secret. Few feeds have
    /// relative links, so an unusual name suffices.
    pub fn are_in_relative_link(&self, link: &Url) -> bool {
        let mut paths = self.addresses.iter().filter_map(|address| path_with(address, is_unusual_segment));
        paths.any(|path| link[Position::BeforeHost..].starts_with(path))
    }

    /// Replaces each secret in the text with `…`.
    pub fn remove_from<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        let is_in = |text: &str, secret: &str| text.contains(secret);
        self.secrets.iter().fold(text, |text, secret| match is_in(&text, secret) {
            true => text.replace(secret.as_str(), "…").into(),
            false => text,
        })
    }
}

/// Returns whether a link leads to the feed, with or without additional parameters.
fn is_feed(link: &Url, feed: &Url) -> bool {
    if link[Position::BeforeHost..Position::AfterPath] != feed[Position::BeforeHost..Position::AfterPath] {
        return false;
    }
    if link.query() == feed.query() {
        return feed.query().is_some() || feed.path() != "/";
    }
    // `?show=12&episode=3` may be an episode in the feed `?show=12`.
    has_unusual_parameter(feed)
        && feed.query_pairs().all(|parameter| link.query_pairs().any(|other| other == parameter))
}

fn has_unusual_parameter(url: &Url) -> bool {
    url.query_pairs().any(|(_, value)| is_unusual_segment(&value))
}

/// Returns the host of a URL and its path up to the first segment that matches.
fn path_with(url: &Url, is_match: impl Fn(&str) -> bool) -> Option<&str> {
    let (path, mut end) = (url.path(), 0);
    for segment in path.split('/') {
        end += segment.len();
        if is_match(segment) {
            let whole = &url[Position::BeforeHost..Position::AfterPath];
            return Some(&whole[..whole.len() - path.len() + end]);
        }
        end += 1;
    }
    None
}

/// Returns the strings that contain a secret from the path. Random characters are secret in every URL. The exception is
/// an identifier (UUID, ObjectId), which may be public: many outlets identify a show by an identifier, even in the URLs
/// of its media on other hosts. If a path contains an identifier, only the host together with the path up to the
/// identifier is secret. The same applies to a segment that repeats a secret from the query.
fn secrets_in_path(address: &Url) -> Vec<String> {
    let is_secret_value =
        |text: &str| address.query_pairs().any(|(name, value)| value == text && is_secret_name(&name));
    let is_secret = |segment: &str| is_random_segment(segment) || is_secret_value(segment);
    let parts = address.path().split('/').filter(|segment| is_random_segment(segment)).flat_map(random_parts);
    let bare = parts.filter(|part| !is_identifier(part)).map(str::to_owned);
    path_with(address, is_secret).map(str::to_owned).into_iter().chain(bare).collect()
}

/// Returns the strings that contain the password. A password that is short, or that is a real word, also occurs in
/// ordinary text, so it is secret only as the value of a parameter.
fn secrets_of_password(address: &Url) -> Vec<String> {
    let encoded = address.password().unwrap_or_default();
    if encoded.is_empty() {
        return Vec::new();
    }
    let mut secrets = vec![format!("{}:{encoded}@", address.username())];
    let decoded =
        form_urlencoded::parse(encoded.replace('&', "%26").as_bytes()).next().map(|(text, _)| text.into_owned());
    for password in [encoded.to_owned()].into_iter().chain(decoded) {
        let is_word = password.chars().all(|c| c.is_ascii_lowercase());
        match password.len() {
            MIN_SECRET_CHARS.. if !is_word => secrets.push(password),
            MIN_VALUE_CHARS.. => secrets.push(format!("={password}")),
            _ => secrets.extend(SECRET_NAMES.map(|name| format!("{name}={password}"))),
        }
    }
    secrets
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|end| name.ends_with(end))
}

/// Returns the secret part of a query parameter.
fn secret_in_parameter(parameter: &str) -> Option<String> {
    let (name, value) = parameter.split_once('=')?;
    let (is_key, name) = (is_secret_name(name), name.to_ascii_lowercase());
    // The value of `channel_id` is public.
    if is_random(value) && !name.ends_with("id") {
        return Some(value.to_owned());
    }
    // The value of `key` may also be a word.
    let is_specific = value.len() >= MIN_SECRET_CHARS && (!name.ends_with("key") || value.contains(char::is_numeric));
    is_key.then(|| if is_specific { value.to_owned() } else { parameter.to_owned() })
}

fn is_random_segment(segment: &str) -> bool {
    // Decentralized identifiers are public (W3C DID Core).
    !segment.starts_with("did:") && random_parts(segment).next().is_some()
}

fn random_parts(segment: &str) -> impl Iterator<Item = &str> {
    segment.split([';', ',', '=', ':', '.']).filter(|part| is_random(part))
}

/// Returns whether a string has the form of a UUID (RFC 9562) or of an ObjectId of MongoDB.
fn is_identifier(text: &str) -> bool {
    let digits = text.split('-').map(str::len);
    let is_known_length = digits.clone().eq([8, 4, 4, 4, 12]) || digits.eq([24]);
    is_known_length && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// Returns whether a string consists of random characters: it often changes between letters and digits, or between
/// lowercase and uppercase. In words with separators, such as `2026-q3-results`, fewer changes are usual.
fn is_random(text: &str) -> bool {
    let chars: Vec<char> = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let (length, runs) = (chars.len(), count_runs(&chars));
    let count = |is_kind: fn(&char) -> bool| chars.iter().filter(|c| is_kind(c)).count();
    let (digits, uppercase) = (count(char::is_ascii_digit), count(char::is_ascii_uppercase));
    let is_one_word = length == text.len() && (runs * 4 >= length || digits * 3 >= length);
    match length {
        _ if digits == 0 => false,
        MIN_RANDOM_CHARS.. => runs * 7 >= length * 2 || is_one_word || uppercase * 2 >= length,
        MIN_SECRET_CHARS.. => length >= 10 && runs * 2 >= length || uppercase >= MIN_SECRET_CHARS.min(length - 3),
        _ => false,
    }
}

/// Returns whether a segment contains more than words and short numbers.
fn is_unusual_segment(segment: &str) -> bool {
    !segment.split(['-', '_', '.', '~', '+', '@']).all(|word| {
        let chars: Vec<char> = word.chars().collect();
        let digits = chars.iter().filter(|c| c.is_ascii_digit()).count();
        let is_word = || chars.len() <= 4 || chars.iter().skip(1).any(char::is_ascii_lowercase);
        chars.iter().all(char::is_ascii_alphanumeric)
            && match chars.len() - digits {
                0 => digits <= 8,
                letters if digits == 0 => {
                    letters < MIN_RANDOM_CHARS && is_word() && count_runs(&chars) * 2 <= letters + 1
                }
                _ => chars.len() <= 6 && count_runs(&chars) <= 2,
            }
    })
}

/// Returns the number of runs of digits, of lowercase letters, and of uppercase letters. A word with an initial capital
/// is one run.
fn count_runs(chars: &[char]) -> usize {
    let changes = chars.windows(2).filter(|pair| match (pair[0], pair[1]) {
        (a, b) if a.is_ascii_digit() || b.is_ascii_digit() => a.is_ascii_digit() != b.is_ascii_digit(),
        (a, b) => a.is_ascii_lowercase() && b.is_ascii_uppercase(),
    });
    changes.count() + usize::from(!chars.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(&format!("https://{text}")).unwrap()
    }

    #[test]
    fn link_with_the_secret_of_the_feed_reveals_it() {
        for (feed, link) in [
            ("a.example/rss/9f8e7d6c5b4a3f2e1d0c/feed.xml", "a.example/rss/9f8e7d6c5b4a3f2e1d0c/1.html"),
            ("a.example/f/1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "a.example/f/1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed/1"),
            ("a.example/v12;k3J9xQ2mL8vT4wZ7/x", "b.example/?to=https://a.example/v12;k3J9xQ2mL8vT4wZ7/x"),
            ("a.example/SECRETTOKEN42/feed", "a.example/SECRETTOKEN42/1"),
            ("a.example/AbCdEf1234567890/feed", "a.example/AbCdEf1234567890/1"),
            ("a.example/abcdef1234567890/feed", "a.example/abcdef1234567890/1"),
            ("a.example/news/feed", "a.example/news/feed#1"),
            ("a.example/feed?auth=abc", "a.example/1?auth=abc"),
            ("a.example/feed?auth=summer-rain", "b.example/1?token=summer-rain"),
            ("a.example/feed?u=k3J9xQ2mL8vT4wZ7", "b.example/k3J9xQ2mL8vT4wZ7.mp3"),
            ("a.example/feed?u=summer42rain", "a.example/feed?x=1&u=summer42rain"),
            ("a.example/?cat=3", "a.example/?cat=3"),
            ("k3J9xQ2mL8vT4wZ7:x@a.example/feed", "a.example/1?u=k3J9xQ2mL8vT4wZ7"),
            ("a.example/9f8e7d6c5b4a3f2e1d0c/feed.xml", "b.example/9f8e7d6c5b4a3f2e1d0c/1.mp3"),
            ("a.example/feeds/r4n6tgp7s8bjvvi8zsc1.xml", "b.example/1.mp3?feed=r4n6tgp7s8bjvvi8zsc1"),
            ("a.example/SUMMER/feed?auth=SUMMER", "b.example/?to=https%3A%2F%2Fa.example%2FSUMMER%2F1"),
            ("ann:summer-rain@a.example/feed", "b.example/1?show=summer-rain"),
            ("ann:summertime@a.example/feed", "b.example/1?x=summertime"),
            ("ann:rain@a.example/feed", "b.example/1?token=rain"),
            ("ann:p%40ss%20word@a.example/feed", "b.example/1?x=p@ss+word"),
        ] {
            assert!(FeedSecrets::of([&url(feed)]).are_in_link(&url(link)), "{feed} {link}");
        }
    }

    #[test]
    fn link_with_a_public_identifier_of_the_feed_reveals_nothing() {
        for (feed, link) in [
            ("a.example/news/feed.xml", "a.example/news/1"),
            ("a.example/", "a.example/"),
            ("a.example/OwnerOf3/RepoName2/releases.atom", "a.example/OwnerOf3/RepoName2/releases/1"),
            ("a.example/topics/world-cup-2026-news/feed", "a.example/topics/world-cup-2026-news/1"),
            ("a.example/topics/2026-q3-results-live/feed", "a.example/topics/2026-q3-results-live/1"),
            ("a.example/MyCompanyProducts2024/feed", "a.example/MyCompanyProducts2024/1"),
            ("a.example/profile/did:plc:k3j9xq2ml8vt4wz7/rss", "a.example/profile/did:plc:k3j9xq2ml8vt4wz7/post/1"),
            ("a.example/videos.xml?channel_id=UCk3J9xQ2mL8vT4wZ7", "a.example/channel/UCk3J9xQ2mL8vT4wZ7"),
            (
                "a.example/shows/1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
                "b.example/1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed/1",
            ),
            ("a.example/shows/5f6a1b2c3d4e5f6a1b2c3d4e", "b.example/5f6a1b2c3d4e5f6a1b2c3d4e/1.mp3"),
            ("a.example/54nAGcIl", "b.example/1.mp3?feed=54nAGcIl"),
            ("ann:rain@a.example/feed", "b.example/1?topic=rain"),
            ("ann:technology@a.example/feed", "b.example/technology/1"),
            ("a.example/s/1e4a0eac/rss", "a.example/s/1e4a0eac/play/1"),
            ("a.example/feed?show=12", "a.example/feed?show=12&episode=3"),
            ("a.example/rss?key=technology", "a.example/technology/1"),
        ] {
            assert!(!FeedSecrets::of([&url(feed)]).are_in_link(&url(link)), "{feed} {link}");
        }
    }

    #[test]
    fn relative_link_repeats_only_ordinary_parts_of_the_path() {
        for (feed, is_revealed) in [
            ("a.example/news/feed.xml", false),
            ("a.example/World_News/2026/rss2/index.php", false),
            ("a.example/rssFeeds/NEWS/20261128/de-de/feed.xml", false),
            ("a.example/@ann/feed", false),
            ("a.example/SECRET/feed.xml", true),
            ("a.example/summer42/feed.xml", true),
            ("a.example/k3x9/feed.xml", true),
            ("a.example/v12;summer/feed.xml", true),
            ("a.example/aBcDeFgH/feed.xml", true),
        ] {
            let (feed, secrets) = (url(feed), FeedSecrets::of([&url(feed)]));
            assert_eq!(secrets.are_in_relative_link(&feed.join("i/a.jpg").unwrap()), is_revealed, "{feed}");
            assert!(!secrets.are_in_relative_link(&feed.join("/a.jpg").unwrap()), "{feed}");
        }
    }

    #[test]
    fn secrets_are_removed_from_text() {
        let secrets = FeedSecrets::of([&url("ann:word@a.example/rss/9f8e7d6c5b4a3f2e1d0c/feed?auth=summer-rain")]);
        let text = "See https://ann:word@a.example/rss/9f8e7d6c5b4a3f2e1d0c/feed?auth=summer-rain now";
        assert_eq!(secrets.remove_from(text.into()), "See https://…… now");
        let address = "a.example/SECRET/feed.xml?auth=SECRET";
        let secrets = FeedSecrets::of([&url(address)]);
        assert_eq!(secrets.remove_from(format!("At {address} and {address}&x=1").into()), "At … and …&x=1");
        assert_eq!(secrets.remove_from("a.example/SECRET/1 and x?auth=SECRET".into()), "…/1 and x?…");
        let secrets = FeedSecrets::of([&url("a.example/SUMMER/feed")]);
        assert_eq!(secrets.remove_from("a.example/SUMMER/feed a.example/SUMMER".into()), "… a.example/SUMMER");
    }
}
