//! Turns the tokens of an item into its unit vector, with `sqrt(1.5 × tf in title + 0.6 × tf in summary) × IDF` per term.

use super::indexed_item::{IndexedItem, TitleNumber};
use super::language::LanguageRules;
use super::term_index::{TermId, TermIndex};
use super::tokenizer::{TermHash, TokenizedText, WordToken};
use super::weighted_term::{TermAggregates, TermKind, WeightedTerm};
use smallvec::SmallVec;

/// The maximum number of distinct terms of an item.
const MAX_TERMS: usize = 64;
/// Further occurrences in the summary do not count.
const MAX_SUMMARY_TF: u8 = 3;

/// The terms of an item.
pub(super) struct TermVector {
    /// In order of term number.
    pub terms: Box<[WeightedTerm]>,
    pub title_numbers: Box<[TitleNumber]>,
    pub spellings: Spellings,
}

/// The spellings that an item added to the index: the term, and whether it is capitalized.
pub(super) type Spellings = SmallVec<[(TermId, bool); MAX_TERMS]>;

/// The occurrences of a term in an item.
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
    /// Adds the terms of a text to the index, and weighs them.
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
                self.index.count_spelling(id, token.capitalized);
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

    /// The counts of a token's term, unless the item has too many terms.
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

/// A term's weight before normalization, by the current statistics.
struct TermWeight {
    weight: f32,
    idf: f32,
    kind: TermKind,
}

impl TermWeight {
    /// `root_tf` is the square root of the weighted term frequency.
    fn new(id: TermId, root_tf: f32, is_number: bool, index: &TermIndex) -> TermWeight {
        let kind = match is_number {
            true => TermKind::Number,
            false if index.is_name(id) => TermKind::Name,
            false => TermKind::Word,
        };
        let idf = index.idf(id);
        TermWeight { weight: root_tf * idf, idf, kind }
    }
}

fn norm(weights: &[TermWeight]) -> f32 {
    weights.iter().map(|term| term.weight * term.weight).sum::<f32>().sqrt().max(1e-6)
}

/// Weighs the terms of an item again by the current statistics.
pub(super) fn reweight(item: &mut IndexedItem, index: &TermIndex) {
    let weights = item.terms.iter().map(|term| {
        let root_tf = term.weight() / term.idf().max(1.0 / 255.0);
        TermWeight::new(term.id, root_tf, term.is(TermKind::Number), index)
    });
    let weights: SmallVec<[TermWeight; MAX_TERMS]> = weights.collect();
    let norm = norm(&weights);
    for (term, TermWeight { weight, idf, kind }) in item.terms.iter_mut().zip(weights) {
        term.reweight(weight / norm, idf, kind);
    }
    item.aggregates = TermAggregates::new(&item.terms);
}
