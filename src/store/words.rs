//! Whether a selection by words is an expression that SQLite's FTS5 understands, before any database is opened.

use super::stories;
use rusqlite::Connection;

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
