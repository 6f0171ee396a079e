//! Editions in the database, and which stories stand in which feed: what readers were given, kept as it was.

use super::rows::{collect, json_list, time, word};
use super::stories::{self, matching};
use super::{Error, Result};
use crate::model::{
    Cause, Edition, EditionText, FeedEntry, FeedSelection, ItemId, Order, Published, PublishedFeed, Story, StoryId,
    Variant,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use std::collections::BTreeMap;

/// A published story that is to be looked at.
#[derive(Debug, Clone)]
pub struct Due {
    pub story: Story,
    /// Goes up whenever the story changes: what was decided on an earlier turn is decided anew.
    pub turn: i64,
    /// When its first edition was made.
    pub first_at: Option<Timestamp>,
    /// The latest edition that is not for one feed alone.
    pub latest: Option<Edition>,
}

/// The published stories whose time to be looked at has come.
pub fn due(db: &Connection, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
    let mut statement =
        db.prepare_cached("SELECT story_id, turn FROM due WHERE at <= ?1 ORDER BY at, story_id LIMIT ?2")?;
    let rows: Vec<(i64, i64)> =
        collect(&mut statement, params![now.as_millisecond(), limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let turns: BTreeMap<i64, i64> = rows.iter().copied().collect();
    let mut first = db.prepare_cached("SELECT made_at FROM edition WHERE story_id = ?1 AND number = 1")?;
    let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
    let mut all = Vec::with_capacity(ids.len());
    for story in stories::load(db, &ids)? {
        let first_at = first.query_row([story.id.to_row()], |row| row.get(0)).optional()?.map(time).transpose()?;
        let latest = latest(db, story.id)?;
        let turn = turns.get(&story.id.to_row()).copied().unwrap_or_default();
        all.push(Due { story, turn, first_at, latest });
    }
    Ok(all)
}

/// A story was looked at: it is due again at `next`, or when it changes. Nothing where it has changed meanwhile.
pub fn looked_at(db: &Connection, story: StoryId, turn: i64, next: Option<Timestamp>) -> Result<()> {
    let story = story.to_row();
    match next {
        Some(next) => db
            .prepare_cached("UPDATE due SET at = ?3 WHERE story_id = ?1 AND turn = ?2")?
            .execute(params![story, turn, next.as_millisecond()])?,
        None => {
            db.prepare_cached("DELETE FROM due WHERE story_id = ?1 AND turn = ?2")?.execute(params![story, turn])?
        }
    };
    Ok(())
}

/// Whether nothing has changed a story since that turn.
pub fn is_turn(db: &Connection, story: StoryId, turn: i64) -> Result<bool> {
    let mut same = db.prepare_cached("SELECT 1 FROM due WHERE story_id = ?1 AND turn = ?2")?;
    Ok(same.exists(params![story.to_row(), turn])?)
}

/// The lead of a published story says something else.
pub(super) fn look_at_story_led_by(db: &Connection, item: ItemId) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO due (story_id, at, turn)
         SELECT id, 0, 1 FROM story WHERE lead_id = ?1 AND published_at IS NOT NULL AND merged_into IS NULL
         ON CONFLICT (story_id) DO UPDATE SET at = 0, turn = turn + 1",
    )?
    .execute([item.0])?;
    Ok(())
}

/// Writes down an edition, after the story's latest one, with the item that leads the story from now on.
pub fn add(
    db: &Connection,
    story: StoryId,
    cause: Cause,
    outlets: u32,
    text: &EditionText,
    now: Timestamp,
) -> Result<u32> {
    let number: u32 = db
        .prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM edition WHERE story_id = ?1")?
        .query_row([story.to_row()], |row| row.get(0))?;
    let written = serde_json::to_string(text).map_err(|e| Error::Corrupt(e.to_string()))?;
    db.prepare_cached(
        "INSERT INTO edition (story_id, number, made_at, cause, outlets, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![story.to_row(), number, now.as_millisecond(), cause.as_str(), outlets, written])?;
    db.prepare_cached("UPDATE story SET lead_id = ?2 WHERE id = ?1")?.execute([story.to_row(), text.lead.0])?;
    Ok(number)
}

/// The latest edition of a story that is not for one feed alone.
pub fn latest(db: &Connection, story: StoryId) -> Result<Option<Edition>> {
    let sql = format!(
        "SELECT {EDITION_COLUMNS} FROM edition WHERE story_id = ?1 AND cause <> 'entered' ORDER BY number DESC LIMIT 1"
    );
    db.prepare_cached(&sql)?.query_row([story.to_row()], |row| Ok(edition(row))).optional()?.transpose()
}

/// All editions of a story, in order.
pub fn of_story(db: &Connection, story: StoryId) -> Result<Vec<Edition>> {
    let sql = format!("SELECT {EDITION_COLUMNS} FROM edition WHERE story_id = ?1 ORDER BY number");
    collect(&mut *db.prepare_cached(&sql)?, [story.to_row()], edition)
}

/// Those of these stories that come into a feed now: they match, and are not in it yet.
pub fn entering(db: &Connection, feed: &PublishedFeed, among: &[StoryId]) -> Result<Vec<StoryId>> {
    let mut known = db.prepare_cached("SELECT 1 FROM feed_entry WHERE feed = ?1 AND story_id = ?2")?;
    let mut new = Vec::new();
    for id in among {
        if !known.exists(params![feed.name, id.to_row()])? {
            new.push(*id);
        }
    }
    if new.is_empty() { Ok(new) } else { matching(db, &feed.selection, Some(&new)) }
}

/// Puts a story into a feed, with the edition that the feed's stable variant shows for good.
pub fn enter(db: &Connection, feed: &str, story: StoryId, edition: u32, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO feed_entry (feed, seq, story_id, edition, entered_at)
         SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4 FROM feed_entry WHERE feed = ?1",
    )?
    .execute(params![feed, story.to_row(), edition, now.as_millisecond()])?;
    Ok(())
}

/// Whether the entries of all feeds were chosen by the selections that they have now.
pub fn follows_selections(db: &Connection, feeds: &[PublishedFeed]) -> Result<bool> {
    for feed in feeds {
        if !is_chosen(db, feed)? {
            return Ok(false);
        }
    }
    let chosen: i64 = db.prepare_cached("SELECT count(*) FROM feed_selection")?.query_row([], |row| row.get(0))?;
    Ok(chosen == feeds.len() as i64)
}

/// Whether the entries of a feed were chosen by the selection that it has now.
pub fn is_chosen(db: &Connection, feed: &PublishedFeed) -> Result<bool> {
    let mut known = db.prepare_cached("SELECT 1 FROM feed_selection WHERE feed = ?1 AND selection = ?2")?;
    Ok(known.exists([&feed.name, &written(&feed.selection)?])?)
}

/// Chooses the entries of feeds anew whose selection is another than the one by which they were chosen, and forgets
/// feeds that are no more.
pub fn follow_selections(db: &Connection, feeds: &[PublishedFeed], now: Timestamp) -> Result<()> {
    for feed in feeds {
        if !is_chosen(db, feed)? {
            choose_anew(db, feed, now)?;
            db.prepare_cached("INSERT OR REPLACE INTO feed_selection (feed, selection) VALUES (?1, ?2)")?
                .execute([&feed.name, &written(&feed.selection)?])?;
        }
    }
    let names = json_list(&feeds.iter().map(|feed| &feed.name).collect::<Vec<_>>());
    for sql in [
        "DELETE FROM feed_entry WHERE feed NOT IN (SELECT value FROM json_each(?1))",
        "DELETE FROM feed_selection WHERE feed NOT IN (SELECT value FROM json_each(?1))",
    ] {
        db.prepare_cached(sql)?.execute([&names])?;
    }
    stories::touch(db)
}

/// A selection as the entries depend on it: the limit, the age and the order choose among entries, and not which there
/// are.
fn written(selection: &FeedSelection) -> Result<String> {
    let selection = FeedSelection { limit: 0, order: Order::Newest, max_age: None, ..selection.clone() };
    serde_json::to_string(&selection).map_err(|e| Error::Corrupt(e.to_string()))
}

/// What is in the feed and still matches stays as it is; the rest goes, and what else matches comes in, the oldest first.
fn choose_anew(db: &Connection, feed: &PublishedFeed, now: Timestamp) -> Result<()> {
    let matching: Vec<i64> = matching(db, &feed.selection, None)?.into_iter().map(|id| id.to_row()).collect();
    let list = json_list(&matching);
    db.prepare_cached(
        "DELETE FROM feed_entry WHERE feed = ?1 AND story_id NOT IN (SELECT value FROM json_each(?2))
         AND story_id IN (SELECT id FROM story WHERE merged_into IS NULL)",
    )?
    .execute(params![feed.name, list])?;
    db.prepare_cached(
        "WITH latest AS (
             SELECT story_id, max(number) AS number FROM edition WHERE cause <> 'entered'
             AND story_id IN (SELECT value FROM json_each(?2)) GROUP BY story_id)
         INSERT INTO feed_entry (feed, seq, story_id, edition, entered_at)
         SELECT ?1, (SELECT coalesce(max(seq), 0) FROM feed_entry WHERE feed = ?1)
                    + row_number() OVER (ORDER BY matched.key DESC), latest.story_id, latest.number, ?3
         FROM json_each(?2) AS matched JOIN latest ON latest.story_id = matched.value
         WHERE latest.story_id NOT IN (SELECT story_id FROM feed_entry WHERE feed = ?1)",
    )?
    .execute(params![feed.name, list, now.as_millisecond()])?;
    Ok(())
}

