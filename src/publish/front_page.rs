//! Decides what the front page shows: the stories that were recently reported by the most outlets, and the latest of
//! the other stories. All functions are pure.

use crate::domain::{OutletActivity, StoryActivity, StoryId, StoryRank, StorylineId};
use jiff::SignedDuration;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of top entries.
const MAX_TOP: usize = 30;
/// The maximum number of other stories that an entry lists.
const MAX_DEVELOPMENTS: usize = 3;
/// The maximum number of stories with one outlet.
const MAX_LATEST: usize = 40;

/// The stories on the front page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FrontPageStories {
    /// The storylines with several outlets, highest rank first.
    pub top: Vec<TopStoryline>,
    /// The stories of storylines with one outlet, in the order of the candidates.
    pub latest: Vec<StoryId>,
}

/// A storyline on the front page.
#[derive(Debug, PartialEq, Eq)]
pub struct TopStoryline {
    pub storyline: StorylineId,
    /// The story with the highest rank.
    pub main: StoryId,
    /// The other stories with the highest ranks.
    pub developments: Vec<StoryId>,
    /// The number of outlets of all its stories, by which it is ranked.
    pub outlet_count: usize,
    /// The number of stories, including stories that are not listed.
    pub story_count: usize,
}

/// Arranges the stories that the front page may show. `stories` are the stories that may have several outlets.
pub fn arrange_front_page(
    candidates: &[StoryId],
    stories: &[StoryActivity],
    half_life: SignedDuration,
) -> FrontPageStories {
    let mut storylines: BTreeMap<StorylineId, Vec<&StoryActivity>> = BTreeMap::new();
    for story in stories {
        storylines.entry(story.storyline).or_default().push(story);
    }
    let mut ranked: Vec<(StoryRank, TopStoryline)> = Vec::new();
    for (storyline, mut stories) in storylines {
        let mut outlets: BTreeMap<&str, OutletActivity> = BTreeMap::new();
        for (outlet, activity) in stories.iter().flat_map(|story| &story.outlets) {
            outlets.entry(outlet).or_insert(*activity).combine(*activity);
        }
        if outlets.len() < 2 {
            continue;
        }
        let rank_of = |story: &StoryActivity| StoryRank::new(story.outlets.values().copied(), half_life);
        stories.sort_by_cached_key(|story| Reverse((rank_of(story), story.story)));
        let mut ids = stories.iter().map(|story| story.story);
        let Some(main) = ids.next() else { continue };
        let entry = TopStoryline {
            storyline,
            main,
            outlet_count: outlets.len(),
            story_count: stories.len(),
            developments: ids.take(MAX_DEVELOPMENTS).collect(),
        };
        ranked.push((StoryRank::new(outlets.into_values(), half_life), entry));
    }
    ranked.sort_by_key(|(rank, entry)| Reverse((*rank, entry.main)));
    let storylines: BTreeSet<StorylineId> = ranked.iter().map(|(_, entry)| entry.storyline).collect();
    let shared = stories.iter().filter(|story| storylines.contains(&story.storyline));
    let shared: BTreeSet<StoryId> = shared.map(|story| story.story).collect();
    FrontPageStories {
        top: ranked.into_iter().take(MAX_TOP).map(|(_, entry)| entry).collect(),
        latest: candidates.iter().copied().filter(|story| !shared.contains(story)).take(MAX_LATEST).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    const HALF_LIFE: SignedDuration = SignedDuration::from_hours(12);

    /// Returns a story whose outlets last reported at these hours.
    fn story(number: i64, storyline: i64, outlets: &[(&str, i64)]) -> StoryActivity {
        let activity = |hour: i64| OutletActivity {
            last_report_at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour),
            priority: 0,
        };
        StoryActivity {
            story: StoryId::from_row(number),
            storyline: StorylineId::from_row(storyline),
            outlets: outlets.iter().map(|(outlet, hour)| ((*outlet).into(), activity(*hour))).collect(),
        }
    }

    #[test]
    fn storylines_of_several_outlets_are_on_top_and_the_others_below() {
        let stories = [
            story(5, 5, &[("a", 24)]),
            story(4, 2, &[("a", 23)]),
            story(3, 3, &[("a", 20), ("b", 20)]),
            story(2, 2, &[("b", 12), ("c", 12), ("d", 12), ("e", 12), ("f", 12)]),
            story(1, 1, &[("c", 1)]),
        ];
        let candidates: Vec<StoryId> = [6, 5, 4, 3, 2, 1].map(StoryId::from_row).into();
        let page = arrange_front_page(&candidates, &stories, HALF_LIFE);
        let numbers = |ids: &[StoryId]| ids.iter().map(|id| id.to_row()).collect::<Vec<_>>();
        let top = page.top.iter().map(|e| (e.main.to_row(), numbers(&e.developments), e.story_count, e.outlet_count));
        assert_eq!(top.collect::<Vec<_>>(), [(2, vec![4], 2, 6), (3, vec![], 1, 2)]);
        assert_eq!(numbers(&page.latest), [6, 5, 1]);
    }

    #[test]
    fn two_stories_of_a_storyline_share_an_entry_if_each_has_one_outlet() {
        let stories = [story(2, 1, &[("b", 2)]), story(1, 1, &[("a", 1)])];
        let page = arrange_front_page(&[StoryId::from_row(1)], &stories, HALF_LIFE);
        assert_eq!((page.top.len(), page.top[0].main.to_row(), page.latest.len()), (1, 2, 0));
    }
}
