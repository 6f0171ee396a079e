//! Feed membership: the stories of each feed in the order in which they entered the feed, and the candidates for the
//! feed's documents.

mod archive;
mod document_version;
mod hot_ranking;

pub use archive::{archive_page, archive_page_numbers};
pub(super) use document_version::count_new_editions;
pub use document_version::{DocumentVersion, archive_page_version, current_version};
pub use hot_ranking::ranked_stories;

use super::connection::{ReadConnection, WriteConnection};
use super::editions::{EDITION_COLUMNS, list_of_story};
use super::row_conversion::{column, from_row};
use super::{Result, publication};
use crate::domain::duration::before;
use crate::domain::{
    Edition, EditionReason, EntryVariants, FeedCandidate, FeedOrder, FeedVariant, PublishedFeed, StoryId,
    StorylineEntry, StorylineId,
};
use jiff::Timestamp;
use rusqlite::{named_params, params};
use serde::Deserialize;
use std::ops::RangeInclusive;

/// An entry to add to a feed.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry {
    pub story: StoryId,
    pub variants: EntryVariants,
    /// The edition that the stable variant keeps.
    pub edition: u32,
}

/// Adds entries to a feed, in this order. Omits an entry if a variant would show its story twice.
pub fn add(db: &WriteConnection, feed: &str, entries: &[NewEntry], now: Timestamp) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let count = entries.len() as i64;
    let (last, version): (i64, i64) = db.one(
        "INSERT INTO feed_sequence (feed, last_sequence, version) VALUES (?1, ?2, 1)
         ON CONFLICT (feed) DO UPDATE SET last_sequence = last_sequence + ?2, version = version + 1
         RETURNING last_sequence, version",
        params![feed, count],
    )?;
    for (entry, sequence) in entries.iter().zip(last - count + 1..) {
        let NewEntry { story, variants, edition } = entry;
        db.execute(
            "INSERT INTO feed_entry (feed, sequence, story_id, variants, edition_number, entered_at, published_at, version)
             SELECT ?1, ?2, id, ?4, ?5, ?6, published_at, ?7 FROM story WHERE id = ?3 AND NOT EXISTS (
                 SELECT 1 FROM feed_entry AS present WHERE present.story_id = ?3 AND present.feed = ?1
                 AND (present.variants = ?4 OR 'both' IN (present.variants, ?4)))",
            params![feed, sequence, story.to_row(), variants.into_str(), edition, now.as_millisecond(), version],
        )?;
    }
    publication::touch_feeds(db)
}

/// The candidates for a document of a feed, most recently entered first, and the adjacent archive pages.
#[derive(Debug, Clone, Default)]
pub struct CandidatePage {
    pub candidates: Vec<FeedCandidate>,
    /// The number of the page with the preceding entries. Page 1 is the oldest.
    pub previous: Option<u32>,
    /// The number of the page with the following entries, if that page is full.
    pub next: Option<u32>,
}

/// Returns the candidates for the current document of a feed: the stories that entered it most recently. The live
/// variant omits merged stories.
pub fn current_page(db: &ReadConnection, feed: &PublishedFeed, variant: FeedVariant) -> Result<CandidatePage> {
    let floor = earliest_date(db, feed, variant)?;
    let range = CandidateRange { sequences: 0..=i64::MAX, floor, limit: feed.selection.limit };
    let candidates = match feed.selection.order {
        FeedOrder::Newest => candidates(db, feed, variant, &range, None)?,
        FeedOrder::Hot => {
            let mut hottest = Vec::new();
            let ranked = ranked_stories(db, feed, variant)?;
            for (story, rank) in ranked.into_iter().take(feed.selection.limit as usize) {
                hottest.extend(candidates(db, feed, variant, &range, Some(story))?.into_iter().map(|mut candidate| {
                    candidate.rank = Some(rank);
                    candidate
                }));
            }
            hottest
        }
    };
    let previous = archive_page_numbers(db, feed)?.last().copied();
    Ok(CandidatePage { candidates, previous, next: None })
}

/// Returns the highest sequence number that a feed has used; 0 if it never had an entry.
pub fn last_sequence(db: &ReadConnection, feed: &str) -> Result<i64> {
    Ok(db.first("SELECT last_sequence FROM feed_sequence WHERE feed = ?1", [feed])?.unwrap_or(0))
}

