//! A full-text index in memory over the items of a few stories. One query per feed finds which of these stories match
//! the expression of the feed. With the index of the database, one query for each feed and story would be necessary.

use super::Result;
use super::connection::ReadConnection;
use super::fts_query::indexed_expression;
use super::search_text::indexed_text;
use crate::domain::Story;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeSet;

/// The index. An expression matches the same items as in the index of the database.
pub struct TextIndex {
    index: Connection,
    /// The position of the story of each row.
    stories: Vec<usize>,
}

impl TextIndex {
    pub fn new(db: &ReadConnection, stories: &[&Story]) -> Result<TextIndex> {
        let index = Connection::open_in_memory()?;
        // The tokenizer is part of the definition.
        let definition: String = db.one("SELECT sql FROM sqlite_schema WHERE name = 'item_fts'", [])?;
        index.execute_batch(&definition)?;
        index.execute_batch("BEGIN")?;
        let mut add = index.prepare("INSERT INTO item_fts (rowid, title, summary) VALUES (?1, ?2, ?3)")?;
        let mut positions = Vec::new();
        for (position, story) in stories.iter().enumerate() {
            for report in &story.items {
                let item = &report.item;
                add.execute(params![positions.len() as i64, indexed_text(&item.title), indexed_text(&item.summary)])?;
                positions.push(position);
            }
        }
        drop(add);
        index.execute_batch("COMMIT")?;
        Ok(TextIndex { index, stories: positions })
    }

    /// Returns the positions of the stories with an item that matches an FTS5 expression.
    pub fn matching(&self, expression: &str) -> Result<BTreeSet<usize>> {
        let mut search = self.index.prepare_cached("SELECT rowid FROM item_fts WHERE item_fts MATCH ?1")?;
        let story = |row: &Row<'_>| row.get(0).map(|row: i64| self.stories[row as usize]);
        let positions = search.query_map([indexed_expression(expression)], story)?;
        Ok(positions.collect::<rusqlite::Result<_>>()?)
    }
}
