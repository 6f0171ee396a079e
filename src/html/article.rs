//! The article on a news page: its headline and its paragraphs, without boxes, menus and teasers.
//!
//! Pure: takes a page and returns text. Never fetches and never runs a script. Three steps remove what is not the article:
//! elements that are boxes by name, role or class, then Mozilla's Readability (dom_smoothie), then lines that read like
//! teasers.

use super::boilerplate::remove_teasers;
use super::page_tree::parse_page;
use super::plain_text::page_text_blocks;
use crate::domain::display_text::one_line;
use dom_query::{Document, Selection};
use dom_smoothie::{Config, Readability};
use url::Url;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractedArticle {
    pub headline: Option<String>,
    /// Plain text, in order.
    pub paragraphs: Vec<String>,
    /// The canonical link of the page (RFC 6596), if it is on the same host.
    pub canonical_link: Option<Url>,
}

/// Why no article was extracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoArticle {
    #[error("the page is too deeply nested or too complex")]
    TooComplex,
    #[error("no article found on the page")]
    NoText,
}

/// Parsing and reading a page takes time proportional to its size and depth. Pages of news sites have a few hundred KiB
/// and forty levels.
const MAX_PAGE_BYTES: usize = 1 << 20;
const MAX_PAGE_DEPTH: usize = 150;
const MAX_PAGE_ELEMENTS: usize = 50_000;
const MAX_HEADLINE_CHARS: usize = 500;
const MAX_PARAGRAPHS: usize = 200;
const MAX_PARAGRAPH_BYTES: usize = 4_000;
/// A shorter text is a caption, not an article.
const MIN_TEXT_BYTES: usize = 140;

/// Elements that never belong to the text of an article.
const NON_ARTICLE_ELEMENTS: &str = "nav, aside, footer, form, button, dialog, template, iframe, svg, script, style, noscript, select, \
     [role=navigation], [role=complementary], [role=banner], [role=contentinfo], [role=dialog], \
     [aria-hidden=true], [hidden]";

/// Words in the classes and ids of boxes.
#[rustfmt::skip]
const BOX_WORDS: &[&str] = &[
    "share", "sharing", "social", "related", "teaser", "teasers", "recommended", "recommendation", "recommendations",
    "recirculation", "newsletter", "promo", "promos", "comment", "comments", "sidebar", "breadcrumb", "breadcrumbs",
    "menu", "trending", "mostread", "mostpopular", "popular", "dontmiss", "readmore", "readnext", "outbrain", "taboola",
    "cookie", "consent", "subscribe", "subscription", "advert", "advertisement", "ad", "ads", "sponsored", "toolbar",
    "popup", "modal", "signup", "byline", "tags", "disqus", "footer", "navigation", "navbar", "caption", "copyright",
];

/// Extracts the article of the page at `url`. Pages are cut at 1 MiB.
///
/// # Errors
///
/// [`NoArticle`] if the tree of the page would be too large, or if no text of at least 140 bytes is found.
pub fn extract_article(page: &str, url: &Url) -> Result<ExtractedArticle, NoArticle> {
    let page = &page[..page.floor_char_boundary(MAX_PAGE_BYTES)];
    let document = parse_page(page, MAX_PAGE_DEPTH).ok_or(NoArticle::TooComplex)?;
    let canonical_link = canonical_link(&document, url);
    let h1 = document.select("h1").iter().find_map(|h1| headline(&h1.text()));
    document.select(NON_ARTICLE_ELEMENTS).remove();
    remove_boxes(&document);
    let config =
        Config { max_elements_to_parse: MAX_PAGE_ELEMENTS, char_threshold: MIN_TEXT_BYTES, ..Config::default() };
    let readability = Readability::with_document(document, Some(url.as_str()), Some(config));
    let article = readability.and_then(|mut readability| readability.parse()).map_err(|_| NoArticle::NoText)?;
    let headline = h1.or_else(|| headline(&article.title));
    let mut paragraphs = remove_teasers(page_text_blocks(&article.content));
    paragraphs.retain(|paragraph| Some(paragraph) != headline.as_ref());
    paragraphs.truncate(MAX_PARAGRAPHS);
    for paragraph in &mut paragraphs {
        paragraph.truncate(paragraph.floor_char_boundary(MAX_PARAGRAPH_BYTES));
    }
    if paragraphs.iter().map(String::len).sum::<usize>() < MIN_TEXT_BYTES {
        return Err(NoArticle::NoText);
    }
    Ok(ExtractedArticle { headline, paragraphs, canonical_link })
}

fn headline(text: &str) -> Option<String> {
    Some(one_line(text, MAX_HEADLINE_CHARS)).filter(|headline| !headline.is_empty())
}

/// Removes elements whose class or id names a box, except those that contain a headline or most of the page.
fn remove_boxes(document: &Document) {
    let page_bytes = document.text().len();
    for element in document.select("[class], [id]").iter() {
        let is_box = ["class", "id"].iter().any(|name| element.attr(name).is_some_and(|value| names_box(&value)));
        if is_box && !contains_headline(&element) && element.text().len() * 2 < page_bytes {
            element.remove();
        }
    }
}

fn contains_headline(element: &Selection<'_>) -> bool {
    element.is("html, body, main, article, h1, p") || element.select("h1, article").exists()
}

/// Whether a class attribute or an id contains a box word, as in `share-bar`, or is one, as in `most-read`.
fn names_box(value: &str) -> bool {
    value.split_whitespace().any(|class| {
        let lower = class.to_ascii_lowercase();
        let joined: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
        BOX_WORDS.contains(&joined.as_str()) || words.any(|word| BOX_WORDS.contains(&word))
    })
}

/// A canonical link to another host is ignored: the page is syndicated, or the link is wrong.
fn canonical_link(document: &Document, url: &Url) -> Option<Url> {
    let link = document.select("link[rel~=canonical]").iter().next()?;
    let mut canonical = url.join(link.attr("href")?.trim()).ok()?;
    canonical.set_fragment(None);
    let is_same_host = matches!(canonical.scheme(), "http" | "https") && canonical.host() == url.host();
    is_same_host.then_some(canonical)
}

#[cfg(test)]
mod tests;
