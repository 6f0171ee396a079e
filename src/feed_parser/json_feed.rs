//! Reads JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), and similar JSON.
//!
//! The reader requires only the member `items`, not `version`. Values may have other types (many IDs are numbers).
//! serde_json limits the depth to 128. [`repair`] limits the number of values: 16 MiB can contain eight million values.

mod repair;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use self::repair::repair_json;
use super::Options;
use super::base_url::{UrlResolver, website_as_base};
use super::dates::{DateConventions, DateEvidence};
use super::escaped_noscript::with_decoded_noscript;
use super::mathml_fractions::with_fraction_slashes;
use super::one_line_text::{html_to_plain_text, truncate_text};
use super::parsed_feed::{FeedKind, ParsedEnclosure, ParsedFeed, ParsedItem};
use super::title_markup::text_title;
use super::unclosed_embeds::without_unclosed_embeds;
use crate::domain::item_date::TimeOfDay;
use crate::domain::language::language_code;
use crate::domain::{FeedProblem, ProblemKind};
use crate::markup::entities::{escape_html, has_control_characters, without_control_characters};

/// The maximum number of authors, tags, attachments or hubs of one object. Additional values are dropped.
const MAX_VALUES: usize = 100;

/// Reads a feed.
///
/// # Errors
///
/// Returns a message if the text is not JSON or has no array of items.
pub fn parse_json_feed(
    text: String,
    url: &Url,
    options: &Options,
    problems: &mut Vec<FeedProblem>,
) -> Result<ParsedFeed, String> {
    let (mut root, is_item_incomplete) = parse_root(&text, problems)?;
    let text_length = text.len();
    // A document may be large, and the tree contains all required parts of it.
    drop(text);
    let Some(Value::Array(items)) = root.get_mut("items").map(Value::take) else {
        return Err("JSON without an array of items".to_owned());
    };
    if items.len() > options.max_items {
        FeedProblem::record(problems, ProblemKind::TooManyItems, &format!("{} items", items.len()));
    }
    let is_item_incomplete = is_item_incomplete && items.len() <= options.max_items;
    let items = &items[..items.len().min(options.max_items)];
    let lang = language(&root, problems);
    let site_url =
        UrlResolver::new(url, None, 0).resolve(None, &member_text(&root, "home_page_url").unwrap_or_default());
    let website = website_as_base(site_url.as_ref(), url);
    let urls = UrlResolver::new(url, website.as_ref(), text_length);
    let dates = date_conventions(items, lang.as_deref());
    let mut reader = JsonFeedReader { urls, dates, options, problems };
    let mut feed = ParsedFeed {
        kind: FeedKind::Json,
        title: member_text(&root, "title").as_deref().and_then(text_title),
        summary_html: reader.text_as_html(&root, "description"),
        authors: authors(&root),
        site_url: reader.url(&root, "home_page_url"),
        self_url: reader.url(&root, "feed_url"),
        hubs: member_list(&root, "hubs").iter().filter_map(|hub| reader.url(hub, "url")).take(MAX_VALUES).collect(),
        lang,
        items: items.iter().map(|item| reader.item(item)).collect(),
        ..ParsedFeed::default()
    };
    if let Some(last) = feed.items.last_mut() {
        last.is_incomplete = is_item_incomplete;
    }
    Ok(feed)
}

/// Parses the root object. Also returns whether its last item is incomplete.
fn parse_root(text: &str, problems: &mut Vec<FeedProblem>) -> Result<(Value, bool), String> {
    let (before, text) = text.split_at(text.find('{').unwrap_or_default());
    if !before.trim_matches(|c: char| c == '\u{feff}' || c.is_whitespace()).is_empty() {
        FeedProblem::record(problems, ProblemKind::Junk, before);
    }
    let repaired = repair_json(text);
    if repaired.is_truncated {
        FeedProblem::record(problems, ProblemKind::Truncated, "the JSON is incomplete, or has too many values");
    } else if matches!(repaired.text, Cow::Owned(_)) {
        let detail = "JSON with invalid escapes, control characters or trailing commas";
        FeedProblem::record(problems, ProblemKind::NotWellFormed, detail);
    }
    // Text after the object is ignored.
    let root = Value::deserialize(&mut serde_json::Deserializer::from_str(&repaired.text));
    Ok((root.map_err(|error| error.to_string())?, repaired.is_item_incomplete))
}

