//! JSON Feed 1.1 (jsonfeed.org/version/1.1). Our own reports stand in `_newsfold`, as its section on extensions asks.

use super::Format;
use super::document::FeedDocument;
use super::entry::{clean, rfc3339, uri};
use serde::Serialize;

#[derive(Serialize)]
struct Feed<'a> {
    version: &'static str,
    title: String,
    description: String,
    favicon: String,
    home_page_url: &'a str,
    feed_url: String,
    /// The items that came before these.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<Hub<'a>>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Hub<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
struct Item<'a> {
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
    authors: [Author<'a>; 1],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    _newsfold: Extension<'a>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Extension<'a> {
    about: &'static str,
    story_url: &'a str,
    reports: Vec<Report>,
}

#[derive(Serialize)]
struct Report {
    outlet: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    date: String,
    copy: bool,
}

pub(super) fn render(document: &FeedDocument<'_>) -> Vec<u8> {
    let items = document.entries.iter().map(|entry| Item {
        _newsfold: Extension {
            about: "The items that report this story, in order of their dates.",
            story_url: &entry.page,
            reports: entry
                .reports
                .iter()
                .map(|report| Report {
                    outlet: clean(&report.outlet),
                    title: clean(&report.title),
                    url: report.url.as_deref().map(uri),
                    date: rfc3339(report.at),
                    copy: report.copy,
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
        authors: [Author { name: &entry.author }],
        tags: entry.tags,
        language: entry.lang,
    });
    let feed = Feed {
        version: "https://jsonfeed.org/version/1.1",
        title: clean(&document.title),
        description: clean(&document.description),
        favicon: document.options.url("favicon.svg"),
        home_page_url: &document.home,
        feed_url: document.url(&document.itself, Format::Json),
        next_url: document.previous.as_ref().map(|older| document.url(older, Format::Json)),
        hubs: document.hubs.iter().map(|url| Hub { kind: "WebSub", url }).collect(),
        items: items.collect(),
    };
    // Writing strings and lists into memory cannot fail.
    let mut bytes = serde_json::to_vec_pretty(&feed).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
