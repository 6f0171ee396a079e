//! Groups stories into storylines after each reclustering. All state comes from the database, so that a restart does
//! not change the result.

use super::grouped_sources::GroupedSources;
use crate::cluster::Options;
use crate::domain::duration::before;
use crate::domain::{
    ConstraintKind, Item, ItemId, SourceId, StoryId, StorylineId, StorylineMember, StorylineRegrouping, TermFrequency,
    Timestamp,
};
use crate::store::storyline_membership::{self, MemberWindow};
use crate::store::storylines::{self, StorylineConstraint};
use crate::store::{
    self, ReadConnection, Store, WriteConnection, constraints, embeddings, items, stories, term_frequencies,
};
use crate::storyline::{StoryLinks, StoryLookup, StorylineGrouper, TreeModel};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The maximum number of items that are compared, which bounds the time of a pass. The newest items are used.
const MAX_MEMBERS: u32 = 20_000;

/// The quota of a source's compared items: this number, or a fifth of the items that remain if every source is limited
/// to this number, whichever is larger. A source that floods newsfold therefore cannot change the term statistics for
/// other sources. The earliest items are used.
const SOURCE_QUOTA: usize = 60;
const SOURCE_QUOTA_DIVISOR: usize = 5;

/// The minimum age at which items are counted, so that a pass counts many items together.
const COUNT_INTERVAL: SignedDuration = SignedDuration::from_hours(1);
/// The maximum age of counted items in a database without counts, and the maximum number of items that a pass counts.
const COUNTED_SPAN: SignedDuration = SignedDuration::from_hours(30 * 24);
const MAX_COUNTED_ITEMS: u32 = 20_000;

/// The grouper, and the input of the last pass.
pub(super) struct StorylineSession {
    grouper: StorylineGrouper,
    model: TreeModel,
    grouped: Option<(Vec<StorylineMember>, StoryLinks)>,
    /// The hash of the encoder whose embeddings the grouper contains.
    encoder: Option<String>,
    /// The end of the period whose items the statistics of the grouper include.
    counted_until: Option<Timestamp>,
}

/// The changes that a pass makes to the database.
#[derive(Default)]
struct PassResult {
    regrouping: StorylineRegrouping,
    /// The term counts of items that have left the window, and the time up to which items are counted.
    counted: Option<(Vec<TermFrequency>, Timestamp)>,
}

impl StorylineSession {
    pub(super) fn new() -> StorylineSession {
        let (grouper, model) = (StorylineGrouper::default(), TreeModel::learned());
        StorylineSession { grouper, model, grouped: None, encoder: None, counted_until: None }
    }

    /// Returns whether the last pass has grouped all stories in the window.
    pub(super) fn is_complete(&self) -> bool {
        self.grouped.is_some()
    }

    /// Forgets the terms of items whose text changed, so that the next pass reads them again.
    pub(super) fn forget(&mut self, items: impl Iterator<Item = ItemId>) {
        for item in items {
            self.grouper.remove(item);
            self.grouped = None;
        }
    }

    /// Groups the stories in the window. Returns the session for the next pass.
    ///
    /// # Errors
    /// Returns [`store::Error::Outdated`] if the version of the operator's constraints is not `version`.
    pub(super) async fn regroup(
        self,
        store: &Store,
        options: &Options,
        version: i64,
        now: Timestamp,
    ) -> store::Result<StorylineSession> {
        let options = options.clone();
        let (session, PassResult { regrouping, counted }) = store.read(move |db| self.plan(db, &options, now)).await?;
        if !regrouping.is_empty() {
            let (moved, merged) = (regrouping.moved.len(), regrouping.merged.len());
            tracing::debug!(moved, merged, "storylines changed by grouping");
            let apply = move |db: &WriteConnection| {
                constraints::expect_version(db, version)?;
                storyline_membership::apply_regrouping(db, &regrouping, now)
            };
            store.write(apply).await?;
        }
        if let Some((counts, until)) = counted {
            store.write(move |db| term_frequencies::add(db, &counts, until)).await?;
        }
        Ok(session)
    }

