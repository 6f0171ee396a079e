//! Pure functions that decide when a published story gets a new edition. [`super::first_publication()`] decides when a
//! story is published, and [`super::lead_choice`] chooses the lead.

use super::edition_text::compose_edition;
use super::lead_choice::LeadPreferences;
use super::options::Options;
use crate::domain::duration::after;
use crate::domain::volatile_text::equals_but_for_volatile_parts;
use crate::domain::{
    Development, Edition, EditionReason, EditionText, EditionTimes, ItemId, Story, StoryId, StoryItem, Timestamp,
};
use std::collections::BTreeSet;

/// The next step for the editions of a published story.
#[derive(Debug, Clone, PartialEq)]
pub enum EditionStep {
    /// Write this edition now.
    Write(EditionReason, Box<EditionText>),
    /// A new edition is needed, but the minimum interval since the last edition has not passed.
    WaitUntil(Timestamp),
    /// No edition is needed until the story changes.
    Unchanged,
}

/// A published story, and the facts that determine whether it needs a new edition.
pub struct EditionReview<'a> {
    pub story: &'a Story,
    /// The lead of the next edition.
    pub lead: &'a StoryItem,
    /// The times of the story's first and last editions; `None` if it has no editions.
    pub times: Option<EditionTimes>,
    /// The latest edition that was not created for a single feed.
    pub latest: Option<&'a Edition>,
    /// The other stories of the storyline that the entry lists.
    pub developments: Vec<Development>,
}

/// Decides whether a published story needs a new edition.
pub fn next_edition(review: EditionReview<'_>, now: Timestamp, options: &Options) -> EditionStep {
    let EditionReview { story, lead, times, latest, mut developments } = review;
    if let (Some(times), Some(latest)) = (times, latest)
        && now >= after(times.first, options.update_window)
    {
        // An edition after the update window only corrects the link.
        developments.clone_from(&latest.text.developments);
    }
    let text = compose_edition(story, lead, latest.map(|latest| &latest.text), developments);
    let (Some(times), Some(latest)) = (times, latest) else {
        return EditionStep::Write(EditionReason::First, text.into());
    };
    let Some(reason) = reason_for_edition(latest, story, &text) else { return EditionStep::Unchanged };
    let earliest = after(times.last, options.min_update_interval);
    // After an old story is split, a link to a report of another story would be wrong permanently.
    let link_is_lost = text.linked != latest.text.linked;
    if !link_is_lost && now.max(earliest) >= after(times.first, options.update_window) {
        return EditionStep::Unchanged;
    }
    if earliest > now { EditionStep::WaitUntil(earliest) } else { EditionStep::Write(reason, text.into()) }
}

/// Returns the reason for a new edition with this text, if the story contains anything that its latest edition lacks.
fn reason_for_edition(latest: &Edition, story: &Story, text: &EditionText) -> Option<EditionReason> {
    let items = story.items.iter().map(|i| i.item.id).collect();
    change_between(latest, text, story.outlet_count(), &items)
}

/// Returns whether an edition contains anything that is new to a reader of `known`.
pub(super) fn adds_to(edition: &Edition, known: &Edition) -> bool {
    let items = edition.text.reports.iter().map(|report| report.item).collect();
    change_between(known, &edition.text, edition.outlet_count, &items).is_some()
}

/// Returns the reason for a new edition with this text, if any. `items` are the story's items, and `outlets` are their
/// distinct outlets.
fn change_between(
    known: &Edition,
    text: &EditionText,
    outlets: u32,
    items: &BTreeSet<ItemId>,
) -> Option<EditionReason> {
    let old = &known.text;
    let left_storyline = old.storyline.is_some() && text.storyline != old.storyline;
    let lead_changed = (text.lead, &text.link) != (old.lead, &old.link)
        || !equals_but_for_volatile_parts(&text.title, &old.title)
        || !equals_but_for_volatile_parts(&text.summary, &old.summary);
    if text.merged_count > old.merged_count {
        Some(EditionReason::Merged)
    } else if lead_changed || left_storyline || old.reports.iter().any(|report| !items.contains(&report.item)) {
        Some(EditionReason::Corrected)
    } else if outlets.max(1).ilog2() > known.outlet_count.max(1).ilog2() {
        Some(EditionReason::Grown)
    } else if lists_others(text, old) {
        Some(EditionReason::Developed)
    } else {
        None
    }
}

/// Returns whether an edition lists a story without its own entry that an older edition does not list.
fn lists_others(text: &EditionText, old: &EditionText) -> bool {
    let known: BTreeSet<StoryId> = old.developments.iter().map(|development| development.story).collect();
    text.developments.iter().any(|development| !development.has_entry && !known.contains(&development.story))
}

/// Returns the edition with which a story enters a feed, and the reason for the edition. Returns `None` unless the
/// story contains more than its latest edition.
pub fn edition_on_entering(story: &Story, latest: &Edition, options: &Options) -> Option<(EditionReason, EditionText)> {
    edition_after(story, latest, LeadPreferences::of_site(options).keep(story, story.lead)?)
}

/// Returns the edition with which a story enters a feed, given its lead, and the reason for the edition. Returns `None`
/// unless the story contains more than `latest`. Other feeds that show `latest` must show the same link, so the edition
/// is for all feeds if its link is new.
pub(super) fn edition_after(story: &Story, latest: &Edition, lead: &StoryItem) -> Option<(EditionReason, EditionText)> {
    let text = compose_edition(story, lead, Some(&latest.text), latest.text.developments.clone());
    let has_more =
        text.reports.len() != latest.text.reports.len() || reason_for_edition(latest, story, &text).is_some();
    let has_new_link = text.linked != latest.text.linked;
    let reason = if has_new_link { EditionReason::Corrected } else { EditionReason::Entered };
    has_more.then_some((reason, text))
}
