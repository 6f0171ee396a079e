//! Determines which items of a document are backlog: stored and searchable, but not news. The functions are pure.
//!
//! The first document of a source lists items that the outlet published before newsfold added the source. A later
//! document may contain an archive that the outlet migrated. Such items are not news on the day on which they are read.

use crate::domain::duration::before;
use crate::domain::{BacklogReason, NewItem, Source, Timestamp};
use jiff::SignedDuration;

/// The documents of a source that newsfold has read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadingHistory {
    /// No document has been read yet.
    Nothing,
    /// No document has been read yet, and the operator wants all items of the first document as news.
    NothingAndBacklogIsWanted,
    /// The last successful poll of the source, or the time of its first document.
    LastReadAt(Timestamp),
}

impl ReadingHistory {
    /// Returns the history of a source. Pushes contain only parts of a feed, so only polls update the time.
    pub fn of(source: &Source) -> ReadingHistory {
        match (source.first_document_at, source.publish_backlog) {
            (None, true) => ReadingHistory::NothingAndBacklogIsWanted,
            (None, false) => ReadingHistory::Nothing,
            (Some(first), _) => {
                ReadingHistory::LastReadAt(source.last_success_at.map_or(first, |last| last.max(first)))
            }
        }
    }
}

/// Returns why a new item with this date is in the backlog; `None` for news. `window` is the grouping window: older
/// items of a first document cannot belong to an open story.
pub fn backlog_reason(
    published_at: Option<Timestamp>,
    history: ReadingHistory,
    read_at: Timestamp,
    window: SignedDuration,
) -> Option<BacklogReason> {
    match (history, published_at) {
        (ReadingHistory::NothingAndBacklogIsWanted, _) => None,
        (ReadingHistory::Nothing, None) => Some(BacklogReason::UndatedInFirstDocument),
        (ReadingHistory::Nothing, Some(date)) => {
            (date < before(read_at, window)).then_some(BacklogReason::OldInFirstDocument)
        }
        // In a feed without dates, new items have no date either.
        (ReadingHistory::LastReadAt(_), None) => None,
        (ReadingHistory::LastReadAt(last), Some(date)) => {
            (date < before(last, window)).then_some(BacklogReason::OlderThanLastPoll)
        }
    }
}

/// Sets the backlog reason of the items of a document, in case they are new.
pub fn mark_backlog(items: &mut [NewItem], source: &Source, read_at: Timestamp, window: SignedDuration) {
    let history = ReadingHistory::of(source);
    for item in items {
        item.backlog_reason = backlog_reason(item.published_at, history, read_at, window);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: SignedDuration = SignedDuration::from_hours(72);

    /// Returns noon on the given day of January 2026.
    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + (day - 1) * 86_400 + 43_200).unwrap()
    }

    #[test]
    fn item_is_backlog_if_it_was_old_when_its_source_was_read() {
        use BacklogReason::*;
        use ReadingHistory::*;
        let read_at = day(20);
        for (history, date, expected) in [
            (Nothing, Some(day(20)), None),
            (Nothing, Some(day(17)), None),
            (Nothing, Some(day(16)), Some(OldInFirstDocument)),
            (Nothing, None, Some(UndatedInFirstDocument)),
            (NothingAndBacklogIsWanted, Some(day(1)), None),
            (NothingAndBacklogIsWanted, None, None),
            (LastReadAt(day(20)), Some(day(17)), None),
            (LastReadAt(day(20)), Some(day(16)), Some(OlderThanLastPoll)),
            (LastReadAt(day(20)), None, None),
            // After two weeks without a successful poll, items from these weeks are still news.
            (LastReadAt(day(6)), Some(day(7)), None),
            (LastReadAt(day(6)), Some(day(3)), None),
            (LastReadAt(day(6)), Some(day(2)), Some(OlderThanLastPoll)),
        ] {
            assert_eq!(backlog_reason(date, history, read_at, WINDOW), expected, "{date:?} after {history:?}");
        }
    }
}
