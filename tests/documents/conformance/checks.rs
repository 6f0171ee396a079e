//! Compares an expectation of feedparser's suite (a path, an operator, a value) with the feed that newsfold parses.
//!
//! Markup is never compared exactly, because feedparser keeps titles as HTML and newsfold as text, and their sanitizers
//! use different lists. Only the text that a reader sees is compared.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use newsfold::feed_parser::{FetchedDocument, Options, ParsedEnclosure, ParsedFeed, ParsedItem, parse_feed};
use newsfold::html::plain_text::html_to_text;
use newsfold::html::sanitize::sanitize_html;
use newsfold::markup::entities::escape_html;
use serde_json::Value;
use url::Url;

/// The field that a check covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckClass {
    Title,
    Link,
    Id,
    Text,
    Author,
    Date,
    Enclosure,
    Language,
    Image,
    Category,
    Charset,
}

#[derive(serde::Deserialize)]
pub struct ExpectedValue {
    pub path: Vec<Value>,
    pub op: String,
    #[serde(default)]
    pub value: Value,
}

impl ExpectedValue {
    /// Returns the path in feedparser's notation, with numbers replaced by `N`.
    pub fn general_path(&self) -> String {
        let part = |part: &Value| part.as_str().map_or_else(|| "N".to_owned(), str::to_owned);
        self.path.iter().map(part).collect::<Vec<_>>().join(".")
    }

    /// Returns the path in feedparser's notation.
    pub fn full_path(&self) -> String {
        let part = |part: &Value| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
        self.path.iter().map(part).collect::<Vec<_>>().join(".")
    }

    /// Returns the field that the check covers; `None` if newsfold has no such field.
    pub fn class(&self) -> Option<CheckClass> {
        let of_feed = self.path[0] == "feed";
        let path = self.general_path();
        let path = path.strip_prefix("entries.N.").or(path.strip_prefix("feed.")).unwrap_or(&path);
        Some(match path {
            "title" | "title_detail.value" => CheckClass::Title,
            "link" | "links.N.href" => CheckClass::Link,
            "id" | "guid" => CheckClass::Id,
            "summary" | "description" | "subtitle" | "tagline" | "info" | "content.N.value" => CheckClass::Text,
            "summary_detail.value" | "subtitle_detail.value" | "tagline_detail.value" => CheckClass::Text,
            "author"
            | "authors.N.name"
            | "author_detail.name"
            | "author_detail.email"
            | "author_detail.url"
            | "authors.N.email"
            | "authors.N.url" => CheckClass::Author,
            "published" | "updated" | "created" | "published_parsed" | "updated_parsed" | "created_parsed" => {
                CheckClass::Date
            }
            _ if path.starts_with("enclosures.N") => CheckClass::Enclosure,
            "language"
            | "title_detail.language"
            | "summary_detail.language"
            | "content.N.language"
            | "tagline_detail.language"
            | "info_detail.language" => CheckClass::Language,
            "image.href" | "media_thumbnail.N.url" if !of_feed => CheckClass::Image,
            "tags.N.term" | "tags.N.label" if !of_feed => CheckClass::Category,
            "encoding" => CheckClass::Charset,
            _ => return None,
        })
    }

    fn number(&self, nth: usize) -> usize {
        let numbers = self.path.iter().filter_map(Value::as_u64);
        numbers.map(|n| n as usize).nth(nth).unwrap_or_default()
    }

    /// Returns newsfold's value if the expectation is not met, otherwise an empty string.
    pub fn failure(&self, feed: &ParsedFeed, class: CheckClass, base: &Url) -> String {
        let of_feed = self.path[0] == "feed";
        let none = ParsedItem::default();
        let item = feed.items.get(self.number(0)).unwrap_or(&none);
        let last = self.path.last().and_then(Value::as_str).unwrap_or_default();
        let nth = self.number(1);
        let found = match class {
            CheckClass::Title => {
                if of_feed {
                    feed.title.clone()
                } else {
                    item.title.clone()
                }
            }
            CheckClass::Link if of_feed => feed.site_url.clone().map(String::from),
            CheckClass::Link => item.link.clone().map(String::from),
            CheckClass::Id if of_feed => feed.id.clone(),
            CheckClass::Id => item.guid.clone(),
            CheckClass::Text => return self.text_failure(feed, item, base),
            CheckClass::Author if of_feed => feed.authors.get(self.number(0)).cloned(),
            CheckClass::Author => item.authors.get(nth).cloned(),
            CheckClass::Date => {
                let found = match (of_feed, last.split('_').next().unwrap_or_default()) {
                    (true, "updated") => feed.updated,
                    (true, _) => feed.published,
                    (false, "updated") => item.updated,
                    (false, _) => item.published,
                };
                return differ(found.map(|t| t.as_second()), expected_timestamp(&self.value).map(|t| t.as_second()));
            }
            CheckClass::Enclosure => {
                let Some(found) = item.enclosures.get(nth) else { return "no enclosure".to_owned() };
                return self.enclosure_failure(found, last);
            }
            CheckClass::Language if of_feed => feed.lang.clone(),
            CheckClass::Language => item.lang.clone().or(feed.lang.clone()),
            CheckClass::Image => item.image.clone().map(String::from),
            CheckClass::Category => item.categories.get(nth).cloned(),
            CheckClass::Charset => Some(feed.charset.to_owned()),
        };
        let expected = self.value.as_str().unwrap_or_default();
        let found = found.unwrap_or_default();
        let same = match class {
            CheckClass::Title => equals_text_or_html(&found, expected),
            CheckClass::Charset => charset(expected) == found,
            CheckClass::Language => found.eq_ignore_ascii_case(&expected.replace('_', "-")),
            CheckClass::Author if last == "author" => {
                // feedparser formats name and address as `Ann (ann@news.example)`.
                let name = expected.split_once(" (").map_or(expected, |(name, _)| name);
                found == name
            }
            CheckClass::Link => Url::parse(expected).map(String::from).unwrap_or_default() == found,
            _ => found == expected,
        };
        if same { String::new() } else { format!("{found:?}") }
    }

