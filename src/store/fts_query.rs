//! Words to search for: what people type as an expression of SQLite's FTS5, and what FTS5 says against an expression.

use crate::domain::display_text::is_invisible;
use rusqlite::Connection;

/// Characters of what was typed that are read, and words or phrases that are looked for.
pub const MAX_QUERY_CHARS: usize = 200;
const MAX_WORDS: usize = 12;

/// What somebody typed, as an FTS5 expression that is met where every word, and every phrase in quotation marks, is
/// there. Nothing that is typed is an operator. `None` where there is no word in it.
pub fn from_user_input(typed: &str) -> Option<String> {
    let readable = |c: &char| c.is_whitespace() || !is_invisible(*c);
    let typed: String = typed.chars().filter(readable).take(MAX_QUERY_CHARS).collect();
    let parts: Vec<&str> = typed.split(['"', '“', '”', '„', '«', '»']).collect();
    // Between the first mark and the second there is a phrase, and so on; a mark that is never closed means nothing.
    let in_marks = |place: usize| place % 2 == 1 && place + 1 < parts.len();
    let phrases = parts
        .iter()
        .enumerate()
        .flat_map(|(place, part)| if in_marks(place) { vec![*part] } else { part.split_whitespace().collect() });
    // Of signs alone FTS5 makes a phrase without a word.
    let words = phrases.filter(|phrase| phrase.chars().any(char::is_alphanumeric));
    let quoted: Vec<String> = words.take(MAX_WORDS).map(|phrase| format!("\"{phrase}\"")).collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

/// What SQLite says against an FTS5 expression; `None` where it understands it.
pub fn syntax_error(words: &str) -> Option<String> {
    // The same table as in the schema, as far as an expression can tell; it holds nothing.
    const TABLE: &str = "CREATE VIRTUAL TABLE item_fts USING fts5 (title, summary)";
    let search = |db: Connection| {
        db.execute_batch(TABLE)?;
        db.query_row("SELECT count(*) FROM item_fts WHERE item_fts MATCH ?1", [words], |_| Ok(()))
    };
    match Connection::open_in_memory().and_then(search) {
        Ok(()) => None,
        Err(rusqlite::Error::SqliteFailure(_, Some(text))) => Some(text),
        Err(other) => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_and_every_phrase_is_quoted() {
        for (typed, expected) in [
            ("grid", Some("\"grid\"")),
            ("  grid\tveshna ", Some("\"grid\" \"veshna\"")),
            ("\"power plant\" grid", Some("\"power plant\" \"grid\"")),
            ("“power plant” grid", Some("\"power plant\" \"grid\"")),
            ("a 5\" screen", Some("\"a\" \"5\" \"screen\"")),
            ("don't co-operate", Some("\"don't\" \"co-operate\"")),
            ("grid AND NOT football*", Some("\"grid\" \"AND\" \"NOT\" \"football*\"")),
            ("gr\u{202e}id\0", Some("\"grid\"")),
            ("قطار", Some("\"قطار\"")),
            ("", None),
            (" \"\" ( ) * ^ - -- ; \u{1f600}", None),
        ] {
            assert_eq!(from_user_input(typed).as_deref(), expected, "for {typed:?}");
        }
    }

    #[test]
    fn nothing_that_is_typed_is_an_error_of_syntax() {
        let long = "word ".repeat(5000);
        let one = "x".repeat(10_000);
        for typed in [
            "AND",
            "OR NOT",
            "NEAR(a b, 3)",
            "title:grid",
            "-title:a",
            "{title summary}: a",
            "a + b",
            "^a",
            "a*",
            "\"",
            "\"\"\"",
            "a\" OR \"b",
            "'; DROP TABLE item; --",
            "a\0b",
            "\u{202e}\u{200f}a",
            "\u{93e}",
            "((((",
            "a:b:c",
            "…",
            &long,
            &one,
        ] {
            if let Some(words) = from_user_input(typed) {
                assert_eq!(syntax_error(&words), None, "of {words} for {typed:?}");
                assert!(words.len() < 1000, "bounded");
            }
        }
    }
}
