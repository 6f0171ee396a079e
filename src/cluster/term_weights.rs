//! The terms of an item: a unit vector with `sqrt(1.5 × tf in title + 0.6 × tf in summary) × IDF` per term, and the
//! sums over the terms that each comparison needs.

use super::language::LanguageRules;
use super::term_index::{TermId, TermIndex};
use super::tokenizer::{TermHash, TokenizedText, WordToken};
use smallvec::SmallVec;

/// The maximum number of distinct terms per item.
const MAX_TERMS: usize = 64;
/// The maximum counted term frequency in the summary.
const MAX_SUMMARY_TF: u8 = 3;

/// A term of an item, packed into 8 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightedTerm {
    pub id: TermId,
    /// The term's component of the item's unit vector, in units of 1/65,535.
    pub weight: u16,
    /// The normalized IDF, in units of 1/255.
    pub idf: u8,
    /// The bits, from the lowest: one bit for whether the title contains the term, two bits for its [`TermKind`], and
    /// five bits for its local document frequency in units of 1/31.
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

    /// Replaces the weight, IDF and kind, and keeps the other fields.
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

    /// Returns the local document frequency: the share of the nearest items that contain the term, 0 to 1.
    pub(super) fn local_df(self) -> f32 {
        f32::from(self.flags >> 3) / 31.0
    }

    pub(super) fn set_local_df(&mut self, share: f32) {
        self.flags = ((share * 31.0).round() as u8).min(31) << 3 | self.flags & 7;
    }

    /// Returns the normalized IDF, 0 to 1.
    pub(super) fn idf(self) -> f32 {
        f32::from(self.idf) / 255.0
    }

    /// Returns the distinctive IDF: the IDF minus the part that the neighborhood shares.
    pub(super) fn distinctive_idf(self) -> f32 {
        self.idf() * (1.0 - self.local_df())
    }

    pub(super) fn weight(self) -> f32 {
        f32::from(self.weight) / 65535.0
    }
}

/// Precomputed sums over an item's terms. With them, comparing a pair visits only the shared terms.
#[derive(Debug, Clone, Copy)]
pub(super) struct TermAggregates {
    /// The Euclidean norm of the IDFs of the item's names.
    pub name_norm: f32,
    /// The squared norm of the IDFs of the title's terms.
    pub title_norm_squared: f32,
    /// The sum of the distinctive IDFs of the title's terms.
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

/// A number in a title and the word before it, such as "Lumen 9".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TitleNumber {
    /// The word before the number, or the number itself at the start of the title.
    pub word: TermId,
    pub number: TermId,
    /// Whether the word is spelled as a name.
    pub after_name: bool,
}

/// The terms of an item.
pub(super) struct TermVector {
    /// The terms, sorted by term number.
    pub terms: Box<[WeightedTerm]>,
    pub title_numbers: Box<[TitleNumber]>,
    pub spellings: Spellings,
}

/// The spellings that an item added to the index: the term of each spelling, and whether the spelling is capitalized.
pub(super) type Spellings = SmallVec<[(TermId, bool); MAX_TERMS]>;

/// The number of occurrences of a term in an item.
struct TermCount {
    hash: TermHash,
    id: TermId,
    title_tf: u8,
    summary_tf: u8,
    is_number: bool,
}

struct VectorBuilder<'a> {
    index: &'a mut TermIndex,
    text: &'a TokenizedText,
    counts_in_df: bool,
    counts: SmallVec<[TermCount; MAX_TERMS]>,
    title_numbers: SmallVec<[TitleNumber; 4]>,
    spellings: Spellings,
}

impl TermVector {
    /// Adds the terms of the text to the index and weights them.
    pub(super) fn new(
        text: &TokenizedText,
        language: &LanguageRules,
        counts_in_df: bool,
        index: &mut TermIndex,
    ) -> TermVector {
        let ids = index.lookup(text.terms());
        let (title_ids, summary_ids) = ids.split_at(text.title.len());
        let capitals_mark_names = language.capitals_mark_names;
        let mut builder = VectorBuilder {
            index,
            text,
            counts_in_df,
            counts: SmallVec::new(),
            title_numbers: SmallVec::new(),
            spellings: SmallVec::new(),
        };
        builder.add(&text.title, title_ids, true, capitals_mark_names && !text.has_title_case());
        builder.add(&text.summary, summary_ids, false, capitals_mark_names);
        builder.build()
    }
}