/// A document of a feed: its entries in their order, and the archive pages beside it.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub entries: Vec<FeedEntry>,
    /// The page of the entries that came before these; 1 is the oldest.
    pub previous: Option<u32>,
    /// The page of those that came after them, where that one is full as well.
    pub next: Option<u32>,
}

/// What a feed holds now: of the stories that came into it the last ones, or those that weigh most, newest or heaviest
/// first. A story that was merged away has left the live variant.
pub fn current(db: &Connection, feed: &PublishedFeed, variant: Variant) -> Result<Page> {
    let FeedSelection { limit, order, max_age, .. } = feed.selection;
    let window = match order {
        Order::Newest => limit,
        Order::Weight => limit.max(WEIGHED),
    };
    let mut entries = read(db, feed, variant, (0, i64::MAX), window)?;
    if let Some(age) = max_age
        && let Some(newest) = entries.iter().map(|(entry, _)| entry.published.at).max()
    {
        entries.retain(|(entry, _)| entry.published.at + age >= newest);
    }
    match order {
        Order::Newest => entries.sort_by_key(|(e, _)| std::cmp::Reverse((e.published.at, e.edition.story))),
        Order::Weight => entries.sort_by_key(|(e, priority)| {
            let weight = Order::weight(e.edition.outlets, *priority, e.published.at);
            std::cmp::Reverse((weight, e.edition.story))
        }),
    }
    entries.truncate(limit as usize);
    let previous = exists(db, feed, archive_pages(db, feed)?)?;
    Ok(Page { entries: plain(entries), previous, next: None })
}

