//! Atom 1.0 (RFC 4287), with archive pages (RFC 5005, section 4).

use super::document::FeedDocument;
use super::entry::{Entry, clean, rfc3339, uri, uuid};
use super::{Format, document};
use crate::domain::Timestamp;
use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{Category, Content, Feed, FixedDateTime, Generator, Link, Person, Source, Text};
use std::collections::BTreeMap;

/// The namespace of RFC 5005.
pub(super) const HISTORY: &str = "http://purl.org/syndication/history/1.0";

pub(super) fn render(document: &FeedDocument<'_>) -> Vec<u8> {
    let own = |rel, address: &document::Address| {
        link(rel, document.url(address, Format::Atom), Format::Atom.media_type(), None)
    };
    let mut links = vec![own("self", &document.itself), link("alternate", document.home.clone(), "text/html", None)];
    links.extend(document.hubs.iter().map(|hub| link("hub", hub.clone(), "", None)));
    for (rel, address) in neighbours(document) {
        links.push(own(rel, address));
    }
    let feed = Feed {
        id: document.id.clone(),
        title: Text::plain(clean(&document.title)),
        updated: date(document.updated_at()),
        authors: vec![Person { name: clean(&document.options.title), ..Person::default() }],
        generator: Some(Generator { value: "newsfold".into(), ..Generator::default() }),
        links,
        entries: document.entries.iter().map(render_entry).collect(),
        ..Feed::default()
    };
    let feed = if document.is_archive() {
        Feed { extensions: archive_mark(), namespaces: BTreeMap::from([("fh".into(), HISTORY.into())]), ..feed }
    } else {
        feed
    };
    let mut bytes = feed.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// The documents beside one, by the names of their links.
pub(super) fn neighbours<'d>(
    document: &'d FeedDocument<'_>,
) -> impl Iterator<Item = (&'static str, &'d document::Address)> {
    let links =
        [("current", &document.current), ("prev-archive", &document.previous), ("next-archive", &document.next)];
    links.into_iter().filter_map(|(rel, address)| Some((rel, address.as_ref()?)))
}

fn archive_mark() -> ExtensionMap {
    let mark = Extension { name: "fh:archive".into(), ..Extension::default() };
    ExtensionMap::from([("fh".into(), BTreeMap::from([("archive".into(), vec![mark])]))])
}

fn render_entry(entry: &Entry<'_>) -> atom_syndication::Entry {
    let mut links = vec![link("alternate", entry.link.clone(), "", None)];
    for report in entry.reports {
        if let Some(url) = report.url.as_deref().map(uri).filter(|url| *url != entry.link) {
            links.push(link("related", url, "", Some(clean(&report.title))));
        }
    }
    links.push(link("via", entry.page.clone(), "text/html", None));
    let text = |value: String| Text { lang: entry.lang.map(str::to_owned), ..Text::plain(value) };
    atom_syndication::Entry {
        id: entry.id.clone(),
        title: text(entry.title.clone()),
        published: Some(date(entry.published_at)),
        updated: date(entry.updated_at),
        authors: vec![Person { name: entry.author.clone(), ..Person::default() }],
        categories: entry.tags.iter().map(|tag| Category { term: clean(tag), ..Category::default() }).collect(),
        summary: (!entry.summary.is_empty()).then(|| text(entry.summary.clone())),
        content: Some(Content {
            value: Some(entry.html.clone()),
            content_type: Some("html".into()),
            lang: entry.lang.map(str::to_owned),
            ..Content::default()
        }),
        source: Some(source(entry)),
        links,
        ..atom_syndication::Entry::default()
    }
}

/// Where the lead comes from (RFC 4287, section 4.2.11).
fn source(entry: &Entry<'_>) -> Source {
    Source {
        id: uuid(&format!("newsfold source {}", entry.source.url)),
        title: Text::plain(entry.source.title.clone()),
        updated: date(entry.source.updated_at),
        links: vec![link("self", entry.source.url.clone(), "", None)],
        ..Source::default()
    }
}

pub(super) fn link(rel: &str, href: String, mime: &str, title: Option<String>) -> Link {
    let mime_type = (!mime.is_empty()).then(|| mime.to_owned());
    Link { rel: rel.into(), href, mime_type, title, ..Link::default() }
}

pub(super) fn date(time: Timestamp) -> FixedDateTime {
    // Written and read back, because the crate's type is another library's; what we write is always a date.
    rfc3339(time).parse().unwrap_or_default()
}
