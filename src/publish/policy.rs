//! When a story is first published, and which item leads it then. Pure.

use super::Options;
use crate::model::duration::after;
use crate::model::{Published, Story, StoryItem, Timestamp};
use std::cmp::Reverse;

/// What to freeze of a story that is to be published now; `None` while it settles, or while all its sources are new.
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
    let grown = |i: &StoryItem| {
        i.item.source_age.is_none_or(|age| age + now.duration_since(i.item.first_seen_at) >= options.probation)
    };
    if !story.items.iter().any(grown) {
        return None;
    }
    let lead = choose_lead(story, options)?;
    let at = story.items.iter().map(|i| i.item.ranked_at).min()?;
    Some((lead, Published { at, link: lead.item.url.clone() }))
}

/// The item that stands for a story: not a copy, not of a new source, then of the source with the highest priority, then
/// the earliest, then the fullest.
pub fn choose_lead<'s>(story: &'s Story, options: &Options) -> Option<&'s StoryItem> {
    let is_new = |i: &StoryItem| i.item.source_age.is_some_and(|age| age < options.probation);
    story.items.iter().min_by_key(|i| {
        let rank = (Reverse(i.item.priority), i.item.ranked_at, Reverse(i.item.summary.len()), i.item.id);
        (i.copy_of.is_some(), is_new(i), rank)
    })
}
