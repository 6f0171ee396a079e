//! Classifies headlines as roundups and shopping offers by cue phrases that newsrooms use.

use aho_corasick::AhoCorasick;

/// The kind of content that a headline announces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeadlineKind {
    /// Whether the item covers many events.
    pub roundup: bool,
    /// Whether the item offers something to buy.
    pub offer: bool,
}

/// Cue phrases of roundups, newsletters, galleries and puzzles.
const ROUNDUP_CUES: &str = "\
    briefing | newsletter | round-up | roundup | first thing | up first | morning report | morning update | \
    afternoon update | evening update | headlines | digest | at a glance | key events | podcast | quiz | \
    crossword | horoscope | market talk | corrections | letters | in pictures | photos of the | \
    week in review | this week's | this week’s | best of | things to know | five things | cartoon | today's | \
    today’s | top stories | morning brief | evening brief | \
    presseschau | newsblog | wochenrückblick | schlagzeilen | bildergalerie | \
    revue de presse | l'essentiel | l’essentiel | en images | mots croisés | \
    titulares | resumen de | en imágenes | crucigrama | horóscopo | \
    rassegna stampa | oroscopo | le foto | manchetes | nieuwsoverzicht | дайджест | przegląd prasy | horoskop";

/// Cue phrases of offers, without "deal", "buy" and "record low", which are common in politics and markets too.
const OFFER_CUES: &str = "\
    deals | preorder | pre-order | preorders | pre-orders | save $ | save £ | save € | best price | \
    lowest price | on sale | discount | discounts | % off | cheapest | price drop | prime day | black friday | \
    coupon | coupons | promo | \
    im angebot | schnäppchen | bons plans | ofertas";

/// Finds the cue phrases of both kinds in a title.
pub struct HeadlineClassifier {
    cues: AhoCorasick,
    /// The number of roundup cues, which precede the offer cues.
    roundup_cues: usize,
}

impl Default for HeadlineClassifier {
    fn default() -> HeadlineClassifier {
        let roundups = ROUNDUP_CUES.split(" | ");
        let cues = roundups.clone().chain(OFFER_CUES.split(" | "));
        let cues = AhoCorasick::builder().ascii_case_insensitive(true).build(cues);
        let cues = cues.unwrap_or_else(|error| unreachable!("the automaton of a few cues fits: {error}"));
        HeadlineClassifier { cues, roundup_cues: roundups.count() }
    }
}

impl HeadlineClassifier {
    /// Classifies a lowercase title.
    pub fn classify(&self, title: &str) -> HeadlineKind {
        // Two semicolons separate the entries of a roundup.
        let mut kind = HeadlineKind { roundup: title.matches(';').nth(1).is_some(), offer: false };
        for cue in self.cues.find_overlapping_iter(title).filter(|cue| is_whole_words(title, cue.range())) {
            if cue.pattern().as_usize() < self.roundup_cues {
                kind.roundup = true;
            } else {
                kind.offer = true;
            }
        }
        kind
    }
}

/// Returns whether a range of the text starts and ends at word boundaries.
fn is_whole_words(text: &str, range: std::ops::Range<usize>) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let cue = &text[range.clone()];
    let cut_at_start = is_letter(text[..range.start].chars().next_back()) && is_letter(cue.chars().next());
    let cut_at_end = is_letter(cue.chars().next_back()) && is_letter(text[range.end..].chars().next());
    !cut_at_start && !cut_at_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_match_whole_words_only() {
        let classifier = HeadlineClassifier::default();
        let kind = |title: &str| classifier.classify(&title.to_lowercase());
        assert!(kind("Morning Briefing: what to watch").roundup);
        assert!(kind("Rates rise; storm nears; cup final").roundup);
        assert!(!kind("Debriefings of the crew begin").roundup);
        assert!(kind("Lumen 9 is 20% off").offer);
        assert!(kind("The best deals on headphones").offer);
        assert!(!kind("Minister strikes a plea deal").offer);
        assert!(!kind("Over 500 deaths a week in hospitals").roundup);
    }
}
