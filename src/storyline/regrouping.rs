//! Turns groups of stories into changes to storylines, and keeps IDs stable: a storyline stays with the group that
//! holds most of its items, and the oldest storyline of a group survives.

use super::grouper::StorylineGrouper;
use super::options::STORYLINE_THRESHOLD;
use super::tree_model::TreeModel;
use super::weighted_stories::{StoryLinks, WeightedStories};
use crate::domain::{
    CreatedStoryline, Item, StoryId, StoryMove, StorylineEvidence, StorylineId, StorylineMember, StorylineMerge,
    StorylineRegrouping, Timestamp, UnusualTerm,
};
use std::collections::BTreeMap;

/// The database lookups that regrouping needs.
pub trait StoryLookup {
    type Error;

    /// Returns the ID of a storyline that this story starts.
    ///
    /// # Errors
    /// Fails if the database fails.
    fn mint_storyline(&self, first_story: StoryId) -> Result<StorylineId, Self::Error>;

    /// Returns the item that represents the story.
    ///
    /// # Errors
    /// Fails if the database fails.
    fn lead(&self, story: StoryId) -> Result<Option<Item>, Self::Error>;
}

/// A group of stories, and the storylines that stay with it.
#[derive(Debug, Default, PartialEq, Eq)]
struct StoryGroup {
    /// The stories in order of their first items.
    stories: Vec<StoryId>,
    /// The storylines that stay with this group, by age. The first storyline survives. If there is no storyline, a new
    /// one starts.
    storylines: Vec<(Timestamp, StorylineId)>,
}

impl StorylineGrouper {
    /// Groups the stories of `members` and returns the changes to their storylines. All items of `members` must have
    /// been added.
    ///
    /// # Errors
    /// Fails if `lookup` fails.
    pub fn regroup<L: StoryLookup>(
        &mut self,
        model: &TreeModel,
        members: &[StorylineMember],
        links: &StoryLinks,
        lookup: &L,
    ) -> Result<StorylineRegrouping, L::Error> {
        let weighed = self.weigh();
        let groups = weighed.group(model, STORYLINE_THRESHOLD, links);
        let present: BTreeMap<StoryId, StorylineId> =
            members.iter().map(|member| (member.story, member.storyline)).collect();
        let mut regrouping = StorylineRegrouping::default();
        for group in story_groups(&groups, members) {
            let into = match group.storylines.first() {
                Some((_, survivor)) => *survivor,
                None => {
                    let created = CreatedStoryline {
                        storyline: lookup.mint_storyline(group.stories[0])?,
                        first_story: group.stories[0],
                    };
                    regrouping.created.push(created);
                    created.storyline
                }
            };
            for story in &group.stories {
                let from = present[story];
                if from != into {
                    // The story that started the storyline needs no reason.
                    let is_founder = into == StorylineId::mint(*story, 0);
                    let evidence = match is_founder {
                        true => StorylineEvidence::default(),
                        false => self.evidence(&weighed, model, (*story, &group.stories), lookup)?,
                    };
                    regrouping.moved.push(StoryMove { story: *story, from, into, evidence });
                }
            }
            let merged = group.storylines.iter().skip(1);
            regrouping.merged.extend(merged.map(|(_, from)| StorylineMerge { from: *from, into }));
        }
        Ok(regrouping)
    }

    fn evidence<L: StoryLookup>(
        &mut self,
        weighed: &WeightedStories,
        model: &TreeModel,
        (story, group): (StoryId, &[StoryId]),
        lookup: &L,
    ) -> Result<StorylineEvidence, L::Error> {
        let others: Vec<StoryId> = group.iter().copied().filter(|other| *other != story).collect();
        let relation = weighed.relation(story, &others, model);
        let numbers: Vec<_> = relation.terms.iter().map(|(number, _)| *number).collect();
        let spelled = lookup.lead(story)?.map_or_else(Vec::new, |lead| self.spell(&lead, &numbers));
        let rate =
            |number| relation.terms.iter().find(|(term, _)| *term == number).map_or(0.0, |(_, rate)| *rate as f32);
        let terms = spelled.into_iter().map(|(number, term)| UnusualTerm { term, rate: rate(number) }).collect();
        let cosine_across_languages = relation.cosine_across_languages;
        Ok(StorylineEvidence { score: relation.probability, terms, cosine_across_languages, constraint: None })
    }
}

