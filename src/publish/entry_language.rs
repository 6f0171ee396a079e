//! The languages of entries in feeds with languages, and the editions for entries in a language. The language of an
//! entry never changes, and an edition keeps the link of the edition that its entries previously showed. Therefore the
//! link of an entry changes only if the linked report leaves the story. All functions are pure.

use super::edition_policy::edition_after;
use super::edition_text::compose_edition;
use super::lead_choice::LeadPreferences;
use super::options::Options;
use crate::domain::{Development, Edition, EditionReason, EditionText, Story, StoryId, StoryItem, Timestamp};
use std::collections::HashMap;

/// Returns the language of a story's entry in a feed with these languages: the language of the lead that is chosen with
/// these preferences, or else the first of the feed's languages in which the story has a report. Returns `None` if the
/// story has no report in any of these languages.
pub fn entry_language<'l>(story: &Story, languages: &'l [String], options: &Options) -> Option<&'l String> {
    let lead = LeadPreferences::with_languages(languages.iter(), options).choose(story)?.item.lang.as_ref();
    let is_present = |language: &&String| story.items.iter().any(|report| report.item.lang.as_ref() == Some(*language));
    languages.iter().find(|language| Some(*language) == lead).or_else(|| languages.iter().find(is_present))
}

/// The state of the entries of a story in a language.
pub struct LanguageState<'a> {
    pub language: &'a String,
    /// The latest edition for the language that was not created for a single feed. Without such an edition, the entries
    /// show the editions of the story.
    pub latest: Option<&'a Edition>,
    /// Whether the story has had an entry in this language.
    pub has_entries: bool,
}

/// The edition with which a story enters a feed that shows it in a language.
#[derive(Debug, Clone, PartialEq)]
pub enum LanguageEdition {
    /// The edition with which the story enters other feeds: it has the same lead and link.
    OfStory,
    /// The latest edition for the language.
    Latest,
    New(EditionReason, Box<EditionText>),
}

/// Returns the edition with which a story enters a feed that shows it in a language. `latest` is the text of the
/// story's latest edition. `developments` returns the stories that the new edition lists, with titles in the language
/// of the new edition.
///
/// # Errors
/// Fails if `developments` fails.
pub fn edition_in_language<E>(
    story: &Story,
    latest: &EditionText,
    state: LanguageState<'_>,
    options: &Options,
    developments: impl FnOnce(Option<&str>) -> Result<Vec<Development>, E>,
) -> Result<LanguageEdition, E> {
    let preferences = LeadPreferences::of_language(state.language, options);
    let present = state.latest.map_or(story.lead, |latest| latest.text.lead);
    let Some(lead) = preferences.keep(story, present) else { return Ok(LanguageEdition::OfStory) };
    if let Some(latest) = state.latest {
        let new = edition_after(story, latest, lead);
        return Ok(new.map_or(LanguageEdition::Latest, |(reason, text)| LanguageEdition::New(reason, text.into())));
    }
    let linked = story.items.iter().find(|report| report.item.id == latest.linked);
    // The readers of entries in this language have seen this link. Without such entries, the story's link is kept if it
    // leads to a report in this language.
    let keeps_link =
        state.has_entries || linked.is_some_and(|linked| linked.item.lang.as_ref() == Some(state.language));
    let has_same_link = keeps_link || linked.is_none_or(|linked| linked.item.id == lead.item.id);
    let lead_of_story = LeadPreferences::of_site(options).keep(story, story.lead);
    if has_same_link && lead_of_story.is_some_and(|of_story| of_story.item.id == lead.item.id) {
        return Ok(LanguageEdition::OfStory);
    }
    let developments = developments(lead.item.lang.as_deref())?;
    let text = compose_edition(story, lead, Some(latest).filter(|_| keeps_link), developments);
    let reason = match state.has_entries {
        false => EditionReason::First,
        true if text.linked != latest.linked => EditionReason::Corrected,
        true => EditionReason::Entered,
    };
    Ok(LanguageEdition::New(reason, text.into()))
}

/// Returns the listed stories of a storyline with the titles from `stories`. `stories` contains the storyline's stories
/// with titles in the language of an edition.
pub fn with_titles_of(listed: &[Development], stories: Vec<Development>) -> Vec<Development> {
    let mut titled: HashMap<StoryId, Development> = stories.into_iter().map(|story| (story.story, story)).collect();
    let title = |listed: &Development| match titled.remove(&listed.story) {
        Some(titled) => Development { has_entry: listed.has_entry, ..titled },
        None => listed.clone(),
    };
    listed.iter().map(title).collect()
}

/// Describes a story in the list of another story's edition, by its lead. If the lead is in a language other than
/// `language`, describes it by a report in `language`, if it has one: the first original, or else the first copy. The
/// store describes published stories by the same rule.
pub fn development_of(story: &Story, published_at: Timestamp, language: Option<&str>) -> Option<Development> {
    let lead = story.lead()?;
    let is_in_language = |report: &&StoryItem| report.item.lang.as_deref() == language;
    let order = |report: &&StoryItem| (report.copy_of.is_some(), report.item.ranked_at, report.item.id);
    let report = match language.is_none() || is_in_language(&lead) {
        true => lead,
        false => story.items.iter().filter(is_in_language).min_by_key(order).unwrap_or(lead),
    };
    let item = &report.item;
    Some(Development {
        story: story.id,
        title: item.title.clone(),
        lang: item.lang.clone(),
        link: item.url.clone(),
        outlet: item.outlet_name.clone(),
        outlet_count: story.outlet_count(),
        at: published_at,
        has_entry: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn listed_stories_keep_their_order_and_get_titles_in_the_language() {
        let development = |story: i64, title: &str, has_entry: bool| Development {
            story: StoryId::from_row(story),
            title: title.into(),
            lang: None,
            link: None,
            outlet: "a.example".into(),
            outlet_count: 1,
            at: Timestamp::UNIX_EPOCH,
            has_entry,
        };
        let listed = [development(2, "Storm", false), development(1, "Budget", true), development(4, "Old", true)];
        let titled =
            vec![development(1, "Budżet", false), development(3, "Most", false), development(2, "Burza", false)];
        assert_eq!(
            with_titles_of(&listed, titled),
            [development(2, "Burza", false), development(1, "Budżet", true), development(4, "Old", true)]
        );
    }
}
