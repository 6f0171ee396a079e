//! JSON Feed 1.1 (jsonfeed.org/version/1.1). Our own reports stand in `_newsfold`, as its section on extensions asks.

use super::entry::{entries, rfc3339};
use super::{FeedDocument, Format};
use serde::Serialize;

#[derive(Serialize)]
struct Feed<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: String,
    feed_url: String,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: String,
    url: String,
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    summary: String,
    content_html: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    date_published: String,
    date_modified: String,
    authors: [Author; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    _newsfold: Extension<'a>,
}

#[derive(Serialize)]
struct Author {
    name: String,
}

#[derive(Serialize)]
struct Extension<'a> {
    about: &'static str,
    story_url: String,
    reports: Vec<Report<'a>>,
}

#[derive(Serialize)]
struct Report<'a> {
    outlet: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    date: String,
    copy: bool,
}

pub(super) fn render(document: &FeedDocument<'_>) -> Vec<u8> {
    let items = entries(document).map(|entry| Item {
        _newsfold: Extension {
            about: "The items that report this story, in order of their dates.",
            story_url: entry.page,
            reports: entry
                .items
                .iter()
                .map(|report| Report {
                    outlet: &report.item.outlet,
                    title: &report.item.title,
                    url: report.item.url.as_deref(),
                    date: rfc3339(report.item.ranked_at),
                    copy: report.copy_of.is_some(),
                })
                .collect(),
        },
        id: entry.id,
        url: entry.link,
        title: entry.title,
        summary: entry.summary,
        content_html: entry.html,
        image: entry.image,
        date_published: rfc3339(entry.published_at),
        date_modified: rfc3339(entry.updated_at),
        authors: [Author { name: entry.author }],
        language: entry.lead.item.lang.as_deref(),
    });
    let feed = Feed {
        version: "https://jsonfeed.org/version/1.1",
        title: &document.feed.title,
        home_page_url: document.options.url(""),
        feed_url: document.url(Format::Json),
        items: items.collect(),
    };
    // Writing strings and lists into memory cannot fail.
    let mut bytes = serde_json::to_vec_pretty(&feed).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
