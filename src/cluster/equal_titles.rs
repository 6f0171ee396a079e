//! Whether an equal title of two items names one event, or a rubric that returns with other content.

use super::indexed_item::IndexedItem;

/// Titles with fewer words name a rubric: "Letters to the editor", "Weather forecast".
const MIN_SPECIFIC_WORDS: u8 = 4;
/// Titles with this number of words name an event, whatever the texts say.
const CERTAINLY_SPECIFIC_WORDS: u8 = 6;
/// The number of its title's words that a text repeats if the title names what the text reports.
const MIN_RESTATED_WORDS: u8 = 2;
/// The share of the shorter text's terms that the longer one contains, from which the texts agree.
const MIN_AGREEMENT: f32 = 0.6;
/// Below this share, the texts of two outlets have no event in common.
const MIN_AGREEMENT_ACROSS_OUTLETS: f32 = 0.15;

/// Two items with equal titles.
pub(super) struct EqualTitles<'a>(pub &'a IndexedItem, pub &'a IndexedItem);

impl EqualTitles<'_> {
    /// Whether the items are one report, published twice.
    pub(super) fn are_copies(&self) -> bool {
        self.text_agreement().is_some_and(|agreement| agreement >= MIN_AGREEMENT) || self.is_title_specific()
    }

    /// Whether the title is a rubric, and the texts differ. Other outlets may have chosen the same short title for the same
    /// event; an outlet's own short title with another text is a rubric.
    pub(super) fn are_of_a_rubric(&self) -> bool {
        let agreement = self.text_agreement();
        if self.0.outlet == self.1.outlet {
            return !self.is_title_specific() && agreement.is_none_or(|agreement| agreement < MIN_AGREEMENT);
        }
        self.0.title_profile.words < MIN_SPECIFIC_WORDS
            && agreement.is_some_and(|agreement| agreement < MIN_AGREEMENT_ACROSS_OUTLETS)
    }

    /// Whether the title names one event.
    fn is_title_specific(&self) -> bool {
        let (one, other) = (&self.0.title_profile, &self.1.title_profile);
        let texts_report_it = || match self.text_agreement() {
            Some(agreement) => agreement > 0.0 || one.restated.min(other.restated) >= MIN_RESTATED_WORDS,
            None => true,
        };
        !self.0.kind.roundup
            && one.words >= MIN_SPECIFIC_WORDS
            && (one.words >= CERTAINLY_SPECIFIC_WORDS || texts_report_it())
    }

    /// The share of the shorter text's terms that the longer one contains, 0 to 1. The words of the title do not count.
    /// `None` if an item has no text.
    fn text_agreement(&self) -> Option<f32> {
        let text_terms = |item: &IndexedItem| item.terms.iter().filter(|term| !term.in_title()).count();
        let shorter = text_terms(self.0).min(text_terms(self.1));
        let shared = self.0.terms.iter().filter(|term| !term.in_title() && self.1.contains(term.id)).count();
        (shorter > 0).then(|| shared as f32 / shorter as f32)
    }
}
