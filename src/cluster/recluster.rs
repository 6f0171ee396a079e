//! The second look: groups the neighbourhood of what is new afresh, so that the order of arrival does not decide.
//!
//! What came, or came near something new, since the last look, is taken with its stories and the stories near it; all
//! their pairs are known, and the grouping starts from single items. Items beyond the revision time stay together as
//! they are, and new ones may still join them. A group keeps the oldest of the story ids that mostly went into it.

use super::term_index::ItemSeq;
use super::window::{Constraint, IndexedItem};
use super::{Clusterer, agglomerative, candidates};
use crate::domain::{CreatedStory, ItemId, ItemMove, JoinEvidence, JoinReason, StoryId, StoryRegrouping};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

/// Log-odds from which a neighbour's story is looked at too.
const MIN_NEIGHBORHOOD_LOG_ODDS: f32 = -1.5;
/// Items below which nothing is judged anew for growth alone, and above which growth teaches little more.
const WARM_UP_ITEMS: std::ops::RangeInclusive<usize> = 300..=20_000;

/// By the position of an item, those that go where it goes.
type FollowersByLeader = FxHashMap<u32, Vec<u32>>;
/// Gives an id to a story that the item founds; it is told which ids are known.
type MintStoryId<'a> = dyn FnMut(ItemId, &dyn Fn(StoryId) -> bool) -> StoryId + 'a;