    /// Reads the statistics if they have changed, and counts the items that have left the window since then.
    fn count_terms(
        &mut self,
        db: &ReadConnection,
        window_start: Timestamp,
    ) -> store::Result<Option<(Vec<TermFrequency>, Timestamp)>> {
        let counted_until = term_frequencies::counted_until(db)?;
        if self.counted_until != counted_until {
            self.grouper.set_statistics(term_frequencies::all(db)?);
            (self.counted_until, self.grouped) = (counted_until, None);
        }
        let after = counted_until.unwrap_or_else(|| before(window_start, COUNTED_SPAN));
        if window_start.duration_since(after) < COUNT_INTERVAL {
            return Ok(None);
        }
        let items = term_frequencies::uncounted_items(db, after, window_start, MAX_COUNTED_ITEMS)?;
        let is_cut = items.len() == MAX_COUNTED_ITEMS as usize;
        let until = items.last().filter(|_| is_cut).map_or(window_start, |last| last.first_seen_at);
        Ok(Some((self.grouper.count_terms(&items), until)))
    }

    fn plan(
        mut self,
        db: &ReadConnection,
        options: &Options,
        now: Timestamp,
    ) -> store::Result<(StorylineSession, PassResult)> {
        let encoder = embeddings::current_encoder(db)?.map(|current| current.hash);
        if self.encoder != encoder {
            // Embeddings of different encoders cannot be compared.
            self = StorylineSession { encoder, ..StorylineSession::new() };
        }
        let counted = self.count_terms(db, now - options.window)?;
        let related_since = now - options.storyline_lifetime.max(options.window);
        let window = MemberWindow { all_since: now - options.window, related_since, limit: MAX_MEMBERS };
        let members = storyline_membership::members(db, window)?;
        let members = within_quotas(GroupedSources::new(&options.tags).retain(db, members, |member| member.source)?);
        let all = constraints::active_on_storylines(db)?;
        let mut links = operator_links(&storylines::constraints_on_stories(db, &all)?, &members);
        links.must_link.extend(settled_links(&members, now - options.revision_window));
        if self.grouped.as_ref().is_some_and(|(known, known_links)| *known == members && *known_links == links) {
            return Ok((self, PassResult { counted, ..PassResult::default() }));
        }
        let by_item: BTreeMap<_, StoryId> = members.iter().map(|member| (member.item, member.story)).collect();
        let mut missing: Vec<Item> = Vec::new();
        for item in self.grouper.retain(&members) {
            missing.extend(items::get(db, item)?);
        }
        let group = || {
            for item in &missing {
                db.expect_needed()?;
                self.grouper.add(item, by_item[&item.id]);
            }
            self.grouper.regroup(&self.model, &members, &links, &StoredStories(db))
        };
        let Ok(regrouping) = catch_unwind(AssertUnwindSafe(group)) else {
            tracing::error!(
                "grouping stories into storylines panicked; storylines stay as they are until the next pass"
            );
            return Ok((StorylineSession::new(), PassResult { counted, ..PassResult::default() }));
        };
        self.grouped = Some((members, links));
        Ok((self, PassResult { regrouping: regrouping?, counted }))
    }
}

/// Returns the members that are within the quota of their source.
fn within_quotas(members: Vec<StorylineMember>) -> Vec<StorylineMember> {
    let mut counts: BTreeMap<SourceId, usize> = BTreeMap::new();
    members.iter().for_each(|member| *counts.entry(member.source).or_default() += 1);
    let within_base: usize = counts.values().map(|count| count.min(&SOURCE_QUOTA)).sum();
    let quota = SOURCE_QUOTA.max(within_base / SOURCE_QUOTA_DIVISOR);
    let mut used: BTreeMap<SourceId, usize> = BTreeMap::new();
    let mut is_within = |member: &StorylineMember| {
        let used = used.entry(member.source).or_default();
        *used += 1;
        *used <= quota
    };
    members.into_iter().filter(|member| is_within(member)).collect()
}

