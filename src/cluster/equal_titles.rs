//! Determines whether equal titles of two items name one event, or a recurring section with different content.

use super::indexed_item::IndexedItem;
use super::term_weights::TermKind;
use crate::domain::writing_systems::is_unspaced_script;

/// The minimum number of words in a specific title. Shorter titles name a section: "Letters to the editor", "Weather".
const MIN_SPECIFIC_WORDS: u8 = 4;
/// The minimum number of words for a title to name an event if it is repeated soon, regardless of the texts.
const CERTAINLY_SPECIFIC_WORDS: u8 = 6;
/// The maximum time between repetitions of a headline, in seconds. The title of a program is repeated a day later.
const MAX_REPETITION_SECONDS: u64 = 12 * 60 * 60;
/// The minimum number of title words that the text repeats if the title names the subject of the text.
const MIN_RESTATED_WORDS: u8 = 2;
/// The minimum agreement between the texts if the title names an event. Texts about different events share a few words.
const MIN_EVENT_AGREEMENT: f32 = 0.25;
/// The minimum agreement between the texts of copies.
const MIN_AGREEMENT: f32 = 0.6;
/// The minimum agreement between the texts of two outlets' reports of one event.
const MIN_AGREEMENT_ACROSS_OUTLETS: f32 = 0.15;

/// The minimum agreement between the texts of two outlets' reports of one event in a script without spaces. Texts about
/// different events share particles in such scripts.
const MIN_UNSPACED_AGREEMENT_ACROSS_OUTLETS: f32 = 0.3;
/// The minimum share of the shorter text's shingles that the longer text contains if they are versions of one text.
/// Texts of a regular section use the same words in another order.
const MIN_VERSION_CONTAINMENT: f32 = 0.4;

/// Two items that have equal titles or belong to one regular section.
pub(super) struct EqualTitles<'a>(pub &'a IndexedItem, pub &'a IndexedItem);

impl EqualTitles<'_> {
    /// Returns whether the items are one report that was published twice.
    pub(super) fn are_copies(&self) -> bool {
        self.have_same_text() || self.is_title_specific()
    }

    /// Returns whether the title names a recurring section and the texts differ. An outlet's own repeated short title
    /// names a section, but different outlets may choose the same short title for one event.
    pub(super) fn are_of_a_recurring_column(&self) -> bool {
        let agreement = self.text_agreement();
        if self.0.outlet == self.1.outlet {
            return !self.is_title_specific() && !self.have_same_text();
        }
        let min = match self.0.title.contains(is_unspaced_script) {
            true => MIN_UNSPACED_AGREEMENT_ACROSS_OUTLETS,
            false => MIN_AGREEMENT_ACROSS_OUTLETS,
        };
        self.0.title_profile.words < MIN_SPECIFIC_WORDS && agreement.is_some_and(|agreement| agreement < min)
    }

    /// Returns whether both items belong to a regular section and have different texts.
    pub(super) fn are_of_a_rubric(&self) -> bool {
        self.0.kind.rubric && self.1.kind.rubric && !self.have_same_text()
    }

    /// Returns whether the texts are versions of one text. Texts of a regular section may differ only in numbers.
    fn have_same_text(&self) -> bool {
        let has_same_shingles =
            self.0.sketch.containment_if_known(&self.1.sketch).is_none_or(|share| share >= MIN_VERSION_CONTAINMENT);
        self.text_agreement().is_some_and(|agreement| agreement >= MIN_AGREEMENT)
            && has_same_shingles
            && self.have_same_numbers()
    }

    fn have_same_numbers(&self) -> bool {
        let numbers = |item: &'_ IndexedItem| item.terms.iter().filter(|term| term.is(TermKind::Number)).count();
        let (one, other) = (numbers(self.0), numbers(self.1));
        let shared = self.0.terms.iter().filter(|term| term.is(TermKind::Number) && self.1.contains(term.id)).count();
        shared * 2 >= one.min(other)
    }

    /// Returns whether the title names one event.
    fn is_title_specific(&self) -> bool {
        let (one, other) = (&self.0.title_profile, &self.1.title_profile);
        let texts_report_it = || match self.text_agreement() {
            Some(agreement) => {
                agreement >= MIN_EVENT_AGREEMENT || one.restated.min(other.restated) >= MIN_RESTATED_WORDS
            }
            None => true,
        };
        let is_repeated_soon = self.0.ranked_at.abs_diff(self.1.ranked_at) <= MAX_REPETITION_SECONDS;
        !self.0.kind.roundup
            && one.words >= MIN_SPECIFIC_WORDS
            && (one.words >= CERTAINLY_SPECIFIC_WORDS && is_repeated_soon || texts_report_it())
    }

    /// Returns the share of the shorter text's terms that the longer text contains, 0 to 1. Title words are not
    /// counted. Returns `None` if an item has no text.
    fn text_agreement(&self) -> Option<f32> {
        let text_terms = |item: &IndexedItem| item.terms.iter().filter(|term| !term.in_title()).count();
        let shorter = text_terms(self.0).min(text_terms(self.1));
        let shared = self.0.terms.iter().filter(|term| !term.in_title() && self.1.contains(term.id)).count();
        (shorter > 0).then(|| shared as f32 / shorter as f32)
    }
}
