//! One expectation of feedparser's suite (a path, an operator, a value) held against what newsfold reads.
//!
//! Never compares markup letter by letter: feedparser keeps titles as HTML and sanitises by a list of its own, newsfold
//! keeps titles as text and sanitises by another. What is compared is what a reader would see.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use newsfold::feed_parser::{Enclosure, FetchedDocument, Options, ParsedFeed, ParsedItem, parse_feed};
use newsfold::html::plain_text::html_to_text;
use newsfold::html::sanitize::sanitize_html;
use newsfold::markup::entities::escape_html;
use serde_json::Value;
use url::Url;

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
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
pub struct Check {
    pub path: Vec<Value>,
    pub op: String,
    #[serde(default)]
    pub value: Value,
}

impl Check {
    /// The path as feedparser's users write it, with numbers as `N`.
    pub fn general(&self) -> String {
        let part = |part: &Value| part.as_str().map_or_else(|| "N".to_owned(), str::to_owned);
        self.path.iter().map(part).collect::<Vec<_>>().join(".")
    }

    pub fn shown(&self) -> String {
        let part = |part: &Value| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
        self.path.iter().map(part).collect::<Vec<_>>().join(".")
    }

    /// What the check is about; none if it is about something that newsfold has no place for.
    pub fn class(&self) -> Option<Class> {
        let of_feed = self.path[0] == "feed";
        let path = self.general();
        let path = path.strip_prefix("entries.N.").or(path.strip_prefix("feed.")).unwrap_or(&path);
        Some(match path {
            "title" | "title_detail.value" => Class::Title,
            "link" | "links.N.href" => Class::Link,
            "id" | "guid" => Class::Id,
            "summary" | "description" | "subtitle" | "tagline" | "info" | "content.N.value" => Class::Text,
            "summary_detail.value" | "subtitle_detail.value" | "tagline_detail.value" => Class::Text,
            "author"
            | "authors.N.name"
            | "author_detail.name"
            | "author_detail.email"
            | "author_detail.url"
            | "authors.N.email"
            | "authors.N.url" => Class::Author,
            "published" | "updated" | "created" | "published_parsed" | "updated_parsed" | "created_parsed" => {
                Class::Date
            }
            _ if path.starts_with("enclosures.N") => Class::Enclosure,
            "language"
            | "title_detail.language"
            | "summary_detail.language"
            | "content.N.language"
            | "tagline_detail.language"
            | "info_detail.language" => Class::Language,
            "image.href" | "media_thumbnail.N.url" if !of_feed => Class::Image,
            "tags.N.term" | "tags.N.label" if !of_feed => Class::Category,
            "encoding" => Class::Charset,
            _ => return None,
        })
    }

    fn number(&self, nth: usize) -> usize {
        let numbers = self.path.iter().filter_map(Value::as_u64);
        numbers.map(|n| n as usize).nth(nth).unwrap_or_default()
    }

    /// The empty string when it holds; else what newsfold says instead.
    pub fn failure(&self, feed: &ParsedFeed, class: Class, base: &Url) -> String {
        let of_feed = self.path[0] == "feed";
        let none = ParsedItem::default();
        let item = feed.items.get(self.number(0)).unwrap_or(&none);
        let last = self.path.last().and_then(Value::as_str).unwrap_or_default();
        let nth = self.number(1);
        let found = match class {
            Class::Title => {
                if of_feed {
                    feed.title.clone()
                } else {
                    item.title.clone()
                }
            }
            Class::Link if of_feed => feed.site_url.clone().map(String::from),
            Class::Link => item.link.clone().map(String::from),
            Class::Id if of_feed => feed.id.clone(),
            Class::Id => item.guid.clone(),
            Class::Text => return self.text_failure(feed, item, base),
            Class::Author if of_feed => feed.authors.get(self.number(0)).cloned(),
            Class::Author => item.authors.get(nth).cloned(),
            Class::Date => {
                let found = match (of_feed, last.split('_').next().unwrap_or_default()) {
                    (true, "updated") => feed.updated,
                    (true, _) => feed.published,
                    (false, "updated") => item.updated,
                    (false, _) => item.published,
                };
                return differ(found.map(|t| t.as_second()), moment(&self.value).map(|t| t.as_second()));
            }
            Class::Enclosure => {
                let Some(found) = item.enclosures.get(nth) else { return "no enclosure".to_owned() };
                return self.enclosure_failure(found, last);
            }
            Class::Language if of_feed => feed.lang.clone(),
            Class::Language => item.lang.clone().or(feed.lang.clone()),
            Class::Image => item.image.clone().map(String::from),
            Class::Category => item.categories.get(nth).cloned(),
            Class::Charset => Some(feed.charset.to_owned()),
        };
        let expected = self.value.as_str().unwrap_or_default();
        let found = found.unwrap_or_default();
        let same = match class {
            Class::Title => shows(&found, expected),
            Class::Charset => charset(expected) == found,
            Class::Language => found.eq_ignore_ascii_case(&expected.replace('_', "-")),
            Class::Author if last == "author" => {
                // `Ann (ann@news.example)` is feedparser's way to put both into one string.
                let name = expected.split_once(" (").map_or(expected, |(name, _)| name);
                found == name
            }
            Class::Link => Url::parse(expected).map(String::from).unwrap_or_default() == found,
            _ => found == expected,
        };
        if same { String::new() } else { format!("{found:?}") }
    }

