//! Writes the fields of the open item, or else of the feed.
//!
//! Written values are never removed. If several elements have the same field, the element with the highest priority is
//! written last, and feed-rs keeps the last one.

use std::borrow::Cow;

use url::Url;

use super::super::element_map::{ElementMapping, FeedField, FeedNamespace};
use super::super::escaped_noscript::with_decoded_noscript;
use super::super::fractions::with_fraction_slashes;
use super::super::parsed_feed::FeedKind;
use super::super::plain_text::{html_to_plain_text, truncate_text};
use super::super::tag_words::{text_title, untyped_title};
use super::super::unclosed_embeds::without_unclosed_embeds;
use super::super::url_resolver::{MAX_URL_BYTES, clean_href};
use super::FeedRewriter;
use super::byline::author_name;
use super::element_text::{ElementText, decode_base64_element, flatten_markup, has_bare_ampersand, is_base64};
use super::rss_writer::{push_element, push_enclosure};
use crate::domain::language::language_code;
use crate::domain::{ProblemKind, parse_weekday};
use crate::markup::entities::{decode_entities, escape_html};
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::urls::media_type::{has_image_extension, is_image};

/// The maximum number of bytes that are read from the name of a publication.
const MAX_REPORTER_BYTES: usize = 400;
/// The maximum number of bytes that are read from a list of keywords.
const MAX_KEYWORDS_BYTES: usize = 4 * 1024;
/// The maximum length of a category in bytes. A longer category is text in the wrong element.
const MAX_CATEGORY_BYTES: usize = 256;
/// The maximum number of enclosures per item. Additional ones are dropped, because feed-rs uses a kilobyte for each.
const MAX_ENCLOSURES: usize = 32;
/// The width in pixels below which an image counts as a thumbnail, which a larger image replaces even outside of a
/// `media:group`.
const MIN_LEAD_IMAGE_SIZE: u32 = 400;

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
        // The image of an author.
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
        let hints = &mut self.feed.polling_hints;
        match field {
            FeedField::Title => self.write_title(tag, priority, value),
            FeedField::Guid if self.current.accepts(field, priority) => self.write_guid(tag, value),
            FeedField::Published | FeedField::Updated => self.write_date(field, priority, value),
            FeedField::Language => self.write_language(priority, value),
            FeedField::OriginalLink => self.offer_original_link(tag, value),
            FeedField::Ttl => hints.ttl_minutes = value.parse().ok().or(hints.ttl_minutes),
            FeedField::SkipHour if self.current.has_room_for_value() => hints.skip_hours.extend(parse_hour(value)),
            FeedField::SkipDay if self.current.has_room_for_value() => hints.skip_days.extend(parse_weekday(value)),
            FeedField::UpdatePeriod if self.current.accepts(field, priority) => {
                hints.period_minutes = parse_update_period(value);
            }
            FeedField::UpdateFrequency if self.current.accepts(field, priority) => {
                self.update_frequency = value.parse().ok();
            }
            _ => {}
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

    /// Returns a summary or content as HTML; `None` if the value is not text.
    fn element_html(&self, tag: StartTag, inner: &str, has_elements: bool) -> Option<String> {
        let media_type = media_type(tag);
        if is_binary_type(&media_type) && !is_base64(tag) {
            return None;
        }
        let mut html = flatten_markup(inner, has_elements, self.options.max_text_bytes).trim().to_owned();
        // An Atom text construct without a type is plain text (RFC 4287 §3.1.1). End tags show that the author forgot
        // to declare it as HTML.
        let is_untyped_text = media_type.is_empty() && self.feed.kind == FeedKind::Atom && !html.contains("</");
        if has_elements {
            for prefix in self.namespaces.xhtml_prefixes().take(2) {
                html = html.replace(&format!("<{prefix}:"), "<").replace(&format!("</{prefix}:"), "</");
            }
        } else if is_text_type(&media_type) || is_untyped_text {
            html = escape_html(&html);
        } else {
            html = with_decoded_noscript(&html).unwrap_or(html);
        }
        let html = without_unclosed_embeds(&html).unwrap_or(html);
        Some(with_fraction_slashes(&html).unwrap_or(html))
    }

    fn write_html(&mut self, tag: StartTag, mapping: ElementMapping, mut html: String) {
        if html.is_empty() || !self.current.accepts(mapping.field, mapping.priority) {
            return;
        }
        if truncate_text(&mut html, self.options.max_text_bytes) {
            self.record(ProblemKind::TooLong, tag.name);
        }
        let base = self.urls.base_of_text(tag, &html);
        let html = self.urls.resolve_nested_links(base.as_ref(), &html).unwrap_or(html);
        let name = if mapping.field == FeedField::Content { "content:encoded" } else { "description" };
        push_element(&mut self.xml, name, &html);
        if let Some(item) = self.open_item() {
            match mapping.field {
                FeedField::Content => item.content_base = base,
                _ => item.summary_base = base,
            }
        }
    }

    /// Keeps an author of the feed from which an entry was copied, for an entry without an author (RFC 4287 §4.2.1).
    pub fn add_source_author(&mut self, inner: &str) {
        if self.current.has_room_for_value() {
            self.current.source_authors.extend(author_name(inner));
        }
    }

    fn write_author(&mut self, inner: &str, priority: u8) {
        if priority < self.current.priority(FeedField::Author) || !self.current.has_room_for_value() {
            return;
        }
        let Some(name) = author_name(inner) else { return };
        self.current.accepts(FeedField::Author, priority);
        if self.in_item() {
            push_element(&mut self.xml, "dc:creator", &name);
        } else {
            self.feed.authors.push(name);
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

    /// Writes a `<link>` in any of its forms: text content, an `href` attribute, or Atom's link relations.
    fn write_link(&mut self, tag: StartTag, inner: &str) {
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
    fn offer_link(&mut self, tag: StartTag, href: &str, priority: u8) {
        if priority <= self.current.priority(FeedField::Link) {
            return;
        }
        let Some(url) = self.resolve(tag, href) else { return };
        self.current.accepts(FeedField::Link, priority);
        self.current.link = Some(url);
    }

    /// Keeps the URL of `origLink`, which is the article's own URL, if it is absolute.
    fn offer_original_link(&mut self, tag: StartTag, value: &str) {
        let host = Url::parse(&clean_href(value)).ok().and_then(|url| url.host_str().map(str::to_owned));
        let is_host = |host: String| host.contains(['.', ':']) && !host.split('.').any(str::is_empty);
        let is_valid = host.is_some_and(is_host) && !value.trim().contains(' ');
        self.offer_link(tag, value, if is_valid { 9 } else { 1 });
    }

    /// Keeps the publication from which an item was taken, in the RSS form.
    fn keep_reporter(&mut self, tag: StartTag, inner: &str) {
        self.keep_reporter_name(inner);
        if let Some(href) = tag.attribute("url") {
            self.keep_reporter_url(tag, &href);
        }
    }

    /// Keeps an element of Atom's `source`.
    pub fn keep_source_field(&mut self, tag: StartTag, field: FeedField, inner: &str) {
        match field {
            FeedField::Author => self.add_source_author(inner),
            FeedField::Title => self.keep_reporter_name(inner),
            FeedField::Link if tag.attribute("rel").is_none_or(|rel| rel.trim() == "alternate") => {
                self.keep_reporter_url(tag, &tag.attribute("href").unwrap_or_default());
            }
            _ => {}
        }
    }

    fn keep_reporter_name(&mut self, inner: &str) {
        let name = html_to_plain_text(&flatten_markup(inner, true, MAX_REPORTER_BYTES));
        if let Some(item) = self.open_item() {
            let reporter = item.reporter.get_or_insert_default();
            reporter.name = reporter.name.take().or(name);
        }
    }

    fn keep_reporter_url(&mut self, tag: StartTag, href: &str) {
        let url = self.resolve(tag, href);
        if let Some(item) = self.open_item() {
            let reporter = item.reporter.get_or_insert_default();
            reporter.url = reporter.url.take().or(url);
        }
    }

    fn write_enclosure(&mut self, tag: StartTag, inner: &str) {
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

    fn offer_image(&mut self, tag: StartTag, inner: &str, priority: u8) {
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

    /// Returns whether an image is a larger version of the kept one: both are in the same `media:group`, or the kept
    /// one is only a thumbnail. Other images of an item show something else.
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

    /// Returns an absolute http or https URL, or records a problem.
    fn resolve(&mut self, tag: StartTag, href: &str) -> Option<Url> {
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

/// Returns the declared width of an image in pixels, or else its height; 0 if neither is declared.
fn declared_size(tag: StartTag<'_>) -> u32 {
    let size = |side| tag.attribute(side).and_then(|size| size.trim().trim_end_matches("px").parse().ok());
    size("width").or_else(|| size("height")).unwrap_or(0)
}

/// Returns whether an image is too small to be visible and only counts readers. A size of 0 means unknown.
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

/// Returns the priority of an alternate link: web pages precede PDFs, which precede feeds of comments.
fn alternate_priority(media_type: &str) -> u8 {
    if media_type.is_empty() || media_type.contains("html") {
        5
    } else if ["rss", "atom", "json"].iter().any(|format| media_type.contains(format)) {
        2
    } else {
        4
    }
}

fn media_type(tag: StartTag) -> String {
    tag.attribute("type").map(|media_type| media_type.trim().to_ascii_lowercase()).unwrap_or_default()
}

fn is_text_type(media_type: &str) -> bool {
    matches!(media_type, "text" | "text/plain" | "plain")
}

fn is_binary_type(media_type: &str) -> bool {
    const BINARY_TYPES: [&str; 5] = ["image/", "audio/", "video/", "application/octet", "application/pdf"];
    BINARY_TYPES.iter().any(|prefix| media_type.starts_with(prefix))
}

fn parse_hour(text: &str) -> Option<u8> {
    let hour: u8 = text.parse().ok()?;
    // RSS 0.91 counts hours from 1 to 24.
    (hour <= 24).then_some(hour % 24)
}

/// Returns the minutes of `sy:updatePeriod`. A frequency without a valid period is ignored, because publishers do not
/// intend the module's default of one day.
fn parse_update_period(text: &str) -> Option<u32> {
    const PERIODS: [(&str, u32); 5] =
        [("hourly", 60), ("daily", 1_440), ("weekly", 10_080), ("monthly", 43_200), ("yearly", 525_600)];
    PERIODS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, minutes)| *minutes)
}
