//! The selections by which the entries of feeds were chosen, and the changes that a new selection requires.

use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{json_list, to_json};
use super::story_activity::story_list;
use super::story_selection::matching;
use super::{Result, publication};
use crate::domain::{
    EntryVariants, FeedFold, FeedOrder, FeedSelection, FeedVariant, PublishedFeed, StoryId, StorylineId,
};
use jiff::Timestamp;
use rusqlite::params;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// A feed, and the form of its selection that the database stores.
#[derive(Debug, Clone)]
pub struct SelectedFeed {
    pub feed: PublishedFeed,
    stored_selection: String,
}

impl SelectedFeed {
    pub fn new(feed: PublishedFeed) -> Result<SelectedFeed> {
        Ok(SelectedFeed { stored_selection: stored_selection(&feed.selection)?, feed })
    }
}

/// The relation between the entries of a feed and its selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntriesState {
    /// The entries are based on another selection or do not exist.
    OtherSelection,
    /// The tags of sources have changed since the entries were determined.
    Stale,
    Current,
}

/// Returns the states of the feeds' entries, in the same order, and whether the database contains other feeds.
pub fn states(db: &ReadConnection, feeds: &[SelectedFeed]) -> Result<(Vec<EntriesState>, bool)> {
    let stored: Vec<(String, String, bool)> = db.all("SELECT feed, selection, stale FROM feed_selection", [])?;
    let stored: HashMap<&str, (&str, bool)> =
        stored.iter().map(|(feed, selection, stale)| (feed.as_str(), (selection.as_str(), *stale))).collect();
    let state = |feed: &SelectedFeed| match stored.get(feed.feed.name.as_str()) {
        Some((selection, stale)) if *selection == feed.stored_selection => match stale {
            true => EntriesState::Stale,
            false => EntriesState::Current,
        },
        _ => EntriesState::OtherSelection,
    };
    let known = feeds.iter().filter(|feed| stored.contains_key(feed.feed.name.as_str())).count();
    Ok((feeds.iter().map(state).collect(), known < stored.len()))
}

/// Returns the number of feeds whose entries are not current.
pub fn count_outdated(db: &ReadConnection, feeds: &[PublishedFeed]) -> Result<usize> {
    let feeds = feeds.iter().cloned().map(SelectedFeed::new).collect::<Result<Vec<_>>>()?;
    Ok(states(db, &feeds)?.0.into_iter().filter(|state| *state != EntriesState::Current).count())
}

/// Returns whether the entries are based on the feed's current selection.
pub fn is_initialized(db: &ReadConnection, feed: &PublishedFeed) -> Result<bool> {
    let sql = "SELECT 1 FROM feed_selection WHERE feed = ?1 AND selection = ?2";
    db.exists(sql, [&feed.name, &stored_selection(&feed.selection)?])
}

/// The maximum number of stories in a new feed. The newest stories are used.
const MAX_INITIAL_STORIES: usize = 10_000;

/// The stories that a feed gains and loses because its configuration or the tags of sources changed.
#[derive(Debug, Clone)]
pub struct MembershipPlan {
    /// The matching stories that are not in the live variant, oldest first.
    pub entering: Vec<StoryId>,
    /// The stories whose entries are deleted and the variants that show them. A story that matches enters these variants
    /// again with a newer edition.
    pub deleted: Vec<(StoryId, EntryVariants)>,
    /// Whether entries remain.
    pub keeps_entries: bool,
    /// The stories that remain in the stable variant.
    pub in_stable: HashSet<StoryId>,
    /// The version of the source attributes by which the stories were selected.
    selection_version: i64,
}