impl Clusterer {
    /// Looks again at what is new. `mint` gives an id to a story that splits off, founded by the item it is told; it is
    /// also told which ids this clusterer knows.
    pub fn recluster(
        &mut self,
        now: jiff::Timestamp,
        mut mint: impl FnMut(ItemId, &dyn Fn(StoryId) -> bool) -> StoryId,
    ) -> StoryRegrouping {
        let fresh = std::mem::take(&mut self.fresh);
        if fresh.is_empty() {
            return StoryRegrouping::default();
        }
        let fresh = if self.outgrown() { self.judge_all() } else { self.judge_again(fresh) };
        let frozen_before = now.as_second() - self.options.revision_window.as_secs();
        let places = self.neighbourhood(&fresh);
        let items: Vec<&IndexedItem> = places.iter().filter_map(|place| self.window.at(*place)).collect();
        let position: FxHashMap<ItemSeq, u32> = places.iter().zip(0..).map(|(place, at)| (*place, at)).collect();
        let mut pairs: Vec<agglomerative::Pair> = Vec::new();
        for (at, item) in items.iter().enumerate() {
            for near in item.near.iter().filter(|near| near.score() > agglomerative::MIN_PAIR_LOG_ODDS) {
                if let Some(other) = position.get(&near.place) {
                    pairs.push(((at as u32).min(*other), (at as u32).max(*other), near.score()));
                }
            }
        }
        pairs.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(b.2.total_cmp(&a.2)));
        pairs.dedup_by_key(|pair| (pair.0, pair.1));
        let tags: Vec<&[Constraint]> = items.iter().map(|item| self.window.tags(item.id)).collect();
        let mut groups = agglomerative::group(&tags, &self.cores(&items, frozen_before), &pairs, &self.linkage);
        let stories: Vec<StoryId> = items.iter().map(|item| item.story).collect();
        let (followers, led) = self.followers(&stories, &position);
        for group in &mut groups {
            let behind = group.iter().filter_map(|at| led.get(at)).flatten().copied().collect::<Vec<u32>>();
            group.extend(behind.into_iter().map(|at| places.len() as u32 + at));
        }
        let stories: Vec<StoryId> = stories.into_iter().chain(followers.iter().map(|(_, story)| *story)).collect();
        let places: Vec<ItemSeq> = places.into_iter().chain(followers.iter().map(|(place, _)| *place)).collect();
        self.carry_out(&places, &stories, groups, &mut mint)
    }

    /// Whether the memory is young and grew by half since all was judged: what came first was then judged by words whose
    /// rarity was hardly known.
    fn outgrown(&mut self) -> bool {
        let now = self.window.vocabulary.items() as usize;
        let outgrown = WARM_UP_ITEMS.contains(&now) && now > self.grown + self.grown / 2;
        if outgrown {
            self.grown = now;
        }
        outgrown
    }

    /// Weighs and judges everything anew. Returns all items in order.
    fn judge_all(&mut self) -> Vec<ItemSeq> {
        let first = self.window.first();
        let all: Vec<ItemSeq> = (0..self.window.len() as ItemSeq).map(|n| first.wrapping_add(n)).collect();
        all.iter().for_each(|place| candidates::refresh(&mut self.window, *place));
        all.iter().for_each(|place| self.judge(*place));
        all
    }

    /// Judges again those whose neighbourhood is no longer what it was. Returns all that is fresh, in order.
    fn judge_again(&mut self, fresh: Vec<ItemSeq>) -> Vec<ItemSeq> {
        let mut all: FxHashSet<ItemSeq> = fresh.iter().copied().collect();
        for place in &fresh {
            if let Some(item) = self.window.at(*place) {
                all.extend(
                    item.near.iter().filter(|near| near.score() > MIN_NEIGHBORHOOD_LOG_ODDS).map(|near| near.place),
                );
            }
        }
        let mut all: Vec<ItemSeq> = all.into_iter().filter(|place| self.window.at(*place).is_some()).collect();
        let first = self.window.first();
        all.sort_unstable_by_key(|place| place.wrapping_sub(first));
        for place in &all {
            let stale = |item: &IndexedItem| usize::from(item.news) * 2 > item.near.len().max(1);
            if self.window.at(*place).is_some_and(stale) {
                candidates::refresh(&mut self.window, *place);
                self.judge(*place);
            }
        }
        all
    }

    /// The voices of all stories that the fresh items are in or near to, in order.
    fn neighbourhood(&self, fresh: &[ItemSeq]) -> Vec<ItemSeq> {
        let mut stories: FxHashSet<StoryId> = FxHashSet::default();
        for item in fresh.iter().filter_map(|place| self.window.at(*place)) {
            stories.insert(item.story);
            let near = item.near.iter().filter(|near| near.score() > MIN_NEIGHBORHOOD_LOG_ODDS);
            stories.extend(near.filter_map(|near| self.window.at(near.place)).map(|other| other.story));
        }
        let members = stories.iter().flat_map(|story| self.window.members(*story));
        let voice = |place: &&ItemSeq| self.window.at(**place).is_some_and(|item| !item.passive);
        let mut places: Vec<ItemSeq> = members.filter(voice).copied().collect();
        let first = self.window.first();
        places.sort_unstable_by_key(|place| place.wrapping_sub(first));
        places
    }

    /// The passive items of these stories, each with its story, and by the position of the item that leads them.
    fn followers(
        &self,
        stories: &[StoryId],
        position: &FxHashMap<ItemSeq, u32>,
    ) -> (Vec<(ItemSeq, StoryId)>, FollowersByLeader) {
        let stories: BTreeSet<StoryId> = stories.iter().copied().collect();
        let (mut followers, mut led) = (Vec::new(), FollowersByLeader::default());
        for place in stories.iter().flat_map(|story| self.window.members(*story)) {
            let Some(item) = self.window.at(*place).filter(|item| item.passive) else { continue };
            let Some(leader) = position.get(&item.follows) else { continue };
            // What the operator decided about it goes before.
            if self.window.tags(item.id).is_empty() {
                led.entry(*leader).or_default().push(followers.len() as u32);
                followers.push((*place, item.story));
            }
        }
        (followers, led)
    }

    /// Items that stand together whatever their pairs say: those of a story that are no longer revised, and those that
    /// the operator put together.
    fn cores(&self, items: &[&IndexedItem], frozen_before: i64) -> Vec<Vec<u32>> {
        let mut cores: BTreeMap<(u8, i64), Vec<u32>> = BTreeMap::new();
        for (at, item) in items.iter().enumerate() {
            if item.first_seen_at < frozen_before {
                cores.entry((0, item.story.to_row())).or_default().push(at as u32);
            }
            for tag in self.window.tags(item.id) {
                if let Constraint::MustLink(decision) = tag {
                    cores.entry((1, *decision)).or_default().push(at as u32);
                }
            }
        }
        cores.into_values().filter(|core| core.len() > 1).collect()
    }

    /// Gives each group its story, and moves what stands elsewhere.
    fn carry_out(
        &mut self,
        places: &[ItemSeq],
        stories: &[StoryId],
        groups: Vec<Vec<u32>>,
        mint: &mut MintStoryId<'_>,
    ) -> StoryRegrouping {
        let mut out = StoryRegrouping::default();
        let owners = owners(stories, &groups);
        let mut left: FxHashSet<StoryId> = FxHashSet::default();
        for (number, group) in groups.iter().enumerate() {
            let founder = self.window.at(places[group[0] as usize]).map(|item| item.id);
            let story = match (owners.get(&number), founder) {
                (Some(story), _) => *story,
                (None, Some(founder)) => {
                    let story = mint(founder, &|id| self.window.knows(id));
                    out.founded.push(CreatedStory { story, by: founder });
                    story
                }
                (None, None) => continue,
            };
            let members: Vec<ItemSeq> = group.iter().map(|at| places[*at as usize]).collect();
            for at in group.iter().filter(|at| stories[**at as usize] != story) {
                let (place, from) = (places[*at as usize], stories[*at as usize]);
                let evidence = self.regrouped_evidence(place, &members, from);
                self.window.put(place, story);
                left.insert(from);
                if let Some(item) = self.window.at(place) {
                    out.moved.push(ItemMove { item: item.id, from, into: story, evidence });
                }
            }
        }
        self.redirect_emptied(left, &mut out);
        out
    }

    /// Stories whose voices all went elsewhere lead to where most of them went, and what is passive follows.
    fn redirect_emptied(&mut self, left: FxHashSet<StoryId>, out: &mut StoryRegrouping) {
        let mut left: Vec<StoryId> = left.into_iter().filter(|story| self.window.voices(*story) == 0).collect();
        left.sort_unstable();
        for from in left {
            let mut targets: BTreeMap<StoryId, usize> = BTreeMap::new();
            for moved in out.moved.iter().filter(|moved| moved.from == from) {
                *targets.entry(moved.into).or_default() += 1;
            }
            let Some(into) = targets.iter().max_by_key(|(_, count)| **count).map(|(story, _)| *story) else { continue };
            for place in self.window.members(from).to_vec() {
                self.window.put(place, into);
                if let Some(item) = self.window.at(place) {
                    let reasons = vec![JoinReason::Merged { from }];
                    let evidence = JoinEvidence { score: 1.0, needed: self.options.threshold, reasons };
                    out.moved.push(ItemMove { item: item.id, from, into, evidence });
                }
            }
            out.emptied.push((from, into));
        }
    }

    fn regrouped_evidence(&self, place: ItemSeq, members: &[ItemSeq], from: StoryId) -> JoinEvidence {
        let Some(item) = self.window.at(place) else { return JoinEvidence::default() };
        let known = item
            .near
            .iter()
            .filter(|near| near.score() > agglomerative::MIN_PAIR_LOG_ODDS && members.contains(&near.place));
        let (sum, pairs, best) = known.fold((0.0, 0, f32::MIN), |(sum, pairs, best), near| {
            (sum + near.score(), pairs + 1, f32::max(best, near.score()))
        });
        let link = match pairs {
            0 => self.linkage.missing,
            _ => self.linkage.link(sum, pairs, best, (1, members.len().saturating_sub(1).max(1))),
        };
        let mut evidence = self.evidence(place, members, link, None);
        evidence.reasons.push(JoinReason::Regrouped { from });
        evidence
    }
}

/// Which group gets which story: a story goes to the group with most of its items, the earliest of equals; a group that
/// gets several keeps the oldest, which is the one with the earliest item.
fn owners(stories: &[StoryId], groups: &[Vec<u32>]) -> FxHashMap<usize, StoryId> {
    let mut parts: BTreeMap<(StoryId, usize), usize> = BTreeMap::new();
    let mut earliest: FxHashMap<StoryId, u32> = FxHashMap::default();
    for (number, group) in groups.iter().enumerate() {
        for at in group {
            let story = stories[*at as usize];
            *parts.entry((story, number)).or_default() += 1;
            let first = earliest.entry(story).or_insert(*at);
            *first = (*first).min(*at);
        }
    }
    let mut largest: BTreeMap<StoryId, (usize, usize)> = BTreeMap::new();
    for ((story, number), count) in parts {
        let known = largest.entry(story).or_insert((number, 0));
        if count > known.1 {
            *known = (number, count);
        }
    }
    let mut owners: FxHashMap<usize, StoryId> = FxHashMap::default();
    for (story, (number, _)) in largest {
        let owner = owners.entry(number).or_insert(story);
        if earliest[&story] < earliest[owner] {
            *owner = story;
        }
    }
    owners
}
