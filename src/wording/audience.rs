//! The audience of a text. It determines the form of times and the parts of a URL that are shown.

use crate::domain::display_text::one_line;
use crate::domain::{PollOutcome, Timestamp};
use crate::urls::redact::redact_url;

/// The readers of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The administrator at a terminal: times in the local time zone, URLs in full.
    Operator,
    /// Visitors of the pages: times in UTC, URLs without credentials and query.
    Public,
}

/// Characters of a remark that are shown.
const MAX_REMARK_CHARS: usize = 500;
/// Characters of a URL that are shown.
const MAX_URL_CHARS: usize = 300;

impl Audience {
    /// `2026-03-01 12:00:00` for the operator, `1 Mar 2026, 12:00 UTC` for the public.
    pub fn time(self, at: Timestamp) -> String {
        match self {
            Audience::Operator => {
                at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
            }
            Audience::Public => at.strftime("%-d %b %Y, %H:%M UTC").to_string(),
        }
    }

    pub fn optional_time(self, at: Option<Timestamp>) -> String {
        at.map_or_else(|| "never".into(), |at| self.time(at))
    }

    pub fn url(self, url: &str) -> String {
        match self {
            Audience::Operator => one_line(url, MAX_URL_CHARS),
            Audience::Public => one_line(&redact_url(url), MAX_URL_CHARS),
        }
    }

    /// The error of a poll. The public is not shown the addresses of our network.
    pub fn poll_error(self, outcome: PollOutcome, error: &str) -> String {
        match (self, outcome) {
            (Audience::Public, PollOutcome::PrivateAddress) => "its address is not public".into(),
            _ => self.remark(error),
        }
    }

    /// A recorded remark on one line. For the public, the URLs in it lose credentials and query.
    pub fn remark(self, text: &str) -> String {
        match self {
            Audience::Operator => one_line(text, MAX_REMARK_CHARS),
            Audience::Public => {
                let words: Vec<String> = text.split_whitespace().map(redact_word).collect();
                one_line(&words.join(" "), MAX_REMARK_CHARS)
            }
        }
    }
}

/// Removes credentials and query from a URL within a text. Punctuation may surround the URL.
fn redact_word(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let start = ["http://", "https://"].iter().filter_map(|scheme| lower.find(scheme)).min().unwrap_or(0);
    let (before, address) = word.split_at(start);
    let bare = address.trim_end_matches([')', ']', '>', ',', ';', ':', '.', '"', '\'', '’', '”']);
    let after = &address[bare.len()..];
    let mut shown = redact_url(bare);
    // Text that does not parse as a URL may hold secrets too.
    if let Some((path, _)) = shown.split_once('?').filter(|(_, query)| query.contains('=')) {
        shown = path.to_owned();
    }
    if let Some((credentials, rest)) = shown.rsplit_once('@').filter(|(credentials, _)| credentials.contains(':')) {
        let scheme = credentials.find("://").map_or("", |end| &credentials[..end + 3]);
        shown = format!("{scheme}{rest}");
    }
    format!("{before}{shown}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remark_for_the_public_hides_credentials_and_queries() {
        for (recorded, shown) in [
            ("the server answered 500", "the server answered 500"),
            ("to https://ann:secret@a.example/feed?token=1, twice", "to https://a.example/feed, twice"),
            ("(HTTPS://A.example/?key=secret)", "(https://a.example/)"),
            ("a bad link ‘//b:secret@d/?x=1’", "a bad link d/’"),
            ("ann:secret@host is down", "host is down"),
            ("/feed?token=secret is gone", "/feed is gone"),
            ("why? unknown", "why? unknown"),
            ("a \u{202e}b\u{1b}[31m", "a b[31m"),
        ] {
            assert!(!Audience::Public.remark(recorded).contains("secret"), "{recorded}");
            assert_eq!(Audience::Public.remark(recorded), shown);
        }
    }

    #[test]
    fn address_inside_our_network_is_not_shown_to_the_public() {
        let error = "db.internal resolves only to addresses that are not public (10.0.0.7)";
        let outcome = PollOutcome::PrivateAddress;
        assert_eq!(Audience::Public.poll_error(outcome, error), "its address is not public");
        assert_eq!(Audience::Operator.poll_error(outcome, error), error);
    }
}
