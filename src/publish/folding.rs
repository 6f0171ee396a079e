//! Decides whether a story gets its own entry in a feed, or is listed in the entry of its storyline. All functions are
//! pure.

use super::options::Options;
use crate::domain::duration::{after, before};
use crate::domain::{
    Development, EntryVariants, FeedFold, FeedSelection, FeedVariant, PublishedFeed, StoryId, StorylineEntry,
    StorylineId, Timestamp,
};
use jiff::SignedDuration;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// The maximum number of stories without their own entry that an entry lists.
const MAX_SUB_HEADLINES: usize = 12;
/// The maximum number of stories with their own entry that an entry links to.
const MAX_RELATED_ENTRIES: usize = 5;
/// The minimum number of outlets for a story to get an entry if no other entry can list it.
const MIN_UNLISTED_OUTLETS: u32 = 2;
/// The maximum similarity between a new development and each entry of its storyline. If the similarity is higher, the
/// two stories report the same development.
pub const MAX_DEVELOPMENT_SIMILARITY: f32 = 0.3;

/// A story that matches a feed and is not in its live variant.
#[derive(Debug, Clone)]
pub struct EnteringStory {
    pub id: StoryId,
    pub storyline: StorylineId,
    pub published_at: Timestamp,
    /// When the first edition of the story was created.
    pub first_edition_at: Timestamp,
    pub outlet_count: u32,
    /// Whether the stable variant of the feed contains the story.
    pub is_in_stable_variant: bool,
    /// The variants from which the story's entries were deleted. The story enters these variants again.
    pub previous_variants: Vec<EntryVariants>,
}

/// A feed that stories may enter.
#[derive(Debug, Clone)]
pub struct EnteredFeed<'f> {
    pub feed: &'f PublishedFeed,
    /// The stories, oldest first.
    pub stories: Vec<EnteringStory>,
    /// The entries in the live variant of the feed, by storyline, oldest first.
    pub entries: HashMap<StorylineId, Vec<StorylineEntry>>,
}

/// The published stories of a storyline, and their entries in the live variant of each feed, oldest first.
pub struct PublishedStoryline<'e> {
    pub stories: Vec<Development>,
    pub entries: &'e HashMap<String, Vec<StorylineEntry>>,
}

/// The settings that determine how the stories of a storyline share entries.
#[derive(Debug, Clone)]
pub struct FoldingPolicy {
    min_update_interval: SignedDuration,
    update_window: SignedDuration,
    development_outlets: u32,
    /// The selections of all feeds, by the name of the feed.
    feeds: HashMap<String, FeedSelection>,
}

impl FoldingPolicy {
    pub fn new(options: &Options) -> FoldingPolicy {
        let feeds = options.published_feeds().into_iter().map(|feed| (feed.name, feed.selection));
        FoldingPolicy {
            min_update_interval: options.min_update_interval,
            update_window: options.update_window,
            development_outlets: options.development_outlets,
            feeds: feeds.collect(),
        }
    }

    /// Returns the maximum number of entries in the document of a feed.
    pub fn document_size(&self, feed: &str) -> u32 {
        self.feeds.get(feed).map_or(u32::MAX, FeedSelection::candidate_limit)
    }

    /// Returns whether the stories of a storyline share an entry in the feed of this name.
    fn folds(&self, feed: &str) -> bool {
        self.feeds.get(feed).is_some_and(|selection| selection.fold == FeedFold::Storylines)
    }

