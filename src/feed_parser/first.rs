//! feed-rs reads the rewritten feed.
//!
//! Never lets feed-rs invent anything: an id that it would make up becomes none, and its copies of one date into
//! another are undone. A fresh parser each time, because one that panicked keeps a half-read item (feed-rs asserts it).

use feed_rs::model::{Entry, Feed};
use jiff::Timestamp;
use url::Url;

use super::guard::guarded;
use super::rewrite::{NOTE, NOTE_AUTHOR, NOTE_ID, NOTE_IMAGE, NOTE_LANGUAGE, Rewritten};
use super::wishes::Said;
use super::{Enclosure, FeedKind, ParsedFeed, ParsedItem};

/// What stands for an id that the document does not give.
const NO_GUID: &str = "newsfold:no-guid";

/// The feed, or why feed-rs could not read it, with what it could not read.
pub fn read(rewritten: Rewritten) -> Result<ParsedFeed, (String, Rewritten)> {
    let parsed = guarded(|| {
        let parser = feed_rs::parser::Builder::new().id_generator(|_, _, _| NO_GUID.to_owned()).build();
        parser.parse(rewritten.xml.as_bytes())
    });
    match parsed.and_then(|parsed| parsed.map_err(|error| error.to_string())) {
        Ok(feed) if feed.entries.is_empty() && rewritten.items > 0 => Err(("no items".to_owned(), rewritten)),
        Ok(feed) => {
            let kind = rewritten.kind;
            // The text may be large, and everything in it is in the feed now.
            drop(rewritten);
            Ok(convert(feed, kind))
        }
        Err(refusal) => Err((refusal, rewritten)),
    }
}

fn convert(feed: Feed, kind: FeedKind) -> ParsedFeed {
    let related = |relation: &str| {
        let links = feed.links.iter().filter(move |link| link.rel.as_deref() == Some(relation));
        links.filter_map(|link| Url::parse(&link.href).ok()).collect::<Vec<_>>()
    };
    let notes = |domain: &str| {
        let notes = feed.categories.iter().filter(move |c| c.scheme.as_deref() == Some(domain));
        notes.map(|c| c.term.clone()).collect::<Vec<_>>()
    };
    let site_url = feed.links.iter().rev().find(|link| link.rel.is_none()).and_then(|link| Url::parse(&link.href).ok());
    ParsedFeed {
        kind,
        charset: "",
        id: notes(NOTE_ID).pop(),
        title: feed.title.as_ref().map(|title| title.content.clone()),
        summary_html: feed.description.as_ref().map(|summary| summary.content.clone()),
        authors: notes(NOTE_AUTHOR),
        site_url,
        self_url: related("self").into_iter().next(),
        hubs: related("hub"),
        lang: feed.language.clone(),
        wishes: Said { ttl: feed.ttl, notes: &notes }.wishes(),
        published: feed.published.and_then(timestamp),
        updated: feed.updated.or(feed.published).and_then(timestamp),
        items: feed.entries.into_iter().map(item).collect(),
    }
}

fn item(entry: Entry) -> ParsedItem {
    // The last counts: it is the one that was believed more.
    let note = |domain: &str| {
        let notes = entry.categories.iter().rev().find(|c| c.scheme.as_deref() == Some(domain));
        notes.map(|c| c.term.clone())
    };
    let lang = note(NOTE_LANGUAGE);
    let image = note(NOTE_IMAGE).and_then(|url| Url::parse(&url).ok());
    let published = entry.published.and_then(timestamp);
    // feed-rs copies the date of publication where no other is given.
    let updated = entry.updated.and_then(timestamp).filter(|updated| Some(*updated) != published);
    let is_note = |scheme: &Option<String>| scheme.as_deref().is_some_and(|scheme| scheme.starts_with(NOTE));
    let enclosures = entry.media.iter().flat_map(|media| &media.content).filter_map(|content| {
        let mime = content.content_type.as_ref().map(ToString::to_string);
        Some(Enclosure { url: content.url.clone()?, mime, length: content.size })
    });
    ParsedItem {
        enclosures: enclosures.collect(),
        guid: Some(entry.id).filter(|id| id != NO_GUID),
        link: entry.links.iter().rev().find(|link| link.rel.is_none()).and_then(|link| Url::parse(&link.href).ok()),
        title: entry.title.map(|title| title.content),
        summary_html: entry.summary.map(|summary| summary.content),
        content_html: entry.content.and_then(|content| content.body),
        authors: entry.authors.into_iter().filter_map(|person| person.name.or(person.email)).collect(),
        published,
        updated,
        categories: entry.categories.into_iter().filter(|c| !is_note(&c.scheme)).map(|c| c.term).collect(),
        lang,
        image,
    }
}

/// From feed-rs's clock to ours, without naming its crate.
fn timestamp<Z: Into<std::time::SystemTime>>(moment: Z) -> Option<Timestamp> {
    Timestamp::try_from(moment.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_without_an_id_stays_without_one() {
        let xml = "<rss version='2.0'><channel><item><title>Rain</title></item></channel></rss>".to_owned();
        let feed = read(Rewritten { kind: FeedKind::Rss, xml, items: 1 }).ok().unwrap();
        assert_eq!(feed.items[0].guid, None);
        assert_eq!(feed.items[0].title.as_deref(), Some("Rain"));
    }

    #[test]
    fn a_refusal_is_an_error_and_no_panic() {
        assert!(read(Rewritten { kind: FeedKind::Rss, xml: "<rss version='9'/>".to_owned(), items: 1 }).is_err());
    }
}
