//! Why an item is backlog, and how many items of a source are.

use super::{Audience, count_of};
use crate::domain::{BacklogReason, Timestamp};

/// Why an item is not news.
pub fn backlog_text(reason: BacklogReason) -> &'static str {
    match reason {
        BacklogReason::OldInFirstDocument => "backlog: published before the source was added",
        BacklogReason::UndatedInFirstDocument => "backlog: without a date in the first document of its source",
        BacklogReason::OlderThanLastPoll => {
            "backlog: dated long before the last poll of its source, which did not show it"
        }
    }
}

/// How many items of a source are backlog, and what becomes of them.
pub fn backlog_count_text(count: u64) -> String {
    match count {
        0 => "none".into(),
        count => format!("{}, searchable but not published", count_of(count as usize, "item", "items")),
    }
}

/// Until when a source is in probation. `until` is the end, `None` for a source that never was.
pub fn probation_text(until: Option<Timestamp>, audience: Audience) -> String {
    match until {
        Some(until) => format!("until {}", audience.time(until)),
        None => "none, because the source was added on the first day of the database".into(),
    }
}
