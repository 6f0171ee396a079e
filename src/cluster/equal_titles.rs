//! Determines whether equal titles of two items name one event, or a recurring section with different content.

use super::indexed_item::IndexedItem;

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

/// Two items with equal titles.
pub(super) struct EqualTitles<'a>(pub &'a IndexedItem, pub &'a IndexedItem);

impl EqualTitles<'_> {
    /// Returns whether the items are one report that was published twice.
    pub(super) fn are_copies(&self) -> bool {
        self.text_agreement().is_some_and(|agreement| agreement >= MIN_AGREEMENT) || self.is_title_specific()
    }

    /// Returns whether the title names a recurring section and the texts differ. An outlet's own repeated short title
    /// names a section, but different outlets may choose the same short title for one event.
    pub(super) fn are_of_a_recurring_column(&self) -> bool {
        let agreement = self.text_agreement();
        if self.0.outlet == self.1.outlet {
            return !self.is_title_specific() && agreement.is_none_or(|agreement| agreement < MIN_AGREEMENT);
        }
        self.0.title_profile.words < MIN_SPECIFIC_WORDS
            && agreement.is_some_and(|agreement| agreement < MIN_AGREEMENT_ACROSS_OUTLETS)
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
