//! The article on a news page: its headline and its paragraphs, and nothing of what stands around them.
//!
//! Pure: a page in, a text out. It fetches nothing, runs nothing, and builds no tree over a page that was not bounded
//! first. Boxes are dropped by what their elements say of themselves, then by Mozilla's Readability (as dom_smoothie has
//! it), then by how their lines read.

use super::boilerplate::remove_teasers;
use super::page_tree::parse_page;
use super::plain_text::page_text_blocks;
use crate::domain::display_text::one_line;
use dom_query::Document;
use dom_smoothie::{Config, Readability};
use url::Url;

/// What was read on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractedArticle {
    pub headline: Option<String>,
    /// Plain text, in order.
    pub paragraphs: Vec<String>,
    /// The address that the page calls its own (RFC 6596), where it is one of the same host.
    pub canonical: Option<Url>,
}

/// Why a page gave no article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoArticle {
    #[error("the page is nested too deep, or out of proportion in another way")]
    TooDeep,
    #[error("there is no article on the page")]
    NoText,
}

/// Bytes of a page that are looked at, and how deep its elements may be nested: reading it takes time by the product of
/// the two. The pages of news sites have a few hundred KiB and forty levels.
const MAX_BYTES: usize = 1 << 20;
const MAX_PAGE_DEPTH: usize = 150;
/// Elements of a page that are looked at.
const MAX_ELEMENTS: usize = 50_000;
/// Paragraphs that are kept, and characters of each.
const MAX_PARAGRAPHS: usize = 200;
const MAX_PARAGRAPH: usize = 4_000;
/// Characters of a headline that are kept.
const MAX_HEADLINE_CHARS: usize = 500;
/// Letters from which on a text is an article rather than a caption.
const MIN_TEXT: usize = 140;

/// Elements that are never an article's text.
const NEVER: &str = "nav, aside, footer, form, button, dialog, template, iframe, svg, script, style, noscript, select, \
                     [role=navigation], [role=complementary], [role=banner], [role=contentinfo], [role=dialog], \
                     [aria-hidden=true], [hidden]";

/// Words by which pages name their boxes, in classes and ids.
const BOXES: &[&str] = &[
    "share",
    "sharing",
    "social",
    "related",
    "teaser",
    "teasers",
    "recommended",
    "recommendation",
    "recommendations",
    "recirculation",
    "newsletter",
    "promo",
    "promos",
    "comment",
    "comments",
    "sidebar",
    "breadcrumb",
    "breadcrumbs",
    "menu",
    "trending",
    "mostread",
    "mostpopular",
    "popular",
    "dontmiss",
    "readmore",
    "readnext",
    "outbrain",
    "taboola",
    "cookie",
    "consent",
    "subscribe",
    "subscription",
    "advert",
    "advertisement",
    "ad",
    "ads",
    "sponsored",
    "toolbar",
    "popup",
    "modal",
    "signup",
    "byline",
    "tags",
    "disqus",
    "footer",
    "navigation",
    "navbar",
    "caption",
    "copyright",
];

/// Reads the article of the page at `url`.
pub fn extract_article(page: &str, url: &Url) -> Result<ExtractedArticle, NoArticle> {
    let page = &page[..page.floor_char_boundary(MAX_BYTES)];
    let document = parse_page(page, MAX_PAGE_DEPTH).ok_or(NoArticle::TooDeep)?;
    let canonical = canonical(&document, url);
    let headline =
        document.select("h1").iter().map(|h1| one_line(&h1.text(), MAX_HEADLINE_CHARS)).find(|text| !text.is_empty());
    document.select(NEVER).remove();
    drop_boxes(&document);
    let config = Config { max_elements_to_parse: MAX_ELEMENTS, char_threshold: MIN_TEXT, ..Config::default() };
    let mut readability =
        Readability::with_document(document, Some(url.as_str()), Some(config)).map_err(|_| NoArticle::NoText)?;
    let read = readability.parse().map_err(|_| NoArticle::NoText)?;
    let headline =
        headline.or_else(|| Some(one_line(&read.title, MAX_HEADLINE_CHARS)).filter(|title| !title.is_empty()));
    let mut paragraphs = remove_teasers(page_text_blocks(&read.content));
    paragraphs.retain(|paragraph| Some(paragraph) != headline.as_ref());
    paragraphs.truncate(MAX_PARAGRAPHS);
    for paragraph in &mut paragraphs {
        paragraph.truncate(paragraph.floor_char_boundary(MAX_PARAGRAPH));
    }
    if paragraphs.iter().map(String::len).sum::<usize>() < MIN_TEXT {
        return Err(NoArticle::NoText);
    }
    Ok(ExtractedArticle { headline, paragraphs, canonical })
}

/// Drops what calls itself a box. What holds a headline of the page or most of it is none, whatever it is called.
fn drop_boxes(document: &Document) {
    let whole = document.text().len();
    for element in document.select("[class], [id]").iter() {
        let name = |attribute: &str| element.attr(attribute).map(|value| value.to_string()).unwrap_or_default();
        let is_box = [name("class"), name("id")].iter().any(|value| names_a_box(value));
        if is_box && !element.is("html, body, main, article, h1, p") && element.select("h1, article").is_empty() {
            let share = element.text().len() * 2;
            if share < whole {
                element.remove();
            }
        }
    }
}

fn names_a_box(value: &str) -> bool {
    value.split_whitespace().any(|class| {
        let folded = class.to_ascii_lowercase();
        let joined: String = folded.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let mut words = folded.split(|c: char| !c.is_ascii_alphanumeric());
        BOXES.contains(&joined.as_str()) || words.any(|word| BOXES.contains(&word))
    })
}

fn canonical(document: &Document, url: &Url) -> Option<Url> {
    let link = document.select("link[rel~=canonical]").iter().next()?;
    let mut canonical = url.join(link.attr("href")?.trim()).ok()?;
    canonical.set_fragment(None);
    // A page that calls another site's address its own is syndicated, or lies.
    let same = matches!(canonical.scheme(), "http" | "https") && canonical.host() == url.host();
    same.then_some(canonical)
}

#[cfg(test)]
mod tests;
