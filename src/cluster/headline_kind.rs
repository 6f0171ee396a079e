//! What kind of item a title announces, by the words that headlines of that kind use in every newsroom.

use super::window::HeadlineKind;
use aho_corasick::AhoCorasick;

/// Words and phrases of round-ups: items that cover many events, newsletters, galleries, puzzles.
const ROUNDUP_CUES: [&str; 58] = [
    "briefing",
    "newsletter",
    "round-up",
    "roundup",
    "first thing",
    "up first",
    "morning report",
    "morning update",
    "afternoon update",
    "evening update",
    "headlines",
    "digest",
    "at a glance",
    "key events",
    "podcast",
    "quiz",
    "crossword",
    "horoscope",
    "market talk",
    "corrections",
    "letters",
    "in pictures",
    "photos of the",
    "week in review",
    "this week's",
    "this week’s",
    "best of",
    "things to know",
    "five things",
    "cartoon",
    "today's",
    "today’s",
    "top stories",
    "morning brief",
    "evening brief",
    "presseschau",
    "newsblog",
    "wochenrückblick",
    "schlagzeilen",
    "bildergalerie",
    "revue de presse",
    "l'essentiel",
    "l’essentiel",
    "en images",
    "mots croisés",
    "titulares",
    "resumen de",
    "en imágenes",
    "crucigrama",
    "horóscopo",
    "rassegna stampa",
    "oroscopo",
    "le foto",
    "manchetes",
    "nieuwsoverzicht",
    "дайджест",
    "przegląd prasy",
    "horoskop",
];

/// Words of offers. "Deal", "buy" and "record low" are not among them: they are as much at home in politics and markets.
const OFFER_CUES: [&str; 25] = [
    "deals",
    "preorder",
    "pre-order",
    "preorders",
    "pre-orders",
    "save $",
    "save £",
    "save €",
    "best price",
    "lowest price",
    "on sale",
    "discount",
    "discounts",
    "% off",
    "cheapest",
    "price drop",
    "prime day",
    "black friday",
    "coupon",
    "coupons",
    "promo",
    "im angebot",
    "schnäppchen",
    "bons plans",
    "ofertas",
];

/// Reads titles for the words of both kinds.
pub(super) struct HeadlineClassifier(AhoCorasick);

impl Default for HeadlineClassifier {
    fn default() -> HeadlineClassifier {
        let words = AhoCorasick::builder().ascii_case_insensitive(true).build(ROUNDUP_CUES.iter().chain(&OFFER_CUES));
        HeadlineClassifier(words.unwrap_or_else(|error| unreachable!("a few short words always fit: {error}")))
    }
}

impl HeadlineClassifier {
    /// `lower` is the title in lower case.
    pub(super) fn of(&self, lower: &str) -> HeadlineKind {
        // "A; B; C" is a table of contents.
        let mut form = HeadlineKind { roundup: lower.matches(';').nth(1).is_some(), offer: false };
        for found in self.0.find_overlapping_iter(lower) {
            if is_whole(lower, found.start(), found.end()) {
                let roundup = found.pattern().as_usize() < ROUNDUP_CUES.len();
                form = HeadlineKind { roundup: form.roundup || roundup, offer: form.offer || !roundup };
            }
        }
        form
    }
}

/// Whether what stands from `start` to `end` is made of whole words.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let found = &text[start..end];
    let begun = letter(text[..start].chars().next_back()) && letter(found.chars().next());
    let goes_on = letter(found.chars().next_back()) && letter(text[end..].chars().next());
    !begun && !goes_on
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_by_whole_words() {
        let forms = HeadlineClassifier::default();
        let form = |title: &str| forms.of(&title.to_lowercase());
        assert!(form("Morning Briefing: what to watch").roundup);
        assert!(form("Rates rise; storm nears; cup final").roundup);
        assert!(!form("Debriefings of the crew begin").roundup);
        assert!(form("Lumen 9 is 20% off").offer);
        assert!(form("The best deals on headphones").offer);
        assert!(!form("Minister strikes a plea deal").offer);
        assert!(!form("Over 500 deaths a week in hospitals").roundup);
    }
}