    /// Decides which of the stories that match a feed get entries, in order, and in which variants. `similarity` returns
    /// the highest similarity of a story to one of the entries, 0 to 1.
    ///
    /// # Errors
    /// Fails if `similarity` fails.
    pub fn enter<E>(
        &self,
        entered: EnteredFeed<'_>,
        now: Timestamp,
        mut similarity: impl FnMut(StoryId, &[StorylineEntry]) -> Result<f32, E>,
    ) -> Result<Vec<(StoryId, EntryVariants)>, E> {
        let EnteredFeed { feed, stories, entries } = entered;
        let order = decision_order(&stories, &entries);
        let mut folded = FoldedFeed { entries, added: HashMap::new() };
        let mut entered = Vec::new();
        for position in order {
            let story = &stories[position];
            let mut variants = story.previous_variants.clone();
            if variants.is_empty() {
                let others = folded.of_storyline(story.storyline);
                let found = match feed.selection.fold {
                    FeedFold::Stories => Some(EntryVariants::Both),
                    FeedFold::Storylines => {
                        self.entry_variants(story.outlet_count, &others, now, || similarity(story.id, &others))?
                    }
                };
                variants.extend(match found {
                    Some(EntryVariants::Stable) if story.is_in_stable_variant => None,
                    Some(_) if story.is_in_stable_variant => Some(EntryVariants::Live),
                    found => found,
                });
            }
            if variants.iter().any(|variants| variants.include(FeedVariant::Live)) {
                folded.add(&feed.name, story);
            }
            entered.extend(variants.into_iter().map(|variants| (position, variants)));
        }
        entered.sort_by_key(|(position, _)| *position);
        Ok(entered.into_iter().map(|(position, variants)| (stories[position].id, variants)).collect())
    }

    /// Returns the variants of a feed in which a story gets its own entry. `entries` are the entries of its storyline
    /// in the live variant, oldest first. `similarity` returns the highest similarity of the story to one of the
    /// entries, 0 to 1.
    ///
    /// The first story of a storyline to be decided has an entry. A later story has an entry if enough outlets report
    /// it and if it is new compared with the entries. If no entry can list the story, for example after the update
    /// window, readers of the feed would never see it. In this case, either of the two conditions suffices if at least
    /// two outlets report the story. In the stable variant, whose entries never change, two outlets suffice for a new
    /// story.
    ///
    /// # Errors
    /// Fails if `similarity` fails.
    fn entry_variants<E>(
        &self,
        outlets: u32,
        entries: &[StorylineEntry],
        now: Timestamp,
        similarity: impl FnOnce() -> Result<f32, E>,
    ) -> Result<Option<EntryVariants>, E> {
        if entries.is_empty() {
            return Ok(Some(EntryVariants::Both));
        }
        if outlets < MIN_UNLISTED_OUTLETS.min(self.development_outlets) {
            return Ok(None);
        }
        let is_listed = self.listing_entry(entries.iter(), after(now, self.min_update_interval)).is_some();
        let has_enough_outlets = outlets >= self.development_outlets;
        if has_enough_outlets && !is_listed {
            return Ok(Some(EntryVariants::Both));
        }
        let variants = if has_enough_outlets || !is_listed { EntryVariants::Both } else { EntryVariants::Stable };
        Ok((similarity()? <= MAX_DEVELOPMENT_SIMILARITY).then_some(variants))
    }

    /// Returns the other stories of a storyline that the entry of `story` lists. The entry lists the stories without
    /// their own entry in a feed that selects them and in which this entry is the one that lists stories. It also lists
    /// the newest of the stories with their own entry. A story with an entry in one feed may have no entry in another
    /// feed, such as `top`. `matches` returns whether a story meets the conditions of a feed.
    ///
    /// # Errors
    /// Fails if `matches` fails.
    pub fn developments<E>(
        &self,
        story: StoryId,
        storyline: PublishedStoryline<'_>,
        now: Timestamp,
        mut matches: impl FnMut(StoryId, &FeedSelection) -> Result<bool, E>,
    ) -> Result<Vec<Development>, E> {
        let PublishedStoryline { stories, entries } = storyline;
        let has_entry = |feed: &str, other: StoryId| {
            entries.get(feed).is_some_and(|entries| entries.iter().any(|entry| entry.story == other))
        };
        let folding = || entries.keys().map(String::as_str).filter(|feed| self.folds(feed));
        let mut feeds: BTreeSet<&str> = folding().filter(|feed| has_entry(feed, story)).collect();
        let lists_others = |feed: &str| {
            entries.get(feed).is_some_and(|entries| self.listing_entry(entries.iter(), now) == Some(story))
        };
        let listing: Vec<&str> = feeds.iter().copied().filter(|feed| lists_others(feed)).collect();
        let mut is_selected = |feed: &str, other: &Development| match self.feeds.get(feed) {
            Some(selection) if other.outlet_count >= selection.min_outlets => {
                Ok(selection.selects_by_outlet_count_only() || matches(other.story, selection)?)
            }
            _ => Ok(false),
        };
        if feeds.is_empty() {
            // The story may be about to enter feeds.
            feeds = folding().collect();
        }
        let (mut related, mut listed) = (Vec::new(), Vec::new());
        for other in stories.into_iter().filter(|other| other.story != story) {
            let mut is_listed = false;
            for feed in listing.iter().filter(|feed| !has_entry(feed, other.story)) {
                is_listed = is_listed || is_selected(feed, &other)?;
            }
            if is_listed {
                listed.push(Development { has_entry: false, ..other });
            } else if feeds.iter().any(|feed| has_entry(feed, other.story)) {
                related.push(Development { has_entry: true, ..other });
            }
        }
        let newest = |development: &Development| Reverse((development.at, development.story));
        listed.sort_by_key(|development| (Reverse(development.outlet_count), newest(development)));
        listed.truncate(MAX_SUB_HEADLINES);
        listed.sort_by_key(newest);
        related.sort_by_key(newest);
        related.truncate(MAX_RELATED_ENTRIES);
        listed.extend(related);
        Ok(listed)
    }

