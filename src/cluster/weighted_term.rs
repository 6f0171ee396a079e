//! The terms of one item: their weights in its unit vector, and the sums over them that each comparison needs.

use super::term_index::TermId;

/// A term of an item, packed into 8 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightedTerm {
    pub id: TermId,
    /// The term's component of the item's unit vector, in 65,535ths.
    pub weight: u16,
    /// The normalized IDF, in 255ths.
    pub idf: u8,
    /// From the lowest bit: one bit, whether the title contains the term; two bits, its [`TermKind`]; five bits, its local
    /// document frequency in 31sts.
    flags: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TermKind {
    Word,
    Name,
    Number,
}

impl WeightedTerm {
    pub(super) fn new(id: TermId, weight: f32, idf: f32, in_title: bool, kind: TermKind) -> WeightedTerm {
        let (weight, idf) = ((weight * 65535.0) as u16, (idf * 255.0).min(255.0) as u8);
        WeightedTerm { id, weight, idf, flags: u8::from(in_title) | (kind as u8) << 1 }
    }

    /// Replaces weight, IDF and kind, and keeps the rest.
    pub(super) fn reweight(&mut self, weight: f32, idf: f32, kind: TermKind) {
        let local_df = self.flags & 0xf8;
        *self = WeightedTerm::new(self.id, weight, idf, self.in_title(), kind);
        self.flags |= local_df;
    }

    pub(super) fn in_title(self) -> bool {
        self.flags & 1 == 1
    }

    pub(super) fn is(self, kind: TermKind) -> bool {
        self.flags >> 1 & 3 == kind as u8
    }

    /// The local document frequency: the share of the nearest items that contain the term, 0 to 1.
    pub(super) fn local_df(self) -> f32 {
        f32::from(self.flags >> 3) / 31.0
    }

    pub(super) fn set_local_df(&mut self, share: f32) {
        self.flags = ((share * 31.0).round() as u8).min(31) << 3 | self.flags & 7;
    }

    /// The normalized IDF, 0 to 1.
    pub(super) fn idf(self) -> f32 {
        f32::from(self.idf) / 255.0
    }

    /// The distinctive IDF: the IDF less the part of it that the neighborhood shares anyway.
    pub(super) fn distinctive_idf(self) -> f32 {
        self.idf() * (1.0 - self.local_df())
    }

    pub(super) fn weight(self) -> f32 {
        f32::from(self.weight) / 65535.0
    }
}

/// Sums over an item's terms, precomputed so that comparing a pair needs to visit the shared terms only.
#[derive(Debug, Clone, Copy)]
pub(super) struct TermAggregates {
    /// The Euclidean norm of the IDFs of its names.
    pub name_norm: f32,
    /// The squared norm of the IDFs of its title's terms.
    pub title_norm_squared: f32,
    /// The sum of the distinctive IDFs of its title's terms.
    pub title_distinctive_idf: f32,
}

impl TermAggregates {
    pub(super) fn new(terms: &[WeightedTerm]) -> TermAggregates {
        let mut sums = TermAggregates { name_norm: 0.0, title_norm_squared: 0.0, title_distinctive_idf: 0.0 };
        for term in terms {
            let square = term.idf() * term.idf();
            if term.is(TermKind::Name) {
                sums.name_norm += square;
            }
            if term.in_title() {
                sums.title_norm_squared += square;
                sums.title_distinctive_idf += term.distinctive_idf();
            }
        }
        sums.name_norm = sums.name_norm.sqrt();
        sums
    }
}
