//! The feed entry for a story or for one of its items. All formats contain the same entry.

use super::report_list::{Lead, byline, counts_line, headline_html, isolated, language_mark, push_reports};
use super::value_format::{encode_uri, strip_invalid_chars, uuid_urn};
use crate::domain::language::{is_right_to_left, other_language};
use crate::domain::{Development, EditionReport, Enclosure, FeedEntry, SourceId, Story, StoryItem, Timestamp};
use crate::html::sanitize::sanitize_html;
use crate::markup::entities::escape_html;
use crate::publish::edition_text::site_of_item;
use crate::publish::options::Options;
use crate::wording::count_of;
use std::fmt::Write;

/// The values of an entry. Text contains no characters that XML forbids, and links are valid URIs.
pub struct DocumentEntry<'a> {
    /// A permanent URN.
    pub id: String,
    pub title: String,
    /// The link of the edition or the item, or the story's page if there is none.
    pub link: String,
    /// The URL of the story's page.
    pub page: String,
    /// The authors that the item names, and its outlet.
    pub authors: Vec<String>,
    pub published_at: Timestamp,
    pub updated_at: Timestamp,
    pub summary: String,
    pub html: String,
    pub image: Option<String>,
    pub enclosures: Vec<Enclosure>,
    pub lang: Option<&'a str>,
    pub tags: &'a [String],
    pub source: EntrySource,
    pub reports: &'a [EditionReport],
    /// The other stories of the storyline.
    pub developments: &'a [Development],
    /// The URL of the storyline's page, if the entry lists other stories of the storyline.
    pub storyline: Option<String>,
}

/// The feed that the entry's text comes from. Documents omit its URL, which may contain a secret.
pub struct EntrySource {
    /// A permanent URN.
    pub id: String,
    /// The start page of its site.
    pub site: Option<String>,
    pub title: String,
    /// The date of the item.
    pub updated_at: Timestamp,
}

impl<'a> DocumentEntry<'a> {
    /// Creates the entry for an edition of a story.
    pub fn from_edition(entry: &'a FeedEntry, options: &Options) -> DocumentEntry<'a> {
        let FeedEntry { published_at, edition } = entry;
        let text = &edition.text;
        let page = options.url(&format!("stories/{}", edition.story));
        let mut html = counts_line(edition.outlet_count, &text.reports).unwrap_or_default();
        let body = body_html(text.article.as_deref(), text.content.as_deref(), &text.summary);
        let body = if html.is_empty() { body } else { in_paragraph(body) };
        html.push_str(&with_direction(body, text.lang.as_deref()));
        let lead = Lead { item: text.lead, lang: text.lang.as_deref() };
        push_reports(&mut html, &text.reports, lead, &page, options);
        let storyline = text.storyline.map(|storyline| options.url(&format!("storylines/{storyline}")));
        if let Some(storyline) = &storyline {
            push_developments(&mut html, (&text.developments, text.lang.as_deref()), storyline, options);
        }
        let lead_report = text.reports.iter().find(|report| report.item == text.lead);
        DocumentEntry {
            id: uuid_urn(&format!("newsfold story {}", edition.story)),
            title: strip_invalid_chars(&text.title),
            link: text.link.as_deref().map_or_else(|| page.clone(), encode_uri),
            authors: authors(text.author.as_deref(), &lead_report.map_or_else(|| text.source_title.clone(), byline)),
            published_at: *published_at,
            updated_at: edition.made_at.max(*published_at),
            summary: strip_invalid_chars(&text.summary),
            html: strip_invalid_chars(&html),
            image: text.image.as_deref().map(encode_uri),
            enclosures: encode_enclosures(&text.enclosures),
            lang: text.lang.as_deref(),
            tags: &text.tags,
            source: EntrySource {
                id: source_id(text.source, text.site.as_deref()),
                site: text.site.clone(),
                title: strip_invalid_chars(&text.source_title),
                updated_at: lead_report.map_or(*published_at, |report| report.at),
            },
            page,
            reports: &text.reports,
            developments: &text.developments,
            storyline,
        }
    }

    /// Returns the storyline as a category: the URL of the vocabulary, and the ID.
    pub(super) fn storyline_category(&self) -> Option<(&str, &str)> {
        self.storyline.as_deref()?.rsplit_once('/')
    }

    /// Creates the entry for one item, in the feed of its story.
    pub fn from_item(report: &'a StoryItem, story: &'a Story, instance: &str, options: &Options) -> DocumentEntry<'a> {
        let item = &report.item;
        let page = options.url(&format!("stories/{}", story.id));
        let article = item.article.as_ref().filter(|article| article.publishable);
        let body = body_html(article.map(|article| article.text.as_str()), item.content.as_deref(), &item.summary);
        let html = with_direction(body, item.lang.as_deref());
        let site = site_of_item(item);
        DocumentEntry {
            id: uuid_urn(&format!("newsfold item {instance} {}", item.id)),
            title: strip_invalid_chars(&item.title),
            link: item.url.as_deref().map_or_else(|| page.clone(), encode_uri),
            authors: authors(item.author.as_deref(), &item.byline()),
            published_at: item.ranked_at,
            updated_at: item.ranked_at,
            summary: strip_invalid_chars(&item.summary),
            html: strip_invalid_chars(&html),
            image: item.image.as_deref().map(encode_uri),
            enclosures: encode_enclosures(&item.enclosures),
            lang: item.lang.as_deref(),
            tags: &[],
            source: EntrySource {
                id: source_id(item.source, site.as_deref()),
                site,
                title: strip_invalid_chars(&item.source_title),
                updated_at: item.ranked_at,
            },
            page,
            reports: &[],
            developments: &[],
            storyline: None,
        }
    }
}

