//! The data that the grouper keeps about an item: its terms, as numbers in a table of all terms of the window.

use super::options::MAX_REPORT_TERMS;
use crate::cluster::tokenizer::{TermHash, TokenizedText};
use crate::domain::{Embedding, StoryId};
use rustc_hash::FxHashMap;
use slab::Slab;

/// An item in the window.
pub(super) struct Report {
    pub story: StoryId,
    /// The number of the item's outlet in the window.
    pub outlet: u32,
    /// The number of the item's language in the window.
    pub language: u32,
    /// The ranking time in seconds since 1970.
    pub ranked_at: i64,
    /// The terms in order of term number.
    pub terms: Box<[ReportTerm]>,
    pub embedding: Option<Embedding>,
}

impl Report {
    /// Returns the components of the embedding; `None` unless it has this number of dimensions.
    pub(super) fn components(&self, dimensions: usize) -> Option<&[i8]> {
        self.embedding.as_ref().map(Embedding::components).filter(|components| components.len() == dimensions)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReportTerm {
    pub number: TermNumber,
    pub in_title: bool,
    /// Whether the term is capitalized where other words are not; `None` if all its occurrences start sentences or are
    /// in title case.
    pub is_capitalized: Option<bool>,
}

/// A term's number in the window's [`TermTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TermNumber(pub u32);

/// The terms of the items in the window. A term's number is free again when its last item expires.
#[derive(Default)]
pub(super) struct TermTable {
    numbers: FxHashMap<TermHash, TermNumber>,
    terms: Slab<Term>,
}

/// A term that an item in the window contains.
pub(super) struct Term {
    pub hash: TermHash,
    pub is_number: bool,
    /// The number of items that contain the term.
    references: u32,
}

impl TermTable {
    pub(super) fn get(&self, number: TermNumber) -> &Term {
        &self.terms[number.0 as usize]
    }

    /// Returns one more than the largest number in use.
    pub(super) fn len(&self) -> usize {
        self.terms.iter().next_back().map_or(0, |(number, _)| number + 1)
    }

    /// Adds the terms of a title and a summary, starting with the terms of the title.
    pub(super) fn add(&mut self, text: &TokenizedText, capitals_mark_names: bool) -> Box<[ReportTerm]> {
        let mut found: Vec<ReportTerm> = Vec::new();
        let title_case = text.has_title_case();
        for (in_title, tokens) in [(true, &text.title), (false, &text.summary)] {
            for token in tokens {
                // Every word is capitalized at the start of a sentence and in title case.
                let hides_case = token.starts_sentence || (in_title && title_case);
                let shows_case = capitals_mark_names && !token.is_number && !hides_case;
                let is_capitalized = shows_case.then_some(token.capitalized);
                let known = self.numbers.get(&token.term).copied();
                if let Some(term) = known.and_then(|n| found.iter_mut().find(|term| term.number == n)) {
                    term.is_capitalized = term.is_capitalized.max(is_capitalized);
                    continue;
                }
                if found.len() == MAX_REPORT_TERMS {
                    break;
                }
                let number = known.unwrap_or_else(|| {
                    let term = Term { hash: token.term, is_number: token.is_number, references: 0 };
                    let number = TermNumber(self.terms.insert(term) as u32);
                    self.numbers.insert(token.term, number);
                    number
                });
                self.terms[number.0 as usize].references += 1;
                found.push(ReportTerm { number, in_title, is_capitalized });
            }
        }
        found.sort_unstable();
        found.into_boxed_slice()
    }

    /// Removes the terms of an item that expired.
    pub(super) fn remove(&mut self, terms: &[ReportTerm]) {
        for term in terms {
            let entry = &mut self.terms[term.number.0 as usize];
            entry.references -= 1;
            if entry.references == 0 {
                let hash = entry.hash;
                self.terms.remove(term.number.0 as usize);
                self.numbers.remove(&hash);
            }
        }
    }
}