/// Returns the first entry of the live variant after a sequence number, with its own sequence number.
pub fn next_entry(db: &ReadConnection, feed: &PublishedFeed, after: i64) -> Result<Option<(i64, FeedCandidate)>> {
    let next: Option<i64> = db.one(
        "SELECT min(sequence) FROM feed_entry JOIN story ON story.id = story_id
         WHERE feed = ?1 AND sequence > ?2 AND variants IN ('both', 'live') AND merged_into IS NULL",
        params![feed.name, after],
    )?;
    let Some(sequence) = next else { return Ok(None) };
    let range = CandidateRange { sequences: sequence..=sequence, floor: Timestamp::MIN, limit: 1 };
    let found = candidates(db, feed, FeedVariant::Live, &range, None)?.pop();
    Ok(found.map(|candidate| (sequence, candidate)))
}

/// The range of feed entries to read as candidates.
struct CandidateRange {
    sequences: RangeInclusive<i64>,
    /// The earliest publication time of the stories.
    floor: Timestamp,
    limit: u32,
}

/// Returns the earliest date of a story that a feed may show: its maximum age before its newest story.
fn earliest_date(db: &ReadConnection, feed: &PublishedFeed, variant: FeedVariant) -> Result<Timestamp> {
    let mut floor = Timestamp::MIN;
    if let Some(age) = feed.selection.max_age {
        // Considers the whole feed, because the last stories to enter may be older than stories that entered earlier.
        let newest: Option<Timestamp> = db.first(
            "SELECT entry.published_at FROM feed_entry AS entry CROSS JOIN story ON story.id = entry.story_id
             WHERE feed = ?1 AND (?2 OR merged_into IS NULL) AND variants IN ('both', ?3)
             ORDER BY entry.published_at DESC LIMIT 1",
            params![feed.name, variant == FeedVariant::Stable, variant.into_str()],
        )?;
        floor = newest.map_or(floor, |newest| before(newest, age));
    }
    Ok(floor)
}

/// Returns the candidates by sequence number, most recently entered first. If `story` is set, returns only the
/// candidates of that story.
fn candidates(
    db: &ReadConnection,
    feed: &PublishedFeed,
    variant: FeedVariant,
    range: &CandidateRange,
    story: Option<StoryId>,
) -> Result<Vec<FeedCandidate>> {
    let shown = match variant {
        FeedVariant::Stable => "entry.edition_number",
        // Entries in a language show the editions of the story until there is an edition for the language.
        FeedVariant::Live => {
            "(SELECT max(number) FROM edition AS e WHERE e.story_id = entry.story_id
              AND (e.number = entry.edition_number OR (e.reason <> 'entered' AND CASE WHEN language.lang IS NULL
                  THEN e.for_language IS NULL
                  ELSE e.for_language IS (SELECT max(for_language) FROM edition AS of_language
                                          WHERE of_language.story_id = entry.story_id AND reason <> 'entered'
                                          AND for_language = language.lang) END)))"
        }
    };
    let story_condition = if story.is_some() { "entry.story_id = :story" } else { ":story IS NULL" };
    let sql = format!(
        "SELECT {EDITION_COLUMNS}, story.published_at, entry.edition_number, language.lang AS entry_language,
                EXISTS (SELECT 1 FROM edition AS e WHERE e.story_id = entry.story_id AND e.number = entry.edition_number
                        AND e.reason = 'entered' AND e.number <> edition.number) AS has_earlier_edition
         FROM feed_entry AS entry JOIN story ON story.id = entry.story_id
         LEFT JOIN entry_language AS language ON language.feed = entry.feed AND language.story_id = entry.story_id
         JOIN edition ON edition.story_id = entry.story_id AND edition.number = {shown}
         WHERE entry.feed = :feed AND {story_condition} AND sequence BETWEEN :first AND :last AND entry.published_at >= :floor
         AND (:stable OR merged_into IS NULL) AND variants IN ('both', :variant)
         ORDER BY sequence DESC LIMIT :limit"
    );
    let params = named_params! {
        ":feed": feed.name, ":first": range.sequences.start(), ":last": range.sequences.end(), ":limit": range.limit,
        ":floor": range.floor.as_millisecond(), ":stable": variant == FeedVariant::Stable,
        ":variant": variant.into_str(), ":story": story.map(StoryId::to_row),
    };
    db.map(&sql, params, |row| {
        let edition: Edition = from_row(row)?;
        let editions = match column(row, "has_earlier_edition")? {
            true => {
                let language: Option<String> = column(row, "entry_language")?;
                editions_from(db, edition.story, column(row, "edition_number")?, language.as_deref())?
            }
            false => vec![edition],
        };
        Ok(FeedCandidate { published_at: column(row, "published_at")?, editions, rank: None })
    })
}

