//! When a story is first published, and which item leads it then. Pure.

use super::Options;
use crate::model::duration::after;
use crate::model::{Published, Story, StoryItem, Timestamp};
use std::cmp::Reverse;

/// What to freeze of a story that is to be published now; `None` while it settles.
///
/// The date is that of its first report, so that a source added today does not bring yesterday's news up as new.
pub fn first_publication<'s>(
    story: &'s Story,
    now: Timestamp,
    options: &Options,
) -> Option<(&'s StoryItem, Published)> {
    if after(story.founded_at, options.settle) > now {
        return None;
    }
    let lead = choose_lead(story)?;
    let at = story.items.iter().map(|i| i.item.ranked_at).min()?;
    Some((lead, Published { at, link: lead.item.url.clone() }))
}

/// The item that stands for a story: of the source with the highest priority, then the earliest, then the fullest.
pub fn choose_lead(story: &Story) -> Option<&StoryItem> {
    let own = story.items.iter().filter(|i| i.copy_of.is_none());
    own.min_by_key(|i| (Reverse(i.item.priority), i.item.ranked_at, Reverse(i.item.summary.len()), i.item.id))
        .or(story.items.first())
}
