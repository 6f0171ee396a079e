//! A story as lists of stories show it: its headline, the headlines of other outlets, and its counts.

use crate::domain::language::other_language_name;
use crate::domain::{Item, ItemId, Story, StoryItem, Timestamp};
use crate::wording::{backlog_text, count_of};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// The maximum number of other outlets whose headlines are shown.
const MAX_HEADLINES: usize = 4;

pub struct StorySummary<'a> {
    pub story: &'a Story,
    pub lead: &'a Item,
    /// One headline of each other outlet, at most [`MAX_HEADLINES`].
    pub headlines: Vec<&'a Item>,
    pub outlet_count: usize,
    /// The time of the last report.
    pub last: Timestamp,
    /// The reason why none of the reports is news.
    pub backlog: Option<&'static str>,
}

impl<'a> StorySummary<'a> {
    /// Describes a story, with a headline in the first of the preferred languages in which it has a report, or else the
    /// headline of its lead. Returns `None` if the story was merged.
    pub fn new(story: &'a Story, languages: &[String]) -> Option<StorySummary<'a>> {
        Some(StorySummary::with_lead(story, &story.lead_in_languages(languages)?.item))
    }

    /// Describes a story as its entry in a feed does, with the headline of the report `lead`. Returns `None` if the
    /// story was merged.
    pub fn of_entry(story: &'a Story, lead: ItemId) -> Option<StorySummary<'a>> {
        let lead = story.items.iter().find(|report| report.item.id == lead).or_else(|| story.lead())?;
        Some(StorySummary::with_lead(story, &lead.item))
    }

    fn with_lead(story: &'a Story, lead: &'a Item) -> StorySummary<'a> {
        let last = story.news().last();
        StorySummary {
            story,
            lead,
            headlines: other_headlines(story, lead),
            outlet_count: story.outlets().len().max(1),
            last: last.map_or(lead.ranked_at, |last| last.item.ranked_at),
            backlog: if last.is_some() { None } else { lead.backlog_reason.map(backlog_text) },
        }
    }

    pub fn outlets(&self) -> String {
        count_of(self.outlet_count, "outlet", "outlets")
    }

    /// Returns the number of outlets other than that of the lead.
    pub fn other_outlets(&self) -> String {
        count_of(self.outlet_count - 1, "other outlet", "other outlets")
    }

    /// Returns the name of a report's language if it is not the language of the lead.
    pub fn other_language(&self, report: &Item) -> Option<&'static str> {
        other_language_name(report.lang.as_deref(), self.lead.lang.as_deref())
    }

    pub fn reports(&self) -> String {
        count_of(self.story.items.len(), "report", "reports")
    }
}

/// Returns the last headline of each outlet except that of the lead: outlets with a higher priority come first, then
/// outlets that reported later. Copies and repeated headlines are omitted.
fn other_headlines<'a>(story: &'a Story, lead: &'a Item) -> Vec<&'a Item> {
    let mut reports: Vec<&StoryItem> = story.items.iter().filter(|report| report.copy_of.is_none()).collect();
    reports.sort_by_key(|report| Reverse((report.item.priority, report.item.ranked_at, report.item.id)));
    let mut outlets = BTreeSet::from([lead.outlet.as_str()]);
    let mut titles = BTreeSet::from([lead.title.to_lowercase()]);
    let others = reports.into_iter().map(|report| &report.item);
    others
        .filter(|item| outlets.insert(&item.outlet) && titles.insert(item.title.to_lowercase()))
        .take(MAX_HEADLINES)
        .collect()
}
