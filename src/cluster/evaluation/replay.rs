//! Replays items through a clusterer on the schedule of the daemon.

use crate::cluster::clusterer::Clusterer;
use crate::domain::{Item, StoryId, Timestamp};
use jiff::SignedDuration;

/// A shorter interval would cost time and change next to nothing.
const MIN_RECLUSTER_INTERVAL: SignedDuration = SignedDuration::from_secs(60);

/// Runs items through a clusterer in their order, reclusters on schedule and once at the end, and returns each item's story.
pub fn replay(clusterer: &mut Clusterer, items: &[Item]) -> Vec<StoryId> {
    let (Some(first), Some(last)) = (items.first(), items.last()) else { return Vec::new() };
    let interval = clusterer.options.recluster_interval.max(MIN_RECLUSTER_INTERVAL);
    let mut replay = Replay { clusterer, stories: Vec::with_capacity(items.len()), first_id: first.id.0, minted: 0 };
    let mut next_pass = first.first_seen_at + interval;
    for item in items {
        while item.first_seen_at >= next_pass {
            replay.recluster(next_pass);
            next_pass += interval;
        }
        replay.assign(item);
    }
    replay.recluster(last.first_seen_at + interval);
    replay.stories
}

struct Replay<'a> {
    clusterer: &'a mut Clusterer,
    stories: Vec<StoryId>,
    first_id: i64,
    minted: i64,
}

impl Replay<'_> {
    fn assign(&mut self, item: &Item) {
        let assignment = self.clusterer.assign(item, |_| mint(&mut self.minted));
        self.stories.push(assignment.story);
    }

    fn recluster(&mut self, now: Timestamp) {
        for moved in self.clusterer.recluster(now, |_, _| mint(&mut self.minted)).moved {
            self.stories[(moved.item.0 - self.first_id) as usize] = moved.into;
        }
    }
}

fn mint(minted: &mut i64) -> StoryId {
    *minted += 1;
    StoryId::from_row(*minted)
}
