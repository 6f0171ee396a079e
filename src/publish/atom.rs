//! Atom 1.0 (RFC 4287).

use super::entry::{Entry, clean, entries, rfc3339, uuid};
use super::{FeedDocument, Format};
use crate::model::Timestamp;
use crate::model::text::without_credentials;
use atom_syndication::{Content, Feed, FixedDateTime, Generator, Link, Person, Source, Text};

pub(super) fn render(document: &FeedDocument<'_>) -> Vec<u8> {
    let feed = Feed {
        id: document.id(),
        title: Text::plain(clean(&document.feed.title)),
        updated: date(document.updated_at()),
        authors: vec![Person { name: clean(&document.options.title), ..Person::default() }],
        generator: Some(Generator { value: "newsfold".into(), ..Generator::default() }),
        links: vec![
            link("self", document.url(Format::Atom), Format::Atom.media_type(), None),
            link("alternate", document.options.url(""), "text/html", None),
        ],
        entries: entries(document).map(|entry| render_entry(&entry)).collect(),
        ..Feed::default()
    };
    let mut bytes = feed.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

fn render_entry(entry: &Entry<'_>) -> atom_syndication::Entry {
    let mut links = vec![link("alternate", entry.link.clone(), "", None)];
    for report in entry.items {
        if let Some(url) = report.item.url.as_deref().filter(|url| *url != entry.link) {
            links.push(link("related", clean(url), "", Some(clean(&report.item.title))));
        }
    }
    links.push(link("via", entry.page.clone(), "text/html", None));
    atom_syndication::Entry {
        id: entry.id.clone(),
        title: Text::plain(entry.title.clone()),
        published: Some(date(entry.published_at)),
        updated: date(entry.updated_at),
        authors: vec![Person { name: entry.author.clone(), ..Person::default() }],
        summary: (!entry.summary.is_empty()).then(|| Text::plain(entry.summary.clone())),
        content: Some(Content {
            value: Some(entry.html.clone()),
            content_type: Some("html".into()),
            ..Content::default()
        }),
        source: Some(source(entry)),
        links,
        ..atom_syndication::Entry::default()
    }
}

/// Where the lead comes from (RFC 4287, section 4.2.11).
fn source(entry: &Entry<'_>) -> Source {
    let lead = &entry.lead.item;
    Source {
        id: uuid(&format!("newsfold source {}", lead.source_url)),
        title: Text::plain(clean(&lead.source_title)),
        updated: date(entry.published_at),
        links: vec![link("self", clean(&without_credentials(&lead.source_url)), "", None)],
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
