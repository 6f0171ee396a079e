//! A small hash table with linear probing that maps sequence numbers to positions in a list.

use super::item_seq::ItemSeq;

/// Maps an item's sequence number to its position in a list that the caller keeps.
///
/// The list must stay shorter than half of `SLOTS`. The table stores positions only, so clearing it is one `fill`.
pub(super) struct OpenAddressTable<const SLOTS: usize>([u16; SLOTS]);

impl<const SLOTS: usize> OpenAddressTable<SLOTS> {
    const EMPTY: u16 = u16::MAX;

    pub(super) fn new() -> Self {
        OpenAddressTable([Self::EMPTY; SLOTS])
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(Self::EMPTY);
    }

    /// The position of an item, or the free slot to insert it into. `listed` returns the item at a position of the list,
    /// if the list is that long.
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

/// Hashes a number to `bits` bits by Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, section 6.4).
pub(super) fn fibonacci_hash(number: u32, bits: u32) -> usize {
    (number.wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize
}
