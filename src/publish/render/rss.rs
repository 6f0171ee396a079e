//! RSS 2.0, with `atom:link rel="self"` and `dc:creator` as the RSS Best Practices Profile recommends.

use super::document::{DocumentPath, FeedDocument, HISTORY_NAMESPACE, MEDIA_NAMESPACE};
use super::entry::DocumentEntry;
use super::value_format::{rfc822, strip_invalid_chars};
use crate::markup::entities::escape_html;
use crate::publish::feed_format::FeedFormat;
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Channel, Enclosure, Guid, Item, Source};
use std::collections::BTreeMap;

pub fn render(document: &FeedDocument<'_>) -> Vec<u8> {
    let own = |rel: &str, path: &DocumentPath| Link {
        href: document.url(path, FeedFormat::Rss),
        rel: rel.into(),
        mime_type: Some(FeedFormat::Rss.media_type().into()),
        ..Link::default()
    };
    let mut links = vec![own("self", &document.self_path)];
    links.extend(document.hubs.iter().map(|hub| Link { href: hub.clone(), rel: "hub".into(), ..Link::default() }));
    links.extend(document.archive_links().map(|(rel, path)| own(rel, path)));
    let mut namespaces = vec![
        ("atom", "http://www.w3.org/2005/Atom"),
        ("content", "http://purl.org/rss/1.0/modules/content/"),
        ("dc", "http://purl.org/dc/elements/1.1/"),
        ("media", MEDIA_NAMESPACE),
    ];
    let mut extensions = ExtensionMap::new();
    if document.is_archive() {
        namespaces.push(("fh", HISTORY_NAMESPACE));
        add_element(&mut extensions, "fh", "archive", &[]);
    }
    let channel = Channel {
        title: strip_invalid_chars(&document.title),
        description: strip_invalid_chars(&document.description),
        link: document.home.clone(),
        generator: Some("newsfold".into()),
        last_build_date: Some(rfc822(document.updated_at())),
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

/// Adds an empty element of an extension namespace.
fn add_element(extensions: &mut ExtensionMap, prefix: &str, name: &str, attributes: &[(&str, &str)]) {
    let attrs = attributes.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let element = Extension { name: format!("{prefix}:{name}"), attrs, ..Extension::default() };
    extensions.entry(prefix.to_owned()).or_default().entry(name.to_owned()).or_default().push(element);
}

/// Renders an item. An item has at most one `<enclosure>` (RSS Best Practices Profile). Additional files become
/// `<media:content>`.
fn render_item(entry: &DocumentEntry<'_>) -> Item {
    let mut extensions = ExtensionMap::new();
    if let Some(image) = &entry.image {
        add_element(&mut extensions, "media", "thumbnail", &[("url", image)]);
    }
    for file in entry.enclosures.iter().skip(1) {
        let length = file.length.map(|length| length.to_string());
        let mut attributes = vec![("url", &*file.url), ("type", &*file.media_type)];
        attributes.extend(length.as_deref().map(|length| ("fileSize", length)));
        add_element(&mut extensions, "media", "content", &attributes);
    }
    let category = |tag: &String| Category { name: strip_invalid_chars(tag), domain: None };
    let storyline = entry
        .storyline_category()
        .map(|(domain, name)| Category { name: name.to_owned(), domain: Some(domain.to_owned()) });
    Item {
        // The length is required; 0 means unknown.
        enclosure: entry.enclosures.first().map(|file| Enclosure {
            url: file.url.clone(),
            length: file.length.unwrap_or(0).to_string(),
            mime_type: file.media_type.clone(),
        }),
        guid: Some(Guid { value: entry.id.clone(), permalink: false }),
        title: Some(entry.title.clone()),
        link: Some(entry.link.clone()),
        pub_date: Some(rfc822(entry.published_at)),
        // Feed readers interpret a description as HTML.
        description: Some(escape_html(&entry.summary)),
        content: Some(entry.html.clone()),
        categories: entry.tags.iter().map(category).chain(storyline).collect(),
        source: entry.source.site.clone().map(|url| Source { url, title: Some(entry.source.title.clone()) }),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: entry.authors.clone(),
            ..DublinCoreExtension::default()
        }),
        extensions,
        ..Item::default()
    }
}
