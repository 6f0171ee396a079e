//! Words that select: the operator's expressions, which SQLite's FTS5 has to understand, and what people type.

use super::stories;
use rusqlite::Connection;
use unicode_segmentation::UnicodeSegmentation;

/// What SQLite says against an FTS5 expression; `None` where it understands it.
pub fn fault_in_words(words: &str) -> Option<String> {
    // The same table as in the schema, as far as an expression can tell; it holds nothing.
    const TABLE: &str = "CREATE VIRTUAL TABLE item_words USING fts5 (title, summary)";
    let memory = Connection::open_in_memory().and_then(|db| db.execute_batch(TABLE).map(|()| db));
    match memory {
        Ok(db) => stories::check_words(&db, words).err(),
        Err(error) => Some(error.to_string()),
    }
}

/// Words of a search, and characters, that are looked at.
const MAX_WORDS: usize = 12;
const MAX_TYPED: usize = 200;

/// What people type as an FTS5 expression: all the words have to be there, and no sign means anything. `None` where no
/// word was typed.
pub fn query(typed: &str) -> Option<String> {
    let typed: String = typed.chars().take(MAX_TYPED).collect();
    let quoted: Vec<String> = typed.unicode_words().take(MAX_WORDS).map(|word| format!("\"{word}\"")).collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_typed_is_an_expression() {
        assert_eq!(query("armoured train").as_deref(), Some("\"armoured\" \"train\""));
        assert_eq!(query(" \"-* \u{202e}"), None);
        for typed in ["a\"b", "NEAR(a b)", "x AND", "title:y", "(", "don't", "\0c", &"word ".repeat(9000)] {
            let expression = query(typed);
            assert_eq!(expression.as_deref().and_then(fault_in_words), None, "{typed:?} → {expression:?}");
        }
    }
}
