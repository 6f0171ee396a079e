//! Recognizes items that a source has listed before, even though their guids, links or titles may have changed.
//!
//! A guid identifies an item within its source, unless all other properties belong to another item. Without a known
//! guid, several matching properties identify an item ([`super::same_item`]). Items of other sources are never
//! considered, because a source must not change the items of another source.

use super::comparison::{Agreement, Comparison, StoredItem, compare};
use super::document_guids::is_derived_guid;
use super::links::LinkAgreement;
use super::same_item::is_same_item;
use crate::domain::{ItemId, MatchedBy, NewItem, Timestamp};
use jiff::SignedDuration;
use std::collections::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

/// The maximum time between the date of an item and the dates of the stored items that are candidates by title or date.
const TITLE_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The facts from the database about an item of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredMatches {
    pub by_guid: GuidMatch,
    /// The stored items of the source that may be the same item with a different guid.
    pub candidates: Vec<StoredItem>,
    /// The removed items that have the link of the item.
    pub removed: Vec<RemovedItem>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum GuidMatch {
    #[default]
    New,
    /// The source has listed an item with this guid before.
    Stored(StoredItem),
    /// The source has listed an item with this guid before. The item was removed because of its age.
    Removed,
}

/// An item that was removed because of its age.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct RemovedItem {
    pub title: String,
    pub text_hash: i64,
    pub published_at: Option<Timestamp>,
}

/// The result of recognizing an item of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemRecognition {
    New,
    Known(ItemId, MatchedBy),
    /// The item was removed because of its age, but its source still lists it.
    Removed,
}

/// The inclusive range of ranking dates of stored items that are candidates by title or date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TitleWindow {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// Returns the window of an item. An item without a date was ranked when first seen, so its window is around `now`.
pub fn title_window(item: &NewItem, now: Timestamp) -> TitleWindow {
    let at = item.published_at.unwrap_or(now);
    TitleWindow { from: at - TITLE_WINDOW, until: at + TITLE_WINDOW }
}

pub fn text_hash(text: &str) -> i64 {
    xxh3_64(text.as_bytes()).cast_signed()
}

/// Returns whether the guid suffices to recognize an item. The guid does not suffice if newsfold derived the guid and
/// the item has changed, or if link, title, text and date belong to another item: some sources number the items of each
/// document from 1.
pub fn is_recognized_by_guid(item: &NewItem, matched: &GuidMatch) -> bool {
    match matched {
        GuidMatch::New => false,
        GuidMatch::Removed => !is_derived_guid(&item.guid) || item.url.is_none(),
        GuidMatch::Stored(stored) if is_derived_guid(&item.guid) => is_unchanged(item, stored),
        GuidMatch::Stored(stored) => !is_another_item(item, stored),
    }
}

fn is_unchanged(item: &NewItem, stored: &StoredItem) -> bool {
    let is_date_enough = !item.summary.is_empty() || item.published_at == stored.published_at;
    item.url == stored.url && item.title == stored.title && item.summary == stored.summary && is_date_enough
}

fn is_another_item(item: &NewItem, stored: &StoredItem) -> bool {
    // In most documents, nearly all items are unchanged.
    if item.url == stored.url || item.title == stored.title {
        return false;
    }
    let items = compare(item, stored, true);
    items.link == LinkAgreement::Different
        && [items.title, items.text, items.date].iter().all(|agreement| *agreement == Agreement::Different)
}

/// Recognizes the items of one document, in document order. `matches` has one entry for each item.
///
/// Two items are never recognized as the same stored item. No item is recognized as a stored item that another item of
/// the document identifies by guid.
pub fn recognize_items(items: &[NewItem], matches: &[StoredMatches]) -> Vec<ItemRecognition> {
    let mut recognized: Vec<ItemRecognition> =
        items.iter().zip(matches).map(|(item, matches)| recognize_by_guid(item, &matches.by_guid)).collect();
    let mut taken: HashSet<ItemId> = recognized.iter().filter_map(|recognition| recognition.item()).collect();
    for pair in same_pairs(items, matches, &recognized) {
        if recognized[pair.index] == ItemRecognition::New && taken.insert(pair.stored) {
            recognized[pair.index] = ItemRecognition::Known(pair.stored, pair.matched_by);
        }
    }
    for ((item, matches), recognition) in items.iter().zip(matches).zip(&mut recognized) {
        if *recognition == ItemRecognition::New && matches.removed.iter().any(|removed| is_removed(item, removed)) {
            *recognition = ItemRecognition::Removed;
        }
    }
    recognized
}

