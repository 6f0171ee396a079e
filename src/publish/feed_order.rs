//! Selects the stories and editions that a document of a feed shows, and their order. All functions are pure.

use super::edition_policy::adds_to;
use crate::domain::{Edition, FeedCandidate, FeedEntry, FeedOrder, FeedSelection, Timestamp};
use std::cmp::Reverse;

/// Returns the entries of a document: at most `limit` candidates in the feed's order.
pub fn arrange_entries(selection: &FeedSelection, candidates: Vec<FeedCandidate>) -> Vec<FeedEntry> {
    let mut entries: Vec<(FeedEntry, i32)> = Vec::with_capacity(candidates.len());
    for FeedCandidate { published_at, editions, priority } in candidates {
        entries.extend(shown_edition(editions).map(|edition| (FeedEntry { published_at, edition }, priority)));
    }
    match selection.order {
        FeedOrder::Newest => entries.sort_by_key(|(e, _)| Reverse((e.published_at, e.edition.story))),
        FeedOrder::Hot => entries.sort_by_key(|(e, priority)| {
            Reverse((hot_score(e.edition.outlet_count, *priority, e.published_at), e.edition.story))
        }),
    }
    entries.truncate(selection.limit as usize);
    entries.into_iter().map(|(entry, _)| entry).collect()
}

/// Returns the last edition that adds something to the previous ones. If a feed has its own edition, that edition
/// already shows the content that a later edition adds for other feeds.
fn shown_edition(editions: Vec<Edition>) -> Option<Edition> {
    let mut shown: Option<Edition> = None;
    for edition in editions {
        if shown.as_ref().is_none_or(|shown| adds_to(&edition, shown)) {
            shown = Some(edition);
        }
    }
    shown
}

/// Returns the score of a story, in thousandths of a doubling of its number of outlets. Four steps of the lead source's
/// priority, or six hours, count as much as one doubling.
///
/// The age counts from 1970 instead of from now. Only the difference between two stories matters, so the order depends
/// only on the database. Reddit's “hot” ranking has the same form.
fn hot_score(outlets: u32, priority: i32, published_at: Timestamp) -> i64 {
    const DOUBLING_MILLIS: i64 = 6 * 3600 * 1000;
    let doublings = (libm::log2(f64::from(outlets.max(1))) * 1000.0).round() as i64;
    doublings + i64::from(priority) * 250 + published_at.as_millisecond() / (DOUBLING_MILLIS / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn six_hours_count_as_much_as_twice_the_outlets_and_four_steps_of_priority() {
        let at = |hours: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(20_000 * 24 + hours);
        let doubled = hot_score(8, 0, at(0));
        assert_eq!(doubled, hot_score(4, 0, at(6)));
        assert_eq!(doubled, hot_score(4, 4, at(0)));
        assert!(hot_score(9, 0, at(0)) > doubled && doubled > hot_score(7, 0, at(0)));
    }
}
