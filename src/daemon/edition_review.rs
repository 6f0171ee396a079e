//! Reviews published stories: which editions are due, for the story itself and for each language of its entries.

use super::feed_entering::{EntriesByStoryline, related_stories};
use crate::domain::{Story, StoryItem, Timestamp};
use crate::publish::{
    EditionReview, EditionStep, FoldingPolicy, LeadPreferences, Options, compose_edition, next_edition,
};
use crate::store::editions::NewEdition;
use crate::store::review_queue::StoryReview;
use crate::store::{self, ReadConnection, WriteConnection, editions, entry_languages};

/// The rules by which editions are composed, and the current time.
#[derive(Clone, Copy)]
pub(super) struct EditionRules<'r> {
    pub folding: &'r FoldingPolicy,
    pub options: &'r Options,
    pub now: Timestamp,
}

/// A reviewed story, with the decisions on its editions.
pub(super) struct ReviewedStory {
    pub due: StoryReview,
    pub step: EditionStep,
    /// The decisions for the languages of the entries that do not show the editions of the story.
    languages: Vec<(String, EditionStep)>,
}

/// The editions that [`ReviewedStory::write`] has added, and the time of the next review.
pub(super) struct WrittenEditions {
    pub of_story: bool,
    pub any: bool,
    pub next_review: Option<Timestamp>,
}

impl EditionRules<'_> {
    /// Decides which editions of a published story are due.
    pub(super) fn review(
        &self,
        db: &ReadConnection,
        due: StoryReview,
        storylines: &mut EntriesByStoryline<'_>,
    ) -> store::Result<ReviewedStory> {
        let story = &due.story;
        let Some(lead) = LeadPreferences::of_site(self.options).keep(story, story.lead) else {
            return Ok(ReviewedStory { due, step: EditionStep::Unchanged, languages: Vec::new() });
        };
        let of_lead = (story, lead.item.lang.as_deref());
        let developments = related_stories(db, of_lead, self.now, self.folding, storylines)?;
        let (times, latest) = (due.edition_times, due.latest.as_ref());
        let review = EditionReview { story, lead, times, latest, developments };
        let step = next_edition(review, self.now, self.options);
        let mut languages = Vec::new();
        for language in entry_languages::of_story(db, story.id)? {
            let decided = self.review_language(db, &due, (&language, storylines), (lead, &step))?;
            languages.extend(decided.map(|step| (language, step)));
        }
        Ok(ReviewedStory { due, step, languages })
    }

    /// Decides whether entries in a language need a new edition. `of_story` is the decision on the story's own edition
    /// and the lead of that edition. Returns `None` if the entries show the editions of the story, including the next one.
    fn review_language(
        &self,
        db: &ReadConnection,
        due: &StoryReview,
        (language, storylines): (&String, &mut EntriesByStoryline<'_>),
        of_story: (&StoryItem, &EditionStep),
    ) -> store::Result<Option<EditionStep>> {
        let story: &Story = &due.story;
        let own = editions::latest_in_language(db, story.id, language)?;
        let present = own.as_ref().map_or(story.lead, |own| own.text.lead);
        let preferences = LeadPreferences::of_language(language, self.options);
        let Some(lead) = preferences.keep(story, present) else { return Ok(None) };
        let (lead_of_story, step_of_story) = of_story;
        if own.is_none() && lead.item.id == lead_of_story.item.id {
            return Ok(None);
        }
        let of_lead = (story, lead.item.lang.as_deref());
        let developments = related_stories(db, of_lead, self.now, self.folding, storylines)?;
        let times = match own {
            Some(_) => editions::times(db, story.id, Some(language))?,
            None => due.edition_times,
        };
        let latest = own.as_ref().or(due.latest.as_ref());
        let review = EditionReview { story, lead, times, latest, developments: developments.clone() };
        Ok(Some(match (next_edition(review, self.now, self.options), step_of_story) {
            // Without an edition of their own, the entries would show the story's next edition, which has another lead.
            (EditionStep::WaitUntil(_) | EditionStep::Unchanged, EditionStep::Write(reason, _)) if own.is_none() => {
                let text = compose_edition(story, lead, latest.map(|latest| &latest.text), developments);
                EditionStep::Write(*reason, text.into())
            }
            (step, _) => step,
        }))
    }
}

impl ReviewedStory {
    /// Writes the editions that are due.
    pub(super) fn write(&self, db: &WriteConnection, now: Timestamp) -> store::Result<WrittenEditions> {
        let mut written = WrittenEditions { of_story: false, any: false, next_review: None };
        let languages = self.languages.iter().map(|(language, step)| (Some(language.as_str()), step));
        for (for_language, step) in [(None, &self.step)].into_iter().chain(languages) {
            match step {
                EditionStep::Write(reason, text) => {
                    let story = &self.due.story;
                    // The first edition of a published story has the date of the story's last change.
                    let at = if self.due.latest.is_none() { story.updated_at.min(now) } else { now };
                    editions::add(db, story, NewEdition { reason: *reason, for_language, text }, at)?;
                    written.of_story |= for_language.is_none();
                    written.any = true;
                }
                EditionStep::WaitUntil(until) => {
                    written.next_review = Some(written.next_review.map_or(*until, |next| next.min(*until)));
                }
                EditionStep::Unchanged => {}
            }
        }
        Ok(written)
    }
}
