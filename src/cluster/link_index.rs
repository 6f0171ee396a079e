//! The links of the items in the window, and whether each link identifies one event.
//!
//! A link to an article identifies one event across sources, unless one source uses it for several items: a constant
//! link does not distinguish items.

use super::article_link::identifies_article;
use super::item_seq::ItemSeq;
use crate::domain::SourceId;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The link of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinkKey {
    hash: u64,
    is_article: bool,
}

impl LinkKey {
    pub(super) fn new(canonical_url: &str) -> LinkKey {
        LinkKey { hash: xxh3_64(canonical_url.as_bytes()), is_article: identifies_article(canonical_url) }
    }

    pub(super) fn is_article(self) -> bool {
        self.is_article
    }

    /// Returns the key for one source's use of the link.
    fn of_source(self, source: SourceId) -> u64 {
        xxh3_64_with_seed(&source.0.to_le_bytes(), self.hash)
    }
}

#[derive(Default)]
pub(super) struct LinkIndex {
    links: FxHashMap<u64, LinkUse>,
    /// The number of items with a link, per source.
    uses: FxHashMap<u64, u32>,
}

/// The items that have the same link.
#[derive(Default)]
struct LinkUse {
    /// The items in order of arrival.
    items: SmallVec<[ItemSeq; 2]>,
    /// The number of sources that use the link for several items.
    reusing_sources: u32,
}

impl LinkIndex {
    /// Adds an item. Returns whether its link has just ceased to identify one event.
    pub(super) fn add(&mut self, link: LinkKey, source: SourceId, seq: ItemSeq) -> bool {
        let uses = self.uses.entry(link.of_source(source)).or_default();
        *uses += 1;
        let known = self.links.entry(link.hash).or_default();
        let position = known.items.iter().rposition(|item| item.precedes(seq)).map_or(0, |last| last + 1);
        known.items.insert(position, seq);
        known.reusing_sources += u32::from(*uses == 2);
        *uses == 2 && known.reusing_sources == 1
    }

    /// Removes an item. Returns whether its link now identifies one event and did not before.
    pub(super) fn remove(&mut self, link: LinkKey, source: SourceId, seq: ItemSeq) -> bool {
        let mut reuse_ended = false;
        if let Some(uses) = self.uses.get_mut(&link.of_source(source)) {
            *uses -= 1;
            reuse_ended = *uses == 1;
            if *uses == 0 {
                self.uses.remove(&link.of_source(source));
            }
        }
        let Some(known) = self.links.get_mut(&link.hash) else { return false };
        known.items.retain(|item| *item != seq);
        known.reusing_sources -= u32::from(reuse_ended);
        let identifies_again = reuse_ended && known.reusing_sources == 0;
        if known.items.is_empty() {
            self.links.remove(&link.hash);
        }
        identifies_again
    }

    /// Returns whether one source uses the link for several items.
    pub(super) fn is_reused(&self, link: LinkKey) -> bool {
        self.links.get(&link.hash).is_some_and(|known| known.reusing_sources > 0)
    }

    /// Returns whether all items with the link report one event.
    pub(super) fn identifies_event(&self, link: LinkKey) -> bool {
        link.is_article && !self.is_reused(link)
    }

    /// Returns the items with this link, in order of arrival.
    pub(super) fn items(&self, link: LinkKey) -> &[ItemSeq] {
        self.links.get(&link.hash).map(|known| known.items.as_slice()).unwrap_or_default()
    }
}
