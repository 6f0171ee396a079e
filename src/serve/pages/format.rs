//! Formats values for templates. The functions take references, because askama passes references.
//!
//! No page shows an age, because it would be outdated a minute later.

use crate::domain::display_text::one_line;
use crate::domain::{Item, Timestamp};
use crate::wording::{Audience, SourceStatus, grouped_digits};

/// Formats a time as RFC 3339 for the attribute `datetime`.
pub fn machine_time(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub fn number(number: &u64) -> String {
    grouped_digits(*number)
}

/// Returns a stored message with secrets removed.
pub fn remark(text: &str) -> String {
    Audience::PUBLIC.remark(text)
}

/// Returns a URL that may be used as a link; `None` for `javascript:` and other schemes.
pub fn link(url: Option<&str>) -> Option<&str> {
    url.filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

/// The maximum length of a headline in lists, in characters.
const MAX_HEADLINE_CHARS: usize = 200;
/// Separators between a headline and the name of its outlet.
const NAME_SEPARATORS: [&str; 5] = [" - ", " – ", " — ", " | ", " · "];

/// Returns the title of an item without the name of its outlet at the end, because pages show the name beside it.
pub fn headline(item: &Item) -> &str {
    let without_name = |separator: &&str| {
        let (headline, name) = item.title.rsplit_once(*separator)?;
        let is_name = name.trim().to_lowercase() == item.outlet_name.to_lowercase();
        (is_name && !headline.trim().is_empty()).then_some(headline.trim_end())
    };
    NAME_SEPARATORS.iter().find_map(without_name).unwrap_or(&item.title)
}

/// Returns the headline for a list. The story page shows the complete headline.
pub fn short_headline(item: &Item) -> String {
    shortened(headline(item))
}

pub fn shortened(text: &str) -> String {
    one_line(text, MAX_HEADLINE_CHARS)
}

/// Returns the CSS class for a source's status.
pub fn status_class(status: &SourceStatus) -> &'static str {
    match status {
        SourceStatus::Failing | SourceStatus::Gone => "bad",
        SourceStatus::OnHold => "held",
        SourceStatus::Paused | SourceStatus::NotPolled => "quiet",
        SourceStatus::Ok => "good",
    }
}
