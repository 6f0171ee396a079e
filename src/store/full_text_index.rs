//! Adds new items to the full-text index. Triggers update and delete the entries of items that are in the index.

use super::connection::WriteConnection;

/// Adds the items that were inserted since the last call. IDs of items increase and are never reused, so these are the
/// items with larger IDs than the last item in the index.
///
/// The writer calls this function once per transaction, after the last savepoint. FTS5 writes a segment of its index
/// whenever a savepoint ends, and merges the segments later.
pub(super) fn add_new_items(db: &WriteConnection) -> rusqlite::Result<()> {
    db.sqlite().execute(
        "INSERT INTO item_fts (rowid, title, summary)
         SELECT id, search_text(title), search_text(summary) FROM item
         WHERE id > coalesce((SELECT max(id) FROM item_fts_docsize), 0)",
        [],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::open::open_writer;
    use super::*;

    /// Inserts an item with this title, and returns its ID.
    fn insert(db: &WriteConnection, title: &str) -> i64 {
        db.one(
            "INSERT INTO item (source_id, guid, title, summary, first_seen_at, ranked_at) VALUES (1, ?1, ?1, '', 0, 0)
             RETURNING id",
            [title],
        )
        .unwrap()
    }

    fn found(db: &WriteConnection, word: &str) -> Vec<i64> {
        db.all("SELECT rowid FROM item_fts WHERE item_fts MATCH ?1 ORDER BY rowid", [word]).unwrap()
    }

    #[test]
    fn each_item_is_indexed_once_with_its_current_text() {
        let folder = tempfile::tempdir().unwrap();
        let db = open_writer(&folder.path().join("news.db")).unwrap();
        db.sqlite().execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        let (flood, deleted, storm) = (insert(&db, "flood"), insert(&db, "drought"), insert(&db, "storm"));
        assert!(found(&db, "flood").is_empty(), "items are indexed at the end of the transaction");
        db.execute("UPDATE item SET title = 'tempest' WHERE id = ?1", [storm]).unwrap();
        db.execute("DELETE FROM item WHERE id = ?1", [deleted]).unwrap();
        add_new_items(&db).unwrap();
        add_new_items(&db).unwrap();
        assert_eq!((found(&db, "flood"), found(&db, "tempest")), (vec![flood], vec![storm]));
        assert!(found(&db, "storm").is_empty() && found(&db, "drought").is_empty());
        db.execute("DELETE FROM item WHERE id = ?1", [storm]).unwrap();
        let quake = insert(&db, "quake");
        add_new_items(&db).unwrap();
        assert_eq!(
            (found(&db, "flood"), found(&db, "tempest"), found(&db, "quake")),
            (vec![flood], vec![], vec![quake])
        );
        db.execute("UPDATE item SET title = 'tremor' WHERE id = ?1", [quake]).unwrap();
        assert_eq!((found(&db, "quake"), found(&db, "tremor")), (vec![], vec![quake]));
        db.sqlite().execute_batch("INSERT INTO item_fts (item_fts) VALUES ('integrity-check')").unwrap();
    }
}
