//! Scores a feed as its subscribers see it: entries that repeat an event, events that are not visible, and items about
//! other events.

use super::metrics::share;
use std::collections::{BTreeMap, BTreeSet};

/// An item of the feed's stories, with the labels of its story and its storyline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedItem<'a> {
    pub outlet: &'a str,
    pub story_label: &'a str,
    pub storyline_label: &'a str,
    /// The number of the story in which newsfold placed the item.
    pub story: i64,
}

/// An entry of the feed: its story, and the stories that the entry lists under their own headlines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEntry {
    pub story: i64,
    pub listed: Vec<i64>,
}

/// The figures of a feed. Shares range from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct SimulatedFeedMetrics {
    pub entries: usize,
    /// The share of entries whose labeled story already has an entry.
    pub repeats: f64,
    /// The share of labeled stories with at least 80% of their items in one story that has an entry or is listed in an
    /// entry. Only labeled stories with items from three or more outlets count.
    pub visible: f64,
    /// Like `visible`, but the story must have an entry.
    pub with_entry: f64,
    /// The share of items that belong to a different storyline than their entry. Only entries with items from two or
    /// more outlets count. The storyline of an entry is the storyline of most of its items.
    pub foreign: f64,
}

/// The minimum number of outlets for a labeled story to count in `visible` and `with_entry`.
const MIN_OUTLETS: usize = 3;

impl SimulatedFeedMetrics {
    pub fn new(items: &[FeedItem<'_>], entries: &[ListedEntry]) -> SimulatedFeedMetrics {
        let mut stories: BTreeMap<i64, Vec<&FeedItem<'_>>> = BTreeMap::new();
        let mut labels: BTreeMap<&str, Vec<&FeedItem<'_>>> = BTreeMap::new();
        for item in items {
            stories.entry(item.story).or_default().push(item);
            labels.entry(item.story_label).or_default().push(item);
        }
        let entered: Vec<&Vec<&FeedItem<'_>>> = entries.iter().filter_map(|entry| stories.get(&entry.story)).collect();
        let distinct: BTreeSet<&str> =
            entered.iter().filter_map(|items| most_frequent(items.iter().map(|item| item.story_label))).collect();
        let own: BTreeSet<i64> = entries.iter().map(|entry| entry.story).collect();
        let shown: BTreeSet<i64> =
            entries.iter().flat_map(|entry| &entry.listed).copied().chain(own.iter().copied()).collect();
        let wanted: Vec<&Vec<&FeedItem<'_>>> =
            labels.values().filter(|items| outlet_count(items) >= MIN_OUTLETS).collect();
        let shown_in = |stories: &BTreeSet<i64>| {
            let found = wanted.iter().filter(|items| is_held(items, stories)).count();
            share(found, wanted.len())
        };
        let (mut foreign, mut all) = (0, 0);
        for items in entered.iter().filter(|items| outlet_count(items) >= 2) {
            let storyline = most_frequent(items.iter().map(|item| item.storyline_label));
            foreign += items.iter().filter(|item| Some(item.storyline_label) != storyline).count();
            all += items.len();
        }
        SimulatedFeedMetrics {
            entries: entered.len(),
            repeats: share(entered.len() - distinct.len(), entered.len()),
            visible: shown_in(&shown),
            with_entry: shown_in(&own),
            foreign: share(foreign, all),
        }
    }
}

/// Returns whether one of the stories contains at least 80% of the items.
fn is_held(items: &[&FeedItem<'_>], stories: &BTreeSet<i64>) -> bool {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for item in items.iter().filter(|item| stories.contains(&item.story)) {
        *counts.entry(item.story).or_default() += 1;
    }
    counts.values().any(|count| count * 5 >= items.len() * 4)
}

fn outlet_count(items: &[&FeedItem<'_>]) -> usize {
    items.iter().map(|item| item.outlet).collect::<BTreeSet<_>>().len()
}

/// Returns the most frequent label, or the alphabetically first of several equally frequent labels.
fn most_frequent<'a>(labels: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    labels.for_each(|label| *counts.entry(label).or_default() += 1);
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(label, _)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns items with these labels from `outlets` outlets, all in one story.
    fn items<'a>(
        outlets: &'a [&'a str],
        story_label: &'a str,
        storyline_label: &'a str,
        story: i64,
    ) -> Vec<FeedItem<'a>> {
        outlets.iter().map(|outlet| FeedItem { outlet, story_label, storyline_label, story }).collect()
    }

    #[test]
    fn figures_count_repeats_hidden_stories_and_foreign_items() {
        let three = ["a", "b", "c"];
        let mut all = items(&three, "quake", "quake", 1);
        all.extend(items(&three, "aid", "quake", 2));
        all.extend(items(&three[..1], "quake", "quake", 3));
        all.extend(items(&three[..1], "cup", "cup", 1));
        all.extend(items(&three, "vote", "vote", 4));
        let entry = |story, listed: &[i64]| ListedEntry { story, listed: listed.to_vec() };
        let found = SimulatedFeedMetrics::new(&all, &[entry(1, &[2]), entry(3, &[])]);
        assert_eq!((found.entries, found.repeats), (2, 0.5));
        // Story 1 holds three of the four items on the quake, which is too few. The vote is hidden.
        assert_eq!((found.visible, found.with_entry), (1.0 / 3.0, 0.0));
        assert_eq!(found.foreign, 0.25);
        let found = SimulatedFeedMetrics::new(&all, &[entry(4, &[]), entry(2, &[])]);
        assert_eq!((found.repeats, found.visible, found.foreign), (0.0, 2.0 / 3.0, 0.0));
    }
}
