//! A rule that overrides the pair model: two items of a numbered series never report the same event.

use super::indexed_item::IndexedItem;
use super::term_weights::{TermKind, TitleNumber, WeightedTerm};

/// Returns whether two items belong to a numbered series: either their titles have different numbers after the same
/// name ("Lumen 9" and "Lumen 10"), or both come from one outlet and their titles differ only in numbers or dates
/// ("hints for June 21" and "hints for June 22").
pub(super) fn is_numbered_series(one: &IndexedItem, other: &IndexedItem) -> bool {
    let mut after_names = one.title_numbers.iter().filter(|number| number.after_name);
    after_names.any(|number| is_renumbered(*number, &other.title_numbers))
        || (one.outlet == other.outlet
            && (one.title_profile.is_same_with_another_date(&other.title_profile)
                || adds_only_numbers(&one.terms, &other.terms) && adds_only_numbers(&other.terms, &one.terms)))
}

/// Returns whether another title has only different numbers after the same word.
fn is_renumbered(number: TitleNumber, others: &[TitleNumber]) -> bool {
    let mut same_word = others.iter().filter(|other| other.word == number.word).peekable();
    same_word.peek().is_some() && same_word.all(|other| other.number != number.number)
}

/// Returns whether a title shares at least two terms with another and adds numbers but at most one word.
fn adds_only_numbers(title: &[WeightedTerm], other: &[WeightedTerm]) -> bool {
    let (mut numbers, mut words, mut shared) = (0, 0, 0);
    for term in title.iter().filter(|term| term.in_title()) {
        match other.binary_search_by_key(&term.id, |other| other.id) {
            Ok(position) if other[position].in_title() => shared += 1,
            _ if term.is(TermKind::Number) => numbers += 1,
            _ => words += 1,
        }
    }
    numbers > 0 && words <= 1 && shared >= 2
}
