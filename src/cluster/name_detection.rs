//! Decides from the capitalization of a term whether it is a name.

/// The minimum share of capitalized spellings of a name.
const MIN_CAPITALIZED_SHARE: f32 = 0.6;

/// The counted spellings of a term, at positions at which a capital letter marks a name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SpellingCounts {
    lowercase: u16,
    capitalized: u16,
}

impl SpellingCounts {
    pub(super) fn count(&mut self, capitalized: bool) {
        if self.lowercase == u16::MAX || self.capitalized == u16::MAX {
            self.lowercase /= 2;
            self.capitalized /= 2;
        }
        *self.counter(capitalized) += 1;
    }

    /// Reverts [`SpellingCounts::count`].
    pub(super) fn uncount(&mut self, capitalized: bool) {
        let counter = self.counter(capitalized);
        *counter = counter.saturating_sub(1);
    }

    /// Returns whether the term is a name: most of its counted spellings are capitalized.
    pub(super) fn are_of_a_name(self) -> bool {
        let (lowercase, capitalized) = (f32::from(self.lowercase), f32::from(self.capitalized));
        capitalized > MIN_CAPITALIZED_SHARE * (capitalized + lowercase + 0.5)
    }

    fn counter(&mut self, capitalized: bool) -> &mut u16 {
        if capitalized { &mut self.capitalized } else { &mut self.lowercase }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lowercase: usize, capitalized: usize) -> SpellingCounts {
        let mut counts = SpellingCounts::default();
        (0..lowercase).for_each(|_| counts.count(false));
        (0..capitalized).for_each(|_| counts.count(true));
        counts
    }

    #[test]
    fn term_is_a_name_if_most_spellings_are_capitalized() {
        let is_name = |lowercase, capitalized| counts(lowercase, capitalized).are_of_a_name();
        assert!(is_name(0, 1) && is_name(1, 3) && is_name(4, 7));
        assert!(!is_name(0, 0) && !is_name(1, 1) && !is_name(1, 2) && !is_name(4, 6));
        let mut reverted = counts(1, 2);
        reverted.uncount(false);
        assert!(reverted.are_of_a_name());
    }

    #[test]
    fn counts_keep_their_proportion_at_the_maximum() {
        let counts = counts(usize::from(u16::MAX / 4), usize::from(u16::MAX) + 1);
        assert_eq!((counts.lowercase, counts.capitalized), (u16::MAX / 8, u16::MAX / 2 + 1));
    }
}