/// Plans the changes of a feed whose entries are not current.
pub fn plan_membership(db: &ReadConnection, feed: &PublishedFeed) -> Result<MembershipPlan> {
    let mut matching = matching(db, &feed.selection)?;
    let keeps_others = is_initialized(db, feed)?;
    if keeps_others {
        // The limit prevents old stories of a newly tagged source from displacing current stories.
        if let Some(floor) = oldest_shown(db, feed)? {
            let is_older = |id: &StoryId| {
                let published_at: i64 = db.one("SELECT published_at FROM story WHERE id = ?1", [id.to_row()])?;
                Ok(published_at < floor)
            };
            matching.truncate(first_position(&matching, is_older)?);
        }
    }
    matching.truncate(MAX_INITIAL_STORIES);
    matching.reverse();
    let deleted = if keeps_others { Vec::new() } else { find_unfit(db, feed, &matching)? };
    let removed: HashSet<(StoryId, &str)> =
        deleted.iter().map(|(story, variants)| (*story, variants.into_str())).collect();
    let re_entering: HashSet<StoryId> = deleted.iter().map(|(story, _)| *story).collect();
    let mut entries: Vec<(StoryId, EntryVariants)> =
        db.all("SELECT story_id, variants FROM feed_entry WHERE feed = ?1", [&feed.name])?;
    entries.retain(|(story, variants)| !removed.contains(&(*story, variants.into_str())));
    let stories = |variant: FeedVariant| {
        let shown = entries.iter().filter(move |(_, variants)| variants.include(variant));
        shown.map(|(story, _)| *story).collect::<HashSet<StoryId>>()
    };
    let in_live = stories(FeedVariant::Live);
    matching.retain(|story| re_entering.contains(story) || !in_live.contains(story));
    let in_stable = stories(FeedVariant::Stable);
    let selection_version = publication::selection_version(db)?;
    Ok(MembershipPlan { entering: matching, deleted, keeps_entries: !entries.is_empty(), in_stable, selection_version })
}

/// A published story, and the values that change when its feed entries or editions would differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct StoryState {
    pub id: StoryId,
    pub storyline: StorylineId,
    pub updated_at: Timestamp,
    pub last_edition: u32,
}

/// Returns the states of the given stories that have an edition and are not merged, in the same order.
pub fn story_states(db: &ReadConnection, stories: &[StoryId]) -> Result<Vec<StoryState>> {
    db.all(
        "SELECT * FROM (
             SELECT story.id, storyline_id AS storyline, updated_at,
                    (SELECT max(number) FROM edition WHERE story_id = story.id) AS last_edition
             FROM json_each(?1) AS listed CROSS JOIN story ON story.id = listed.value
             WHERE merged_into IS NULL ORDER BY listed.key)
         WHERE last_edition IS NOT NULL",
        [story_list(stories)],
    )
}

/// Returns the position of the first story that meets a condition, which all stories after it meet too.
fn first_position(stories: &[StoryId], meets: impl Fn(&StoryId) -> Result<bool>) -> Result<usize> {
    let (mut start, mut end) = (0, stories.len());
    while start < end {
        let middle = start.midpoint(end);
        match meets(&stories[middle])? {
            true => end = middle,
            false => start = middle + 1,
        }
    }
    Ok(start)
}

/// Returns the date of the oldest story in a full feed; `None` if the feed is not full.
fn oldest_shown(db: &ReadConnection, feed: &PublishedFeed) -> Result<Option<i64>> {
    db.one(
        "SELECT CASE WHEN count(*) = ?2 THEN min(published_at) END FROM (
             SELECT published_at FROM feed_entry WHERE feed = ?1 AND variants <> 'stable' ORDER BY sequence DESC LIMIT ?2)",
        params![feed.name, feed.selection.limit],
    )
}

/// Returns the entries that violate a changed selection: the story does not match, or the entry shows fewer outlets than
/// the feed requires.
fn find_unfit(
    db: &ReadConnection,
    feed: &PublishedFeed,
    matching: &[StoryId],
) -> Result<Vec<(StoryId, EntryVariants)>> {
    db.all(
        "SELECT story_id, variants FROM feed_entry WHERE feed = ?1 AND (
             story_id NOT IN (SELECT value FROM json_each(?2))
             OR (SELECT outlet_count FROM edition
                 WHERE edition.story_id = feed_entry.story_id AND number = edition_number) < ?3)",
        params![feed.name, story_list(matching), feed.selection.min_outlets],
    )
}

