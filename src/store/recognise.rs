//! Which items of a document its source has shown before, whatever it did to them meanwhile.
//!
//! Within one source an item is recognised by any guid under which it was shown before, then by its canonical URL, then
//! by its title and day, each only where it points to one item and no other. A guid, link or title of another source
//! means nothing: a source can never change another's items. By which rule an item was recognised is kept with the guid.

use super::Result;
use super::connection::ReadConnection;
use super::rows::collect;
use crate::domain::{ItemId, MatchedBy, NewItem, SourceId, Timestamp};
use jiff::SignedDuration;
use rusqlite::{OptionalExtension, params};
use std::collections::{HashMap, HashSet};

/// What an item of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recognised {
    New,
    Known(ItemId, MatchedBy),
    /// It was removed for its age, and is shown still.
    Removed,
}

/// The same event has one title, and one title has one event, within a day at most: "Morning briefing" comes each day.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Words of a title that is one item's own rather than a rubric's.
const TITLE_WORDS: usize = 3;

/// Recognises the items of one document of `source`, in their order.
pub(super) fn recognise(
    db: &ReadConnection,
    source: SourceId,
    items: &[NewItem],
    now: Timestamp,
) -> Result<Vec<Recognised>> {
    let shared_links = of_several(items.iter().filter_map(|item| item.canonical_url.as_deref()));
    let shared_titles = of_several(items.iter().map(|item| item.title.as_str()));
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        found.push(by_guid(db, source, &item.guid)?.unwrap_or(Recognised::New));
    }
    // An item that is in the document under its guid is not also another one, with its link or its title.
    let mut taken: HashSet<ItemId> = found.iter().filter_map(|found| found.item()).collect();
    for (item, found) in items.iter().zip(&mut found) {
        let link = item.canonical_url.as_deref().filter(|link| !shared_links.contains(link));
        if *found == Recognised::New
            && let Some(link) = link
            && let Some(known) = by_link(db, source, link)?
            && known.item().is_none_or(|id| taken.insert(id))
        {
            *found = known;
        }
    }
    for (item, found) in items.iter().zip(&mut found) {
        let own_title = !shared_titles.contains(item.title.as_str()) && item.title.split(' ').count() >= TITLE_WORDS;
        if *found == Recognised::New
            && own_title
            && let Some(id) = by_title(db, source, item, now)?
            && taken.insert(id)
        {
            *found = Recognised::Known(id, MatchedBy::Title);
        }
    }
    Ok(found)
}

impl Recognised {
    fn item(self) -> Option<ItemId> {
        match self {
            Recognised::Known(id, _) => Some(id),
            Recognised::New | Recognised::Removed => None,
        }
    }
}

/// What several items of the document have, such as the link of a front page: it tells nothing about identity.
fn of_several<'a>(all: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
    let mut uses: HashMap<&str, u32> = HashMap::new();
    all.for_each(|one| *uses.entry(one).or_insert(0) += 1);
    uses.into_iter().filter(|(_, count)| *count > 1).map(|(one, _)| one).collect()
}

fn by_guid(db: &ReadConnection, source: SourceId, guid: &str) -> Result<Option<Recognised>> {
    let known: Option<Option<i64>> = db
        .prepare_cached("SELECT item_id FROM item_guid WHERE source_id = ?1 AND guid = ?2")?
        .query_row(params![source.0, guid], |row| row.get(0))
        .optional()?;
    Ok(known.map(|id| match id {
        Some(id) => Recognised::Known(ItemId(id), MatchedBy::Guid),
        None => Recognised::Removed,
    }))
}

fn by_link(db: &ReadConnection, source: SourceId, link: &str) -> Result<Option<Recognised>> {
    let mut statement =
        db.prepare_cached("SELECT id FROM item WHERE source_id = ?1 AND canonical_url = ?2 ORDER BY id LIMIT 2")?;
    let same = collect(&mut statement, params![source.0, link], |row| Ok(ItemId(row.get(0)?)))?;
    match same[..] {
        [id] => Ok(Some(Recognised::Known(id, MatchedBy::Link))),
        // Two known items with this link: it is no article's own, and so no proof.
        [_, ..] => Ok(None),
        [] => {
            let removed = db
                .prepare_cached("SELECT 1 FROM link_tombstone WHERE source_id = ?1 AND canonical_url = ?2")?
                .exists(params![source.0, link])?;
            Ok(removed.then_some(Recognised::Removed))
        }
    }
}

/// The one item of that title at that time. An item without a date was shown for the first time when it was ranked.
fn by_title(db: &ReadConnection, source: SourceId, item: &NewItem, now: Timestamp) -> Result<Option<ItemId>> {
    let at = item.published_at.unwrap_or(now);
    let (from, until) = (at - DAY, at + DAY);
    let mut statement = db.prepare_cached(
        "SELECT id FROM item WHERE source_id = ?1 AND ranked_at BETWEEN ?2 AND ?3 AND title = ?4
         AND (published_at IS NULL) = ?5 LIMIT 2",
    )?;
    let undated = item.published_at.is_none();
    let range = params![source.0, from.as_millisecond(), until.as_millisecond(), item.title, undated];
    let same = collect(&mut statement, range, |row| Ok(ItemId(row.get(0)?)))?;
    Ok(if let [id] = same[..] { Some(id) } else { None })
}
