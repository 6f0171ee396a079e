//! Chooses the report that represents a story: the lead.

use super::options::Options;
use crate::domain::{ItemId, Story, StoryItem};
use jiff::SignedDuration;
use std::cmp::Reverse;

/// Returns the item that represents the story to readers of the site.
pub fn choose_lead<'s>(story: &'s Story, options: &Options) -> Option<&'s StoryItem> {
    LeadPreferences::of_site(options).choose(story)
}

/// The preferences by which a report becomes the lead.
pub struct LeadPreferences<'o> {
    /// The preferred languages, the most preferred first.
    languages: Vec<&'o str>,
    probation: SignedDuration,
}

impl<'o> LeadPreferences<'o> {
    pub fn of_site(options: &'o Options) -> LeadPreferences<'o> {
        LeadPreferences::with_languages(options.languages.iter(), options)
    }

    /// Returns the preferences for entries in a language. If a story has no report in that language, the site's
    /// preferences apply.
    pub fn of_language(language: &'o String, options: &'o Options) -> LeadPreferences<'o> {
        LeadPreferences::with_languages(std::iter::once(language).chain(&options.languages), options)
    }

    pub(super) fn with_languages(
        languages: impl Iterator<Item = &'o String>,
        options: &Options,
    ) -> LeadPreferences<'o> {
        LeadPreferences { languages: languages.map(String::as_str).collect(), probation: options.probation }
    }

    /// Returns the item that represents the story. Prefers news over backlog, originals over copies, and established
    /// sources over new sources, then the preferred languages, the highest source priority, the earliest date and the
    /// longest summary.
    pub fn choose<'s>(&self, story: &'s Story) -> Option<&'s StoryItem> {
        let is_new = |i: &StoryItem| i.item.source_age.is_some_and(|age| age < self.probation);
        story.items.iter().min_by_key(|i| {
            let preference = (self.language_rank(i), Reverse(i.item.priority));
            let rank = (preference, i.item.ranked_at, Reverse(i.item.summary.len()), i.item.id);
            (i.item.backlog_reason.is_some(), i.copy_of.is_some(), is_new(i), rank)
        })
    }

    /// Returns the lead of a published story. The current lead is kept unless it is a copy, unless it is backlog and
    /// the story has news, or unless another report is in a more preferred language or from a source with a higher
    /// priority. An earlier report that arrives late does not justify a new edition.
    pub fn keep<'s>(&self, story: &'s Story, present: ItemId) -> Option<&'s StoryItem> {
        let best = self.choose(story)?;
        let present = story.items.iter().find(|i| i.item.id == present && i.copy_of.is_none());
        let stays = |present: &&StoryItem| {
            let rank = |i: &StoryItem| (self.language_rank(i), Reverse(i.item.priority));
            present.item.backlog_reason.is_some() == best.item.backlog_reason.is_some() && rank(present) <= rank(best)
        };
        Some(present.filter(stays).unwrap_or(best))
    }

    /// Returns the position of the report's language among the preferred languages. Other languages come last.
    fn language_rank(&self, report: &StoryItem) -> usize {
        let language = report.item.lang.as_deref();
        self.languages.iter().position(|preferred| Some(*preferred) == language).unwrap_or(self.languages.len())
    }
}