/// Deletes entries of a feed.
pub fn delete_entries(db: &WriteConnection, feed: &str, deleted: &[(StoryId, EntryVariants)]) -> Result<()> {
    for (story, variants) in deleted {
        db.execute(
            "DELETE FROM feed_entry WHERE feed = ?1 AND story_id = ?2 AND variants = ?3",
            params![feed, story.to_row(), variants.into_str()],
        )?;
    }
    Ok(())
}

/// Records the selection that determined the entries of a feed. The first call also records the time at which newsfold
/// first saw the feed. Returns whether the entries are current. They are stale if sources have changed since the plan
/// was made.
pub fn record(db: &WriteConnection, feed: &SelectedFeed, plan: &MembershipPlan, now: Timestamp) -> Result<bool> {
    let is_current = publication::selection_version(db)? == plan.selection_version;
    db.execute(
        "INSERT INTO feed_selection (feed, selection, stale, first_known_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (feed) DO UPDATE SET selection = excluded.selection, stale = excluded.stale",
        params![feed.feed.name, feed.stored_selection, !is_current, now.as_millisecond()],
    )?;
    Ok(is_current)
}

/// Deletes the entries of feeds that are no longer configured, and the access tokens of feeds that are public now.
pub fn delete_others(db: &WriteConnection, feeds: &[SelectedFeed]) -> Result<()> {
    let names = json_list(&feeds.iter().map(|feed| &feed.feed.name).collect::<Vec<_>>());
    let private = feeds.iter().filter(|feed| feed.feed.private);
    let private = json_list(&private.map(|feed| &feed.feed.name).collect::<Vec<_>>());
    // Finds the entries by their feed, because most entries belong to other feeds.
    let delete_entries = "DELETE FROM feed_entry WHERE feed IN (
                              SELECT feed FROM feed_selection WHERE feed NOT IN (SELECT value FROM json_each(?1)))";
    for (sql, kept) in [
        (delete_entries, &names),
        ("DELETE FROM feed_selection WHERE feed NOT IN (SELECT value FROM json_each(?1))", &names),
        ("DELETE FROM feed_token WHERE feed NOT IN (SELECT value FROM json_each(?1))", &private),
    ] {
        db.execute(sql, [kept])?;
    }
    Ok(())
}

/// Returns when newsfold first saw a feed, which is the date of its documents while the feed is empty. If the document
/// does not belong to a configured feed, returns when newsfold first saw any feed.
pub fn known_since(db: &ReadConnection, feed: Option<&str>) -> Result<Timestamp> {
    db.one(
        "SELECT coalesce((SELECT first_known_at FROM feed_selection WHERE feed = ?1),
                         (SELECT min(first_known_at) FROM feed_selection), (SELECT min(added_at) FROM source), 0)",
        [feed],
    )
}

/// Returns the part of a selection that determines the entries. The limit, the maximum age and the order are omitted,
/// because they only select from the entries. A change of folding applies to stories that enter later.
fn stored_selection(selection: &FeedSelection) -> Result<String> {
    let fold = FeedFold::default();
    to_json(&FeedSelection { limit: 0, order: FeedOrder::Newest, max_age: None, fold, ..selection.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_position_is_where_the_condition_begins_to_hold() {
        for count in 0..6 {
            let stories: Vec<StoryId> = (0..count).map(StoryId::from_row).collect();
            for first in 0..=count {
                let found = first_position(&stories, |story| Ok(story.to_row() >= first)).unwrap();
                assert_eq!(found, first as usize, "of {count}");
            }
        }
    }
}
