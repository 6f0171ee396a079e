//! Keeps the best link of an item or the feed, and the URLs of the feed and its hubs.

use std::borrow::Cow;

use url::Url;

use super::super::base_url::{MAX_URL_BYTES, clean_href};
use super::super::element_map::FeedField;
use super::FeedRewriter;
use super::element_text::flatten_markup;
use crate::domain::ProblemKind;
use crate::markup::tag::StartTag;

impl FeedRewriter<'_, '_> {
    /// Writes a `<link>` in any of its forms: text content, an `href` attribute, or Atom's link relations.
    pub fn write_link(&mut self, tag: StartTag, inner: &str) {
        let href = tag.attribute("href").filter(|href| !href.trim().is_empty());
        let href = href.unwrap_or_else(|| Cow::Owned(flatten_markup(inner, false, MAX_URL_BYTES)));
        let relation = tag.attribute("rel").map(|rel| rel.trim().to_ascii_lowercase()).unwrap_or_default();
        let relation = relation.rsplit('/').next().unwrap_or_default();
        match relation {
            "" | "alternate" => {
                let media_type = tag.attribute("type").unwrap_or_default();
                self.offer_link(tag, &href, alternate_priority(&media_type));
            }
            "enclosure" if self.in_item() => self.write_enclosure(tag, inner),
            "image" | "thumbnail" | "preview" | "icon" if self.in_item() => self.offer_image(tag, inner, 1),
            "self" | "hub" if !self.in_item() => {
                if self.current.has_room_for_value()
                    && let Some(url) = self.resolve(tag, &href)
                {
                    match relation {
                        "hub" => self.feed.hubs.push(url),
                        _ => self.feed.self_url = self.feed.self_url.take().or(Some(url)),
                    }
                }
            }
            "self" | "via" | "canonical" if self.in_item() => self.offer_link(tag, &href, 1),
            _ => {}
        }
    }

    /// Keeps a URL as the link if its priority is the highest so far.
    pub fn offer_link(&mut self, tag: StartTag, href: &str, priority: u8) {
        if priority <= self.current.priority(FeedField::Link) {
            return;
        }
        let Some(url) = self.resolve(tag, href) else { return };
        self.current.accepts(FeedField::Link, priority);
        self.current.link = Some(url);
    }

    /// Keeps the URL of `origLink`, which is the article's own URL, if it is absolute.
    pub fn offer_original_link(&mut self, tag: StartTag, value: &str) {
        let host = Url::parse(&clean_href(value)).ok().and_then(|url| url.host_str().map(str::to_owned));
        let is_host = |host: String| host.contains(['.', ':']) && !host.split('.').any(str::is_empty);
        let is_valid = host.is_some_and(is_host) && !value.trim().contains(' ');
        self.offer_link(tag, value, if is_valid { 9 } else { 1 });
    }

    /// Returns an absolute http or https URL, or records a problem.
    pub fn resolve(&mut self, tag: StartTag, href: &str) -> Option<Url> {
        let href = href.trim();
        if href.is_empty() {
            return None;
        }
        let url = self.urls.resolve(Some(tag), href);
        if url.is_none() {
            self.record(ProblemKind::BadLink, href);
        }
        url
    }
}

/// Returns the priority of an alternate link: web pages precede PDFs, which precede comment feeds.
fn alternate_priority(media_type: &str) -> u8 {
    if media_type.is_empty() || media_type.contains("html") {
        5
    } else if ["rss", "atom", "json"].iter().any(|format| media_type.contains(format)) {
        2
    } else {
        4
    }
}