    /// Returns the entry that lists the stories of a storyline that have no entry: the oldest entry that is in the
    /// feed's document and can get another edition at this time.
    fn listing_entry<'e>(
        &self,
        mut entries: impl Iterator<Item = &'e StorylineEntry>,
        at: Timestamp,
    ) -> Option<StoryId> {
        let closed = before(at, self.update_window);
        let is_in_document = |entry: &StorylineEntry| entry.newer_entries < self.document_size(&entry.feed);
        entries.find(|entry| entry.first_edition_at > closed && is_in_document(entry)).map(|entry| entry.story)
    }
}

/// Returns the positions of the stories in the order in which their entries are decided: oldest first, with one
/// exception. If several stories of a storyline without entries were published together, the most reported of them
/// precedes the other stories of the storyline. Without this rule, an arbitrary story would get the first entry of a
/// storyline if newsfold reads all its stories together, for example after its first start.
fn decision_order(stories: &[EnteringStory], entries: &HashMap<StorylineId, Vec<StorylineEntry>>) -> Vec<usize> {
    let mut oldest: HashMap<StorylineId, usize> = HashMap::new();
    let mut first: HashMap<StorylineId, usize> = HashMap::new();
    for (position, story) in stories.iter().enumerate() {
        if entries.get(&story.storyline).is_none_or(Vec::is_empty) {
            let published_at = stories[*oldest.entry(story.storyline).or_insert(position)].first_edition_at;
            let rank = |story: &EnteringStory| {
                let outlets = if story.first_edition_at == published_at { story.outlet_count } else { 0 };
                (!story.previous_variants.is_empty(), outlets)
            };
            let known = first.entry(story.storyline).or_insert(position);
            if rank(story) > rank(&stories[*known]) {
                *known = position;
            }
        }
    }
    let key = |position: &usize| match first.get(&stories[*position].storyline) {
        Some(first) => (*position.max(first), position != first, *position),
        None => (*position, false, *position),
    };
    let mut order: Vec<usize> = (0..stories.len()).collect();
    order.sort_by_key(key);
    order
}

/// The entries of a feed in the live variant, while stories are added.
struct FoldedFeed {
    entries: HashMap<StorylineId, Vec<StorylineEntry>>,
    /// The number of entries that had been added when each story was added, including its own.
    added: HashMap<StoryId, usize>,
}

impl FoldedFeed {
    /// Returns the entries of a storyline, oldest first.
    fn of_storyline(&self, storyline: StorylineId) -> Vec<StorylineEntry> {
        let Some(entries) = self.entries.get(&storyline) else { return Vec::new() };
        let mut entries = entries.clone();
        for entry in &mut entries {
            let before = self.added.get(&entry.story).copied().unwrap_or(0);
            entry.newer_entries += (self.added.len() - before) as u32;
        }
        entries
    }

