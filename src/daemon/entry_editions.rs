//! The editions with which a story enters feeds, and the languages in which the feeds show it. The language of an entry
//! is decided once, in the transaction that adds the story's first entry to the feed.

use crate::domain::{Edition, EditionReason, EditionText, FeedEntry, PublishedFeed, Story, StoryId, Timestamp};
use crate::publish::{
    LanguageEdition, LanguageState, Options, edition_in_language, edition_on_entering, entry_language, with_titles_of,
};
use crate::store::editions::NewEdition;
use crate::store::{self, ReadConnection, WriteConnection, editions, entry_languages, feed_entries, storylines};
use std::collections::HashMap;

/// The language of a story's entry in a feed.
pub(super) struct EntryLanguage {
    /// `None` if the entry shows the editions of the story.
    pub language: Option<String>,
    is_new: bool,
}

impl EntryLanguage {
    /// Returns the recorded language of an entry. If the story has never been in the feed, `decide` chooses one of the
    /// feed's languages.
    pub(super) fn find(
        db: &ReadConnection,
        feed: &PublishedFeed,
        story: StoryId,
        decide: impl FnOnce(&[String]) -> Option<String>,
    ) -> store::Result<EntryLanguage> {
        if let Some(language) = entry_languages::find(db, &feed.name, story)? {
            return Ok(EntryLanguage { language, is_new: false });
        }
        let languages = &feed.selection.languages;
        if languages.is_empty() || feed_entries::contains(db, &feed.name, story)? {
            return Ok(EntryLanguage { language: None, is_new: false });
        }
        Ok(EntryLanguage { language: decide(languages), is_new: true })
    }

    /// Records the language, after the edition for the entry was chosen: the choice depends on the recorded languages.
    pub(super) fn record(&self, db: &WriteConnection, feed: &PublishedFeed, story: StoryId) -> store::Result<()> {
        if self.is_new { entry_languages::record(db, &feed.name, story, self.language.as_deref()) } else { Ok(()) }
    }
}

/// The editions with which a story enters feeds. All these feeds get the same new edition.
pub(super) struct EnteringEditions {
    story: Story,
    /// The text of the story's latest edition, and the number of the edition with which the story enters feeds that
    /// show the editions of the story, unless `new` has to be added first.
    latest: EditionText,
    number: u32,
    new: Option<(EditionReason, EditionText)>,
    /// The numbers of the editions for languages; `None` if the story enters with the same edition as other feeds.
    in_languages: HashMap<String, Option<u32>>,
    /// The date of new editions, unless it is later than the current time.
    changed_at: Timestamp,
}

impl EnteringEditions {
    /// Returns the editions of a story that has just been published with its first edition.
    pub(super) fn of_new_story(story: Story, number: u32, text: EditionText, now: Timestamp) -> EnteringEditions {
        EnteringEditions { story, latest: text, number, new: None, in_languages: HashMap::new(), changed_at: now }
    }

    /// Returns the editions of a published story. A story that contains more than its latest edition enters with a new
    /// edition, because the latest edition may lack the reports for which a feed selects the story.
    pub(super) fn new(story: Story, latest: Edition, changed_at: Timestamp, options: &Options) -> EnteringEditions {
        let new = edition_on_entering(&story, &latest, options);
        let Edition { number, text, .. } = latest;
        EnteringEditions { story, latest: text, number, new, in_languages: HashMap::new(), changed_at }
    }

    /// Returns whether all feeds show the story with its latest edition: nothing is new, and all reports are in one
    /// language.
    pub(super) fn is_latest_for_all(&self) -> bool {
        let mut languages = self.story.items.iter().map(|report| &report.item.lang);
        let first = languages.next();
        self.new.is_none() && languages.all(|language| Some(language) == first)
    }

    /// Returns the number of the edition with which the story enters a feed. Adds the edition if it is new and records
    /// the language of the entry.
    pub(super) fn number(
        &mut self,
        db: &WriteConnection,
        feed: &PublishedFeed,
        options: &Options,
        now: Timestamp,
    ) -> store::Result<u32> {
        let decide = |languages: &[String]| entry_language(&self.story, languages, options).cloned();
        let entry = EntryLanguage::find(db, feed, self.story.id, decide)?;
        let in_language = match &entry.language {
            Some(language) => self.number_in_language(db, language, options, now)?,
            None => None,
        };
        entry.record(db, feed, self.story.id)?;
        match in_language {
            Some(number) => Ok(number),
            None => self.number_of_story(db, now),
        }
    }

