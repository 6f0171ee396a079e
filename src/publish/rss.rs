//! RSS 2.0, with the Atom link to itself and Dublin Core's creator as the RSS Best Practices Profile advises.

use super::entry::{Entry, clean, entries, rfc822};
use super::{FeedDocument, Format};
use crate::html;
use crate::model::text::without_credentials;
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::{Channel, Guid, Item, Source};
use std::collections::BTreeMap;

pub(super) fn render(document: &FeedDocument<'_>) -> Vec<u8> {
    let itself = Link {
        href: document.url(Format::Rss),
        rel: "self".into(),
        mime_type: Some(Format::Rss.media_type().into()),
        ..Link::default()
    };
    let namespaces = [
        ("atom", "http://www.w3.org/2005/Atom"),
        ("content", "http://purl.org/rss/1.0/modules/content/"),
        ("dc", "http://purl.org/dc/elements/1.1/"),
    ];
    let title = clean(&document.feed.title);
    let channel = Channel {
        description: format!("{title}: every event once, with all its outlets"),
        title,
        link: document.options.url(""),
        generator: Some("newsfold".into()),
        last_build_date: Some(rfc822(document.updated_at())),
        atom_ext: Some(AtomExtension { links: vec![itself] }),
        items: entries(document).map(render_item).collect(),
        namespaces: namespaces
            .map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        ..Channel::default()
    };
    let mut bytes = channel.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

fn render_item(entry: Entry<'_>) -> Item {
    Item {
        guid: Some(Guid { value: entry.id, permalink: false }),
        title: Some(entry.title),
        link: Some(entry.link),
        pub_date: Some(rfc822(entry.published_at)),
        // Readers take a description for HTML.
        description: Some(html::escape(&entry.summary)),
        content: Some(entry.html),
        source: Some(Source {
            url: clean(&without_credentials(&entry.lead.item.source_url)),
            title: Some(entry.author.clone()),
        }),
        dublin_core_ext: Some(DublinCoreExtension { creators: vec![entry.author], ..DublinCoreExtension::default() }),
        ..Item::default()
    }
}