/// Returns the groups in order of their first items. `groups` contains each story with the first story of its group.
fn story_groups(groups: &[(StoryId, StoryId)], members: &[StorylineMember]) -> Vec<StoryGroup> {
    let mut positions: BTreeMap<StoryId, usize> = BTreeMap::new();
    let mut found: Vec<StoryGroup> = Vec::new();
    let mut group_of: BTreeMap<StoryId, usize> = BTreeMap::new();
    for (story, first) in groups {
        let position = *positions.entry(*first).or_insert(found.len());
        if position == found.len() {
            found.push(StoryGroup::default());
        }
        found[position].stories.push(*story);
        group_of.insert(*story, position);
    }
    // The number of items of each storyline in each group.
    let mut counts: BTreeMap<(Timestamp, StorylineId), BTreeMap<usize, usize>> = BTreeMap::new();
    for member in members {
        let Some(group) = group_of.get(&member.story) else { continue };
        let storyline = (member.storyline_created_at, member.storyline);
        *counts.entry(storyline).or_default().entry(*group).or_default() += 1;
    }
    for (storyline, in_groups) in counts {
        let most = in_groups.iter().max_by_key(|(group, count)| (**count, std::cmp::Reverse(**group)));
        if let Some((group, _)) = most {
            found[*group].storylines.push(storyline);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ItemId, SourceId};

    /// Returns members with one item each, given as pairs of a story and a storyline. The number of a storyline is also
    /// its time of creation.
    fn members(of: &[(i64, i64)]) -> Vec<StorylineMember> {
        let member = |(n, (story, storyline)): (usize, &(i64, i64))| StorylineMember {
            item: ItemId(n as i64),
            source: SourceId(1),
            story: StoryId::from_row(*story),
            storyline: StorylineId::from_row(*storyline),
            storyline_created_at: Timestamp::from_second(*storyline).unwrap(),
            first_seen_at: Timestamp::UNIX_EPOCH,
        };
        of.iter().enumerate().map(member).collect()
    }

    /// Returns the stories and storylines of each group.
    fn grouped(groups: &[(i64, i64)], of: &[(i64, i64)]) -> Vec<(Vec<i64>, Vec<i64>)> {
        let id = StoryId::from_row;
        let groups: Vec<_> = groups.iter().map(|(story, first)| (id(*story), id(*first))).collect();
        let rows = |group: StoryGroup| {
            let stories = group.stories.iter().map(|story| story.to_row()).collect();
            (stories, group.storylines.iter().map(|(_, storyline)| storyline.to_row()).collect())
        };
        story_groups(&groups, &members(of)).into_iter().map(rows).collect()
    }

    #[test]
    fn the_oldest_storyline_of_a_group_comes_first() {
        let found = grouped(&[(1, 1), (2, 1), (3, 3)], &[(1, 20), (2, 10), (3, 30)]);
        assert_eq!(found, [(vec![1, 2], vec![10, 20]), (vec![3], vec![30])]);
    }

    #[test]
    fn a_storyline_stays_with_the_group_that_holds_most_of_its_items() {
        let found = grouped(&[(1, 1), (2, 2), (3, 2)], &[(1, 10), (2, 10), (3, 10)]);
        assert_eq!(found, [(vec![1], vec![]), (vec![2, 3], vec![10])]);
    }

    #[test]
    fn a_storyline_in_equal_parts_stays_with_the_first() {
        assert_eq!(grouped(&[(1, 1), (2, 2)], &[(1, 10), (2, 10)]), [(vec![1], vec![10]), (vec![2], vec![])]);
    }
}