fn recognize_by_guid(item: &NewItem, matched: &GuidMatch) -> ItemRecognition {
    match matched {
        _ if !is_recognized_by_guid(item, matched) => ItemRecognition::New,
        GuidMatch::Stored(stored) => ItemRecognition::Known(stored.id, MatchedBy::Guid),
        GuidMatch::Removed => ItemRecognition::Removed,
        GuidMatch::New => ItemRecognition::New,
    }
}

/// An item of a document and the stored item that it matches.
struct SamePair {
    strength: u32,
    index: usize,
    stored: ItemId,
    matched_by: MatchedBy,
}

/// Returns all pairs of the items that are not identified by guid. Pairs with the most in common come first.
fn same_pairs(items: &[NewItem], matches: &[StoredMatches], by_guid: &[ItemRecognition]) -> Vec<SamePair> {
    let shared_titles = of_several(items.iter().map(|item| (item.title.as_str(), item.guid.as_str())));
    let links = items.iter().filter_map(|item| Some((item.canonical_url.as_deref()?, item.title.as_str())));
    let shared_links = of_several(links);
    let mut pairs = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if by_guid[index] != ItemRecognition::New {
            continue;
        }
        let has_own_guid = !is_derived_guid(&item.guid);
        let compared = matches[index].candidates.iter().map(|stored| (stored.id, compare(item, stored, has_own_guid)));
        let compared: Vec<(ItemId, Comparison)> = compared.collect();
        let at_link = compared.iter().filter(|(_, items)| items.link == LinkAgreement::Same).count();
        let is_link_shared =
            at_link > 1 || item.canonical_url.as_deref().is_some_and(|link| shared_links.contains(link));
        for (stored, mut items) in compared {
            items.is_link_specific &= !is_link_shared;
            items.is_title_specific &= !shared_titles.contains(item.title.as_str());
            if is_same_item(&items) {
                let matched_by = rule(&items);
                pairs.push(SamePair { strength: items.strength(), index, stored, matched_by });
            }
        }
    }
    pairs.sort_by_key(|pair| (std::cmp::Reverse(pair.strength), pair.index, pair.stored));
    pairs
}

fn rule(items: &Comparison) -> MatchedBy {
    match items.link {
        LinkAgreement::Same | LinkAgreement::Similar => MatchedBy::Link,
        LinkAgreement::Different | LinkAgreement::Unknown if items.title == Agreement::Same => MatchedBy::Title,
        LinkAgreement::Different | LinkAgreement::Unknown => MatchedBy::Text,
    }
}

/// Returns whether two of title, text and date match a removed item with the same link.
fn is_removed(item: &NewItem, removed: &RemovedItem) -> bool {
    let agreeing = [
        item.title == removed.title,
        text_hash(&item.summary) == removed.text_hash,
        item.published_at.is_some() && item.published_at == removed.published_at,
    ];
    agreeing.into_iter().filter(|agrees| *agrees).count() >= 2
}

impl ItemRecognition {
    fn item(self) -> Option<ItemId> {
        match self {
            ItemRecognition::Known(id, _) => Some(id),
            ItemRecognition::New | ItemRecognition::Removed => None,
        }
    }
}

/// Returns the keys that occur with several values.
fn of_several<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> HashSet<&'a str> {
    let mut first_values: HashMap<&str, &str> = HashMap::new();
    let mut shared = HashSet::new();
    for (key, value) in pairs {
        if *first_values.entry(key).or_insert(value) != value {
            shared.insert(key);
        }
    }
    shared
}

#[cfg(test)]
mod tests;
