//! A story as lists of stories show it: its headline, the headlines of other outlets, and its counts.

use crate::domain::language::other_language_name;
use crate::domain::{Item, ItemId, SourceId, Story, StoryItem, StorylineId, Timestamp};
use crate::wording::{backlog_text, count_of};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};

/// The maximum number of other outlets whose headlines are shown.
const MAX_HEADLINES: usize = 4;

pub struct StorySummary<'a> {
    pub story: &'a Story,
    pub lead: &'a Item,
    /// One headline of each other outlet, at most [`MAX_HEADLINES`].
    pub headlines: Vec<&'a Item>,
    pub outlet_count: usize,
    /// The time that is shown: that of the last report, or the one by which a list is ordered.
    pub shown_at: Timestamp,
    /// The storyline that the story represents.
    pub storyline: Option<StorylineCounts>,
    /// The reason why none of the reports is news.
    pub backlog: Option<&'static str>,
}

/// A storyline that is represented by one of its stories.
#[derive(Debug, Clone, Copy)]
pub struct StorylineCounts {
    pub id: StorylineId,
    pub outlets: usize,
    pub stories: usize,
}

/// The reports whose headlines represent stories, in preference to their leads.
#[derive(Debug, Default)]
pub struct PreferredReports {
    /// The languages, in order of preference.
    pub languages: Vec<String>,
    /// The sources of the section that is shown; `None` for all sources.
    pub sources: Option<HashSet<SourceId>>,
}

impl PreferredReports {
    /// Returns the report whose headline represents a story; `None` if the story was merged. Among the reports of the
    /// section, those in the preferred languages come first, then originals, then the earliest.
    fn lead<'a>(&self, story: &'a Story) -> Option<&'a StoryItem> {
        let lead = story.lead_in_languages(&self.languages)?;
        let Some(sources) = &self.sources else { return Some(lead) };
        let rank = |report: &&StoryItem| {
            let is_in = |language: &String| report.item.lang.as_ref() == Some(language);
            let language = self.languages.iter().position(is_in).unwrap_or(usize::MAX);
            (language, report.copy_of.is_some(), report.item.id != lead.item.id)
        };
        let section = story.items.iter().filter(|report| sources.contains(&report.item.source));
        Some(section.min_by_key(rank).unwrap_or(lead))
    }
}

impl<'a> StorySummary<'a> {
    /// Describes a story. Returns `None` if the story was merged.
    pub fn new(story: &'a Story, preferred: &PreferredReports) -> Option<StorySummary<'a>> {
        Some(StorySummary::with_lead(story, &preferred.lead(story)?.item))
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
            shown_at: last.map_or(lead.ranked_at, |last| last.item.ranked_at),
            storyline: None,
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

    /// Returns the number of outlets and the number of reports; only one number if they are equal.
    pub fn outlets_and_reports(&self) -> String {
        match self.story.items.len() == self.outlet_count {
            true => self.outlets(),
            false => format!("{}, {}", self.outlets(), self.reports()),
        }
    }

    /// Returns the storyline if it has several stories.
    fn larger_storyline(&self) -> Option<StorylineCounts> {
        self.storyline.filter(|storyline| storyline.stories > 1)
    }

    /// Returns the numbers by which the entry is ranked: the outlets of the storyline, and its stories.
    pub fn counts(&self) -> String {
        let outlets = self.storyline.map_or(self.outlet_count, |storyline| storyline.outlets);
        let outlets = count_of(outlets, "outlet", "outlets");
        match self.larger_storyline() {
            // No line break separates the number of stories from its unit.
            Some(storyline) => {
                format!("{outlets}, {}", count_of(storyline.stories, "story", "stories").replace(' ', "\u{a0}"))
            }
            None => outlets,
        }
    }

    /// Returns the path of the page that lists what [`Self::counts`] counts.
    pub fn counts_path(&self) -> String {
        match self.larger_storyline() {
            Some(storyline) => format!("/storylines/{}", storyline.id),
            None => format!("/stories/{}", self.story.id),
        }
    }

    /// Returns the number of reports of the story; `None` if it would repeat [`Self::counts`].
    pub fn reports_beyond_counts(&self) -> Option<String> {
        let is_repeated = self.larger_storyline().is_none() && self.story.items.len() == self.outlet_count;
        (!is_repeated).then(|| self.reports())
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
