//! Decides for which items newsfold fetches the article page, and how long grouping waits for the page.

use super::NewItem;
use super::duration::before;
use jiff::{SignedDuration, Timestamp};

/// The maximum age of news for which articles are fetched. Older items are not grouped.
const MAX_FETCHED_AGE: SignedDuration = SignedDuration::from_hours(48);
/// The maximum time that an item waits for its article before it is assigned to a story.
pub const MAX_ARTICLE_WAIT: SignedDuration = SignedDuration::from_mins(10);

/// Returns whether the article of a new item is fetched if full text is enabled for the item's source.
pub fn may_fetch_article(item: &NewItem, ranked_at: Timestamp, now: Timestamp) -> bool {
    item.url.is_some() && item.backlog_reason.is_none() && ranked_at >= before(now, MAX_FETCHED_AGE)
}
