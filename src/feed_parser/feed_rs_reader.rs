//! Parses the rewritten document with feed-rs.
//!
//! Never lets feed-rs invent a value: an id that it would generate becomes `None`, and a date that it copies into
//! another is undone. Each document gets a fresh parser, because one that has panicked keeps a half-read item.

use feed_rs::model::{Category, Entry, Feed, Link};
use jiff::Timestamp;
use url::Url;

use super::annotations;
use super::catch_panic::catch_panic;
use super::parsed_feed::{Enclosure, FeedKind, ParsedFeed, ParsedItem};
use super::polling_hints::PollingElements;
use super::rewriter::RewrittenFeed;

/// Stands for the id of an item without one.
const NO_GUID: &str = "newsfold:no-guid";

/// Returns the feed, or the message of feed-rs's error or panic.
pub fn read_feed(rewritten: RewrittenFeed) -> Result<ParsedFeed, String> {
    let result = catch_panic(|| {
        let parser = feed_rs::parser::Builder::new().id_generator(|_, _, _| NO_GUID.to_owned()).build();
        parser.parse(rewritten.xml.as_bytes())
    });
    let feed = result?.map_err(|error| error.to_string())?;
    if feed.entries.is_empty() && rewritten.item_count > 0 {
        return Err(format!("feed-rs read none of {} items", rewritten.item_count));
    }
    let kind = rewritten.kind;
    // The text may be large, and all of its values are in `feed` now.
    drop(rewritten);
    Ok(convert_feed(feed, kind))
}

fn convert_feed(feed: Feed, kind: FeedKind) -> ParsedFeed {
    let annotated = |name| annotated(&feed.categories, name);
    let polling = PollingElements {
        ttl: feed.ttl,
        update_period: annotated(annotations::UPDATE_PERIOD).first().copied(),
        update_frequency: annotated(annotations::UPDATE_FREQUENCY).first().copied(),
        skip_hours: annotated(annotations::SKIP_HOUR),
        skip_days: annotated(annotations::SKIP_DAY),
    };
    ParsedFeed {
        id: annotated(annotations::FEED_ID).last().map(ToString::to_string),
        title: feed.title.as_ref().map(|title| title.content.clone()),
        summary_html: feed.description.as_ref().map(|summary| summary.content.clone()),
        authors: annotated(annotations::FEED_AUTHOR).iter().map(ToString::to_string).collect(),
        site_url: page_link(&feed.links),
        self_url: related_links(&feed.links, "self").next(),
        hubs: related_links(&feed.links, "hub").collect(),
        lang: feed.language.clone(),
        polling_hints: polling.to_hints(),
        published: feed.published.and_then(timestamp),
        updated: feed.updated.or(feed.published).and_then(timestamp),
        items: feed.entries.into_iter().map(convert_entry).collect(),
        ..ParsedFeed::empty(kind)
    }
}

fn convert_entry(entry: Entry) -> ParsedItem {
    let lang = annotated(&entry.categories, annotations::LANGUAGE).last().map(ToString::to_string);
    let image = annotated(&entry.categories, annotations::IMAGE).last().and_then(|url| Url::parse(url).ok());
    let published = entry.published.and_then(timestamp);
    // feed-rs copies the date of publication where no other is given.
    let updated = entry.updated.and_then(timestamp).filter(|updated| Some(*updated) != published);
    let enclosures = entry.media.iter().flat_map(|media| &media.content).filter_map(|content| {
        let mime = content.content_type.as_ref().map(ToString::to_string);
        Some(Enclosure { url: content.url.clone()?, mime, length: content.size })
    });
    ParsedItem {
        enclosures: enclosures.collect(),
        guid: Some(entry.id).filter(|id| id != NO_GUID),
        link: page_link(&entry.links),
        title: entry.title.map(|title| title.content),
        summary_html: entry.summary.map(|summary| summary.content),
        content_html: entry.content.and_then(|content| content.body),
        authors: entry.authors.into_iter().filter_map(|person| person.name.or(person.email)).collect(),
        published,
        updated,
        categories: entry.categories.into_iter().filter(|c| !is_annotation(c)).map(|c| c.term).collect(),
        lang,
        image,
    }
}

/// The values of an annotation. The last one has the highest priority.
fn annotated<'a>(categories: &'a [Category], name: &str) -> Vec<&'a str> {
    categories.iter().filter(|c| c.scheme.as_deref() == Some(name)).map(|c| c.term.as_str()).collect()
}

fn is_annotation(category: &Category) -> bool {
    category.scheme.as_deref().is_some_and(|scheme| scheme.starts_with(annotations::PREFIX))
}

/// The last link without a relation: the rewriter writes the best one last.
fn page_link(links: &[Link]) -> Option<Url> {
    links.iter().rev().find(|link| link.rel.is_none()).and_then(|link| Url::parse(&link.href).ok())
}

fn related_links(links: &[Link], relation: &str) -> impl Iterator<Item = Url> {
    links
        .iter()
        .filter(move |link| link.rel.as_deref() == Some(relation))
        .filter_map(|link| Url::parse(&link.href).ok())
}

/// Converts feed-rs's timestamp without naming its crate.
fn timestamp<Z: Into<std::time::SystemTime>>(moment: Z) -> Option<Timestamp> {
    Timestamp::try_from(moment.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_without_an_id_stays_without_one() {
        let xml = "<rss version='2.0'><channel><item><title>Rain</title></item></channel></rss>".to_owned();
        let feed = read_feed(RewrittenFeed { kind: FeedKind::Rss, xml, item_count: 1 }).unwrap();
        assert_eq!(feed.items[0].guid, None);
        assert_eq!(feed.items[0].title.as_deref(), Some("Rain"));
    }

    #[test]
    fn refused_document_is_an_error() {
        let xml = "<rss version='9'/>".to_owned();
        assert!(read_feed(RewrittenFeed { kind: FeedKind::Rss, xml, item_count: 1 }).is_err());
    }
}