/// Returns the edition with which a story entered a feed and all later editions that entries in `language` show, except
/// those created for a single feed.
fn editions_from(db: &ReadConnection, story: StoryId, first: u32, language: Option<&str>) -> Result<Vec<Edition>> {
    let mut editions = list_of_story(db, story)?;
    let is_shared = |edition: &Edition| edition.reason != EditionReason::Entered;
    let has_own = editions.iter().any(|edition| is_shared(edition) && edition.for_language.as_deref() == language);
    let language = language.filter(|_| has_own);
    editions.retain(|edition| {
        let is_later = edition.number > first && is_shared(edition) && edition.for_language.as_deref() == language;
        edition.number == first || is_later
    });
    Ok(editions)
}

/// The time and the edition with which a story entered a feed.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct FeedMembership {
    pub entered_at: Timestamp,
    pub edition_number: u32,
}

/// Returns the membership of a story in a variant of a feed; `None` if the story is not in it.
pub fn membership(
    db: &ReadConnection,
    feed: &str,
    story: StoryId,
    variant: FeedVariant,
) -> Result<Option<FeedMembership>> {
    db.first(
        "SELECT entered_at, edition_number FROM feed_entry
         WHERE feed = ?1 AND story_id = ?2 AND variants IN ('both', ?3)",
        params![feed, story.to_row(), variant.into_str()],
    )
}

/// Returns whether any variant of a feed contains a story.
pub fn contains(db: &ReadConnection, feed: &str, story: StoryId) -> Result<bool> {
    db.exists("SELECT 1 FROM feed_entry WHERE feed = ?1 AND story_id = ?2", params![feed, story.to_row()])
}

/// Returns the feeds that contain a story and that `find` knows by name, each with the variants that show it.
pub fn of_story<F>(
    db: &ReadConnection,
    story: StoryId,
    find: impl Fn(&str) -> Option<F>,
) -> Result<Vec<(F, EntryVariants)>> {
    let sql = "SELECT feed, variants FROM feed_entry WHERE story_id = ?1";
    let entries = db.map(sql, [story.to_row()], |row| {
        // A thousand feeds may contain the story, so the names are not copied.
        let feed = row.get_ref("feed")?.as_str().map_err(rusqlite::Error::from)?;
        find(feed).map(|feed| Ok((feed, column(row, "variants")?))).transpose()
    })?;
    Ok(entries.into_iter().flatten().collect())
}

/// Returns the entries of a storyline in the live variants of all feeds, oldest story first. `document_size` returns
/// the maximum number of entries in a document of a feed. Newer entries are counted up to this number.
pub fn of_storyline(
    db: &ReadConnection,
    storyline: StorylineId,
    document_size: impl Fn(&str) -> u32,
) -> Result<Vec<StorylineEntry>> {
    #[derive(Deserialize)]
    struct Row {
        feed: String,
        story: StoryId,
        published_at: Timestamp,
        first_edition_at: Timestamp,
        sequence: i64,
        later_sequences: u32,
    }
    let rows: Vec<Row> = db.all(
        "SELECT feed, story.id AS story, story.published_at,
             (SELECT min(made_at) FROM edition WHERE story_id = story.id) AS first_edition_at, sequence,
             (SELECT last_sequence FROM feed_sequence WHERE feed_sequence.feed = feed_entry.feed) - sequence
                 AS later_sequences
         FROM story JOIN feed_entry ON feed_entry.story_id = story.id
         WHERE storyline_id = ?1 AND merged_into IS NULL AND variants <> 'stable'
         ORDER BY story.published_at, story.id, feed",
        [storyline.to_row()],
    )?;
    let entry = |row: Row| {
        let limit = document_size(&row.feed);
        // Some of the later numbers may belong to deleted entries, or to entries of the stable variant.
        let newer_entries = match row.later_sequences < limit {
            true => row.later_sequences,
            false => count_newer(db, &row.feed, row.sequence, limit)?,
        };
        let Row { feed, story, published_at, first_edition_at, .. } = row;
        Ok(StorylineEntry { feed, story, published_at, first_edition_at, newer_entries })
    };
    rows.into_iter().map(entry).collect()
}

/// Returns the number of entries of the live variant that entered a feed after a sequence number, at most `limit`.
fn count_newer(db: &ReadConnection, feed: &str, sequence: i64, limit: u32) -> Result<u32> {
    db.one(
        "SELECT count(*) FROM (
             SELECT 1 FROM feed_entry WHERE feed = ?1 AND sequence > ?2 AND variants <> 'stable' LIMIT ?3)",
        params![feed, sequence, limit],
    )
}
