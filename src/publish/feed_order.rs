//! Selects the stories and editions that a document of a feed shows, and their order. All functions are pure.

use super::edition_policy::adds_to;
use crate::domain::{Edition, FeedCandidate, FeedEntry, FeedOrder, FeedSelection, StoryRank};
use std::cmp::Reverse;

/// Returns the entries of a document: at most `limit` candidates in the feed's order.
pub fn arrange_entries(selection: &FeedSelection, candidates: Vec<FeedCandidate>) -> Vec<FeedEntry> {
    let mut entries: Vec<(FeedEntry, Option<StoryRank>)> = Vec::with_capacity(candidates.len());
    for FeedCandidate { published_at, editions, rank } in candidates {
        entries.extend(shown_edition(editions).map(|edition| (FeedEntry { published_at, edition }, rank)));
    }
    match selection.order {
        FeedOrder::Newest => entries.sort_by_key(|(e, _)| Reverse((e.published_at, e.edition.story))),
        FeedOrder::Hot => entries.sort_by_key(|(e, rank)| Reverse((*rank, e.edition.story))),
    }
    entries.truncate(selection.limit as usize);
    entries.into_iter().map(|(entry, _)| entry).collect()
}

/// Returns the last edition that adds something to the previous editions. If a feed has its own edition, that edition
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
