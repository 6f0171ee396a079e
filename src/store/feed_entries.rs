//! Feed membership: the stories of each feed in the order in which they entered it, and the candidates for its
//! documents.

use super::connection::{ReadConnection, WriteConnection};
use super::editions::{EDITION_COLUMNS, EDITION_WIDTH, entry, list_of_story};
use super::rows::{collect, json_list, time};
use super::story_selection::matching;
use super::{Error, Result, publication};
use crate::domain::duration::before;
use crate::domain::{
    EditionReason, FeedCandidate, FeedEntry, FeedOrder, FeedSelection, FeedVariant, PublishedFeed, StoryId,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, named_params, params};

/// The stories among these that enter a feed now: they match and are not in it yet. Empty for a feed whose entries
/// have not been initialized, since initialization adds them in order of date.
pub fn find_entering(db: &ReadConnection, feed: &PublishedFeed, among: &[StoryId]) -> Result<Vec<StoryId>> {
    if chosen(db, feed)? == Chosen::Not {
        return Ok(Vec::new());
    }
    let mut known = db.prepare_cached("SELECT 1 FROM feed_entry WHERE feed = ?1 AND story_id = ?2")?;
    let mut new = Vec::new();
    for id in among {
        if !known.exists(params![feed.name, id.to_row()])? {
            new.push(*id);
        }
    }
    if new.is_empty() { Ok(new) } else { matching(db, &feed.selection, Some(&new)) }
}

/// Adds a story to a feed, with the edition that the stable variant keeps.
pub fn add(db: &WriteConnection, feed: &str, story: StoryId, edition: u32, now: Timestamp) -> Result<()> {
    let seq: i64 = db
        .prepare_cached(
            "INSERT INTO feed_sequence (feed, last_sequence) VALUES (?1, 1)
             ON CONFLICT (feed) DO UPDATE SET last_sequence = last_sequence + 1 RETURNING last_sequence",
        )?
        .query_row([feed], |row| row.get(0))?;
    db.execute(
        "INSERT INTO feed_entry (feed, sequence, story_id, edition_number, entered_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![feed, seq, story.to_row(), edition, now.as_millisecond()],
    )?;
    Ok(())
}

/// The state of a feed's stored entries, compared with its selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    /// Built with another selection, or never built.
    Not,
    /// Built with the current selection, before tags of sources changed.
    Stale,
    Well,
}

fn chosen(db: &ReadConnection, feed: &PublishedFeed) -> Result<Chosen> {
    let mut row = db.prepare_cached("SELECT stale FROM feed_selection WHERE feed = ?1 AND selection = ?2")?;
    let stale = row.query_row([&feed.name, &written(&feed.selection)?], |row| row.get::<_, bool>(0)).optional()?;
    Ok(match stale {
        None => Chosen::Not,
        Some(true) => Chosen::Stale,
        Some(false) => Chosen::Well,
    })
}

/// Whether the entries were built with the feed's current selection.
pub fn is_initialized(db: &ReadConnection, feed: &PublishedFeed) -> Result<bool> {
    Ok(chosen(db, feed)? != Chosen::Not)
}

/// Whether the entries of all feeds are current, and no other feeds are stored.
pub fn are_current(db: &ReadConnection, feeds: &[PublishedFeed]) -> Result<bool> {
    for feed in feeds {
        if chosen(db, feed)? != Chosen::Well {
            return Ok(false);
        }
    }
    let known: i64 = db.prepare_cached("SELECT count(*) FROM feed_selection")?.query_row([], |row| row.get(0))?;
    Ok(known == feeds.len() as i64)
}

/// The entries that a feed should have, determined before anything is written.
#[derive(Debug, Clone)]
pub struct MembershipPlan {
    feed: PublishedFeed,
    /// Whether stories that no longer match are removed. Otherwise stories that once matched stay.
    anew: bool,
    /// Oldest first.
    matching: Vec<StoryId>,
}

/// Maximum number of stories with which a new feed starts: the newest ones.
const BEGINS_WITH: usize = 10_000;

/// The changes that the feeds need because their configuration or tags of sources changed.
pub fn plan_memberships(db: &ReadConnection, feeds: &[PublishedFeed]) -> Result<Vec<MembershipPlan>> {
    let mut all = Vec::new();
    for feed in feeds {
        let chosen = chosen(db, feed)?;
        if chosen == Chosen::Well {
            continue;
        }
        let mut found = matching(db, &feed.selection, None)?;
        if chosen == Chosen::Stale {
            // Otherwise old stories of a newly tagged source would replace today's.
            let floor = oldest_shown(db, feed)?;
            let mut dates = db.prepare_cached("SELECT published_at FROM story WHERE id = ?1")?;
            let mut recent = Vec::new();
            for id in found {
                if dates.query_row([id.to_row()], |row| row.get::<_, i64>(0))? < floor {
                    break;
                }
                recent.push(id);
            }
            found = recent;
        }
        found.truncate(BEGINS_WITH);
        found.reverse();
        all.push(MembershipPlan { feed: feed.clone(), anew: chosen == Chosen::Not, matching: found });
    }
    Ok(all)
}

