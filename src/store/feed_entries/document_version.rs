//! The versions of a feed's documents, by which cached renderings are recognized as current.

use super::super::{Result, publication};
use super::archive::{archive_page_numbers, archive_sequences};
use crate::domain::{FeedOrder, PublishedFeed};
use crate::store::{ReadConnection, WriteConnection};
use rusqlite::params;

/// The version of a document of a feed. As long as the version is the same, the bytes of the document are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentVersion {
    /// The number of changes of all feeds, for a document that depends on stories outside its feed.
    AllFeeds(i64),
    /// The number of changes of the feed.
    Feed(i64),
    /// The version of an archive page: its adjacent pages, the number of its entries, the version of the feed after the
    /// last change of one of the entries, and the sum of the numbers of the latest editions of their stories.
    ArchivePage { previous: Option<u32>, next: Option<u32>, entries: i64, newest_change: i64, editions: i64 },
}

/// Returns the version of the current document of a feed.
pub fn current_version(db: &ReadConnection, feed: &PublishedFeed) -> Result<DocumentVersion> {
    match feed.selection.order {
        FeedOrder::Newest => {
            let version = "SELECT coalesce((SELECT version FROM feed_sequence WHERE feed = ?1), 0)";
            Ok(DocumentVersion::Feed(db.one(version, [&feed.name])?))
        }
        FeedOrder::Hot => Ok(DocumentVersion::AllFeeds(publication::feeds_version(db)?)),
    }
}

/// Returns the version of an archive page of a feed.
pub fn archive_page_version(db: &ReadConnection, feed: &PublishedFeed, page: u32) -> Result<DocumentVersion> {
    let pages = archive_page_numbers(db, feed)?;
    let sequences = archive_sequences(feed, page);
    let (entries, newest_change, editions) = db.one(
        "SELECT count(*), coalesce(max(version), 0),
                coalesce(sum((SELECT max(number) FROM edition WHERE edition.story_id = feed_entry.story_id)), 0)
         FROM feed_entry WHERE feed = ?1 AND sequence BETWEEN ?2 AND ?3",
        params![feed.name, sequences.start(), sequences.end()],
    )?;
    let adjacent = |page: Option<u32>| page.filter(|page| pages.contains(page));
    let (previous, next) = (adjacent(page.checked_sub(1)), adjacent(page.checked_add(1)));
    Ok(DocumentVersion::ArchivePage { previous, next, entries, newest_change, editions })
}

/// Counts a change of each feed with a story that has got an edition since the last call in this transaction.
pub(in crate::store) fn count_new_editions(db: &WriteConnection) -> Result<()> {
    if !db.exists("SELECT 1 FROM story_with_new_edition", [])? {
        return Ok(());
    }
    db.execute(
        "UPDATE feed_sequence SET version = version + 1 WHERE feed IN (
             SELECT feed FROM story_with_new_edition AS changed CROSS JOIN feed_entry
             ON feed_entry.story_id = changed.story_id)",
        [],
    )?;
    db.execute("DELETE FROM story_with_new_edition", [])?;
    Ok(())
}
