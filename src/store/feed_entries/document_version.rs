//! The versions of a feed's documents, by which cached renderings are recognized as current.

use super::super::{Result, publication};
use super::archive::{archive_page_numbers, archive_sequences};
use crate::domain::{FeedOrder, PublishedFeed};
use crate::store::ReadConnection;
use rusqlite::params;

/// The version of a document of a feed. As long as the version is the same, the bytes of the document are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentVersion {
    /// The number of changes of all feeds, for a document that depends on stories outside of its feed.
    AllFeeds(i64),
    /// The number of changes of the feed.
    Feed(i64),
    /// The version of an archive page: its adjacent pages, the number of its entries, and the version of the feed after
    /// the last change of one of the entries.
    ArchivePage { previous: Option<u32>, next: Option<u32>, entries: i64, newest_change: i64 },
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
    let (entries, newest_change) = db.one(
        "SELECT count(*), coalesce(max(version), 0) FROM feed_entry WHERE feed = ?1 AND sequence BETWEEN ?2 AND ?3",
        params![feed.name, sequences.start(), sequences.end()],
    )?;
    let adjacent = |page: Option<u32>| page.filter(|page| pages.contains(page));
    let (previous, next) = (adjacent(page.checked_sub(1)), adjacent(page.checked_add(1)));
    Ok(DocumentVersion::ArchivePage { previous, next, entries, newest_change })
}
