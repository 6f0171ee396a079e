//! JSON Feed 1.1 (jsonfeed.org/version/1.1). The reports of a story are in `_newsfold`, an extension as defined by the
//! specification.

use super::document::FeedDocument;
use super::value_format::{encode_uri, rfc3339, strip_invalid_chars};
use crate::domain::{Development, Enclosure};
use crate::publish::feed_format::FeedFormat;
use serde::Serialize;

#[derive(Serialize)]
struct JsonFeed<'a> {
    version: &'static str,
    title: String,
    description: String,
    favicon: String,
    home_page_url: &'a str,
    feed_url: String,
    /// The URL of the document with older items.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<JsonHub<'a>>,
    items: Vec<JsonItem<'a>>,
}

#[derive(Serialize)]
struct JsonHub<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
struct JsonItem<'a> {
    id: &'a str,
    url: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    summary: &'a str,
    content_html: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    date_published: String,
    date_modified: String,
    authors: Vec<JsonAuthor<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<JsonAttachment<'a>>,
    _newsfold: JsonExtension<'a>,
}

#[derive(Serialize)]
struct JsonAuthor<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct JsonAttachment<'a> {
    url: &'a str,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
}

impl<'a> JsonAttachment<'a> {
    fn of_enclosure(file: &'a Enclosure) -> JsonAttachment<'a> {
        JsonAttachment { url: &file.url, mime_type: &file.media_type, size_in_bytes: file.length }
    }
}

#[derive(Serialize)]
struct JsonExtension<'a> {
    about: &'static str,
    story_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    storyline_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    developments: Vec<JsonDevelopment>,
    reports: Vec<JsonReport>,
}

/// Another story of the storyline.
#[derive(Serialize)]
struct JsonDevelopment {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    outlets: u32,
    date: String,
    own_entry: bool,
}

#[derive(Serialize)]
struct JsonReport {
    outlet: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    outlet_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reporter: Option<String>,
    title: String,
    /// The language if the story has reports in several languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    date: String,
    copy: bool,
}

fn json_development(development: &Development) -> JsonDevelopment {
    JsonDevelopment {
        title: strip_invalid_chars(&development.title),
        language: development.lang.clone(),
        url: development.link.as_deref().map(encode_uri),
        outlets: development.outlet_count,
        date: rfc3339(development.at),
        own_entry: development.has_entry,
    }
}

pub fn render(document: &FeedDocument<'_>) -> Vec<u8> {
    let items = document.entries.iter().map(|entry| JsonItem {
        _newsfold: JsonExtension {
            about: "The items that report this story, in order of their dates.",
            story_url: &entry.page,
            storyline_url: entry.storyline.as_deref(),
            developments: entry.developments.iter().map(json_development).collect(),
            reports: entry
                .reports
                .iter()
                .map(|report| JsonReport {
                    outlet: strip_invalid_chars(&report.outlet),
                    outlet_name: report.outlet_name.as_deref().map(strip_invalid_chars),
                    reporter: report.reporter.as_deref().map(strip_invalid_chars),
                    title: strip_invalid_chars(&report.title),
                    language: report.lang.clone(),
                    url: report.url.as_deref().map(encode_uri),
                    date: rfc3339(report.at),
                    copy: report.is_copy,
                })
                .collect(),
        },
        id: &entry.id,
        url: &entry.link,
        title: &entry.title,
        summary: &entry.summary,
        content_html: &entry.html,
        image: entry.image.as_deref(),
        date_published: rfc3339(entry.published_at),
        date_modified: rfc3339(entry.updated_at),
        authors: entry.authors.iter().map(|name| JsonAuthor { name }).collect(),
        tags: entry.tags,
        language: entry.lang,
        attachments: entry.enclosures.iter().map(JsonAttachment::of_enclosure).collect(),
    });
    let feed = JsonFeed {
        version: "https://jsonfeed.org/version/1.1",
        title: strip_invalid_chars(&document.title),
        description: strip_invalid_chars(&document.description),
        favicon: document.options.url("favicon.svg"),
        home_page_url: &document.home,
        feed_url: document.url(&document.self_path, FeedFormat::Json),
        next_url: document.previous.as_ref().map(|older| document.url(older, FeedFormat::Json)),
        hubs: document.hubs.iter().map(|url| JsonHub { kind: "WebSub", url }).collect(),
        items: items.collect(),
    };
    // Serializing strings and lists into memory cannot fail.
    let mut bytes = serde_json::to_vec_pretty(&feed).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