/// Returns the date conventions that follow from all items.
fn date_conventions(items: &[Value], language: Option<&str>) -> DateConventions {
    let mut evidence = DateEvidence::default();
    for item in items {
        for name in ["date_published", "date_modified"] {
            if let Some(text) = member_text(item, name)
                && let Some(date) = DateConventions::default().parse(&text)
            {
                evidence.observe(&text, date);
            }
        }
    }
    evidence.conventions(language)
}

struct JsonFeedReader<'o> {
    urls: UrlResolver<'o>,
    dates: DateConventions,
    options: &'o Options,
    problems: &'o mut Vec<FeedProblem>,
}

impl JsonFeedReader<'_> {
    fn item(&mut self, item: &Value) -> ParsedItem {
        let attachments = member_list(item, "attachments").iter().take(MAX_VALUES);
        let tags = member_list(item, "tags").iter().take(MAX_VALUES).filter_map(scalar_text);
        let (published, published_time_of_day) = self.date(item, "date_published");
        let (updated, updated_time_of_day) = self.date(item, "date_modified");
        let enclosures: Vec<ParsedEnclosure> =
            attachments.filter_map(|attachment| self.enclosure(attachment)).collect();
        let mut images = enclosures.iter().filter(|file| file.is_image());
        ParsedItem {
            guid: member_text(item, "id"),
            link: self.url(item, "url").or_else(|| self.url(item, "external_url")),
            title: member_text(item, "title").as_deref().and_then(text_title),
            summary_html: self.text_as_html(item, "summary"),
            content_html: html_member(item, "content_html").or_else(|| self.text_as_html(item, "content_text")),
            authors: authors(item),
            published,
            published_time_of_day,
            updated,
            updated_time_of_day,
            categories: tags.filter_map(|tag| html_to_plain_text(&tag)).collect(),
            lang: language(item, self.problems),
            image: self.image(item).or_else(|| Some(images.next()?.url.clone())),
            enclosures,
            ..ParsedItem::default()
        }
    }

    /// Returns the image that an item declares. Many programs write an object or an array instead of the URL.
    fn image(&mut self, item: &Value) -> Option<Url> {
        for name in ["image", "banner_image", "thumbnail", "image_url", "thumbnail_url", "featured_image"] {
            for image in member_list(item, name).iter().take(MAX_VALUES) {
                let href = scalar_text(image)
                    .or_else(|| ["url", "src", "href"].iter().find_map(|member| member_text(image, member)));
                if let Some(url) = href.and_then(|href| self.resolve(&href)) {
                    return Some(url);
                }
            }
        }
        None
    }

    fn enclosure(&mut self, attachment: &Value) -> Option<ParsedEnclosure> {
        let url = self.url(attachment, "url")?;
        let length = member_text(attachment, "size_in_bytes").and_then(|size| size.parse().ok());
        let mime = member_text(attachment, "mime_type").or_else(|| member_text(attachment, "type"));
        Some(ParsedEnclosure { url, mime, length })
    }

    /// Returns a plain-text member as HTML. Long text is truncated first, because escaping makes it longer.
    fn text_as_html(&self, object: &Value, name: &str) -> Option<String> {
        let mut text = member_text(object, name)?;
        // Keeps one byte more than the limit, so that the truncation is recorded later.
        truncate_text(&mut text, self.options.max_text_bytes + 1);
        let mut html = escape_html(&text);
        html.shrink_to_fit();
        Some(html)
    }

    fn date(&mut self, object: &Value, name: &str) -> (Option<Timestamp>, TimeOfDay) {
        let Some(text) = member_text(object, name) else { return Default::default() };
        let Some(date) = self.dates.parse(&text) else {
            FeedProblem::record(self.problems, ProblemKind::BadDate, &text);
            return Default::default();
        };
        (Some(date.time), date.time_of_day)
    }

    fn url(&mut self, object: &Value, name: &str) -> Option<Url> {
        self.resolve(&member_text(object, name)?)
    }

    fn resolve(&mut self, href: &str) -> Option<Url> {
        let url = self.urls.resolve(None, href);
        if url.is_none() {
            FeedProblem::record(self.problems, ProblemKind::BadLink, href);
        }
        url
    }
}

