//! Writes the fields of the open item, or else of the feed. The neighboring modules write links, media, authors and the
//! HTML of summaries and contents, and keep the polling hints.
//!
//! Written values are never removed. If several elements have the same field, the element with the highest priority is
//! written last, and feed-rs keeps the last element.

use std::borrow::Cow;

use super::super::element_map::{ElementMapping, FeedField, FeedNamespace};
use super::super::one_line_text::{html_to_plain_text, truncate_text};
use super::super::parsed_feed::FeedKind;
use super::super::title_markup::{text_title, untyped_title};
use super::FeedRewriter;
use super::element_text::{ElementText, decode_base64_element, flatten_markup, has_bare_ampersand};
use super::rss_writer::push_element;
use super::type_attribute::{is_text_type, media_type};
use crate::domain::ProblemKind;
use crate::domain::language::language_code;
use crate::markup::tag::StartTag;

/// The maximum number of bytes that are read from a list of keywords.
const MAX_KEYWORDS_BYTES: usize = 4 * 1024;
/// The maximum length of a category in bytes. A longer category is text in the wrong element.
const MAX_CATEGORY_BYTES: usize = 256;

impl<'a> FeedRewriter<'a, '_> {
    /// Writes the values that are attributes of a root, a channel or an item (Atom, CDF).
    pub fn write_attributes(&mut self, tag: StartTag) {
        if let Some(language) = tag.attribute("xml:lang") {
            self.write_language(1, &language);
        }
        if let Some(href) = tag.attribute("href") {
            self.offer_link(tag, &href, 2);
        }
        if let Some(date) = tag.attribute("lastmod") {
            self.write_date(FeedField::Updated, 1, &date);
        }
    }

    /// Returns whether a tag shows that the enclosing element, which has this field, was never closed.
    pub fn ends_element(&self, child: StartTag<'a>, field: FeedField) -> bool {
        if self.namespaces.is_item(child, self.feed.kind) {
            return true;
        }
        let name = self.namespaces.resolve(child.name);
        let Some(inner) = name.mapping(self.in_item()) else { return false };
        // A `source` may contain elements of another feed, which do not belong to the item.
        if name.namespace == FeedNamespace::Xhtml || field == FeedField::Reporter {
            return false;
        }
        // An author can have an image.
        if (field, inner.field) == (FeedField::Author, FeedField::Image) {
            return false;
        }
        // An item's summary or content may contain most elements, but the feed's own description is short and plain.
        use FeedField::{Content, Enclosure, Guid, OriginalLink, Published, Summary};
        if matches!(field, Summary | Content) && self.in_item() {
            return matches!(inner.field, Guid | Published | Enclosure | OriginalLink);
        }
        true
    }

    pub fn write_field(&mut self, tag: StartTag<'a>, mapping: ElementMapping, text: &ElementText<'a>) {
        let ElementMapping { field, priority } = mapping;
        self.write_element_language(tag, field);
        let decoded = decode_base64_element(tag, text.inner);
        let inner = decoded.as_deref().unwrap_or(text.inner);
        let has_elements = text.has_elements && decoded.is_none();
        if has_bare_ampersand(inner) {
            self.record(ProblemKind::NotWellFormed, inner);
        }
        match field {
            FeedField::Link => self.write_link(tag, inner),
            FeedField::Enclosure => self.write_enclosure(tag, inner),
            FeedField::Image => self.offer_image(tag, inner, priority),
            FeedField::Author => self.write_author(inner, priority),
            FeedField::Category => self.write_category(tag, inner),
            FeedField::Keywords => self.write_keywords(inner),
            FeedField::Reporter => self.keep_reporter(tag, inner),
            FeedField::Summary | FeedField::Content => {
                if let Some(html) = self.element_html(tag, inner, has_elements) {
                    self.write_html(tag, mapping, html);
                }
            }
            _ => {
                let value = flatten_markup(inner, has_elements, self.options.max_text_bytes);
                self.write_value(tag, mapping, value.trim());
            }
        }
    }

    /// Writes a field whose value is a single short string.
    fn write_value(&mut self, tag: StartTag, mapping: ElementMapping, value: &str) {
        let ElementMapping { field, priority } = mapping;
        if value.is_empty() {
            return;
        }
        match field {
            FeedField::Title => self.write_title(tag, priority, value),
            FeedField::Guid if self.current.accepts(field, priority) => self.write_guid(tag, value),
            FeedField::Published | FeedField::Updated => self.write_date(field, priority, value),
            FeedField::Language => self.write_language(priority, value),
            FeedField::OriginalLink => self.offer_original_link(tag, value),
            _ => self.keep_polling_hint(mapping, value),
        }
    }

    fn write_title(&mut self, tag: StartTag, priority: u8, value: &str) {
        // In a title of type `text`, which is Atom's default, `<` does not start a tag.
        let media_type = media_type(tag);
        let is_untyped = media_type.is_empty();
        let title = match self.feed.kind {
            _ if is_text_type(&media_type) => text_title(value),
            FeedKind::Atom if is_untyped => text_title(value),
            _ if is_untyped => untyped_title(value),
            _ => html_to_plain_text(value),
        };
        let Some(mut title) = title else { return };
        if !self.current.accepts(FeedField::Title, priority) {
            return;
        }
        if truncate_text(&mut title, self.options.max_text_bytes) {
            self.record(ProblemKind::TooLong, tag.name);
        }
        push_element(&mut self.xml, "title", &title);
    }

    fn write_guid(&mut self, tag: StartTag, value: &str) {
        if !self.in_item() {
            self.feed.id = Some(value.to_owned());
            return;
        }
        let is_permalink = tag.attribute("isPermaLink").is_none_or(|v| !v.trim().eq_ignore_ascii_case("false"));
        self.current.permalink = is_permalink.then(|| value.to_owned());
        push_element(&mut self.xml, "guid", value);
    }

    fn write_date(&mut self, field: FeedField, priority: u8, value: &str) {
        let Some(date) = self.dates.parse(value) else {
            return self.record(ProblemKind::BadDate, value);
        };
        self.date_evidence.observe(value, date);
        if !self.current.accepts(field, priority) {
            return;
        }
        let name = match (field, self.in_item()) {
            (FeedField::Published, _) => "pubDate",
            (_, true) => "atom:updated",
            (_, false) => "lastBuildDate",
        };
        push_element(&mut self.xml, name, &date.time.to_string());
        match (self.open_item(), field) {
            (Some(item), FeedField::Published) => item.published_time_of_day = date.time_of_day,
            (Some(item), _) => item.updated_time_of_day = date.time_of_day,
            (None, _) => {}
        }
    }

    /// Writes the `xml:lang` of an item's element. The item has the language of its longest text.
    fn write_element_language(&mut self, tag: StartTag, field: FeedField) {
        let priority = match field {
            FeedField::Title => 2,
            FeedField::Summary => 3,
            FeedField::Content => 4,
            _ => return,
        };
        if self.in_item()
            && let Some(language) = tag.attribute("xml:lang")
        {
            self.write_language(priority, &language);
        }
    }

    fn write_language(&mut self, priority: u8, value: &str) {
        let value = value.trim().replace('_', "-");
        if value.is_empty() {
            return;
        }
        if language_code(&value).is_none() {
            return self.record(ProblemKind::BadLanguage, &value);
        }
        if !self.current.accepts(FeedField::Language, priority) {
            return;
        }
        match self.open_item() {
            Some(item) => item.lang = Some(value),
            None => self.feed.lang = Some(value.to_lowercase()),
        }
    }

    fn write_category(&mut self, tag: StartTag, inner: &str) {
        let attribute = ["label", "term", "text"].iter().find_map(|name| tag.attribute(name));
        let value = attribute.unwrap_or_else(|| Cow::Owned(flatten_markup(inner, false, MAX_CATEGORY_BYTES)));
        self.write_category_name(&value);
    }

    fn write_keywords(&mut self, inner: &str) {
        for keyword in flatten_markup(inner, false, MAX_KEYWORDS_BYTES).split(',') {
            self.write_category_name(keyword);
        }
    }

    fn write_category_name(&mut self, value: &str) {
        let Some(name) = html_to_plain_text(value) else { return };
        if name.len() <= MAX_CATEGORY_BYTES && self.current.has_room_for_value() {
            push_element(&mut self.xml, "category", &name);
        }
    }
}