    fn number_of_story(&mut self, db: &WriteConnection, now: Timestamp) -> store::Result<u32> {
        if let Some((reason, text)) = self.new.take() {
            let edition = NewEdition { reason, for_language: None, text: &text };
            self.number = editions::add(db, &self.story, edition, self.changed_at.min(now))?;
        }
        Ok(self.number)
    }

    /// Returns the number of the edition with which the story enters feeds that show it in a language; `None` if it
    /// enters with the same edition as other feeds.
    fn number_in_language(
        &mut self,
        db: &WriteConnection,
        language: &String,
        options: &Options,
        now: Timestamp,
    ) -> store::Result<Option<u32>> {
        if let Some(number) = self.in_languages.get(language) {
            return Ok(*number);
        }
        let story = &self.story;
        let number = match edition_for_language(db, story, &self.latest, language, options)? {
            (LanguageEdition::OfStory, _) => None,
            (LanguageEdition::Latest, latest) => latest.map(|latest| latest.number),
            (LanguageEdition::New(reason, text), _) => {
                let edition = NewEdition { reason, for_language: Some(language), text: &text };
                Some(editions::add(db, story, edition, self.changed_at.min(now))?)
            }
        };
        self.in_languages.insert(language.clone(), number);
        Ok(number)
    }
}

/// Returns the edition with which a story enters a feed that shows it in a language, and the latest edition for the
/// language. `latest` is the text of the story's latest edition.
fn edition_for_language(
    db: &ReadConnection,
    story: &Story,
    latest: &EditionText,
    language: &String,
    options: &Options,
) -> store::Result<(LanguageEdition, Option<Edition>)> {
    let latest_in_language = editions::latest_in_language(db, story.id, language)?;
    let has_entries = entry_languages::of_story(db, story.id)?.contains(language);
    let state = LanguageState { language, latest: latest_in_language.as_ref(), has_entries };
    // Reviews, which run outside write transactions, decide which stories an entry lists.
    let listed = &latest.developments;
    let developments = |language: Option<&str>| {
        if listed.is_empty() {
            return store::Result::Ok(Vec::new());
        }
        Ok(with_titles_of(listed, storylines::developments(db, story.storyline, language)?))
    };
    let edition = edition_in_language(story, latest, state, options, developments)?;
    Ok((edition, latest_in_language))
}

/// Returns the entry that a published story would get if it entered a feed now. `latest` is the story's latest edition.
pub fn future_entry(
    db: &ReadConnection,
    feed: &PublishedFeed,
    story: &Story,
    latest: Edition,
    options: &Options,
) -> store::Result<Option<FeedEntry>> {
    let Some(published_at) = story.published_at else { return Ok(None) };
    let decide = |languages: &[String]| entry_language(story, languages, options).cloned();
    let mut in_language = None;
    if let Some(language) = EntryLanguage::find(db, feed, story.id, decide)?.language {
        in_language = match edition_for_language(db, story, &latest.text, &language, options)? {
            (LanguageEdition::OfStory, _) => None,
            (LanguageEdition::Latest, latest_in_language) => latest_in_language,
            (LanguageEdition::New(reason, text), _) => {
                Some(Edition { for_language: Some(language), ..future_edition(story, &latest, (reason, *text)) })
            }
        };
    }
    let edition = in_language.unwrap_or_else(|| match edition_on_entering(story, &latest, options) {
        Some(new) => future_edition(story, &latest, new),
        None => latest,
    });
    Ok(Some(FeedEntry { published_at, edition }))
}

fn future_edition(story: &Story, latest: &Edition, (reason, text): (EditionReason, EditionText)) -> Edition {
    Edition {
        story: story.id,
        number: latest.number + 1,
        made_at: story.updated_at,
        reason,
        for_language: None,
        outlet_count: story.outlet_count(),
        text,
    }
}

#[cfg(test)]
mod tests;
