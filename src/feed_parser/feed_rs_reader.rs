//! Parses the rewritten document with feed-rs.
//!
//! Values that feed-rs invents are removed: a generated ID becomes `None`, and a date that was copied from another date
//! is dropped. Each document gets a new parser, because a parser that panicked keeps a partial item.

use std::panic::{AssertUnwindSafe, catch_unwind};

use feed_rs::model::Entry;
use jiff::Timestamp;
use url::Url;

use super::parsed_feed::{ParsedEnclosure, ParsedFeed, ParsedItem};
use super::rewriter::RewrittenFeed;
use crate::domain::panic_text::panic_text;

/// A placeholder for the ID of an item that has no ID.
const NO_GUID: &str = "newsfold:no-guid";

/// Returns the feed, or the message of feed-rs's error or panic.
pub fn read_feed(rewritten: RewrittenFeed) -> Result<ParsedFeed, String> {
    let RewrittenFeed { mut feed, xml } = rewritten;
    let parser = feed_rs::parser::Builder::new().id_generator(|_, _, _| NO_GUID.to_owned()).build();
    let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse(xml.as_bytes())))
        .map_err(|panic| panic_text(&*panic))?
        .map_err(|error| error.to_string())?;
    if parsed.entries.len() != feed.items.len() {
        return Err(format!("feed-rs read {} of {} items", parsed.entries.len(), feed.items.len()));
    }
    // The text may be large, and `parsed` now contains all of its values.
    drop(xml);
    feed.title = parsed.title.map(|title| title.content);
    feed.summary_html = parsed.description.map(|summary| summary.content);
    feed.published = parsed.published.and_then(timestamp);
    feed.updated = parsed.updated.and_then(timestamp).or(feed.published);
    for (item, entry) in feed.items.iter_mut().zip(parsed.entries) {
        add_entry(item, entry);
    }
    Ok(feed)
}

/// Adds the values of an entry to an item.
fn add_entry(item: &mut ParsedItem, entry: Entry) {
    let published = entry.published.and_then(timestamp);
    let enclosures = entry.media.iter().flat_map(|media| &media.content).filter_map(|content| {
        let mime = content.content_type.as_ref().map(ToString::to_string);
        Some(ParsedEnclosure { url: content.url.clone()?, mime, length: content.size })
    });
    *item = ParsedItem {
        enclosures: enclosures.collect(),
        guid: Some(entry.id).filter(|id| id != NO_GUID),
        link: entry.links.first().and_then(|link| Url::parse(&link.href).ok()),
        title: entry.title.map(|title| title.content),
        summary_html: entry.summary.map(|summary| summary.content),
        content_html: entry.content.and_then(|content| content.body),
        authors: entry.authors.into_iter().filter_map(|person| person.name.or(person.email)).collect(),
        published,
        // feed-rs copies the publication date if the document gives no other date.
        updated: entry.updated.and_then(timestamp).filter(|updated| Some(*updated) != published),
        categories: entry.categories.into_iter().map(|category| category.term).collect(),
        ..std::mem::take(item)
    };
}

/// Converts feed-rs's timestamp without depending on its crate.
fn timestamp<Z: Into<std::time::SystemTime>>(moment: Z) -> Option<Timestamp> {
    Timestamp::try_from(moment.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Result<ParsedFeed, String> {
        let feed = ParsedFeed { items: vec![ParsedItem::default()], ..ParsedFeed::default() };
        read_feed(RewrittenFeed { feed, xml: xml.to_owned() })
    }

    #[test]
    fn item_without_an_id_stays_without_one() {
        let feed = read("<rss version='2.0'><channel><item><title>Rain</title></item></channel></rss>").unwrap();
        assert_eq!(feed.items[0].guid, None);
        assert_eq!(feed.items[0].title.as_deref(), Some("Rain"));
    }

    #[test]
    fn refused_document_is_an_error() {
        assert!(read("<rss version='9'/>").is_err());
        assert!(read("<rss version='2.0'><channel></channel></rss>").is_err());
    }
}
