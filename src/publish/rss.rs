//! RSS 2.0, with the Atom link to itself and Dublin Core's creator as the RSS Best Practices Profile advises.

use super::Format;
use super::atom::{HISTORY, neighbours};
use super::document::{Address, FeedDocument};
use super::entry::{Entry, clean, rfc822};
use crate::html;
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Channel, Guid, Item, Source};
use std::collections::BTreeMap;

pub(super) fn render(document: &FeedDocument<'_>) -> Vec<u8> {
    let own = |rel: &str, address: &Address| Link {
        href: document.url(address, Format::Rss),
        rel: rel.into(),
        mime_type: Some(Format::Rss.media_type().into()),
        ..Link::default()
    };
    let mut links = vec![own("self", &document.itself)];
    links.extend(document.hubs.iter().map(|hub| Link { href: hub.clone(), rel: "hub".into(), ..Link::default() }));
    links.extend(neighbours(document).map(|(rel, address)| own(rel, address)));
    let mut namespaces = vec![
        ("atom", "http://www.w3.org/2005/Atom"),
        ("content", "http://purl.org/rss/1.0/modules/content/"),
        ("dc", "http://purl.org/dc/elements/1.1/"),
        ("media", "http://search.yahoo.com/mrss/"),
    ];
    let mut extensions = ExtensionMap::new();
    if document.is_archive() {
        namespaces.push(("fh", HISTORY));
        extensions = extension("fh", "archive", BTreeMap::new());
    }
    let channel = Channel {
        title: clean(&document.title),
        description: clean(&document.description),
        link: document.home.clone(),
        generator: Some("newsfold".into()),
        last_build_date: (!document.entries.is_empty()).then(|| rfc822(document.updated_at())),
        atom_ext: Some(AtomExtension { links }),
        items: document.entries.iter().map(render_item).collect(),
        namespaces: namespaces
            .into_iter()
            .map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned()))
            .collect::<BTreeMap<_, _>>(),
        extensions,
        ..Channel::default()
    };
    let mut bytes = channel.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// An empty element of another namespace.
fn extension(prefix: &str, name: &str, attrs: BTreeMap<String, String>) -> ExtensionMap {
    let element = Extension { name: format!("{prefix}:{name}"), attrs, ..Extension::default() };
    ExtensionMap::from([(prefix.to_owned(), BTreeMap::from([(name.to_owned(), vec![element])]))])
}

fn render_item(entry: &Entry<'_>) -> Item {
    let thumbnail = |url: &str| extension("media", "thumbnail", BTreeMap::from([("url".to_owned(), url.to_owned())]));
    Item {
        guid: Some(Guid { value: entry.id.clone(), permalink: false }),
        title: Some(entry.title.clone()),
        link: Some(entry.link.clone()),
        pub_date: Some(rfc822(entry.published_at)),
        // Readers take a description for HTML.
        description: Some(html::escape(&entry.summary)),
        content: Some(entry.html.clone()),
        categories: entry.tags.iter().map(|tag| Category { name: clean(tag), domain: None }).collect(),
        source: Some(Source { url: entry.source.url.clone(), title: Some(entry.source.title.clone()) }),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: vec![entry.author.clone()],
            ..DublinCoreExtension::default()
        }),
        extensions: entry.image.as_deref().map(thumbnail).unwrap_or_default(),
        ..Item::default()
    }
}