/// Returns the links between stories that follow from the operator's decisions.
fn operator_links(constraints: &[StorylineConstraint], members: &[StorylineMember]) -> StoryLinks {
    let in_window: BTreeSet<StoryId> = members.iter().map(|member| member.story).collect();
    let present = |stories: &[(StoryId, StorylineId)]| {
        let stories = stories.iter().map(|(story, _)| *story).filter(|story| in_window.contains(story));
        stories.collect::<Vec<_>>()
    };
    // A story that has left the window is represented by the stories of its storyline.
    let represented = |stories: &[(StoryId, StorylineId)]| {
        let left: BTreeSet<StorylineId> =
            stories.iter().filter(|(story, _)| !in_window.contains(story)).map(|(_, storyline)| *storyline).collect();
        let others = members.iter().filter(|member| left.contains(&member.storyline)).map(|member| member.story);
        others.chain(present(stories)).collect::<BTreeSet<StoryId>>()
    };
    let mut links = StoryLinks::default();
    for StorylineConstraint { kind, stayed, moved } in constraints {
        if *kind == ConstraintKind::StorylineMerge {
            links.must_link.extend(chain(&[present(stayed), present(moved)].concat()));
        } else {
            links.must_link.extend(chain(&present(moved)));
            let (stayed, moved) = (represented(stayed), represented(moved));
            links.cannot_link.extend(stayed.iter().flat_map(|one| moved.iter().map(move |other| [*one, *other])));
        }
    }
    links
}

/// Returns links between the stories of each storyline whose items were all first seen before `until`. These stories
/// stay together, because readers have known them as one storyline for a long time.
fn settled_links(members: &[StorylineMember], until: Timestamp) -> Vec<[StoryId; 2]> {
    let mut storylines: BTreeMap<StorylineId, BTreeMap<StoryId, Timestamp>> = BTreeMap::new();
    for member in members {
        let latest =
            storylines.entry(member.storyline).or_default().entry(member.story).or_insert(member.first_seen_at);
        *latest = member.first_seen_at.max(*latest);
    }
    let settled = |stories: BTreeMap<StoryId, Timestamp>| {
        let settled = stories.into_iter().filter(|(_, latest)| *latest < until);
        settled.map(|(story, _)| story).collect::<Vec<_>>()
    };
    storylines.into_values().flat_map(|stories| chain(&settled(stories)).collect::<Vec<_>>()).collect()
}

/// Returns pairs of stories that together connect all stories.
fn chain(stories: &[StoryId]) -> impl Iterator<Item = [StoryId; 2]> {
    stories.windows(2).map(|pair| [pair[0], pair[1]])
}

/// The stories in the database.
struct StoredStories<'a>(&'a ReadConnection);

impl StoryLookup for StoredStories<'_> {
    type Error = store::Error;

    fn mint_storyline(&self, first_story: StoryId) -> store::Result<StorylineId> {
        storyline_membership::mint_id(self.0, first_story)
    }

    fn lead(&self, story: StoryId) -> store::Result<Option<Item>> {
        stories::lead(self.0, story)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a member that is the only item of the story with the number `story`.
    fn member(story: i64, storyline: i64) -> StorylineMember {
        StorylineMember {
            item: ItemId(story),
            source: SourceId(1),
            story: StoryId::from_row(story),
            storyline: StorylineId::from_row(storyline),
            storyline_created_at: Timestamp::UNIX_EPOCH,
            first_seen_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn split_of_a_storyline_holds_after_the_stories_that_it_names_have_left_the_window() {
        let named = |member: StorylineMember| vec![(member.story, member.storyline)];
        let (stayed, moved) = (named(member(1, 10)), named(member(2, 20)));
        let split = StorylineConstraint { kind: ConstraintKind::StorylineSplit, stayed, moved };
        let pair = |one, other| [StoryId::from_row(one), StoryId::from_row(other)];
        let links = operator_links(std::slice::from_ref(&split), &[member(3, 10), member(4, 20), member(5, 30)]);
        assert_eq!(links.cannot_link, [pair(3, 4)]);
        let links = operator_links(&[split], &[member(1, 10), member(3, 10), member(4, 20)]);
        assert_eq!(links.cannot_link, [pair(1, 4)]);
    }
}