    fn text_failure(&self, feed: &ParsedFeed, item: &ParsedItem, _base: &Url) -> String {
        let path = self.general_path();
        let found = if self.path[0] == "feed" {
            feed.summary_html.as_deref()
        } else if path.contains("content") {
            item.content_html.as_deref()
        } else {
            item.summary_html.as_deref().or(item.content_html.as_deref())
        };
        let found = html_to_text(found.unwrap_or_default());
        let expected = self.value.as_str().unwrap_or_default();
        if equals_text_or_html(&found, expected) { String::new() } else { format!("{found:?}") }
    }

    fn enclosure_failure(&self, found: &ParsedEnclosure, last: &str) -> String {
        let length = found.length.map(|length| length.to_string());
        let found_value = |name: &str| match name {
            "href" | "url" => Some(found.url.to_string()),
            "length" => length.clone(),
            "type" => found.mime.clone(),
            _ => None,
        };
        match &self.value {
            Value::Object(members) => {
                let wrong = members.iter().filter(|(name, value)| found_value(name).as_deref() != value.as_str());
                wrong.map(|(name, _)| format!("{name}: {:?} ", found_value(name))).collect()
            }
            value => differ(found_value(last).as_deref(), value.as_str()),
        }
    }

    /// Returns whether newsfold's sanitizer produces the same markup from the found text and from the expected text.
    pub fn has_same_markup(&self, feed: &ParsedFeed, base: &Url) -> bool {
        let none = ParsedItem::default();
        let item = feed.items.get(self.number(0)).unwrap_or(&none);
        let found = if self.path[0] == "feed" {
            feed.summary_html.as_deref()
        } else if self.general_path().contains("content") {
            item.content_html.as_deref()
        } else {
            item.summary_html.as_deref().or(item.content_html.as_deref())
        };
        let clean = |text: &str| sanitize_html(text, Some(base)).trim().to_owned();
        let expected = self.value.as_str().unwrap_or_default();
        let found = clean(found.unwrap_or_default());
        found == clean(expected) || found == escape_html(expected)
    }
}

/// Returns the name of a character set in the Encoding Standard, in which `us-ascii` means windows-1252.
fn charset(label: &str) -> String {
    let known = encoding_rs::Encoding::for_label(label.as_bytes());
    known.map_or_else(|| label.to_ascii_uppercase(), |encoding| encoding.name().to_owned())
}

impl CheckClass {
    /// Returns whether the field counts towards the required rate.
    pub fn in_bar(self) -> bool {
        !matches!(self, CheckClass::Image | CheckClass::Category | CheckClass::Charset)
    }
}

/// Returns whether a value equals an expected value that may be text or HTML, because the suite does not specify which.
fn equals_text_or_html(found: &str, expected: &str) -> bool {
    let fold = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = fold(found);
    found == fold(expected) || found == fold(&html_to_text(expected))
}

fn differ<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> String {
    if found == expected { String::new() } else { format!("{found:?}") }
}

/// Parses a time that is given as feedparser's nine numbers or as text.
pub fn expected_timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Array(numbers) => {
            let number = |at: usize| numbers[at].as_i64().unwrap();
            let civil = DateTime::new(
                number(0) as i16,
                number(1) as i8,
                number(2) as i8,
                number(3) as i8,
                number(4) as i8,
                number(5) as i8,
                0,
            );
            Offset::UTC.to_timestamp(civil.unwrap()).ok()
        }
        Value::String(text) => parse_item_date(text),
        _ => None,
    }
}

/// Parses a date in the same way as the date of an item.
pub fn parse_item_date(text: &str) -> Option<Timestamp> {
    let text = escape_html(text);
    let document = format!("<rss><channel><item><title>x</title><pubDate>{text}</pubDate></item></channel></rss>");
    let url = Url::parse("https://feed.invalid/").unwrap();
    let document = FetchedDocument { bytes: document.as_bytes(), content_type: None, url: &url };
    parse_feed(&document, &Options::default()).ok()?.0.items[0].published
}
