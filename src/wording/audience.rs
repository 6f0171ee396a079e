//! The audience of a message, which determines the format of times and the displayed parts of a URL.

use super::DisplayZone;
use crate::domain::Timestamp;
use crate::domain::display_text::one_line;
use crate::urls::redact::{PUNCTUATION, host_of_address, redact_url, redact_url_in_word};

/// The readers of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience<'z> {
    /// The administrator at a terminal, who sees local times and full URLs.
    Operator,
    /// Visitors to the pages, who see times in this zone and only the hosts of URLs.
    Public(&'z DisplayZone),
}

/// The maximum number of displayed characters of a message.
const MAX_REMARK_CHARS: usize = 500;
/// The maximum number of displayed characters of a URL.
const MAX_URL_CHARS: usize = 300;

static UTC: DisplayZone = DisplayZone::UTC;

impl Audience<'static> {
    /// The public, with times in UTC.
    pub const PUBLIC: Audience<'static> = Audience::Public(&UTC);
}

impl Audience<'_> {
    /// Formats a time: `2026-03-01 12:00:00` for the operator, `1 Mar 2026, 12:00 CET` for the public.
    pub fn time(self, at: Timestamp) -> String {
        match self {
            Audience::Operator => {
                at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
            }
            Audience::Public(zone) => zone.time(at),
        }
    }

    pub fn optional_time(self, at: Option<Timestamp>) -> String {
        at.map_or_else(|| "never".into(), |at| self.time(at))
    }

    pub fn url(self, url: &str) -> String {
        match self {
            Audience::Operator => one_line(url, MAX_URL_CHARS),
            Audience::Public(_) => one_line(redact_url(url), MAX_URL_CHARS),
        }
    }

    /// Formats a recorded message on one line. For the public, the result contains only the hosts of URLs.
    pub fn remark(self, text: &str) -> String {
        match self {
            Audience::Operator => one_line(text, MAX_REMARK_CHARS),
            Audience::Public(_) => {
                let words: Vec<String> = text.split_whitespace().map(redact_word).collect();
                one_line(&words.join(" "), MAX_REMARK_CHARS)
            }
        }
    }
}

/// Replaces a URL in the text with its host, and an absolute path with `/…`. Punctuation may surround them.
fn redact_word(word: &str) -> String {
    if let Some(redacted) = redact_url_in_word(word) {
        return redacted;
    }
    let before = &word[..word.len() - word.trim_start_matches(PUNCTUATION).len()];
    let bare = word[before.len()..].trim_end_matches(PUNCTUATION);
    let after = &word[before.len() + bare.len()..];
    if let Some(address) = bare.strip_prefix("//") {
        return format!("{before}{}{after}", host_of_address(address));
    }
    if bare.len() > 1 && bare.starts_with('/') {
        return format!("{before}/…{after}");
    }
    // Text that is not a URL may contain secrets too.
    let mut shown = bare.split_once('?').filter(|(_, query)| query.contains('=')).map_or(bare, |(path, _)| path);
    if let Some((_, host)) = shown.rsplit_once('@').filter(|(credentials, _)| credentials.contains(':')) {
        shown = host;
    }
    format!("{before}{shown}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remark_for_the_public_has_the_hosts_of_urls_only() {
        for (recorded, shown) in [
            ("the server answered 500", "the server answered 500"),
            ("to https://ann:secret@a.example/feed?token=1, twice", "to a.example, twice"),
            ("to http://a.example:8080/secret/feed: gone", "to a.example:8080: gone"),
            ("(HTTPS://A.example/?key=secret)", "(A.example)"),
            ("url=‘feed://ann:secret@a.example/x’", "url=‘a.example’"),
            ("a bad link ‘//b:secret@d/?x=1’", "a bad link ‘d’"),
            ("ann:secret@host is down", "host is down"),
            ("/feed?token=secret is gone", "/… is gone"),
            ("and/or 3/4 of HTTP/1.1", "and/or 3/4 of HTTP/1.1"),
            ("why? unknown", "why? unknown"),
            ("a \u{202e}b\u{1b}[31m", "a b[31m"),
        ] {
            assert!(!Audience::PUBLIC.remark(recorded).contains("secret"), "{recorded}");
            assert_eq!(Audience::PUBLIC.remark(recorded), shown);
        }
    }
}