/// Of a feed that is ordered by weight, so many of the last stories are weighed.
const WEIGHED: u32 = 2000;

/// A page of a feed's archive (RFC 5005, section 4): as many entries as the feed itself may hold, in the order in which
/// they came into it. Only full pages are there, so that a page never changes but by what the live variant changes.
pub fn archive(db: &Connection, feed: &PublishedFeed, variant: Variant, page: u32) -> Result<Option<Page>> {
    let full = archive_pages(db, feed)?;
    if !(1..=full).contains(&page) {
        return Ok(None);
    }
    let limit = i64::from(feed.selection.limit);
    let (after, until) = (i64::from(page - 1) * limit, i64::from(page) * limit);
    let mut entries = read(db, feed, variant, (after, until), feed.selection.limit)?;
    entries.sort_by_key(|(e, _)| std::cmp::Reverse((e.published.at, e.edition.story)));
    let next = Some(page + 1).filter(|next| *next <= full);
    Ok(Some(Page { entries: plain(entries), previous: exists(db, feed, page - 1)?, next }))
}

/// How many archive pages a feed has: only full ones are there.
pub fn archive_pages(db: &Connection, feed: &PublishedFeed) -> Result<u32> {
    if has_archive(feed) { full_pages(db, feed) } else { Ok(0) }
}

fn full_pages(db: &Connection, feed: &PublishedFeed) -> Result<u32> {
    let last: i64 = db
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM feed_entry WHERE feed = ?1")?
        .query_row([&feed.name], |row| row.get(0))?;
    Ok(u32::try_from(last / i64::from(feed.selection.limit.max(1))).unwrap_or(u32::MAX))
}

/// A feed that leaves things out by age or weight has no archive, since what it left out does not belong to it.
fn has_archive(feed: &PublishedFeed) -> bool {
    feed.selection.order == Order::Newest && feed.selection.max_age.is_none()
}

