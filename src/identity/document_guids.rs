//! Assigns a unique guid to each item of a document.

use crate::domain::{FeedProblem, NewItem, ProblemKind, Timestamp};
use std::collections::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_128;

/// The maximum length of a guid in bytes. A longer guid is replaced by its hash.
const MAX_GUID_BYTES: usize = 1_000;

/// An item with the date from its document, even if the date is implausible.
#[derive(Debug)]
pub struct DatedItem {
    pub item: NewItem,
    pub claimed_at: Option<Timestamp>,
}

/// Returns a guid in the form in which the database stores it.
pub fn limit_guid(guid: &str) -> String {
    if guid.len() <= MAX_GUID_BYTES { guid.to_owned() } else { format!("xxh3:{:032x}", xxh3_128(guid.as_bytes())) }
}

/// The prefix of guids that newsfold derives.
const DERIVED: &str = "derived:";

/// Returns whether newsfold derived a guid because the item had none. Such a guid by itself does not identify an item.
pub fn is_derived_guid(guid: &str) -> bool {
    guid.starts_with(DERIVED)
}

/// Derives a guid for an item that has no guid: a hash of its title and of its link, or of its title and date if it has
/// no link. Some sources set all dates to the time of the request, so the date of an item with a link is ignored.
pub fn derive_guid(url: Option<&str>, title: &str, claimed_at: Option<Timestamp>) -> String {
    let seconds = claimed_at.map(Timestamp::as_second).unwrap_or_default();
    let place = url.map_or_else(|| seconds.to_string(), str::to_owned);
    derived(&[&place, title])
}

/// Derives a replacement for a guid that another item has. `attempt` distinguishes the replacement from earlier
/// replacements.
pub fn derive_other_guid(item: &NewItem, attempt: u32) -> String {
    let date = item.published_at.map(|date| date.to_string()).unwrap_or_default();
    derived(&[&item.guid, &item.title, &item.summary, &date, &attempt.to_string()])
}

fn derived(parts: &[&str]) -> String {
    format!("{DERIVED}{:032x}", xxh3_128(parts.join("\0").as_bytes()))
}

/// Makes guids unique. A guid that several different items have does not identify any item, so each of these items gets
/// a derived guid. Duplicate copies of an item are removed.
pub fn make_guids_unique(mut items: Vec<DatedItem>, problems: &mut Vec<FeedProblem>) -> Vec<NewItem> {
    let shared = shared_guids(&items, |DatedItem { item, claimed_at }| {
        (item.url.clone(), item.title.clone(), claimed_at.map(Timestamp::as_second))
    });
    for DatedItem { item, claimed_at } in items.iter_mut().filter(|dated| shared.contains(&dated.item.guid)) {
        FeedProblem::record(problems, ProblemKind::RepeatedGuid, &item.guid);
        item.guid = derive_guid(item.url.as_deref(), &item.title, *claimed_at);
    }
    let shared_derived = shared_guids(&items, |DatedItem { item, claimed_at }| (item.summary.clone(), *claimed_at));
    for DatedItem { item, .. } in &mut items {
        if is_derived_guid(&item.guid) && shared_derived.contains(&item.guid) {
            item.guid = derive_other_guid(item, 0);
        }
    }
    let mut seen = HashSet::new();
    let mut unique = Vec::with_capacity(items.len());
    for DatedItem { item, .. } in items {
        if seen.insert(item.guid.clone()) {
            unique.push(item);
        } else {
            FeedProblem::record(problems, ProblemKind::RepeatedGuid, &item.guid);
        }
    }
    unique
}

/// Returns the guids that are shared by items with different values of `property`.
fn shared_guids<V: PartialEq>(items: &[DatedItem], property: impl Fn(&DatedItem) -> V) -> HashSet<String> {
    let mut first_values: HashMap<&str, V> = HashMap::new();
    let mut shared = HashSet::new();
    for dated in items {
        let value = property(dated);
        match first_values.get(dated.item.guid.as_str()) {
            Some(first) if *first != value => {
                shared.insert(dated.item.guid.clone());
            }
            Some(_) => {}
            None => {
                first_values.insert(&dated.item.guid, value);
            }
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dated(guid: &str, url: &str, title: &str, summary: &str) -> DatedItem {
        let item = NewItem {
            guid: guid.into(),
            url: (!url.is_empty()).then(|| url.into()),
            canonical_url: None,
            title: title.into(),
            summary: summary.into(),
            content: None,
            categories: Vec::new(),
            author: None,
            lang: None,
            image: None,
            enclosures: Vec::new(),
            published_at: None,
            is_day_only: false,
            is_incomplete: false,
            reporter: None,
            backlog_reason: None,
        };
        DatedItem { item, claimed_at: None }
    }

    fn check(items: impl IntoIterator<Item = DatedItem>, expected: usize) {
        let unique = make_guids_unique(items.into_iter().collect(), &mut Vec::new());
        assert_eq!(unique.len(), expected, "{unique:#?}");
        let guids: HashSet<&str> = unique.iter().map(|item| item.guid.as_str()).collect();
        assert_eq!(guids.len(), expected, "guids are unique");
    }

    #[test]
    fn copies_of_an_item_are_removed_and_different_items_are_kept() {
        let shown = |summary: &str| dated("1", "https://a.example/x", "Rain", summary);
        check([shown("Wet."), shown("Wet.")], 1);
        check([dated("1", "https://a.example/x", "Rain", ""), dated("1", "https://a.example/y", "Rain", "")], 2);
        check(
            [dated("1", "https://a.example/v?ref=1", "Rain", ""), dated("1", "https://a.example/v?ref=2", "Rain", "")],
            2,
        );
        check([dated("1", "", "Rain", ""), dated("1", "", "Hail", "")], 2);
    }

    #[test]
    fn items_without_guid_are_the_same_only_if_their_texts_are() {
        let without_guid = |summary: &str| {
            let DatedItem { item, .. } = dated("", "", "Package update", summary);
            let guid = derive_guid(None, &item.title, None);
            DatedItem { item: NewItem { guid, ..item }, claimed_at: None }
        };
        check([without_guid("zlib"), without_guid("zlib")], 1);
        check([without_guid("zlib"), without_guid("gopher")], 2);
    }
}
