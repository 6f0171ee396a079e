//! Writes enclosures, and keeps the best image of an item.

use std::borrow::Cow;

use url::Url;

use super::super::base_url::MAX_URL_BYTES;
use super::super::element_map::FeedField;
use super::FeedRewriter;
use super::element_text::flatten_markup;
use super::rss_writer::push_enclosure;
use super::type_attribute::media_type;
use crate::markup::entities::decode_entities;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::urls::media_type::{has_image_extension, is_image};

/// The maximum number of enclosures per item. Additional enclosures are dropped, because feed-rs uses a kilobyte for
/// each.
const MAX_ENCLOSURES: usize = 32;
/// The width in pixels below which an image counts as a thumbnail. A larger image replaces it, even outside a
/// `media:group`.
const MIN_LEAD_IMAGE_SIZE: u32 = 400;

impl FeedRewriter<'_, '_> {
    pub fn write_enclosure(&mut self, tag: StartTag, inner: &str) {
        let Some(href) = url_attribute(tag).or_else(|| url_text(inner)) else { return };
        self.current.enclosure_count += 1;
        if !self.in_item() || self.current.enclosure_count > MAX_ENCLOSURES {
            return;
        }
        let Some(url) = self.resolve(tag, &href) else { return };
        let media_type = tag.attribute("type").or_else(|| tag.attribute("enc:type")).unwrap_or_default();
        let media_type = media_type.trim().to_ascii_lowercase();
        let length = ["length", "fileSize", "enc:length"].iter().find_map(|name| tag.attribute(name));
        let length: u64 = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        push_enclosure(&mut self.xml, url.as_str(), &media_type, length);
        if is_image(&media_type, url.path()) && self.current.accepts(FeedField::Image, 1) {
            self.keep_image(url);
        }
    }

    /// Writes a `media:content` (Media RSS), which is an image or a recording.
    pub fn write_media(&mut self, tag: StartTag) {
        let media_type = media_type(tag);
        let medium = tag.attribute("medium").unwrap_or_default().trim().to_ascii_lowercase();
        let url = tag.attribute("url").unwrap_or_default();
        let path = url.split(['?', '#']).next().unwrap_or_default();
        if medium == "image" || is_image(&media_type, path) {
            self.offer_image(tag, "", 4);
        } else {
            self.write_enclosure(tag, "");
        }
    }

    pub fn offer_image(&mut self, tag: StartTag, inner: &str, priority: u8) {
        let is_better = priority > self.current.priority(FeedField::Image);
        let size = declared_size(tag);
        if !(is_better || self.is_larger_version(priority, size)) || is_pixel(tag) {
            return;
        }
        let href = url_attribute(tag).or_else(|| url_child(inner)).or_else(|| url_text(inner));
        if let Some(url) = href.and_then(|href| self.resolve(tag, &href)) {
            self.current.accepts(FeedField::Image, priority);
            self.keep_image(url);
            (self.current.image_size, self.current.image_group) = (size, self.media_group());
        }
    }

    /// Returns whether an image is a larger version of the kept image: both images are in the same `media:group`, or
    /// the kept image is only a thumbnail. Other images of an item show something else.
    fn is_larger_version(&self, priority: u8, size: u32) -> bool {
        let (kept_size, group) = (self.current.image_size, self.media_group());
        let is_version = group.is_some() || kept_size < MIN_LEAD_IMAGE_SIZE;
        priority == self.current.priority(FeedField::Image)
            && kept_size > 0
            && size > kept_size
            && is_version
            && group == self.current.image_group
    }

    /// Returns the number of the open `media:group`, counted from the start of the item.
    fn media_group(&self) -> Option<usize> {
        let is_group = self.open.last().is_some_and(|open| open.name.to_ascii_lowercase().ends_with("group"));
        is_group.then_some(self.current.media_group_count)
    }

    fn keep_image(&mut self, url: Url) {
        if let Some(item) = self.open_item() {
            item.image = Some(url);
        }
    }
}

/// Returns the declared width of an image in pixels, or else its height; 0 if neither is declared.
fn declared_size(tag: StartTag<'_>) -> u32 {
    let size = |side| tag.attribute(side).and_then(|size| size.trim().trim_end_matches("px").parse().ok());
    size("width").or_else(|| size("height")).unwrap_or(0)
}

/// Returns whether an image is too small to be visible, like a tracking pixel. A size of 0 means unknown.
fn is_pixel(tag: StartTag<'_>) -> bool {
    let is_tiny = |side| tag.attribute(side).is_some_and(|size| matches!(size.trim(), "1" | "2"));
    is_tiny("width") || is_tiny("height")
}

/// Returns the URL in an attribute of a tag.
fn url_attribute(tag: StartTag<'_>) -> Option<Cow<'_, str>> {
    const NAMES: [&str; 6] = ["url", "href", "src", "rdf:resource", "resource", "image"];
    NAMES.iter().find_map(|name| tag.attribute(name)).filter(|href| !href.trim().is_empty())
}

/// Returns the URL of an image in a child element: `<url>…</url>`, or `<img src="…">`, which may be escaped.
fn url_child(inner: &str) -> Option<Cow<'_, str>> {
    if !inner.contains(['<', '&']) {
        return None;
    }
    let markup = flatten_markup(inner, inner.contains('<') && !inner.contains("<![CDATA["), MAX_URL_BYTES);
    let mut in_url = false;
    for token in Tokenizer::new(&markup) {
        match token {
            MarkupToken::Start(tag) if tag.name.eq_ignore_ascii_case("img") => {
                return tag.attribute("src").map(|src| Cow::Owned(src.into_owned()));
            }
            MarkupToken::Start(tag) => {
                let local = tag.name.rsplit(':').next().unwrap_or_default();
                in_url = ["url", "href", "src", "loc"].iter().any(|name| local.eq_ignore_ascii_case(name));
            }
            MarkupToken::Text(text) | MarkupToken::CData(text) if in_url && !text.trim().is_empty() => {
                return Some(Cow::Owned(decode_entities(text.trim()).into_owned()));
            }
            _ => {}
        }
    }
    None
}

/// Returns the text of an element, if it resembles a URL.
fn url_text(inner: &str) -> Option<Cow<'_, str>> {
    let text = flatten_markup(inner, false, MAX_URL_BYTES);
    let text = text.trim();
    let is_url = text.starts_with("http") || (text.contains('/') && has_image_extension(text));
    (is_url && !text.contains(['<', ' '])).then(|| Cow::Owned(text.to_owned()))
}
