//! The `hot` order: the stories of a feed by the recent activity of outlets.

use super::super::Result;
use super::super::story_activity::{story_activity, story_list};
use super::earliest_date;
use crate::domain::{Development, FeedVariant, OutletActivity, PublishedFeed, StoryActivity, StoryId, StoryRank};
use crate::store::ReadConnection;
use rusqlite::named_params;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Returns the stories of a feed with `hot` order and their ranks, highest first. The rank of an entry takes into
/// account the stories that it lists, which have no entries of their own.
pub fn ranked_stories(
    db: &ReadConnection,
    feed: &PublishedFeed,
    variant: FeedVariant,
) -> Result<Vec<(StoryId, StoryRank)>> {
    let entered: Vec<StoryId> = db.all(
        "SELECT story.id FROM feed_entry AS entry JOIN story ON story.id = entry.story_id
         WHERE entry.feed = :feed AND entry.published_at >= :floor AND variants IN ('both', :variant)
         AND (:stable OR merged_into IS NULL) ORDER BY updated_at DESC, story.id DESC LIMIT :limit",
        named_params! {
            ":feed": feed.name, ":floor": earliest_date(db, feed, variant)?.as_millisecond(),
            ":stable": variant == FeedVariant::Stable, ":variant": variant.into_str(),
            ":limit": feed.selection.candidate_limit(),
        },
    )?;
    // Maps each story to the entries that show or list it.
    let mut entries: BTreeMap<StoryId, Vec<StoryId>> = entered.iter().map(|story| (*story, vec![*story])).collect();
    for (entry, listed) in listed_stories(db, &entered)? {
        entries.entry(listed).or_default().push(entry);
    }
    let mut outlets: BTreeMap<StoryId, BTreeMap<String, OutletActivity>> = BTreeMap::new();
    for StoryActivity { story, outlets: activity, .. } in story_activity(db, entries.keys(), None)? {
        for entry in &entries[&story] {
            let of_entry = outlets.entry(*entry).or_default();
            for (outlet, activity) in &activity {
                of_entry.entry(outlet.clone()).or_insert(*activity).combine(*activity);
            }
        }
    }
    let rank = |(story, outlets): (StoryId, BTreeMap<String, OutletActivity>)| {
        (story, StoryRank::new(outlets.into_values(), feed.half_life))
    };
    let mut ranked: Vec<(StoryId, StoryRank)> = outlets.into_iter().map(rank).collect();
    ranked.sort_by_key(|(story, rank)| Reverse((*rank, *story)));
    Ok(ranked)
}

/// Returns pairs of an entry and a story that its latest edition lists.
fn listed_stories(db: &ReadConnection, entered: &[StoryId]) -> Result<Vec<(StoryId, StoryId)>> {
    let editions: Vec<(StoryId, Vec<Development>)> = db.all(
        "SELECT edition.story_id, edition.text -> '$.developments'
         FROM json_each(?1) AS entered JOIN story ON story.id = entered.value
         JOIN edition ON edition.story_id = story.id
             AND number = (SELECT max(number) FROM edition AS e WHERE e.story_id = story.id AND for_language IS NULL)
         WHERE EXISTS (SELECT 1 FROM story AS other WHERE other.storyline_id = story.storyline_id AND other.id <> story.id)
         AND json_array_length(edition.text, '$.developments') > 0",
        [story_list(entered)],
    )?;
    let listed = |(entry, developments): (StoryId, Vec<Development>)| {
        let listed = developments.into_iter().filter(|development| !development.has_entry);
        listed.map(move |development| (entry, development.story))
    };
    Ok(editions.into_iter().flat_map(listed).collect())
}
