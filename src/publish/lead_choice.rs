//! Chooses the report that represents a story: the lead.

use super::options::Options;
use crate::domain::{Story, StoryItem};
use std::cmp::Reverse;

/// Returns the item that represents the story. Prefers news over backlog, originals over copies, and established
/// sources over new ones, then the preferred languages, the highest source priority, the earliest date and the longest
/// summary.
pub fn choose_lead<'s>(story: &'s Story, options: &Options) -> Option<&'s StoryItem> {
    let is_new = |i: &StoryItem| i.item.source_age.is_some_and(|age| age < options.probation);
    story.items.iter().min_by_key(|i| {
        let preference = (language_rank(i, options), Reverse(i.item.priority));
        let rank = (preference, i.item.ranked_at, Reverse(i.item.summary.len()), i.item.id);
        (i.item.backlog_reason.is_some(), i.copy_of.is_some(), is_new(i), rank)
    })
}

/// Returns the position of the report's language among the preferred languages. Other languages come last.
fn language_rank(report: &StoryItem, options: &Options) -> usize {
    let language = report.item.lang.as_ref();
    options.languages.iter().position(|preferred| Some(preferred) == language).unwrap_or(options.languages.len())
}

/// Returns the lead of a published story. The current lead is kept unless it is a copy, it is backlog although the
/// story has news, or a report in a more preferred language or of an outlet with a higher priority is better. An earlier
/// report that arrives late does not justify a new edition.
pub(super) fn keep_lead<'s>(story: &'s Story, options: &Options) -> Option<&'s StoryItem> {
    let best = choose_lead(story, options)?;
    let present = story.items.iter().find(|i| i.item.id == story.lead && i.copy_of.is_none());
    let stays = |present: &&StoryItem| {
        let rank = |i: &StoryItem| (language_rank(i, options), Reverse(i.item.priority));
        present.item.backlog_reason.is_some() == best.item.backlog_reason.is_some() && rank(present) <= rank(best)
    };
    Some(present.filter(stays).unwrap_or(best))
}
