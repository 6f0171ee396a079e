//! Sequence numbers of items, and a small hash table that maps them to positions in a list.

/// An item's position in the stream of all items since the process started.
///
/// The number wraps around after 2^32 items. Comparisons use serial number arithmetic (RFC 1982), which is correct for
/// items that are fewer than 2^31 positions apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct ItemSeq(pub u32);

impl ItemSeq {
    /// Returns the sequence number `count` positions later.
    pub(super) fn advance(self, count: usize) -> ItemSeq {
        ItemSeq(self.0.wrapping_add(count as u32))
    }

    /// Returns the number of positions from `first` to this item.
    pub(super) fn offset_from(self, first: ItemSeq) -> usize {
        self.0.wrapping_sub(first.0) as usize
    }

    /// Returns whether this item arrived before `other`.
    pub(super) fn precedes(self, other: ItemSeq) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }
}

/// A hash table that maps an item's sequence number to the item's position in a list that the caller maintains.
///
/// The list must remain shorter than half of `SLOTS`. The table stores only positions, so that one `fill` clears it.
pub(super) struct OpenAddressTable<const SLOTS: usize>([u16; SLOTS]);

impl<const SLOTS: usize> OpenAddressTable<SLOTS> {
    const EMPTY: u16 = u16::MAX;

    pub(super) fn clear(&mut self) {
        self.0.fill(Self::EMPTY);
    }

    /// Finds the position of an item by linear probing, or the free slot for its insertion. `listed` returns the item
    /// at a position of the list, if the list is long enough.
    pub(super) fn find(&self, seq: ItemSeq, listed: impl Fn(usize) -> Option<ItemSeq>) -> Result<usize, usize> {
        let mut slot = fibonacci_hash(seq.0, SLOTS.ilog2());
        loop {
            let position = usize::from(self.0[slot]);
            match listed(position) {
                Some(other) if other == seq => return Ok(position),
                Some(_) => slot = (slot + 1) % SLOTS,
                None => return Err(slot),
            }
        }
    }

    /// Stores a position in a slot that [`OpenAddressTable::find`] returned as free.
    pub(super) fn insert(&mut self, slot: usize, position: usize) {
        self.0[slot] = position as u16;
    }
}

impl<const SLOTS: usize> Default for OpenAddressTable<SLOTS> {
    fn default() -> Self {
        OpenAddressTable([Self::EMPTY; SLOTS])
    }
}

/// Hashes a number to `bits` bits by Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, section 6.4).
pub(super) fn fibonacci_hash(number: u32, bits: u32) -> usize {
    (number.wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize
}