/// The date of the oldest story in a full feed; `i64::MIN` for a feed that is not full.
fn oldest_shown(db: &ReadConnection, feed: &PublishedFeed) -> Result<i64> {
    let mut oldest = db.prepare_cached(
        "SELECT count(*), min(published_at) FROM (
             SELECT published_at FROM feed_entry JOIN story ON story.id = story_id
             WHERE feed = ?1 ORDER BY sequence DESC LIMIT ?2)",
    )?;
    let (shown, oldest): (u32, Option<i64>) =
        oldest.query_row(params![feed.name, feed.selection.limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(oldest.filter(|_| shown == feed.selection.limit).unwrap_or(i64::MIN))
}

/// Applies the plans. Deletes the entries of feeds that no longer exist, and the tokens of feeds that are no longer
/// private.
pub fn apply_memberships(
    db: &WriteConnection,
    choices: &[MembershipPlan],
    feeds: &[PublishedFeed],
    now: Timestamp,
) -> Result<()> {
    for MembershipPlan { feed, anew, matching } in choices {
        if *anew {
            let list = json_list(&matching.iter().map(|id| id.to_row()).collect::<Vec<_>>());
            db.execute(
                "DELETE FROM feed_entry WHERE feed = ?1 AND story_id NOT IN (SELECT value FROM json_each(?2))
                 AND story_id IN (SELECT id FROM story WHERE merged_into IS NULL)",
                params![feed.name, list],
            )?;
        }
        let mut latest =
            db.prepare_cached("SELECT max(number) FROM edition WHERE story_id = ?1 AND reason <> 'entered'")?;
        let mut known = db.prepare_cached("SELECT 1 FROM feed_entry WHERE feed = ?1 AND story_id = ?2")?;
        for id in matching {
            let edition: Option<u32> = latest.query_row([id.to_row()], |row| row.get(0))?;
            if let Some(edition) = edition
                && !known.exists(params![feed.name, id.to_row()])?
            {
                add(db, &feed.name, *id, edition, now)?;
            }
        }
        db.execute(
            "INSERT OR REPLACE INTO feed_selection (feed, selection) VALUES (?1, ?2)",
            [&feed.name, &written(&feed.selection)?],
        )?;
    }
    let names = json_list(&feeds.iter().map(|feed| &feed.name).collect::<Vec<_>>());
    let private = json_list(&feeds.iter().filter(|feed| feed.private).map(|feed| &feed.name).collect::<Vec<_>>());
    for (sql, kept) in [
        ("DELETE FROM feed_entry WHERE feed NOT IN (SELECT value FROM json_each(?1))", &names),
        ("DELETE FROM feed_selection WHERE feed NOT IN (SELECT value FROM json_each(?1))", &names),
        ("DELETE FROM feed_token WHERE feed NOT IN (SELECT value FROM json_each(?1))", &private),
    ] {
        db.execute(sql, [kept])?;
    }
    publication::touch(db)
}

/// The part of a selection that determines the entries. Limit, maximum age and order only choose among entries.
fn written(selection: &FeedSelection) -> Result<String> {
    let selection = FeedSelection { limit: 0, order: FeedOrder::Newest, max_age: None, ..selection.clone() };
    serde_json::to_string(&selection).map_err(|e| Error::Corrupt(e.to_string()))
}

/// The candidates for a document of a feed, the last to enter the feed first, and the archive pages beside it.
#[derive(Debug, Clone, Default)]
pub struct CandidatePage {
    pub candidates: Vec<FeedCandidate>,
    /// The number of the page with the preceding entries; 1 is the oldest page.
    pub previous: Option<u32>,
    /// The number of the page with the following entries, if that page is full.
    pub next: Option<u32>,
}

/// The candidates for the current document of a feed: the stories that entered it last. The live variant omits merged
/// stories.
pub fn current_page(db: &ReadConnection, feed: &PublishedFeed, variant: FeedVariant) -> Result<CandidatePage> {
    let FeedSelection { limit, order, max_age, .. } = feed.selection;
    let window = match order {
        FeedOrder::Newest => limit,
        FeedOrder::Hot => limit.max(HOT_CANDIDATES),
    };
    let mut floor = Timestamp::MIN;
    if let Some(age) = max_age {
        let mut newest = db.prepare_cached(
            "SELECT max(published_at) FROM (
                 SELECT published_at FROM feed_entry JOIN story ON story.id = story_id
                 WHERE feed = ?1 AND (?3 OR merged_into IS NULL) ORDER BY sequence DESC LIMIT ?2)",
        )?;
        let newest: Option<i64> =
            newest.query_row(params![feed.name, window, variant == FeedVariant::Stable], |row| row.get(0))?;
        floor = newest.map(time).transpose()?.map_or(floor, |newest| before(newest, age));
    }
    let candidates = read(db, feed, variant, (0, i64::MAX), floor, window)?;
    let previous = archive_page_numbers(db, feed)?.last().copied();
    Ok(CandidatePage { candidates, previous, next: None })
}

/// Maximum number of candidates for a feed in the order `hot`.
const HOT_CANDIDATES: u32 = 2000;