/// A page, unless all that it and those before it held has been removed for its age.
fn exists(db: &Connection, feed: &PublishedFeed, page: u32) -> Result<Option<u32>> {
    let until = i64::from(page) * i64::from(feed.selection.limit);
    let mut any = db.prepare_cached("SELECT 1 FROM feed_entry WHERE feed = ?1 AND seq <= ?2")?;
    Ok(if page > 0 && any.exists(params![feed.name, until])? { Some(page) } else { None })
}

fn plain(entries: Vec<(FeedEntry, i32)>) -> Vec<FeedEntry> {
    entries.into_iter().map(|(entry, _)| entry).collect()
}

/// Entries with the priorities of their leads' sources, the last to come first.
fn read(
    db: &Connection,
    feed: &PublishedFeed,
    variant: Variant,
    (after, until): (i64, i64),
    limit: u32,
) -> Result<Vec<(FeedEntry, i32)>> {
    let shown = match variant {
        Variant::Stable => "entry.edition",
        Variant::Live => {
            "(SELECT max(number) FROM edition AS e WHERE e.story_id = entry.story_id
              AND (e.cause <> 'entered' OR e.number = entry.edition))"
        }
    };
    let sql = format!(
        "SELECT {EDITION_COLUMNS}, story.published_at, published_link, coalesce(source.priority, 0)
         FROM feed_entry AS entry JOIN story ON story.id = entry.story_id
         JOIN edition ON edition.story_id = entry.story_id AND edition.number = {shown}
         LEFT JOIN item ON item.id = edition.text ->> '$.lead' LEFT JOIN source ON source.id = item.source_id
         WHERE entry.feed = :feed AND seq > :after AND seq <= :until AND (:stable OR merged_into IS NULL)
         ORDER BY seq DESC LIMIT :limit"
    );
    let named = named_params! {
        ":feed": feed.name, ":after": after, ":until": until, ":limit": limit, ":stable": variant == Variant::Stable,
    };
    collect(&mut *db.prepare_cached(&sql)?, named, |row| {
        Ok((entry(row)?, row.get::<_, i64>(EDITION_WIDTH + 2)?.clamp(-1000, 1000) as i32))
    })
}

/// The latest editions of these stories, in the same order; those without one are left out.
pub fn of_stories(db: &Connection, ids: &[StoryId]) -> Result<Vec<FeedEntry>> {
    let sql = format!(
        "SELECT {EDITION_COLUMNS}, story.published_at, published_link FROM edition JOIN story ON story.id = story_id
         WHERE story_id = ?1 AND cause <> 'entered' ORDER BY number DESC LIMIT 1"
    );
    let mut one = db.prepare_cached(&sql)?;
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        all.extend(collect(&mut one, [id.to_row()], entry)?);
    }
    Ok(all)
}

/// Whether a story stands in a feed, since when, and as which edition.
pub fn standing(db: &Connection, feed: &str, story: StoryId) -> Result<Option<(Timestamp, u32)>> {
    let mut row = db.prepare_cached("SELECT entered_at, edition FROM feed_entry WHERE feed = ?1 AND story_id = ?2")?;
    let found = row.query_row(params![feed, story.to_row()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map(|(at, edition)| Ok((time(at)?, edition))).transpose()
}

/// The columns that [`edition`] reads. What was read on a page is left out once its source no longer wants it published.
const EDITION_COLUMNS: &str = "edition.story_id, edition.number, edition.made_at, edition.cause, edition.outlets, \
     CASE WHEN edition.text ->> '$.article' IS NULL OR EXISTS (SELECT 1 FROM item JOIN source ON source.id = source_id \
          WHERE item.id = edition.text ->> '$.lead' AND full_text = 'publish') \
     THEN edition.text ELSE json_set(edition.text, '$.article', NULL) END";
/// How many columns those are.
const EDITION_WIDTH: usize = 6;

fn edition(row: &Row<'_>) -> Result<Edition> {
    let text: String = row.get(5)?;
    let text: EditionText = serde_json::from_str(&text).map_err(|e| Error::Corrupt(format!("an edition: {e}")))?;
    Ok(Edition {
        story: StoryId::from_row(row.get(0)?),
        number: row.get(1)?,
        made_at: time(row.get(2)?)?,
        cause: word(&row.get::<_, String>(3)?, Cause::parse)?,
        outlets: row.get(4)?,
        text,
    })
}

fn entry(row: &Row<'_>) -> Result<FeedEntry> {
    let published = Published { at: time(row.get(EDITION_WIDTH)?)?, link: row.get(EDITION_WIDTH + 1)? };
    Ok(FeedEntry { published, edition: edition(row)? })
}
