//! Full-text search expressions: converts user input to FTS5 expressions and checks FTS5 syntax.

use super::search_text::{SearchPhrase, search_phrase};
use crate::domain::display_text::is_invisible;
use rusqlite::Connection;

/// The maximum number of characters read from user input, and of words or phrases in the expression.
pub const MAX_QUERY_CHARS: usize = 200;
const MAX_WORDS: usize = 12;

/// Converts user input to an FTS5 expression that requires every word and every quoted phrase. User input never acts as
/// an operator. Returns `None` if the input contains no word.
pub fn from_user_input(typed: &str) -> Option<String> {
    let readable = |c: &char| c.is_whitespace() || !is_invisible(*c);
    let typed: String = typed.chars().filter(readable).take(MAX_QUERY_CHARS).collect();
    let parts: Vec<&str> = typed.split(['"', '“', '”', '„', '«', '»', '「', '」', '『', '』', '＂']).collect();
    // Every second part is a quoted phrase. An unclosed quotation mark is ignored.
    let in_marks = |place: usize| place % 2 == 1 && place + 1 < parts.len();
    let phrases = parts
        .iter()
        .enumerate()
        .flat_map(|(place, part)| if in_marks(place) { vec![*part] } else { part.split_whitespace().collect() });
    // FTS5 treats a string that contains only punctuation as a phrase without words.
    let words = phrases.filter(|phrase| phrase.chars().any(char::is_alphanumeric));
    let quoted: Vec<String> = words.take(MAX_WORDS).map(|phrase| format!("\"{phrase}\"")).collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

/// Rewrites the words and phrases of an FTS5 expression in the form of the index. Operators and columns are unchanged.
pub(super) fn indexed_expression(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            // FTS5 separates words only at ASCII white space.
            out.push(' ');
            rest = &rest[first.len_utf8()..];
        } else if first == '"' {
            let Some(end) = end_of_string(rest) else { break };
            push_phrase(&mut out, &rest[1..end - 1].replace("\"\"", "\""), &rest[end..]);
            rest = &rest[end..];
        } else {
            let end = rest.find(|c| !is_bareword(c)).unwrap_or(rest.len()).max(first.len_utf8());
            if rest[..end].is_ascii() {
                out.push_str(&rest[..end]);
            } else {
                push_phrase(&mut out, &rest[..end], &rest[end..]);
            }
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    out
}

/// Returns the end of the quoted string at the start of the text. A doubled quotation mark is part of the string.
fn end_of_string(text: &str) -> Option<usize> {
    let mut end = 1;
    loop {
        end += text[end..].find('"')? + 1;
        if !text[end..].starts_with('"') {
            return Some(end);
        }
        end += 1;
    }
}

/// Returns whether a character is valid in an unquoted word (<https://www.sqlite.org/fts5.html#fts5_strings>).
fn is_bareword(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '\u{1a}') || (!c.is_ascii() && !c.is_whitespace())
}

fn push_phrase(out: &mut String, phrase: &str, rest: &str) {
    let SearchPhrase { text, is_prefix } = search_phrase(phrase);
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
    if is_prefix && !rest.trim_start().starts_with('*') {
        out.push('*');
    }
}

/// Returns the syntax error that SQLite reports for an FTS5 expression; `None` if it is valid.
pub fn syntax_error(words: &str) -> Option<String> {
    // This empty table has the same columns as the table in the schema.
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
    fn words_and_phrases_are_quoted() {
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
    fn no_user_input_causes_a_syntax_error() {
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
