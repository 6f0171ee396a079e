//! Decides which feeds stories enter. The decisions for all feeds are made together, from one state of the database.
//! There may be a thousand feeds, so each story and its storyline are read only once, and the transaction that adds the
//! entries reads nothing.

use crate::domain::{
    Development, EntryVariants, FeedFilters, FeedSelection, FeedVariant, FilteredItem, PublishedFeed, Story, StoryId,
    StorylineEntry, StorylineId, Timestamp,
};
use crate::publish::{
    EnteredFeed, EnteringStory, FoldingPolicy, Options, PublishedStoryline, StoryFacts, development_of,
};
use crate::store::feed_selections::{self, EntriesState, SelectedFeed};
use crate::store::text_index::TextIndex;
use crate::store::{self, ReadConnection, feed_entries, stories, story_selection, storyline_membership, storylines};
use crate::storyline::StorylineGrouper;
use std::cell::OnceCell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The maximum number of entries with which a story is compared, and the maximum number of reports that are read from
/// each story. The newest entries are compared.
const MAX_COMPARED_ENTRIES: usize = 40;
const MAX_COMPARED_REPORTS: usize = 20;

/// The configured feeds, and the rules by which stories enter them.
pub(super) struct EnteringRules {
    pub feeds: Vec<SelectedFeed>,
    filters: FeedFilters,
    pub folding: FoldingPolicy,
}

/// A published story that may enter feeds. `first_edition_at` is the time of its first edition.
pub(super) struct EnteringCandidate<'s> {
    pub story: &'s Story,
    pub published_at: Timestamp,
    pub first_edition_at: Timestamp,
}

/// The stories that enter a feed, in order, each with the variants that it enters.
pub(super) struct EnteringStories {
    /// The position of the feed in [`EnteringRules::feeds`].
    pub feed: usize,
    pub stories: Vec<(StoryId, EntryVariants)>,
}

impl EnteringRules {
    pub(super) fn new(options: &Options) -> EnteringRules {
        let feeds = options.published_feeds();
        let filters = FeedFilters::new(feeds.iter().map(|feed| &feed.selection));
        EnteringRules {
            filters: filters.expect("the filters of the configuration are valid"),
            feeds: feeds.into_iter().map(SelectedFeed::new).collect::<store::Result<_>>().expect("selections are JSON"),
            folding: FoldingPolicy::new(options),
        }
    }

    /// Decides which of the candidates enter which feeds. Omits feeds whose entries have not been determined yet,
    /// because their first entries will include these stories. The newest story enters each feed last.
    pub(super) fn decide(
        &self,
        db: &ReadConnection,
        candidates: &[EnteringCandidate<'_>],
        storylines: &mut EntriesByStoryline<'_>,
        now: Timestamp,
    ) -> store::Result<Vec<EnteringStories>> {
        let matching = MatchingStories::find(self, db, candidates)?;
        let mut similarities = Similarities::default();
        let mut decided = Vec::new();
        for (number, positions) in &matching.by_feed {
            let mut positions = positions.clone();
            let feed = &self.feeds[*number].feed;
            positions.sort_by_key(|position| (candidates[*position].published_at, candidates[*position].story.id));
            let mut entries = HashMap::new();
            let mut entering = Vec::with_capacity(positions.len());
            for position in positions {
                let EnteringCandidate { story, published_at, first_edition_at } = candidates[position];
                let by_feed = storylines.read(db, &self.folding, story.id, story.storyline)?;
                if let Some(of_feed) = by_feed.get(&feed.name) {
                    entries.insert(story.storyline, of_feed.clone());
                }
                entering.push(EnteringStory {
                    id: story.id,
                    storyline: story.storyline,
                    published_at,
                    first_edition_at,
                    outlet_count: matching.facts[position].outlet_count,
                    is_in_stable_variant: matching.entries[position].stable[*number],
                    previous_variants: Vec::new(),
                });
            }
            let similarity = |story, entries: &[StorylineEntry]| similarities.highest(db, story, entries);
            let stories = self.folding.enter(EnteredFeed { feed, stories: entering, entries }, now, similarity)?;
            decided.push(EnteringStories { feed: *number, stories });
        }
        Ok(decided)
    }
}

/// The candidates that match feeds and are not in the live variants of these feeds.
struct MatchingStories<'s> {
    facts: Vec<StoryFacts<'s>>,
    /// The feeds that contain each candidate.
    entries: Vec<FeedsOfStory>,
    /// The positions of feeds, and of the candidates that match each feed.
    by_feed: Vec<(usize, Vec<usize>)>,
}

