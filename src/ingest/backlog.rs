//! Which items of a document are backlog: stored and searchable, but not news. Pure.
//!
//! The first document of a source shows what the outlet published before newsfold knew it, and a later one may show an
//! archive that the outlet moved. Neither is news on the day on which it is read.

use crate::domain::duration::before;
use crate::domain::{BacklogReason, NewItem, Source, Timestamp};
use jiff::SignedDuration;

/// What the source of a document has shown before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadingHistory {
    /// No document yet.
    Nothing,
    /// No document yet, and the operator wants all items of the first one as news.
    NothingAndBacklogIsWanted,
    /// The source was polled successfully at this time, or gave its first document then.
    LastReadAt(Timestamp),
}

impl ReadingHistory {
    /// A hub's pushes are parts of a feed, so only polls move the time of the last reading.
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

/// Why an item with this date is backlog when it first appears; `None` for news. `window` is the time for which items
/// are grouped: older items of a first document are beyond every story that is still open.
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
        // A feed without dates shows its news this way.
        (ReadingHistory::LastReadAt(_), None) => None,
        (ReadingHistory::LastReadAt(last), Some(date)) => {
            (date < before(last, window)).then_some(BacklogReason::OlderThanLastPoll)
        }
    }
}

/// Marks the items of a document that are backlog if they are new.
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

    /// A time on this day of January 2026, at noon.
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
            // After two weeks without a successful poll, news of these weeks is still news.
            (LastReadAt(day(6)), Some(day(7)), None),
            (LastReadAt(day(6)), Some(day(3)), None),
            (LastReadAt(day(6)), Some(day(2)), Some(OlderThanLastPoll)),
        ] {
            assert_eq!(backlog_reason(date, history, read_at, WINDOW), expected, "{date:?} after {history:?}");
        }
    }
}
