//! Which items of a document its source has shown before, although it may have changed their guids, links or titles.
//!
//! Within one source, an item is recognized by a guid under which it was shown before, else by its canonical URL, else by
//! its title and day. A link or a title counts only if it identifies a single item. Guids, links and titles of other
//! sources never count: a source cannot change the items of another source.

use crate::domain::{ItemId, MatchedBy, NewItem, Timestamp};
use jiff::SignedDuration;
use std::collections::{HashMap, HashSet};

/// Equal titles identify an event only within this time: a "Morning briefing" comes every day.
const SAME_TITLE_WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// Shorter titles are often the name of a column.
const MIN_TITLE_WORDS: usize = 3;

/// The stored items of the source that an item of a document may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredMatches {
    /// An item was shown under this guid before.
    Guid(ItemId),
    /// An item was shown under this guid, and removed because of its age.
    RemovedGuid,
    /// The guid is new.
    NewGuid {
        /// Items with this canonical URL, at most two.
        same_link: Vec<ItemId>,
        /// Whether an item with this canonical URL was removed because of its age.
        is_link_removed: bool,
        /// Items with this title in [`title_window`], at most two.
        same_title: Vec<ItemId>,
    },
}

/// What an item of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemRecognition {
    New,
    Known(ItemId, MatchedBy),
    /// The item was removed because of its age, and its source still shows it.
    Removed,
}

/// The ranking dates between which stored items with the title of an item count, both included. Items with a date match
/// only items with a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TitleWindow {
    pub from: Timestamp,
    pub until: Timestamp,
    pub is_dated: bool,
}

/// An item without a date was ranked when it was first seen, so its window is around `now`.
pub fn title_window(item: &NewItem, now: Timestamp) -> TitleWindow {
    let at = item.published_at.unwrap_or(now);
    TitleWindow { from: at - SAME_TITLE_WINDOW, until: at + SAME_TITLE_WINDOW, is_dated: item.published_at.is_some() }
}

/// Recognizes the items of one document, in its order. `matches` has one entry for each item.
///
/// No two items are recognized as the same stored item by link or title, and none as an item that the document contains
/// under its own guid.
pub fn recognize_items(items: &[NewItem], matches: &[StoredMatches]) -> Vec<ItemRecognition> {
    let mut recognized: Vec<ItemRecognition> = matches.iter().map(recognize_by_guid).collect();
    let mut taken: HashSet<ItemId> = recognized.iter().filter_map(|recognition| recognition.item()).collect();
    let shared_links = repeated(items.iter().filter_map(|item| item.canonical_url.as_deref()));
    let shared_titles = repeated(items.iter().map(|item| item.title.as_str()));

    for ((item, matches), recognition) in items.iter().zip(matches).zip(&mut recognized) {
        let has_own_link = item.canonical_url.as_deref().is_some_and(|link| !shared_links.contains(link));
        if *recognition == ItemRecognition::New && has_own_link {
            let found = recognize_by_link(matches);
            if found.item().is_none_or(|id| taken.insert(id)) {
                *recognition = found;
            }
        }
    }
    for ((item, matches), recognition) in items.iter().zip(matches).zip(&mut recognized) {
        let has_own_title =
            !shared_titles.contains(item.title.as_str()) && item.title.split(' ').count() >= MIN_TITLE_WORDS;
        if *recognition == ItemRecognition::New
            && has_own_title
            && let StoredMatches::NewGuid { same_title, .. } = matches
            && let [id] = same_title[..]
            && taken.insert(id)
        {
            *recognition = ItemRecognition::Known(id, MatchedBy::Title);
        }
    }
    recognized
}

fn recognize_by_guid(matches: &StoredMatches) -> ItemRecognition {
    match matches {
        StoredMatches::Guid(id) => ItemRecognition::Known(*id, MatchedBy::Guid),
        StoredMatches::RemovedGuid => ItemRecognition::Removed,
        StoredMatches::NewGuid { .. } => ItemRecognition::New,
    }
}

fn recognize_by_link(matches: &StoredMatches) -> ItemRecognition {
    match matches {
        StoredMatches::NewGuid { same_link, is_link_removed, .. } => match same_link[..] {
            [id] => ItemRecognition::Known(id, MatchedBy::Link),
            [] if *is_link_removed => ItemRecognition::Removed,
            // A link of several stored items, such as that of a front page, identifies none of them.
            _ => ItemRecognition::New,
        },
        StoredMatches::Guid(_) | StoredMatches::RemovedGuid => ItemRecognition::New,
    }
}

impl ItemRecognition {
    fn item(self) -> Option<ItemId> {
        match self {
            ItemRecognition::Known(id, _) => Some(id),
            ItemRecognition::New | ItemRecognition::Removed => None,
        }
    }
}

/// The values that occur more than once.
fn repeated<'a>(values: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(value, _)| value).collect()
}

#[cfg(test)]
mod tests;