impl<'s> MatchingStories<'s> {
    fn find(
        rules: &EnteringRules,
        db: &ReadConnection,
        candidates: &[EnteringCandidate<'s>],
    ) -> store::Result<MatchingStories<'s>> {
        let stories: Vec<&'s Story> = candidates.iter().map(|candidate| candidate.story).collect();
        let facts = stories.iter().copied().map(StoryFacts::new).collect();
        let names = rules.feeds.iter().enumerate().map(|(number, feed)| (feed.feed.name.as_str(), number));
        let numbers: HashMap<&str, usize> = names.collect();
        let entries = stories.iter().map(|story| FeedsOfStory::read(db, story.id, rules.feeds.len(), &numbers));
        let entries = entries.collect::<store::Result<Vec<_>>>()?;
        let mut matching = MatchingStories { facts, entries, by_feed: Vec::new() };
        let mut texts = StoryTexts { db, stories: &stories, index: OnceCell::new(), filtered: BTreeMap::new() };
        let (states, _) = feed_selections::states(db, &rules.feeds)?;
        for (feed, state) in states.into_iter().enumerate() {
            let SelectedFeed { feed: PublishedFeed { selection, .. }, .. } = &rules.feeds[feed];
            if state == EntriesState::OtherSelection {
                continue;
            }
            let may_enter = |position: &usize| {
                matching.facts[*position].may_match(selection)
                    && stories[*position].merged_into.is_none()
                    && !matching.entries[*position].live[feed]
            };
            let mut positions: Vec<usize> = (0..stories.len()).filter(may_enter).collect();
            if let Some(query) = selection.query.as_ref().filter(|_| !positions.is_empty()) {
                let found = texts.matching(query)?;
                positions.retain(|position| found.contains(position));
            }
            if let Some(query) = selection.exclude_query.as_ref().filter(|_| !positions.is_empty()) {
                let found = texts.matching(query)?;
                positions.retain(|position| !found.contains(position));
            }
            if !rules.filters.is_empty(feed) {
                positions = texts.passing(&rules.filters, feed, positions)?;
            }
            if !positions.is_empty() {
                matching.by_feed.push((feed, positions));
            }
        }
        Ok(matching)
    }
}

/// Whether the variants of each feed contain a story, by the position of the feed.
struct FeedsOfStory {
    live: Vec<bool>,
    stable: Vec<bool>,
}

impl FeedsOfStory {
    /// Reads the entries of a story. `numbers` contains the positions of the `count` feeds by their names.
    fn read(
        db: &ReadConnection,
        story: StoryId,
        count: usize,
        numbers: &HashMap<&str, usize>,
    ) -> store::Result<FeedsOfStory> {
        let mut feeds = FeedsOfStory { live: vec![false; count], stable: vec![false; count] };
        for (feed, variants) in feed_entries::of_story(db, story, |name| numbers.get(name).copied())? {
            feeds.live[feed] |= variants.include(FeedVariant::Live);
            feeds.stable[feed] |= variants.include(FeedVariant::Stable);
        }
        Ok(feeds)
    }
}

/// The texts of the candidates, which are read when a feed has an expression or a filter.
struct StoryTexts<'c> {
    db: &'c ReadConnection,
    stories: &'c [&'c Story],
    index: OnceCell<TextIndex>,
    /// The items of stories, and the results of filters.
    filtered: BTreeMap<usize, (Vec<FilteredItem>, BTreeMap<usize, bool>)>,
}

impl StoryTexts<'_> {
    fn matching(&mut self, expression: &str) -> store::Result<BTreeSet<usize>> {
        if self.index.get().is_none() {
            let _ = self.index.set(TextIndex::new(self.db, self.stories)?);
        }
        self.index.get().map_or_else(|| Ok(BTreeSet::new()), |index| index.matching(expression))
    }

    /// Returns the stories that pass the filters of a feed.
    fn passing(&mut self, filters: &FeedFilters, feed: usize, positions: Vec<usize>) -> store::Result<Vec<usize>> {
        let mut passing = Vec::new();
        for position in positions {
            if !self.filtered.contains_key(&position) {
                let items = story_selection::filtered_items(self.db, self.stories[position].id)?;
                self.filtered.insert(position, (items, BTreeMap::new()));
            }
            let passes = |(items, results): &mut (Vec<_>, _)| filters.matches(feed, items, results) == (true, false);
            if self.filtered.get_mut(&position).is_some_and(passes) {
                passing.push(position);
            }
        }
        Ok(passing)
    }
}

/// The entries of storylines with several stories. Each storyline is read once.
#[derive(Default)]
pub(super) struct EntriesByStoryline<'s> {
    storylines: HashMap<StorylineId, StorylineEntries>,
    /// The stories that are about to be published, with their dates.
    new: HashMap<StorylineId, Vec<(&'s Story, Timestamp)>>,
}

/// The entries of a storyline.
#[derive(Default)]
struct StorylineEntries {
    has_several_stories: bool,
    /// The entries by feed, oldest story first. Empty for a storyline with a single story.
    by_feed: HashMap<String, Vec<StorylineEntry>>,
}