    fn text_failure(&self, feed: &ParsedFeed, item: &ParsedItem, _base: &Url) -> String {
        let path = self.general();
        let found = if self.path[0] == "feed" {
            feed.summary_html.as_deref()
        } else if path.contains("content") {
            item.content_html.as_deref()
        } else {
            item.summary_html.as_deref().or(item.content_html.as_deref())
        };
        let found = html_to_text(found.unwrap_or_default());
        let expected = self.value.as_str().unwrap_or_default();
        if shows(&found, expected) { String::new() } else { format!("{found:?}") }
    }

    fn enclosure_failure(&self, found: &Enclosure, last: &str) -> String {
        let length = found.length.map(|length| length.to_string());
        let said = |name: &str| match name {
            "href" | "url" => Some(found.url.to_string()),
            "length" => length.clone(),
            "type" => found.mime.clone(),
            _ => None,
        };
        match &self.value {
            Value::Object(members) => {
                let wrong = members.iter().filter(|(name, value)| said(name).as_deref() != value.as_str());
                wrong.map(|(name, _)| format!("{name}: {:?} ", said(name))).collect()
            }
            value => differ(said(last).as_deref(), value.as_str()),
        }
    }

    /// For texts: whether the markup is the same too, once both went through newsfold's sanitiser.
    pub fn markup_same(&self, feed: &ParsedFeed, base: &Url) -> bool {
        let none = ParsedItem::default();
        let item = feed.items.get(self.number(0)).unwrap_or(&none);
        let found = if self.path[0] == "feed" {
            feed.summary_html.as_deref()
        } else if self.general().contains("content") {
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

/// A character set under the name that the Encoding Standard gives it: `us-ascii` is windows-1252 there.
fn charset(label: &str) -> String {
    let known = encoding_rs::Encoding::for_label(label.as_bytes());
    known.map_or_else(|| label.to_ascii_uppercase(), |encoding| encoding.name().to_owned())
}

impl Class {
    /// The fields that the bar is about; the others are counted for themselves.
    pub fn in_bar(self) -> bool {
        !matches!(self, Class::Image | Class::Category | Class::Charset)
    }
}

/// Whether a text says what feedparser expects, which is text or HTML, and only feedparser knows which.
fn shows(found: &str, expected: &str) -> bool {
    let fold = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = fold(found);
    found == fold(expected) || found == fold(&html_to_text(expected))
}

fn differ<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> String {
    if found == expected { String::new() } else { format!("{found:?}") }
}

/// A moment, as feedparser's nine numbers or as the text of the document.
pub fn moment(value: &Value) -> Option<Timestamp> {
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
        Value::String(text) => date(text),
        _ => None,
    }
}

/// A date as newsfold reads it in an item.
pub fn date(text: &str) -> Option<Timestamp> {
    let text = escape_html(text);
    let document = format!("<rss><channel><item><title>x</title><pubDate>{text}</pubDate></item></channel></rss>");
    let url = Url::parse("https://feed.invalid/").unwrap();
    let document = FetchedDocument { bytes: document.as_bytes(), content_type: None, url: &url };
    parse_feed(&document, &Options::default()).ok()?.0.items[0].published
}