/// Returns the `authors` of version 1.1, or the `author` of 1.0. PHP serializes a list with gaps as an object.
fn authors(object: &Value) -> Vec<String> {
    let people = |member| {
        member_list(object, member).iter().flat_map(|value| match value {
            Value::Object(members) if members.values().all(Value::is_object) => members.values().collect(),
            _ => vec![value],
        })
    };
    let names = |member| people(member).take(MAX_VALUES).filter_map(author_name).collect();
    let authors: Vec<String> = names("authors");
    if authors.is_empty() { names("author") } else { authors }
}

/// Returns the name in `{"name": "Ann"}` or in `"Ann"`.
fn author_name(value: &Value) -> Option<String> {
    let name = member_text(value, "name").or_else(|| scalar_text(value)).or_else(|| member_text(value, "url"))?;
    html_to_plain_text(&name)
}

fn language(object: &Value, problems: &mut Vec<FeedProblem>) -> Option<String> {
    let tag = member_text(object, "language")?;
    if language_code(&tag).is_none() {
        FeedProblem::record(problems, ProblemKind::BadLanguage, &tag);
        return None;
    }
    Some(tag)
}

/// Returns the trimmed text of a value, unless it is blank. Converts numbers and booleans to text.
fn scalar_text(value: &Value) -> Option<String> {
    let text = match value {
        // An escape sequence may represent a control character.
        Value::String(text) if has_control_characters(text) => without_control_characters(text).trim().to_owned(),
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if number.is_f64() => number.as_f64()?.to_string(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

fn html_member(object: &Value, name: &str) -> Option<String> {
    let html = member_text(object, name).map(|html| with_decoded_noscript(&html).unwrap_or(html));
    let html = html.map(|html| without_unclosed_embeds(&html).unwrap_or(html));
    html.map(|html| with_fraction_slashes(&html).unwrap_or(html))
}

fn member_text(object: &Value, name: &str) -> Option<String> {
    scalar_text(object.get(name)?)
}

/// Returns the elements of a member. Many programs write a single element without an array.
fn member_list<'v>(object: &'v Value, name: &str) -> &'v [Value] {
    match object.get(name) {
        None | Some(Value::Null) => &[],
        Some(Value::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(ParsedFeed, Vec<FeedProblem>), String> {
        let mut problems = Vec::new();
        let url = Url::parse("https://news.example/feed.json").unwrap();
        let feed = parse_json_feed(text.to_owned(), &url, &Options::default(), &mut problems)?;
        Ok((feed, problems))
    }

    #[test]
    fn members_of_wrong_types_are_read_or_ignored() {
        let (feed, problems) = parse(
            r#"{"title":"News","items":[{"id":7,"url":"/a","title":"Rain &amp; wind","content_text":"1 < 2",
                "author":{"name":"Ann"},"date_published":"2026-03-02T14:05:09Z","tags":["x",null,3],"image":null}, null, 5]}"#,
        )
        .unwrap();
        assert_eq!(problems, []);
        let item = &feed.items[0];
        assert_eq!(item.guid.as_deref(), Some("7"));
        assert_eq!(item.link.as_ref().unwrap().as_str(), "https://news.example/a");
        assert_eq!(item.title.as_deref(), Some("Rain & wind"));
        assert_eq!(item.content_html.as_deref(), Some("1 &lt; 2"));
        assert_eq!(
            (item.authors.as_slice(), item.categories.as_slice()),
            (&["Ann".into()][..], &["x".into(), "3".into()][..])
        );
        assert_eq!(item.published.unwrap().to_string(), "2026-03-02T14:05:09Z");
    }

    #[test]
    fn lone_surrogate_costs_one_character() {
        let (feed, problems) = parse(r#"{"items":[{"id":"a","title":"x\ud83dy \ud83d\ude00",}]}"#).unwrap();
        assert_eq!(feed.items[0].title.as_deref(), Some("x\u{fffd}y 😀"));
        assert_eq!(problems[0].kind, ProblemKind::NotWellFormed);
    }

    #[test]
    fn text_around_the_object_is_dropped_and_reported() {
        for text in ["callback({\"items\":[{\"id\":1}]});", "/* x */{\"items\":[{\"id\":1}]}"] {
            let (feed, problems) = parse(text).unwrap();
            assert_eq!((feed.items.len(), problems[0].kind), (1, ProblemKind::Junk));
        }
    }

    #[test]
    fn json_without_items_is_refused() {
        assert!(parse(r#"{"error":"no"}"#).is_err());
        assert!(parse(&"[".repeat(10_000)).is_err());
        assert!(parse(&r#"{"a":"#.repeat(10_000)).is_err());
    }
}