impl VectorBuilder<'_> {
    fn add(&mut self, tokens: &[WordToken], ids: &[Option<TermId>], in_title: bool, capitals_mark_names: bool) {
        let mut previous: Option<(TermId, bool)> = None;
        for (token, id) in tokens.iter().zip(ids) {
            let Some(count) = self.count(token, *id, in_title) else { continue };
            let tf = if in_title { &mut count.title_tf } else { &mut count.summary_tf };
            *tf = tf.saturating_add(1);
            let id = count.id;
            if self.counts_in_df && capitals_mark_names && !token.starts_sentence && !token.is_number {
                self.index.spellings_mut(id).count(token.capitalized);
                self.spellings.push((id, token.capitalized));
            }
            if token.is_number && in_title {
                let (word, is_name) = previous.unwrap_or((id, false));
                let after_name = is_name && capitals_mark_names;
                self.title_numbers.push(TitleNumber { word, number: id, after_name });
            }
            previous = Some((id, token.capitalized && !token.is_number));
        }
    }

    /// Returns the counts of a token's term, unless the item has too many terms.
    fn count(&mut self, token: &WordToken, id: Option<TermId>, in_title: bool) -> Option<&mut TermCount> {
        let position = match self.counts.iter().position(|count| count.hash == token.term) {
            Some(position) => position,
            None if self.counts.len() < MAX_TERMS => {
                let surface_form = self.text.surface_form(in_title, token);
                let id = self.index.add_ref(token.term, id, surface_form, self.counts_in_df);
                self.counts.push(TermCount { hash: token.term, id, title_tf: 0, summary_tf: 0, is_number: false });
                self.counts.len() - 1
            }
            None => return None,
        };
        let count = &mut self.counts[position];
        count.is_number |= token.is_number;
        Some(count)
    }

    fn build(mut self) -> TermVector {
        self.counts.sort_unstable_by_key(|count| count.id);
        let weights = self.counts.iter().map(|count| {
            let tf = 1.5 * f32::from(count.title_tf) + 0.6 * f32::from(count.summary_tf.min(MAX_SUMMARY_TF));
            TermWeight::new(count.id, tf.sqrt(), count.is_number, self.index)
        });
        let weights: SmallVec<[TermWeight; MAX_TERMS]> = weights.collect();
        let norm = norm(&weights);
        let weighted = self.counts.iter().zip(weights).map(|(count, TermWeight { weight, idf, kind })| {
            WeightedTerm::new(count.id, weight / norm, idf, count.title_tf > 0, kind)
        });
        TermVector {
            terms: weighted.collect(),
            title_numbers: self.title_numbers.into_iter().collect(),
            spellings: self.spellings,
        }
    }
}

/// A term's weight before normalization, based on the current statistics.
struct TermWeight {
    weight: f32,
    idf: f32,
    kind: TermKind,
}

impl TermWeight {
    /// Computes a weight. `root_tf` is the square root of the weighted term frequency.
    fn new(id: TermId, root_tf: f32, is_number: bool, index: &TermIndex) -> TermWeight {
        let kind = match is_number {
            true => TermKind::Number,
            false if index.spellings(id).are_of_a_name() => TermKind::Name,
            false => TermKind::Word,
        };
        let idf = index.idf(id);
        TermWeight { weight: root_tf * idf, idf, kind }
    }
}

fn norm(weights: &[TermWeight]) -> f32 {
    weights.iter().map(|term| term.weight * term.weight).sum::<f32>().sqrt().max(1e-6)
}

/// Reweights terms based on the current statistics.
pub(super) fn reweight(terms: &mut [WeightedTerm], index: &TermIndex) {
    let weights = terms.iter().map(|term| {
        let root_tf = term.weight() / term.idf().max(1.0 / 255.0);
        TermWeight::new(term.id, root_tf, term.is(TermKind::Number), index)
    });
    let weights: SmallVec<[TermWeight; MAX_TERMS]> = weights.collect();
    let norm = norm(&weights);
    for (term, TermWeight { weight, idf, kind }) in terms.iter_mut().zip(weights) {
        term.reweight(weight / norm, idf, kind);
    }
}
