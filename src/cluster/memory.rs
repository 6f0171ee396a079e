//! The items of the last days, by story, by link and by their strongest terms.

use super::decide::Side;
use super::vector::Vector;
use super::words::{Number, Sketch, Term, Text};
use crate::model::{Item, ItemId, StoryId, Timestamp};
use jiff::SignedDuration;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use xxhash_rust::xxh3::xxh3_64;

/// What is kept of an item.
pub(super) struct Remembered {
    pub id: ItemId,
    pub story: StoryId,
    pub copy_of: Option<ItemId>,
    pub outlet: String,
    pub ranked_at: Timestamp,
    pub title: String,
    pub numbers: Vec<Number>,
    pub sketch: Sketch,
    pub vector: Vector,
    first_seen_at: Timestamp,
    link: Option<u64>,
}

impl Remembered {
    /// What is compared of it.
    pub(super) fn side(&self) -> Side<'_> {
        Side { ranked_at: self.ranked_at, title: &self.title, numbers: &self.numbers, vector: &self.vector }
    }
}

/// Two stories that became one.
pub(super) struct Merged {
    pub from: StoryId,
    pub into: StoryId,
    /// The items that moved.
    pub items: Vec<ItemId>,
}

/// Where an item stands in the queue of all items since the start: it never changes, and never comes again.
type Place = u64;

pub(super) struct Memory {
    window: SignedDuration,
    items: VecDeque<Remembered>,
    /// The place of the first item in `items`.
    first: Place,
    stories: FxHashMap<StoryId, Vec<Place>>,
    links: FxHashMap<u64, Place>,
    terms: FxHashMap<Term, VecDeque<Place>>,
}

/// Terms of an item by which others find it.
const INDEXED: usize = 12;
/// Latest items that are looked at for one term: what more items have in common is too common to tell anything.
const POSTINGS: usize = 400;
/// Stories that an item is compared with in full.
const CANDIDATES: usize = 24;

impl Memory {
    pub(super) fn new(window: SignedDuration) -> Self {
        Memory {
            window,
            items: VecDeque::new(),
            first: 0,
            stories: FxHashMap::default(),
            links: FxHashMap::default(),
            terms: FxHashMap::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn knows(&self, story: StoryId) -> bool {
        self.stories.contains_key(&story)
    }

    pub(super) fn remember(
        &mut self,
        item: &Item,
        story: StoryId,
        copy_of: Option<ItemId>,
        text: Text,
        vector: Vector,
    ) {
        let place = self.first + self.items.len() as Place;
        let link = item.canonical_url.as_deref().map(|l| xxh3_64(l.as_bytes()));
        if let Some(link) = link {
            self.links.entry(link).or_insert(place);
        }
        for term in vector.strongest(INDEXED) {
            self.terms.entry(term).or_default().push_back(place);
        }
        self.stories.entry(story).or_default().push(place);
        self.items.push_back(Remembered {
            id: item.id,
            story,
            copy_of,
            outlet: item.outlet.clone(),
            ranked_at: item.ranked_at,
            title: text.title,
            numbers: text.numbers,
            sketch: text.sketch,
            vector,
            first_seen_at: item.first_seen_at,
            link,
        });
    }

    /// Forgets what was first seen more than the window before `now`.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let limit = now - self.window;
        while self.items.front().is_some_and(|item| item.first_seen_at < limit) {
            let Some(old) = self.items.pop_front() else { break };
            let place = self.first;
            self.first += 1;
            if let Some(link) = old.link
                && self.links.get(&link) == Some(&place)
            {
                self.links.remove(&link);
            }
            for term in old.vector.strongest(INDEXED) {
                if let Some(places) = self.terms.get_mut(&term) {
                    while places.front().is_some_and(|p| *p <= place) {
                        places.pop_front();
                    }
                    if places.is_empty() {
                        self.terms.remove(&term);
                    }
                }
            }
            if let Some(members) = self.stories.get_mut(&old.story) {
                members.retain(|member| *member != place);
                if members.is_empty() {
                    self.stories.remove(&old.story);
                }
            }
        }
    }

    /// An item of another source or guid that links to the same article.
    pub(super) fn by_link(&self, item: &Item) -> Option<&Remembered> {
        let link = xxh3_64(item.canonical_url.as_deref()?.as_bytes());
        let known = self.at(*self.links.get(&link)?)?;
        // Front pages and live-blog shells are linked again and again under other headlines.
        let close = known.ranked_at.duration_since(item.ranked_at).abs() <= self.window;
        close.then_some(known)
    }

    /// The stories that share most with the item, by the weight of the shared terms.
    pub(super) fn candidates(&self, vector: &Vector) -> Vec<StoryId> {
        let mut weights: FxHashMap<StoryId, (f32, Place)> = FxHashMap::default();
        for (rank, term) in vector.strongest(2 * INDEXED).into_iter().enumerate() {
            let Some(places) = self.terms.get(&term) else { continue };
            let weight = 1.0 / (1.0 + rank as f32);
            for place in places.iter().rev().take(POSTINGS) {
                let Some(item) = self.at(*place) else { continue };
                let entry = weights.entry(item.story).or_insert((0.0, *place));
                entry.0 += weight;
            }
        }
        let mut ranked: Vec<(StoryId, (f32, Place))> = weights.into_iter().collect();
        // The later story first where weights are equal; places are distinct, so that the order is total.
        ranked.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then(b.1.1.cmp(&a.1.1)));
        ranked.truncate(CANDIDATES);
        ranked.into_iter().map(|(story, _)| story).collect()
    }

    /// Makes two stories one: the one with the older first member survives.
    pub(super) fn merge(&mut self, one: StoryId, other: StoryId) -> Option<Merged> {
        let first = |story: StoryId| self.stories.get(&story).and_then(|places| places.first().copied());
        let (from, into) = if first(one)? < first(other)? { (other, one) } else { (one, other) };
        let moved = self.stories.remove(&from)?;
        let mut items = Vec::with_capacity(moved.len());
        for place in &moved {
            let at = place.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
            if let Some(item) = at.and_then(|index| self.items.get_mut(index)) {
                item.story = into;
                items.push(item.id);
            }
        }
        let members = self.stories.entry(into).or_default();
        members.extend(moved);
        members.sort_unstable();
        Some(Merged { from, into, items })
    }

    /// How many members of a story are remembered.
    pub(super) fn size(&self, story: StoryId) -> usize {
        self.stories.get(&story).map_or(0, Vec::len)
    }

    /// The latest members of a story.
    pub(super) fn members(&self, story: StoryId, limit: usize) -> Vec<&Remembered> {
        let places = self.stories.get(&story).map(Vec::as_slice).unwrap_or_default();
        places.iter().rev().take(limit).filter_map(|place| self.at(*place)).collect()
    }

    fn at(&self, place: Place) -> Option<&Remembered> {
        self.items.get(place.checked_sub(self.first)? as usize)
    }
}
