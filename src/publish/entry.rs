//! A story as an entry, the same in all formats: title, link, text and the list of all outlets' items.

use super::FeedDocument;
use crate::html;
use crate::model::{Story, StoryItem, Timestamp};
use std::fmt::Write;

/// What the formats write of a story.
pub(super) struct Entry<'a> {
    pub id: String,
    pub title: String,
    /// The frozen link of the lead, or the story's own page where the lead has none.
    pub link: String,
    pub page: String,
    pub author: String,
    pub published_at: Timestamp,
    pub updated_at: Timestamp,
    pub summary: String,
    pub html: String,
    pub image: Option<&'a str>,
    pub lead: &'a StoryItem,
    pub items: &'a [StoryItem],
}

/// The entries of a feed. A story without an item or without a date is not published.
pub(super) fn entries<'a>(document: &'a FeedDocument<'a>) -> impl Iterator<Item = Entry<'a>> {
    document.stories.iter().filter_map(|story| entry(document, story))
}

fn entry<'a>(document: &FeedDocument<'_>, story: &'a Story) -> Option<Entry<'a>> {
    let lead = story.lead()?;
    let published = story.published.as_ref()?;
    let page = document.options.url(&format!("stories/{}", story.id));
    Some(Entry {
        id: uuid(&format!("newsfold story {}", story.id)),
        title: clean(&lead.item.title),
        link: published.link.as_deref().map_or_else(|| page.clone(), clean),
        author: clean(&lead.item.source_title),
        published_at: published.at,
        updated_at: story.updated_at.max(published.at),
        summary: clean(&lead.item.summary),
        html: clean(&content(story, lead, &page, document.options.evidence)),
        image: lead.item.image.as_deref(),
        page,
        lead,
        items: &story.items,
    })
}

/// The lead's text, then every outlet's item with its link and time.
fn content(story: &Story, lead: &StoryItem, page: &str, evidence: bool) -> String {
    let mut out = String::new();
    let article = lead.item.article.as_ref().filter(|article| article.may_be_published);
    match &lead.item.content {
        _ if article.is_some() => {
            for paragraph in article.into_iter().flat_map(|article| article.text.lines()) {
                let _ = write!(out, "<p>{}</p>", html::escape(paragraph));
            }
        }
        // Sanitised when it came in, and again now: what is in the database is not taken on trust.
        Some(content) => out.push_str(&html::sanitise(content, None)),
        None if !lead.item.summary.is_empty() => {
            let _ = write!(out, "<p>{}</p>", html::escape(&lead.item.summary));
        }
        None => {}
    }
    out.push_str("<ul>");
    for report in &story.items {
        let item = &report.item;
        let title = html::escape(&item.title);
        out.push_str("<li>");
        match &item.url {
            Some(url) => {
                let _ = write!(out, "<a href=\"{}\">{title}</a>", html::escape(url));
            }
            None => out.push_str(&title),
        }
        let _ = write!(out, " — {}, {}", html::escape(&item.outlet), utc(item.ranked_at));
        if report.copy_of.is_some() {
            out.push_str(" (the same text)");
        }
        if let Some(why) = report.evidence.short().filter(|_| evidence) {
            let _ = write!(out, "; {}", html::escape(&why));
        }
        out.push_str("</li>");
    }
    let _ = write!(out, "</ul><p><a href=\"{}\">All reports of this story</a></p>", html::escape(page));
    out
}

fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// RFC 3339 to the second.
pub(super) fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// RFC 822 with a four-digit year, as RSS 2.0 wants it.
pub(super) fn rfc822(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A URN made from a name: a UUID of version 8 (RFC 9562, section 5.8), the same for the same name.
pub(super) fn uuid(name: &str) -> String {
    let hash = xxhash_rust::xxh3::xxh3_128(name.as_bytes());
    let bits = hash & !(0xf << 76) & !(0x3 << 62) | (8 << 76) | (2 << 62);
    let hex = format!("{bits:032x}");
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Without the characters that XML 1.0 forbids (section 2.2): the writers would pass them on as they are.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))
        .collect()
}
