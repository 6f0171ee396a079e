//! What an open item (or the feed) has said so far, and its addresses: links, enclosures, images.
//!
//! Addresses are chosen when the item ends, because the best may come last; everything else is written at once.

use quick_xml::escape::escape;
use url::Url;

use super::super::growth::Growth;
use super::super::vocabulary::Field;
use super::{NOTE_IMAGE, Rewriter};
use crate::markup::tag::StartTag;

/// Authors and categories of one item beyond this number are left out.
const MAX_MANY: usize = 100;
/// Enclosures beyond this number are: feed-rs makes a kilobyte of each.
const MAX_ENCLOSURES: usize = 32;

pub(super) struct Scope {
    /// The rank of what was written last, by field.
    ranks: [u8; 24],
    many: usize,
    enclosures: usize,
    link: Option<(u8, Url)>,
    image: Option<(u8, Url)>,
    /// The guid, if it says that it is an address too.
    pub(super) permalink: Option<String>,
    /// RSS 1.0's `rdf:about`: the item's identity where no guid is.
    about: Option<String>,
}

impl Scope {
    pub(super) fn feed() -> Self {
        Scope { ranks: [0; 24], many: 0, enclosures: 0, link: None, image: None, permalink: None, about: None }
    }

    pub(super) fn item(tag: StartTag) -> Self {
        let about = tag.attribute("rdf:about").map(|about| about.trim().to_owned());
        Scope { about: about.filter(|about| !about.is_empty()), ..Scope::feed() }
    }

    pub(super) fn rank(&self, field: Field) -> u8 {
        self.ranks[field as usize % 24]
    }

    /// Whether this is the best that was said of a field so far; if so, it is now the one to beat.
    pub(super) fn wins(&mut self, field: Field, rank: u8) -> bool {
        let best = &mut self.ranks[field as usize % 24];
        let wins = rank > *best;
        *best = rank.max(*best);
        wins
    }

    pub(super) fn has_room(&mut self) -> bool {
        self.many += 1;
        self.many <= MAX_MANY
    }

    /// Writes what could be chosen only now.
    pub(super) fn finish(self, out: &mut String, growth: &mut Growth) {
        let guid = self.rank(Field::Guid) > 0;
        if let Some(about) = self.about.as_ref().filter(|_| !guid) {
            out.push_str(&format!("<guid>{}</guid>", escape(about.as_str())));
        }
        // Only an address that is complete: a guid like `4711` is relative to nothing.
        let identity = self.permalink.or(self.about).and_then(|id| {
            let url = Url::parse(&id).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
            // It stands there once and is written twice.
            growth.allows("", url.as_str()).then_some(url)
        });
        if let Some(link) = self.link.map(|(_, url)| url).or(identity) {
            out.push_str(&format!("<link>{}</link>", escape(link.as_str())));
        }
        if let Some((_, image)) = self.image {
            out.push_str(&format!("<category domain=\"{NOTE_IMAGE}\">{}</category>", escape(image.as_str())));
        }
    }
}

impl<'a> Rewriter<'a, '_> {
    /// `<link>` in all its forms: a text, an `href`, and Atom's relations.
    pub(super) fn link(&mut self, tag: StartTag, inner: &str) {
        let href = tag.attribute("href");
        let text = super::fields::flat(inner, false, super::names::MAX_URL);
        let address = href.as_deref().filter(|href| !href.trim().is_empty()).unwrap_or(&text);
        let relation = tag.attribute("rel").map(|rel| rel.trim().to_ascii_lowercase()).unwrap_or_default();
        let relation = relation.rsplit('/').next().unwrap_or_default();
        let media_type = tag.attribute("type").unwrap_or_default();
        let in_item = self.feed.is_some();
        match relation {
            "" | "alternate" => {
                // Of several alternatives the web page is wanted, not the PDF or the comments' feed.
                let is_page = media_type.is_empty() || media_type.contains("html");
                let is_feed = media_type.contains("rss") || media_type.contains("atom") || media_type.contains("json");
                self.offer_link(
                    tag,
                    address,
                    if is_page {
                        5
                    } else if is_feed {
                        2
                    } else {
                        4
                    },
                );
            }
            "enclosure" if in_item => self.enclosure(tag),
            "self" | "hub" if !in_item => {
                if self.scope.has_room()
                    && let Some(url) = self.address(tag, address)
                {
                    self.out.push_str(&format!("<atom:link rel=\"{relation}\" href=\"{}\"/>\n", escape(url.as_str())));
                }
            }
            "self" | "via" | "canonical" if in_item => self.offer_link(tag, address, 1),
            _ => {}
        }
    }

    /// Keeps an address as the item's link if it is the best so far. The feed's own is written at once.
    pub(super) fn offer_link(&mut self, tag: StartTag, href: &str, rank: u8) {
        if self.scope.link.as_ref().is_some_and(|(best, _)| *best >= rank) {
            return;
        }
        let Some(url) = self.address(tag, href) else { return };
        if self.feed.is_none() {
            self.element("link", url.as_str());
        }
        self.scope.link = Some((rank, url));
    }

    pub(super) fn enclosure(&mut self, tag: StartTag) {
        let Some(href) = tag.attribute("url").or_else(|| tag.attribute("href")) else {
            return;
        };
        if self.feed.is_none() || self.scope.enclosures >= MAX_ENCLOSURES {
            return;
        }
        self.scope.enclosures += 1;
        let Some(url) = self.address(tag, &href) else { return };
        let media_type = tag.attribute("type").unwrap_or_default();
        let length = tag.attribute("length").or_else(|| tag.attribute("fileSize")).unwrap_or_default();
        let length: u64 = length.trim().parse().unwrap_or(0);
        if media_type.starts_with("image/") && self.scope.image.is_none() {
            self.scope.image = Some((1, url.clone()));
        }
        self.out.push_str(&format!("<enclosure url=\"{}\"", escape(url.as_str())));
        if media_type.contains('/') {
            self.out.push_str(&format!(" type=\"{}\"", escape(media_type.trim())));
        }
        if length > 0 {
            self.out.push_str(&format!(" length=\"{length}\""));
        }
        self.out.push_str("/>\n");
    }

    /// Media RSS puts pictures and recordings into one element.
    pub(super) fn media(&mut self, tag: StartTag) {
        let media_type = tag.attribute("type").unwrap_or_default();
        let medium = tag.attribute("medium").unwrap_or_default();
        let path = tag.attribute("url").unwrap_or_default().to_ascii_lowercase();
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let named = ["jpg", "jpeg", "png", "webp", "gif", "avif"].iter().any(|end| path.ends_with(end));
        if medium == "image"
            || media_type.starts_with("image/")
            || (media_type.is_empty() && medium.is_empty() && named)
        {
            self.image(tag, "", 4);
        } else {
            self.enclosure(tag);
        }
    }

    pub(super) fn image(&mut self, tag: StartTag, inner: &str, rank: u8) {
        if self.scope.image.as_ref().is_some_and(|(best, _)| *best >= rank) {
            return;
        }
        let inner = inner.trim();
        let text = inner.starts_with("http").then(|| super::fields::flat(inner, false, super::names::MAX_URL).into());
        let Some(href) = tag.attribute("url").or_else(|| tag.attribute("href")).or(text) else {
            return;
        };
        if let Some(url) = self.address(tag, &href) {
            self.scope.image = Some((rank, url));
        }
    }
}
