//! Formats values for templates. The functions take references, because askama passes references.
//!
//! No page shows an age, because it would be outdated a minute later.

use crate::domain::Timestamp;
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

/// Returns the CSS class for a source's status.
pub fn status_class(status: &SourceStatus) -> &'static str {
    match status {
        SourceStatus::Failing | SourceStatus::Gone => "bad",
        SourceStatus::OnHold => "held",
        SourceStatus::Paused | SourceStatus::NotPolled => "quiet",
        SourceStatus::Ok => "good",
    }
}