/// A page of a feed's archive (RFC 5005, section 4): as many entries as the feed's limit, in order of entry. Only
/// full pages exist, so that a page changes only if an entry of the live variant does.
pub fn archive_page(
    db: &ReadConnection,
    feed: &PublishedFeed,
    variant: FeedVariant,
    page: u32,
) -> Result<Option<CandidatePage>> {
    let pages = archive_page_numbers(db, feed)?;
    let Ok(place) = pages.binary_search(&page) else { return Ok(None) };
    let limit = i64::from(feed.selection.limit);
    let (after, until) = (i64::from(page - 1) * limit, i64::from(page) * limit);
    let candidates = read(db, feed, variant, (after, until), Timestamp::MIN, feed.selection.limit)?;
    let previous = place.checked_sub(1).and_then(|place| pages.get(place)).copied();
    Ok(Some(CandidatePage { candidates, previous, next: pages.get(place + 1).copied() }))
}

/// The numbers of a feed's archive pages, oldest first: the full pages, apart from entries removed for their age. A
/// feed with a maximum age or in the order `hot` has none, since its omitted stories are not part of it.
pub fn archive_page_numbers(db: &ReadConnection, feed: &PublishedFeed) -> Result<Vec<u32>> {
    if feed.selection.order == FeedOrder::Hot || feed.selection.max_age.is_some() {
        return Ok(Vec::new());
    }
    let limit = i64::from(feed.selection.limit.max(1));
    let mut ends = db.prepare_cached(
        "SELECT (SELECT min(sequence) FROM feed_entry WHERE feed = ?1), last_sequence FROM feed_sequence WHERE feed = ?1",
    )?;
    let ends: Option<(Option<i64>, i64)> =
        ends.query_row([&feed.name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((Some(first), last)) = ends else { return Ok(Vec::new()) };
    let page = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok((page((first - 1) / limit + 1)..=page(last / limit)).collect())
}

/// Candidates by sequence number, the last to enter the feed first.
fn read(
    db: &ReadConnection,
    feed: &PublishedFeed,
    variant: FeedVariant,
    (after, until): (i64, i64),
    floor: Timestamp,
    limit: u32,
) -> Result<Vec<FeedCandidate>> {
    let shown = match variant {
        FeedVariant::Stable => "entry.edition_number",
        FeedVariant::Live => {
            "(SELECT max(number) FROM edition AS e WHERE e.story_id = entry.story_id
              AND (e.reason <> 'entered' OR e.number = entry.edition_number))"
        }
    };
    let sql = format!(
        "SELECT {EDITION_COLUMNS}, story.published_at, published_link, coalesce(source.priority, 0), entry.edition_number,
                EXISTS (SELECT 1 FROM edition AS e WHERE e.story_id = entry.story_id AND e.number = entry.edition_number
                        AND e.reason = 'entered')
         FROM feed_entry AS entry JOIN story ON story.id = entry.story_id
         JOIN edition ON edition.story_id = entry.story_id AND edition.number = {shown}
         LEFT JOIN item ON item.id = edition.text ->> '$.lead' LEFT JOIN source ON source.id = item.source_id
         WHERE entry.feed = :feed AND sequence > :after AND sequence <= :until AND story.published_at >= :floor
         AND (:stable OR merged_into IS NULL)
         ORDER BY sequence DESC LIMIT :limit"
    );
    let named = named_params! {
        ":feed": feed.name, ":after": after, ":until": until, ":limit": limit, ":floor": floor.as_millisecond(),
        ":stable": variant == FeedVariant::Stable,
    };
    let mut candidates = collect(&mut *db.prepare_cached(&sql)?, named, |row| {
        let priority = row.get::<_, i64>(EDITION_WIDTH + 2)?.clamp(-1000, 1000) as i32;
        let entered_as: u32 = row.get(EDITION_WIDTH + 3)?;
        let FeedEntry { published, edition } = entry(row)?;
        let has_own_edition = row.get(EDITION_WIDTH + 4)? && entered_as != edition.number;
        let candidate = FeedCandidate { published, editions: vec![edition], priority };
        Ok((candidate, has_own_edition.then_some(entered_as)))
    })?;
    for (candidate, entered_as) in &mut candidates {
        if let Some(entered_as) = *entered_as {
            candidate.editions = list_of_story(db, candidate.editions[0].story)?;
            candidate.editions.retain(|edition| {
                let is_later = edition.number > entered_as && edition.reason != EditionReason::Entered;
                edition.number == entered_as || is_later
            });
        }
    }
    Ok(candidates.into_iter().map(|(candidate, _)| candidate).collect())
}

/// When a story entered a feed, and with which edition; `None` if it is not in the feed.
pub fn membership_of(db: &ReadConnection, feed: &str, story: StoryId) -> Result<Option<(Timestamp, u32)>> {
    let mut row =
        db.prepare_cached("SELECT entered_at, edition_number FROM feed_entry WHERE feed = ?1 AND story_id = ?2")?;
    let found = row.query_row(params![feed, story.to_row()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map(|(at, edition)| Ok((time(at)?, edition))).transpose()
}
