//! The guids of the items of one document: one for every item, and none of them twice.

use crate::domain::{FeedProblem, NewItem, ProblemKind, Timestamp};
use std::collections::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_128;

/// Longer guids are replaced by their hash.
const MAX_GUID_BYTES: usize = 1_000;

/// An item, and the date that its document gives it, plausible or not.
#[derive(Debug)]
pub struct DatedItem {
    pub item: NewItem,
    pub claimed_at: Option<Timestamp>,
}

/// A guid as the database stores it.
pub fn limit_guid(guid: &str) -> String {
    if guid.len() <= MAX_GUID_BYTES { guid.to_owned() } else { format!("xxh3:{:032x}", xxh3_128(guid.as_bytes())) }
}

/// The guid of an item without one: its link, else a hash of its title and date. The same in every poll.
pub fn fallback_guid(canonical_url: Option<&str>, title: &str, claimed_at: Option<Timestamp>) -> String {
    match canonical_url {
        Some(link) => format!("link:{link}"),
        None => {
            let seconds = claimed_at.map(Timestamp::as_second).unwrap_or_default();
            format!("title:{:032x}", xxh3_128(format!("{title}\0{seconds}").as_bytes()))
        }
    }
}

/// Makes guids unique. A guid that several different items have identifies none of them: each gets a fallback guid, from
/// its link only if no other item has that link. A second copy of an item is removed.
pub fn make_guids_unique(items: Vec<DatedItem>, problems: &mut Vec<FeedProblem>) -> Vec<NewItem> {
    let shared_guids = keys_of_several(
        items
            .iter()
            .map(|DatedItem { item, .. }| (item.guid.clone(), (item.canonical_url.clone(), item.title.clone()))),
    );
    let shared_links = keys_of_several(
        items.iter().filter_map(|DatedItem { item, .. }| Some((item.canonical_url.clone()?, item.title.clone()))),
    );
    let mut seen = HashSet::new();
    let mut unique = Vec::with_capacity(items.len());
    for DatedItem { mut item, claimed_at } in items {
        let is_shared = shared_guids.contains(&item.guid);
        if is_shared {
            FeedProblem::record(problems, ProblemKind::RepeatedGuid, &item.guid);
            let own_link = item.canonical_url.as_deref().filter(|link| !shared_links.contains(*link));
            item.guid = fallback_guid(own_link, &item.title, claimed_at);
        }
        if seen.insert(item.guid.clone()) {
            unique.push(item);
        } else if !is_shared {
            FeedProblem::record(problems, ProblemKind::RepeatedGuid, &item.guid);
        }
    }
    unique
}

/// The keys that occur with more than one value.
fn keys_of_several<V: PartialEq>(pairs: impl Iterator<Item = (String, V)>) -> HashSet<String> {
    let mut first_values: HashMap<String, V> = HashMap::new();
    let mut shared = HashSet::new();
    for (key, value) in pairs {
        match first_values.get(&key) {
            Some(first) if *first != value => {
                shared.insert(key);
            }
            Some(_) => {}
            None => {
                first_values.insert(key, value);
            }
        }
    }
    shared
}
