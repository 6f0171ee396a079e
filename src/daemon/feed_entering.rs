//! Determines how a story enters a feed: with an entry of its own or as a part of its storyline's entry, and with which
//! edition.

use crate::domain::{
    Development, Edition, EditionReason, EntryVariants, FeedFold, FeedVariant, PublishedFeed, Story, StoryId,
    StorylineEntry, Timestamp,
};
use crate::publish::{FoldingPolicy, Options, edition_on_entering};
use crate::store::{
    self, ReadConnection, WriteConnection, editions, feed_entries, stories, storyline_membership, storylines,
};
use crate::storyline::StorylineGrouper;
use std::collections::HashMap;

/// The maximum number of entries with which a story is compared, and the maximum number of reports that are read from
/// each story. The newest entries are compared.
const MAX_COMPARED_ENTRIES: usize = 40;
const MAX_COMPARED_REPORTS: usize = 20;

/// Returns the variants of a feed in which a story gets an entry of its own; `None` if it is a part of its storyline's
/// entry.
pub(super) fn entered_variants(
    db: &ReadConnection,
    feed: &PublishedFeed,
    story: &Story,
    now: Timestamp,
    folding: &FoldingPolicy,
) -> store::Result<Option<EntryVariants>> {
    if feed.selection.fold == FeedFold::Stories {
        return Ok(Some(EntryVariants::Both));
    }
    let mut entries = feed_entries::of_storyline(db, story.storyline)?;
    entries.retain(|entry| entry.feed == feed.name && entry.story != story.id);
    let variants = folding.entry_variants(story.outlet_count(), &entries, now, || similarity(db, story, &entries))?;
    let is_known = variants == Some(EntryVariants::Stable)
        && feed_entries::membership(db, &feed.name, story.id, FeedVariant::Stable)?.is_some();
    Ok(variants.filter(|_| !is_known))
}

/// Returns the other stories of the storyline that an edition of the story lists.
pub(super) fn related_stories(
    db: &ReadConnection,
    story: &Story,
    now: Timestamp,
    folding: &FoldingPolicy,
) -> store::Result<Vec<Development>> {
    if !storyline_membership::has_other_stories(db, story.id)? {
        return Ok(Vec::new());
    }
    let others = storylines::developments(db, story.storyline)?;
    let mut entries = feed_entries::of_storyline(db, story.storyline)?;
    entries.retain(|entry| folding.folds(&entry.feed));
    Ok(folding.developments(story.id, others, &entries, now))
}

/// Enqueues the entries of a storyline for review if the storyline contains stories other than this one.
pub(super) fn enqueue_storyline(db: &WriteConnection, story: &Story) -> store::Result<()> {
    match storyline_membership::has_other_stories(db, story.id)? {
        true => storyline_membership::enqueue_entries(db, story.storyline),
        false => Ok(()),
    }
}

/// Returns the highest similarity of a story to one of the entries.
fn similarity(db: &ReadConnection, story: &Story, entries: &[StorylineEntry]) -> store::Result<f32> {
    let mut compared = StorylineGrouper::default();
    let mut add = |story: &Story| {
        let reports = story.items.iter().take(MAX_COMPARED_REPORTS);
        reports.for_each(|report| compared.add(&report.item, story.id));
    };
    add(story);
    for entry in entries.iter().rev().take(MAX_COMPARED_ENTRIES) {
        if let Some(other) = stories::get(db, entry.story)? {
            add(&other);
        }
    }
    Ok(compared.weigh().highest_similarity(story.id))
}

/// The editions with which stories enter feeds at the same time, by story. The feeds share them.
#[derive(Default)]
pub(super) struct EditionsOnEntering(HashMap<StoryId, u32>);

/// The date of an edition that is written because a story enters a feed, and the options for its text.
pub(super) struct EnteringTime<'o> {
    pub at: Timestamp,
    pub options: &'o Options,
}

impl EditionsOnEntering {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, story: StoryId) -> bool {
        self.0.contains_key(&story)
    }

    /// Returns the number of the edition with which a story enters a feed: the latest edition, or a new edition if the
    /// story contains more than the latest one.
    pub(super) fn number(
        &mut self,
        db: &WriteConnection,
        story: &Story,
        latest: &Edition,
        time: EnteringTime<'_>,
    ) -> store::Result<u32> {
        if let Some(number) = self.0.get(&story.id) {
            return Ok(*number);
        }
        let number = match edition_on_entering(story, latest, time.options) {
            Some(text) => {
                // All feeds show the same link for a story.
                let has_new_link = text.linked != latest.text.linked;
                let reason = if has_new_link { EditionReason::Corrected } else { EditionReason::Entered };
                editions::add(db, story, reason, &text, time.at)?
            }
            None => latest.number,
        };
        self.0.insert(story.id, number);
        Ok(number)
    }
}
