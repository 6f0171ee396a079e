//! A story as an entry, the same in all formats: title, link, text and the list of all outlets' items.

use super::Options;
use crate::domain::text::without_credentials;
use crate::domain::{EditionReport, FeedEntry, Story, StoryItem, Timestamp};
use crate::html;
use std::fmt::Write;

/// What the formats write of a story, or of one of its items.
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
    pub image: Option<String>,
    pub lang: Option<&'a str>,
    pub tags: &'a [String],
    pub source: Source,
    pub reports: &'a [EditionReport],
}

/// The feed from which the text is.
pub(super) struct Source {
    pub url: String,
    pub title: String,
    /// When the item came from there that is shown.
    pub updated_at: Timestamp,
}

impl<'a> Entry<'a> {
    /// A story as its edition says it.
    pub fn of_story(entry: &'a FeedEntry, options: &Options) -> Entry<'a> {
        let FeedEntry { published, edition } = entry;
        let text = &edition.text;
        let page = options.url(&format!("stories/{}", edition.story));
        let mut html = own_text(text.article.as_deref(), text.content.as_deref(), &text.summary);
        push_reports(&mut html, &text.reports, &page, options.evidence);
        let lead_at = text.reports.iter().find(|report| report.item == text.lead).map(|report| report.at);
        Entry {
            id: uuid(&format!("newsfold story {}", edition.story)),
            title: clean(&text.title),
            link: published.link.as_deref().map_or_else(|| page.clone(), uri),
            author: clean(&text.source_title),
            published_at: published.at,
            updated_at: edition.made_at.max(published.at),
            summary: clean(&text.summary),
            html: clean(&html),
            image: text.image.as_deref().map(uri),
            lang: text.lang.as_deref().filter(|lang| is_language(lang)),
            tags: &text.tags,
            source: Source {
                url: uri(&text.source_url),
                title: clean(&text.source_title),
                updated_at: lead_at.unwrap_or(published.at),
            },
            page,
            reports: &text.reports,
        }
    }

    /// One outlet's item, for those who follow its story.
    pub fn of_item(report: &'a StoryItem, story: &'a Story, instance: &str, options: &Options) -> Entry<'a> {
        let item = &report.item;
        let page = options.url(&format!("stories/{}", story.id));
        let article = item.article.as_ref().filter(|article| article.may_be_published);
        let text = own_text(article.map(|article| article.text.as_str()), item.content.as_deref(), &item.summary);
        Entry {
            id: uuid(&format!("newsfold item {instance} {}", item.id)),
            title: clean(&item.title),
            link: item.url.as_deref().map_or_else(|| page.clone(), uri),
            author: clean(&item.source_title),
            published_at: item.ranked_at,
            updated_at: item.ranked_at,
            summary: clean(&item.summary),
            html: clean(&text),
            image: item.image.as_deref().map(uri),
            lang: item.lang.as_deref().filter(|lang| is_language(lang)),
            tags: &[],
            source: Source { url: uri(&item.source_url), title: clean(&item.source_title), updated_at: item.ranked_at },
            page,
            reports: &[],
        }
    }
}

/// The article where it may be published, else the item's content, else its summary.
fn own_text(article: Option<&str>, content: Option<&str>, summary: &str) -> String {
    let paragraph = |text: &str| format!("<p>{}</p>", html::escape(text));
    match (article, content) {
        (Some(article), _) => article.lines().map(paragraph).collect(),
        // Sanitised when it came in, and again now: what is in the database is not taken on trust.
        (None, Some(content)) => html::sanitise(content, None),
        (None, None) if summary.is_empty() => String::new(),
        (None, None) => paragraph(summary),
    }
}

/// Every outlet's item with its link and time.
fn push_reports(out: &mut String, reports: &[EditionReport], page: &str, evidence: bool) {
    out.push_str("<ul>");
    for report in reports {
        let title = html::escape(&report.title);
        out.push_str("<li>");
        match &report.url {
            Some(url) => {
                let _ = write!(out, "<a href=\"{}\">{title}</a>", html::escape(&uri(url)));
            }
            None => out.push_str(&title),
        }
        let _ = write!(out, " — {}, {}", html::escape(&report.outlet), utc(report.at));
        if report.copy {
            out.push_str(" (the same text)");
        }
        if let Some(why) = report.why.as_deref().filter(|_| evidence) {
            let _ = write!(out, "; {}", html::escape(why));
        }
        out.push_str("</li>");
    }
    let _ = write!(out, "</ul><p><a href=\"{}\">All reports of this story</a></p>", html::escape(page));
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

/// Without the characters that XML 1.0 forbids (section 2.2), which the writers would pass on as they are, and without
/// those that it allows and nobody can read: further control characters and noncharacters.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\u{85}' { ' ' } else { c })
        .filter(|c| match c {
            '\t' | '\n' | '\r' => true,
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fdd0}'..='\u{fdef}' => false,
            c => u32::from(*c) & 0xfffe != 0xfffe,
        })
        .collect()
}

/// A link as RFC 3986 wants it, without credentials. Browsers, and so outlets, are content with less: what it does not
/// allow is percent-encoded, and leads to the same place.
pub(super) fn uri(link: &str) -> String {
    let link = clean(&without_credentials(link));
    let after_scheme = link.find("://").map_or(0, |at| at + 3);
    let host_end = link[after_scheme..].find(['/', '?', '#']).map_or(link.len(), |at| after_scheme + at);
    let mut out = String::with_capacity(link.len());
    let mut in_fragment = false;
    for (at, c) in link.char_indices() {
        let is_escape = || link.as_bytes().get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let allowed = match c {
            '%' => is_escape(),
            '[' | ']' => at < host_end,
            '#' => !std::mem::replace(&mut in_fragment, true),
            c => c.is_ascii_alphanumeric() || "-._~:/?@!$&'()*+,;=".contains(c),
        };
        if allowed {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| {
                let _ = write!(out, "%{byte:02X}");
            });
        }
    }
    out
}

/// Whether it has the form of a language tag (RFC 5646), as far as validators look: what sources write there is anything.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