fn authors(named: Option<&str>, outlet: &str) -> Vec<String> {
    let outlet = strip_invalid_chars(outlet);
    let named = named.map(strip_invalid_chars).filter(|named| named.to_lowercase() != outlet.to_lowercase());
    named.into_iter().chain([outlet]).collect()
}

fn source_id(source: SourceId, site: Option<&str>) -> String {
    uuid_urn(&format!("newsfold source {source} {}", site.unwrap_or_default()))
}

fn encode_enclosures(enclosures: &[Enclosure]) -> Vec<Enclosure> {
    enclosures.iter().map(|file| Enclosure { url: encode_uri(&file.url), ..file.clone() }).collect()
}

/// Returns the full text if it may be published, otherwise the item's content, otherwise its summary.
fn body_html(article: Option<&str>, content: Option<&str>, summary: &str) -> String {
    let paragraph = |text: &str| format!("<p>{}</p>", escape_html(text));
    match (article, content) {
        (Some(article), _) => article.lines().map(paragraph).collect(),
        // Content is sanitized at ingest and again here, because the database is not trusted.
        (None, Some(content)) => sanitize_html(content, None),
        (None, None) if summary.is_empty() => String::new(),
        (None, None) => paragraph(summary),
    }
}

/// Elements that cannot be in a paragraph, or that readers show as separate blocks.
#[rustfmt::skip]
const BLOCK_ELEMENTS: [&str; 18] = [
    "<p>", "<p ", "<div", "<ul", "<ol", "<dl", "<table", "<blockquote", "<figure", "<pre", "<section", "<article",
    "<details", "<hr", "<h1", "<h2", "<h3", "<h4",
];

/// Returns inline content as a paragraph, because some readers show it on the same line as the paragraph before it.
fn in_paragraph(body: String) -> String {
    let is_inline = !BLOCK_ELEMENTS.iter().any(|element| body.contains(element));
    if is_inline && !body.trim().is_empty() { format!("<p>{body}</p>") } else { body }
}

/// Sets the direction of a text in a right-to-left language, because the language of a document does not set it.
fn with_direction(body: String, lang: Option<&str>) -> String {
    let is_right_to_left = lang.is_some_and(is_right_to_left);
    if is_right_to_left && !body.is_empty() { format!("<div dir=\"rtl\">{body}</div>") } else { body }
}

/// Appends the other stories of the storyline: first the stories without an entry, which are listed under their own
/// headlines, then the stories with an entry. Titles in a language other than that of the entry are marked.
fn push_developments(
    out: &mut String,
    (developments, language): (&[Development], Option<&str>),
    storyline: &str,
    options: &Options,
) {
    for (heading, has_entry) in [("Also in this storyline:", false), ("More on this:", true)] {
        let mut listed = developments.iter().filter(|development| development.has_entry == has_entry).peekable();
        if listed.peek().is_none() {
            continue;
        }
        let _ = write!(out, "<p>{heading}</p><ul>");
        for development in listed {
            let page = || options.url(&format!("stories/{}", development.story));
            let link = development.link.as_deref().filter(|_| !has_entry).map_or_else(page, encode_uri);
            let other_language = other_language(development.lang.as_deref(), language);
            let title = headline_html(&development.title, other_language);
            let outlet = isolated(&development.outlet);
            let outlets = match development.outlet_count {
                0 | 1 => outlet,
                outlets => format!("{outlet} and {}", count_of(outlets as usize - 1, "other outlet", "other outlets")),
            };
            let language = language_mark(other_language);
            let _ = write!(out, "<li><a href=\"{}\">{title}</a> — {outlets}{language}</li>", escape_html(&link));
        }
        out.push_str("</ul>");
    }
    let _ = write!(out, "<p><a href=\"{}\">All developments of this storyline</a></p>", escape_html(storyline));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StoryId;

    #[test]
    fn inline_content_becomes_a_paragraph_and_right_to_left_text_has_its_direction() {
        for (body, expected) in [
            ("Power is <b>out</b>", "<p>Power is <b>out</b></p>"),
            ("<p>Power is out</p>", "<p>Power is out</p>"),
            ("<ul><li>Power</li></ul>", "<ul><li>Power</li></ul>"),
            ("", ""),
        ] {
            assert_eq!(in_paragraph(body.into()), expected);
        }
        assert_eq!(with_direction("<p>خبر</p>".into(), Some("ar-EG")), "<div dir=\"rtl\"><p>خبر</p></div>");
        assert_eq!(with_direction("<p>News</p>".into(), Some("en")), "<p>News</p>");
    }

    #[test]
    fn stories_in_another_language_than_the_headline_are_marked() {
        let development = |lang: Option<&str>, title: &str| Development {
            story: StoryId::from_row(1),
            title: title.into(),
            lang: lang.map(str::to_owned),
            link: Some("https://a.example/1".into()),
            outlet: "A".into(),
            outlet_count: 2,
            at: Timestamp::UNIX_EPOCH,
            has_entry: false,
        };
        let developments =
            [development(Some("pl"), "Burza"), development(Some("en"), "Storm"), development(None, "Vento")];
        let mut html = String::new();
        push_developments(
            &mut html,
            (&developments, Some("en")),
            "https://n.example/storylines/1",
            &Options::default(),
        );
        for line in [
            "<li><a href=\"https://a.example/1\"><span lang=\"pl\">Burza</span></a> — A and 1 other outlet (Polish)</li>",
            "<li><a href=\"https://a.example/1\">Storm</a> — A and 1 other outlet</li>",
            "<li><a href=\"https://a.example/1\">Vento</a> — A and 1 other outlet</li>",
        ] {
            assert!(html.contains(line), "{html}");
        }
    }
}
