//! Sequence numbers of items: where an item stands in the stream since the process started.

/// An item's position in the stream of all items since the process started.
///
/// The number wraps after 2^32 items. Comparisons use serial number arithmetic (RFC 1982), which is correct for items that
/// are fewer than 2^31 positions apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct ItemSeq(pub u32);

impl ItemSeq {
    /// The sequence number `count` positions later.
    pub(super) fn advance(self, count: usize) -> ItemSeq {
        ItemSeq(self.0.wrapping_add(count as u32))
    }

    /// The number of positions from `first` to this item.
    pub(super) fn offset_from(self, first: ItemSeq) -> usize {
        self.0.wrapping_sub(first.0) as usize
    }

    /// Whether this item arrived before `other`.
    pub(super) fn precedes(self, other: ItemSeq) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }
}
