//! The archive of a feed (RFC 5005, section 4): full pages of entries in order of entry.

use super::{CandidatePage, CandidateRange, candidates};
use crate::domain::{FeedOrder, FeedVariant, PublishedFeed};
use crate::store::{ReadConnection, Result};
use jiff::Timestamp;
use std::ops::RangeInclusive;

/// Returns a page of a feed's archive (RFC 5005, section 4), in order of entry. The page size is the feed's limit. Only
/// full pages exist, so a page changes only when an entry of the live variant changes.
pub fn archive_page(
    db: &ReadConnection,
    feed: &PublishedFeed,
    variant: FeedVariant,
    page: u32,
) -> Result<Option<CandidatePage>> {
    let pages = archive_page_numbers(db, feed)?;
    let Ok(index) = pages.binary_search(&page) else { return Ok(None) };
    let range =
        CandidateRange { sequences: archive_sequences(feed, page), floor: Timestamp::MIN, limit: feed.selection.limit };
    let previous = index.checked_sub(1).map(|index| pages[index]);
    let candidates = candidates(db, feed, variant, &range, None)?;
    Ok(Some(CandidatePage { candidates, previous, next: pages.get(index + 1).copied() }))
}

/// Returns the numbers of a feed's archive pages, oldest first. All pages are full, except for entries that were
/// removed because of their age. A feed with a maximum age or the `hot` order has no archive, because it does not
/// include older stories.
pub fn archive_page_numbers(db: &ReadConnection, feed: &PublishedFeed) -> Result<Vec<u32>> {
    if feed.selection.order == FeedOrder::Hot || feed.selection.max_age.is_some() {
        return Ok(Vec::new());
    }
    let limit = i64::from(feed.selection.limit.max(1));
    let ends: Option<(Option<i64>, i64)> = db.first(
        "SELECT (SELECT min(sequence) FROM feed_entry WHERE feed = ?1), last_sequence FROM feed_sequence WHERE feed = ?1",
        [&feed.name],
    )?;
    let Some((Some(first), last)) = ends else { return Ok(Vec::new()) };
    let page = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok((page((first - 1) / limit + 1)..=page(last / limit)).collect())
}

/// Returns the sequence numbers of the entries on an archive page.
pub(super) fn archive_sequences(feed: &PublishedFeed, page: u32) -> RangeInclusive<i64> {
    let limit = i64::from(feed.selection.limit);
    i64::from(page).saturating_sub(1) * limit + 1..=i64::from(page) * limit
}