    fn add(&mut self, feed: &str, story: &EnteringStory) {
        self.added.insert(story.id, self.added.len() + 1);
        let EnteringStory { id, published_at, first_edition_at, .. } = *story;
        let entry = StorylineEntry { feed: feed.into(), story: id, published_at, first_edition_at, newer_entries: 0 };
        let entries = self.entries.entry(story.storyline).or_default();
        let position = entries.partition_point(|other| (other.published_at, other.story) < (published_at, id));
        entries.insert(position, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> FoldingPolicy {
        FoldingPolicy::new(&Options::default())
    }

    fn hour(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
    }

    /// Returns an entry of the story with this number, whose first edition was created at this hour.
    fn entry(feed: &str, story: i64, at: i64) -> StorylineEntry {
        StorylineEntry {
            feed: feed.into(),
            story: StoryId::from_row(story),
            published_at: hour(at),
            first_edition_at: hour(at),
            newer_entries: 0,
        }
    }

    fn story(number: i64, outlet_count: u32) -> Development {
        Development {
            story: StoryId::from_row(number),
            title: number.to_string(),
            lang: None,
            link: None,
            outlet: "a.example".into(),
            outlet_count,
            at: hour(number),
            has_entry: false,
        }
    }

    /// Returns the variants that a story enters, 10 hours after the first edition of the storyline's entry and 60 hours
    /// after it.
    fn variants(outlets: u32, similarity: f32) -> [Option<EntryVariants>; 2] {
        let similarity = || Ok::<_, std::convert::Infallible>(similarity);
        [10, 60].map(|now| {
            policy().entry_variants(outlets, &[entry("all", 1, 0)], hour(now), similarity).unwrap_or_default()
        })
    }

    /// Returns the stories that the entry of a story lists 10 hours after the epoch, and whether they have entries.
    fn listed(of: i64, stories: Vec<Development>, entries: &[StorylineEntry]) -> Vec<(i64, bool)> {
        let mut policy = policy();
        policy.feeds.insert("war".into(), FeedSelection { tags: vec!["war".into()], ..FeedSelection::default() });
        let mut by_feed: HashMap<String, Vec<StorylineEntry>> = HashMap::new();
        for entry in entries {
            by_feed.entry(entry.feed.clone()).or_default().push(entry.clone());
        }
        let storyline = PublishedStoryline { stories, entries: &by_feed };
        // The feed `war` selects the stories 2 and 3.
        let matches =
            |story: StoryId, _: &FeedSelection| Ok::<_, std::convert::Infallible>([2, 3].contains(&story.to_row()));
        let found = policy.developments(StoryId::from_row(of), storyline, hour(10), matches).unwrap_or_default();
        found.iter().map(|development| (development.story.to_row(), development.has_entry)).collect()
    }

    #[test]
    fn the_first_story_of_a_storyline_gets_an_entry_and_is_not_compared() {
        let found = policy().entry_variants(1, &[], hour(1), || Err("compared"));
        assert_eq!(found, Ok(Some(EntryVariants::Both)));
    }

    /// Decides which of these stories of a storyline enter the feed `all`, given their outlets and the variants that they
    /// enter again. All similarities are 1.
    fn entered(stories: &[(u32, Option<EntryVariants>)], entries: &[StorylineEntry]) -> Vec<i64> {
        let storyline = StorylineId::from_row(1);
        let entering = |(number, (outlet_count, previous)): (usize, &(u32, Option<EntryVariants>))| EnteringStory {
            id: StoryId::from_row(number as i64),
            storyline,
            published_at: hour(number as i64),
            first_edition_at: hour(10),
            outlet_count: *outlet_count,
            is_in_stable_variant: false,
            previous_variants: previous.iter().copied().collect(),
        };
        let policy = policy();
        let feeds = Options::default().published_feeds();
        let feed = EnteredFeed {
            feed: feeds.iter().find(|feed| feed.name == "all").unwrap(),
            stories: stories.iter().enumerate().map(entering).collect(),
            entries: HashMap::from([(storyline, entries.to_vec())]),
        };
        let entered = policy.enter(feed, hour(10), |_, _| Ok::<_, std::convert::Infallible>(1.0)).unwrap();
        entered.iter().map(|(story, _)| story.to_row()).collect()
    }

    #[test]
    fn the_most_reported_story_of_a_storyline_without_entries_gets_the_entry() {
        assert_eq!(entered(&[(1, None), (5, None), (3, None), (5, None)], &[]), [1]);
        assert_eq!(entered(&[(1, None), (5, None)], &[entry("all", 9, 0)]), [0i64; 0], "the entry lists both");
        let both = Some(EntryVariants::Both);
        assert_eq!(entered(&[(1, both), (5, None), (1, both)], &[]), [0, 2], "entries that were deleted return first");
    }

    #[test]
    fn a_new_development_of_enough_outlets_gets_an_entry() {
        assert_eq!(variants(3, 0.1), [Some(EntryVariants::Both); 2]);
        assert_eq!(variants(1, 0.1), [None; 2]);
    }

    #[test]
    fn two_outlets_suffice_where_no_entry_can_list_the_story() {
        assert_eq!(variants(2, 0.1), [Some(EntryVariants::Stable), Some(EntryVariants::Both)]);
    }

    #[test]
    fn a_story_that_repeats_an_entry_gets_one_only_if_no_entry_can_list_it() {
        let similarity = MAX_DEVELOPMENT_SIMILARITY + 0.01;
        assert_eq!(variants(9, similarity), [None, Some(EntryVariants::Both)]);
        assert_eq!(variants(2, similarity), [None; 2]);
    }

    #[test]
    fn a_story_with_an_entry_in_another_feed_is_listed_in_a_feed_where_it_has_none() {
        let entries = [entry("all", 1, 1), entry("top", 1, 1), entry("all", 2, 2)];
        assert_eq!(listed(1, vec![story(2, 1)], &entries), [(2, true)], "one outlet is too few for top");
        assert_eq!(listed(1, vec![story(2, 5)], &entries), [(2, false)]);
    }

    #[test]
    fn the_oldest_entry_of_a_feed_lists_the_stories_without_an_entry() {
        let entries = [entry("all", 1, 1), entry("all", 2, 2), entry("war", 2, 2)];
        assert_eq!(listed(1, vec![story(1, 5), story(2, 4), story(3, 1)], &entries), [(3, false), (2, true)]);
        // In the feed `war`, the second story is the oldest entry.
        assert_eq!(listed(2, vec![story(1, 5), story(2, 4), story(3, 1)], &entries), [(3, false), (1, true)]);
        assert_eq!(listed(2, vec![story(1, 5), story(2, 4), story(3, 1)], &entries[..2]), [(1, true)]);
    }

    #[test]
    fn an_entry_lists_no_story_that_its_feeds_do_not_select() {
        let entries = [entry("all", 1, 1), entry("all", 2, 2), entry("war", 2, 2)];
        assert_eq!(listed(2, vec![story(3, 1), story(4, 1)], &entries), [(3, false)]);
        assert_eq!(listed(1, vec![story(3, 1), story(4, 1)], &entries), [(4, false), (3, false)]);
    }

    #[test]
    fn an_entry_that_has_left_the_document_lists_no_stories() {
        let entries = [StorylineEntry { newer_entries: 100, ..entry("all", 1, 1) }, entry("all", 2, 2)];
        assert_eq!(listed(1, vec![story(3, 1)], &entries), []);
        assert_eq!(listed(2, vec![story(3, 1)], &entries), [(3, false)]);
        let similarity = || Ok::<_, std::convert::Infallible>(0.1);
        let found = policy().entry_variants(2, &entries[..1], hour(2), similarity);
        assert_eq!(found, Ok(Some(EntryVariants::Both)));
    }

    #[test]
    fn an_entry_lists_the_twelve_stories_with_most_outlets_newest_first() {
        let stories = (2..20).map(|number| story(number, number as u32 % 9)).collect();
        let found = listed(1, stories, &[entry("all", 1, 1)]);
        assert_eq!(found.len(), 12);
        assert!(found.is_sorted_by(|a, b| a.0 > b.0) && !found.iter().any(|(number, _)| number % 9 < 2), "{found:?}");
    }
}
