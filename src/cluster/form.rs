//! What kind of item a title announces, by the words that headlines of that kind use in every newsroom.

use super::memory::Form;

/// Words and phrases of round-ups: items that cover many events, newsletters, galleries, puzzles.
const ROUNDUPS: [&str; 58] = [
    "briefing", "newsletter", "round-up", "roundup", "first thing", "up first", "morning report", "morning update",
    "afternoon update", "evening update", "headlines", "digest", "at a glance", "key events", "podcast", "quiz",
    "crossword", "horoscope", "market talk", "corrections", "letters", "in pictures", "photos of the", "week in",
    "this week's", "this week’s", "best of", "things to know", "five things", "cartoon", "today's", "today’s", "top stories",
    "morning brief", "evening brief", "presseschau", "newsblog", "wochenrückblick", "schlagzeilen", "bildergalerie",
    "revue de presse", "l'essentiel", "l’essentiel", "en images", "mots croisés", "titulares", "resumen de", "en imágenes",
    "crucigrama", "horóscopo", "rassegna stampa", "oroscopo", "le foto", "manchetes", "nieuwsoverzicht", "дайджест",
    "przegląd prasy", "horoskop",
];

/// Words of offers.
const OFFERS: [&str; 22] = [
    "deal", "deals", "preorder", "pre-order", "preorders", "pre-orders", "save $", "best price", "on sale", "discount",
    "% off", "cheapest", "price drop", "buy", "record low", "coupon", "coupons", "promo", "angebot", "schnäppchen",
    "bons plans", "oferta",
];

pub(super) fn form(title: &str) -> Form {
    let lower = title.to_lowercase();
    // "A; B; C" is a table of contents.
    let many = lower.matches("; ").count() >= 2;
    Form {
        roundup: many || ROUNDUPS.iter().any(|phrase| has(&lower, phrase)),
        offer: OFFERS.iter().any(|phrase| has(&lower, phrase)),
    }
}

/// Whether a phrase stands in a text as whole words.
fn has(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let edge = |c: Option<char>, own: Option<char>| {
            !own.is_some_and(char::is_alphanumeric) || !c.is_some_and(char::is_alphanumeric)
        };
        let (before, after) = (text[..at].chars().next_back(), text[at + phrase.len()..].chars().next());
        edge(before, phrase.chars().next()) && edge(after, phrase.chars().next_back())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_by_whole_words() {
        assert!(form("Morning Briefing: what to watch").roundup);
        assert!(form("Rates rise; storm nears; cup final").roundup);
        assert!(!form("Debriefings of the crew begin").roundup);
        assert!(form("Lumen 9 is 20% off").offer);
        assert!(!form("Minister buys time").offer);
    }
}