impl<'s> EntriesByStoryline<'s> {
    /// Returns the entries of a story's storyline.
    pub(super) fn read(
        &mut self,
        db: &ReadConnection,
        folding: &FoldingPolicy,
        story: StoryId,
        storyline: StorylineId,
    ) -> store::Result<&HashMap<String, Vec<StorylineEntry>>> {
        let unknown = match self.storylines.entry(storyline) {
            Entry::Occupied(known) => return Ok(&known.into_mut().by_feed),
            Entry::Vacant(unknown) => unknown,
        };
        let mut entries = StorylineEntries::default();
        if storyline_membership::has_other_stories(db, story)? {
            entries.has_several_stories = true;
            for entry in feed_entries::of_storyline(db, storyline, |feed| folding.document_size(feed))? {
                entries.by_feed.entry(entry.feed.clone()).or_default().push(entry);
            }
        }
        Ok(&unknown.insert(entries).by_feed)
    }

    /// Adds the entries of stories that are about to be published, so that the first editions list these stories.
    pub(super) fn add(
        &mut self,
        rules: &EnteringRules,
        candidates: &[EnteringCandidate<'s>],
        entering: &[EnteringStories],
    ) {
        let by_id: HashMap<StoryId, &EnteringCandidate<'s>> =
            candidates.iter().map(|candidate| (candidate.story.id, candidate)).collect();
        for EnteringCandidate { story, published_at, .. } in candidates {
            self.new.entry(story.storyline).or_default().push((story, *published_at));
        }
        for EnteringStories { feed, stories } in entering {
            let feed = &rules.feeds[*feed].feed.name;
            let live = stories.iter().filter(|(_, variants)| variants.include(FeedVariant::Live));
            let live: Vec<_> = live.filter_map(|(story, _)| by_id.get(story)).collect();
            let present = self.storylines.values_mut().filter_map(|storyline| storyline.by_feed.get_mut(feed));
            present.flatten().for_each(|entry| entry.newer_entries += live.len() as u32);
            for (position, candidate) in live.iter().enumerate() {
                let EnteringCandidate { story, published_at, first_edition_at } = ***candidate;
                let storyline = self.storylines.get_mut(&story.storyline);
                let Some(storyline) = storyline.filter(|storyline| storyline.has_several_stories) else { continue };
                let entries = storyline.by_feed.entry(feed.clone()).or_default();
                let newer_entries = (live.len() - position - 1) as u32;
                entries.push(StorylineEntry {
                    feed: feed.clone(),
                    story: story.id,
                    published_at,
                    first_edition_at,
                    newer_entries,
                });
                entries.sort_by_key(|entry| (entry.published_at, entry.story));
            }
        }
    }
}

/// The similarities of stories to the entries of their storylines. Most feeds have the same entries.
#[derive(Default)]
pub(super) struct Similarities(HashMap<(StoryId, Vec<StoryId>), f32>);

impl Similarities {
    /// Returns the highest similarity of a story to one of the entries.
    pub(super) fn highest(
        &mut self,
        db: &ReadConnection,
        story: StoryId,
        entries: &[StorylineEntry],
    ) -> store::Result<f32> {
        let compared: Vec<StoryId> = entries.iter().rev().take(MAX_COMPARED_ENTRIES).map(|entry| entry.story).collect();
        let key = (story, compared);
        if let Some(known) = self.0.get(&key) {
            return Ok(*known);
        }
        let mut grouper = StorylineGrouper::default();
        for story in stories::load(db, std::iter::once(story).chain(key.1.iter().copied()))? {
            let reports = story.items.iter().take(MAX_COMPARED_REPORTS);
            reports.for_each(|report| grouper.add(&report.item, story.id));
        }
        let highest = grouper.weigh_equally().highest_similarity(story);
        self.0.insert(key, highest);
        Ok(highest)
    }
}

/// Returns the other stories of the storyline that an edition of the story lists, with titles in the language of the
/// edition's lead if possible.
pub(super) fn related_stories(
    db: &ReadConnection,
    (story, language): (&Story, Option<&str>),
    now: Timestamp,
    folding: &FoldingPolicy,
    storylines: &mut EntriesByStoryline<'_>,
) -> store::Result<Vec<Development>> {
    if storylines.read(db, folding, story.id, story.storyline)?.is_empty() {
        return Ok(Vec::new());
    }
    let entries = &storylines.storylines[&story.storyline].by_feed;
    let mut stories = storylines::developments(db, story.storyline, language)?;
    let new = storylines.new.get(&story.storyline).into_iter().flatten();
    stories.extend(new.filter_map(|(story, published_at)| development_of(story, *published_at, language)));
    let storyline = PublishedStoryline { stories, entries };
    folding.developments(story.id, storyline, now, |other, selection| matches(db, other, selection))
}

/// Returns whether a published story meets the conditions of a feed.
fn matches(db: &ReadConnection, story: StoryId, selection: &FeedSelection) -> store::Result<bool> {
    let Some(story) = stories::get(db, story)? else { return Ok(false) };
    let finds = |expression: &String| story_selection::matches_expression(db, story.id, expression);
    if !StoryFacts::new(&story).may_match(selection)
        || !selection.query.as_ref().map_or(Ok(true), finds)?
        || selection.exclude_query.as_ref().map_or(Ok(false), finds)?
    {
        return Ok(false);
    }
    let (passes, is_excluded) = story_selection::filter_matches(db, selection, story.id)?;
    Ok(passes && !is_excluded)
}
