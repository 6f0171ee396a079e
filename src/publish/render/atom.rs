//! Atom 1.0 (RFC 4287), with archive pages (RFC 5005, section 4).

use super::document::{DocumentPath, FeedDocument, HISTORY_NAMESPACE, MEDIA_NAMESPACE};
use super::entry::DocumentEntry;
use super::value_format::{encode_uri, rfc3339, strip_invalid_chars};
use crate::domain::Timestamp;
use crate::markup::entities::escape_html;
use crate::publish::feed_format::FeedFormat;
use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{Category, Content, Entry, Feed, FixedDateTime, Generator, Link, Person, Source, Text};
use std::collections::BTreeMap;

pub fn render(document: &FeedDocument<'_>) -> Vec<u8> {
    let own =
        |rel, path: &DocumentPath| link(rel, document.url(path, FeedFormat::Atom), FeedFormat::Atom.media_type(), None);
    let mut links = vec![own("self", &document.self_path), link("alternate", document.home.clone(), "text/html", None)];
    links.extend(document.hubs.iter().map(|hub| link("hub", hub.clone(), "", None)));
    links.extend(document.archive_links().map(|(rel, path)| own(rel, path)));
    let mut feed = Feed {
        id: document.id.clone(),
        title: Text::plain(strip_invalid_chars(&document.title)),
        updated: date(document.updated_at()),
        authors: vec![Person { name: strip_invalid_chars(&document.options.title), ..Person::default() }],
        generator: Some(Generator { value: "newsfold".into(), ..Generator::default() }),
        links,
        entries: document.entries.iter().map(render_entry).collect(),
        namespaces: BTreeMap::from([("media".into(), MEDIA_NAMESPACE.into())]),
        ..Feed::default()
    };
    if document.is_archive() {
        feed.extensions = element("fh", "archive", BTreeMap::new());
        feed.namespaces.insert("fh".into(), HISTORY_NAMESPACE.into());
    }
    to_bytes(&feed)
}

pub fn to_bytes(feed: &Feed) -> Vec<u8> {
    let mut bytes = feed.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// Returns the element for a thumbnail. The crate does not escape the attributes of extension elements, so this
/// function does.
fn thumbnail(url: &str) -> ExtensionMap {
    element("media", "thumbnail", BTreeMap::from([("url".into(), escape_html(url))]))
}

/// Returns an empty element of an extension namespace.
fn element(prefix: &str, name: &str, attrs: BTreeMap<String, String>) -> ExtensionMap {
    let element = Extension { name: format!("{prefix}:{name}"), attrs, ..Extension::default() };
    ExtensionMap::from([(prefix.to_owned(), BTreeMap::from([(name.to_owned(), vec![element])]))])
}

fn render_entry(entry: &DocumentEntry<'_>) -> Entry {
    let mut links = vec![link("alternate", entry.link.clone(), "", None)];
    for report in entry.reports {
        if let Some(url) = report.url.as_deref().map(encode_uri).filter(|url| *url != entry.link) {
            links.push(link("related", url, "", Some(strip_invalid_chars(&report.title))));
        }
    }
    links.extend(entry.storyline.iter().map(|page| link("related", page.clone(), "text/html", None)));
    links.push(link("via", entry.page.clone(), "text/html", None));
    links.extend(entry.enclosures.iter().map(|file| Link {
        length: file.length.map(|length| length.to_string()),
        ..link("enclosure", file.url.clone(), &file.media_type, None)
    }));
    let text = |value: String| Text { lang: entry.lang.map(str::to_owned), ..Text::plain(value) };
    let category = |tag: &String| Category { term: strip_invalid_chars(tag), ..Category::default() };
    let storyline = entry.storyline_category().map(|(scheme, term)| Category {
        term: term.to_owned(),
        scheme: Some(scheme.to_owned()),
        ..Category::default()
    });
    Entry {
        id: entry.id.clone(),
        title: text(entry.title.clone()),
        published: Some(date(entry.published_at)),
        updated: date(entry.updated_at),
        authors: entry.authors.iter().map(|name| Person { name: name.clone(), ..Person::default() }).collect(),
        categories: entry.tags.iter().map(category).chain(storyline).collect(),
        summary: (!entry.summary.is_empty()).then(|| text(entry.summary.clone())),
        content: Some(Content {
            value: Some(entry.html.clone()),
            content_type: Some("html".into()),
            lang: entry.lang.map(str::to_owned),
            ..Content::default()
        }),
        source: Some(render_source(entry)),
        extensions: entry.image.as_deref().map(thumbnail).unwrap_or_default(),
        links,
        ..Entry::default()
    }
}

/// Returns the source of the lead (RFC 4287, section 4.2.11).
fn render_source(entry: &DocumentEntry<'_>) -> Source {
    Source {
        id: entry.source.id.clone(),
        title: Text::plain(entry.source.title.clone()),
        updated: date(entry.source.updated_at),
        links: entry.source.site.iter().map(|site| link("alternate", site.clone(), "", None)).collect(),
        ..Source::default()
    }
}

pub fn link(rel: &str, href: String, mime: &str, title: Option<String>) -> Link {
    let mime_type = (!mime.is_empty()).then(|| mime.to_owned());
    Link { rel: rel.into(), href, mime_type, title, ..Link::default() }
}

/// Converts a time to the date type of the crate, which belongs to chrono. The conversion goes through text, and the
/// output of `rfc3339` always parses.
pub fn date(time: Timestamp) -> FixedDateTime {
    rfc3339(time).parse().unwrap_or_default()
}
