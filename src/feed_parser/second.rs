//! feedparser-rs reads the rewritten feed where feed-rs could not.
//!
//! Never the first choice: it knows less of what the rewrite tells. It is here so that a fault in feed-rs costs an item
//! its picture and not the reader his feed.

use feedparser_rs::{Entry, ParseOptions, ParserLimits};
use jiff::Timestamp;
use url::Url;

use super::guard::guarded;
use super::rewrite::{NOTE, NOTE_AUTHOR, NOTE_ID, NOTE_IMAGE, NOTE_LANGUAGE, Rewritten};
use super::wishes::Said;
use super::{Enclosure, Options, ParsedFeed, ParsedItem};

/// The feed, or why feedparser-rs could not read it.
pub fn read(rewritten: &Rewritten, options: &Options) -> Result<ParsedFeed, String> {
    let limits = ParserLimits {
        max_entries: options.max_items,
        max_text_length: options.max_text * 2,
        max_feed_size_bytes: rewritten.xml.len(),
        ..ParserLimits::default()
    };
    // The text is sanitised where it is kept, and its addresses are absolute already.
    let settings = ParseOptions { resolve_relative_uris: false, sanitize_html: false, limits };
    let parsed = guarded(|| feedparser_rs::parse_with_options(rewritten.xml.as_bytes(), &settings));
    let parsed = parsed?.map_err(|error| error.to_string())?;
    let feed = parsed.feed;
    let related = |relation: &str| {
        let links = feed.links.iter().filter(move |link| link.rel.as_deref() == Some(relation));
        links.filter_map(|link| Url::parse(link.href.as_str()).ok()).collect::<Vec<_>>()
    };
    let notes = |domain: &str| {
        let notes = feed.tags.iter().filter(move |tag| tag.scheme.as_deref() == Some(domain));
        notes.map(|tag| tag.term.to_string()).collect::<Vec<_>>()
    };
    Ok(ParsedFeed {
        kind: rewritten.kind,
        charset: "",
        id: notes(NOTE_ID).pop(),
        title: feed.title.clone(),
        summary_html: feed.subtitle.clone(),
        authors: notes(NOTE_AUTHOR),
        site_url: feed.link.as_deref().and_then(|link| Url::parse(link).ok()),
        self_url: related("self").into_iter().next(),
        hubs: related("hub"),
        lang: feed.language.as_ref().map(ToString::to_string),
        wishes: Said { ttl: feed.ttl.as_ref().and_then(|ttl| ttl.trim().parse().ok()), notes: &notes }.wishes(),
        published: feed.published.and_then(timestamp),
        updated: feed.updated.or(feed.published).and_then(timestamp),
        items: parsed.entries.into_iter().map(item).collect(),
    })
}

fn item(entry: Entry) -> ParsedItem {
    let note = |domain: &str| {
        let notes = entry.tags.iter().rev().find(|tag| tag.scheme.as_deref() == Some(domain));
        notes.map(|tag| tag.term.to_string())
    };
    let is_note = |scheme: Option<&str>| scheme.is_some_and(|scheme| scheme.starts_with(NOTE));
    let categories = entry.tags.iter().filter(|tag| !is_note(tag.scheme.as_deref()));
    let enclosures = entry.enclosures.iter().filter_map(|enclosure| {
        let mime = enclosure.enclosure_type.as_ref().map(ToString::to_string);
        let length = enclosure.length.as_ref().and_then(|length| length.parse().ok());
        Some(Enclosure { url: Url::parse(enclosure.url.as_str()).ok()?, mime, length })
    });
    ParsedItem {
        guid: entry.id.as_ref().map(ToString::to_string),
        link: entry.link.as_deref().and_then(|link| Url::parse(link).ok()),
        title: entry.title.clone(),
        summary_html: entry.summary.clone(),
        content_html: entry.content.first().map(|content| content.value.clone()),
        authors: entry.authors.iter().filter_map(|p| p.name.as_ref().map(ToString::to_string)).collect(),
        published: entry.published.and_then(timestamp),
        updated: entry.updated.and_then(timestamp),
        categories: categories.map(|tag| tag.term.to_string()).collect(),
        lang: note(NOTE_LANGUAGE),
        image: note(NOTE_IMAGE).and_then(|url| Url::parse(&url).ok()),
        enclosures: enclosures.collect(),
    }
}

fn timestamp<Z: Into<std::time::SystemTime>>(moment: Z) -> Option<Timestamp> {
    Timestamp::try_from(moment.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::super::FeedKind;
    use super::*;

    #[test]
    fn the_second_parser_reads_what_the_first_would() {
        let xml = "<rss version='2.0'><channel><title>News</title><item><guid>a</guid><title>Rain &amp; wind</title>\
                   <link>https://news.example/a</link><pubDate>2026-03-02T14:05:09Z</pubDate></item></channel></rss>";
        let feed =
            read(&Rewritten { kind: FeedKind::Rss, xml: xml.to_owned(), items: 1 }, &Options::default()).unwrap();
        assert_eq!(feed.items[0].guid.as_deref(), Some("a"));
        assert_eq!(feed.items[0].title.as_deref(), Some("Rain & wind"));
        assert_eq!(feed.items[0].published.unwrap().to_string(), "2026-03-02T14:05:09Z");
    }
}
