//! Describes why an item is in the backlog, and how many of a source's items are in it.

use super::{TimedText, count_of};
use crate::domain::{BacklogReason, Timestamp};

/// Describes why an item is not news.
pub fn backlog_text(reason: BacklogReason) -> &'static str {
    match reason {
        BacklogReason::OldInFirstDocument => "backlog: published before the source was added",
        BacklogReason::UndatedInFirstDocument => "backlog: undated in the first document of its source",
        BacklogReason::OlderThanLastPoll => {
            "backlog: dated long before the last poll of its source, in which it did not appear"
        }
    }
}

/// Describes how many items of a source are in the backlog, and how newsfold handles them.
pub fn backlog_count_text(count: u64) -> String {
    match count {
        0 => "none".into(),
        count => format!("{}, searchable but not published", count_of(count as usize, "item", "items")),
    }
}

/// Describes the end of a source's probation. `until` is `None` for a source that was never on probation.
pub fn probation_text(until: Option<Timestamp>) -> TimedText {
    match until {
        Some(until) => TimedText::from("until ").time(until),
        None => "none, because the source was added within 24 hours after the first source".into(),
    }
}
