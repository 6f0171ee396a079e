//! Extracts the article from a news page: its headline and its paragraphs, without boxes, menus and teasers.
//!
//! The functions are pure: they send no requests and run no scripts. First, elements whose name, role or class shows
//! that they do not belong to the article are removed ([`non_article_elements`]). Then the best of three candidates is chosen as the
//! article element ([`body_element`]), and blocks of clutter are removed from it ([`clutter`], [`page_clutter`]).

mod body_element;
pub(super) mod buttons;
pub(super) mod clutter;
pub(super) mod footers;
pub(super) mod invitations;
pub(super) mod labels;
pub(super) mod more_links;
mod non_article_elements;
mod page_clutter;
pub(super) mod syndication_line;
pub(super) mod text_block;
pub(super) mod words;

use self::body_element::BodyText;
use self::non_article_elements::remove_boxes;
use self::page_clutter::mark_page_clutter;
use self::text_block::text_blocks_of;
use super::page_tree::parse_page;
use crate::domain::display_text::one_line;
use dom_query::Document;
use dom_smoothie::{Config, Readability};
use url::Url;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractedArticle {
    pub headline: Option<String>,
    /// The paragraphs of the article as plain text, in order.
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

/// The limits for parsing a page, which takes time proportional to the size and depth of the page. Pages of news sites
/// have a few hundred KiB and about forty levels, and some contain several MiB of scripts.
const MAX_PAGE_BYTES: usize = 4 << 20;
const MAX_PAGE_DEPTH: usize = 150;
const MAX_PAGE_ELEMENTS: usize = 50_000;
const MAX_HEADLINE_CHARS: usize = 500;
const MAX_PARAGRAPHS: usize = 500;
const MAX_PARAGRAPH_BYTES: usize = 4_000;
/// The minimum length of an article in bytes. Shorter text is a caption.
const MIN_TEXT_BYTES: usize = 140;

/// Extracts the article of the page at `url`. Reads at most 4 MiB of the page.
///
/// # Errors
///
/// Returns [`NoArticle`] if the tree of the page would be too large, or if no text of at least 140 bytes is found.
pub fn extract_article(page: &str, url: &Url) -> Result<ExtractedArticle, NoArticle> {
    let page = &page[..page.floor_char_boundary(MAX_PAGE_BYTES)];
    let document = parse_page(page, MAX_PAGE_DEPTH).ok_or(NoArticle::TooComplex)?;
    let canonical_link = canonical_link(&document, url);
    let h1 = document.select("h1").nodes().iter().find(|h1| !h1.text().trim().is_empty()).map(|h1| (h1.id, h1.text()));
    let headline = h1.as_ref().and_then(|(_, text)| one_line_headline(text)).or_else(|| declared_headline(&document));
    remove_boxes(&document, h1.map(|(id, _)| id));
    let title = headline.as_deref();
    let (marked, densest) = (BodyText::marked(&document, title), BodyText::densest(&document, title));
    let whole = BodyText::new(text_blocks_of(&document.root()), title);
    let (mut readable, readable_title) = readable_text(document, url, title).unwrap_or_default();
    readable.mark_clutter_of(&whole);
    let body = BodyText::choose(marked, readable, densest, whole);
    let mut paragraphs = article_paragraphs(body, url);
    let headline = headline.or_else(|| one_line_headline(&readable_title));
    paragraphs.truncate(MAX_PARAGRAPHS);
    for paragraph in &mut paragraphs {
        paragraph.truncate(paragraph.floor_char_boundary(MAX_PARAGRAPH_BYTES));
    }
    if paragraphs.iter().map(String::len).sum::<usize>() < MIN_TEXT_BYTES {
        return Err(NoArticle::NoText);
    }
    Ok(ExtractedArticle { headline, paragraphs, canonical_link })
}

fn one_line_headline(text: &str) -> Option<String> {
    Some(one_line(text, MAX_HEADLINE_CHARS)).filter(|headline| !headline.is_empty())
}

/// Returns the headline that a page without an `<h1>` declares (Open Graph).
fn declared_headline(document: &Document) -> Option<String> {
    document.select("meta[property='og:title']").attr("content").as_deref().and_then(one_line_headline)
}

/// Returns the text and the title that Mozilla's Readability finds.
fn readable_text(document: Document, url: &Url, headline: Option<&str>) -> Option<(BodyText, String)> {
    let config =
        Config { max_elements_to_parse: MAX_PAGE_ELEMENTS, char_threshold: MIN_TEXT_BYTES, ..Config::default() };
    let article = Readability::with_document(document, Some(url.as_str()), Some(config)).ok()?.parse().ok()?;
    let content = parse_page(&article.content, 2 * MAX_PAGE_DEPTH)?;
    Some((BodyText::new(text_blocks_of(&content.root()), headline), article.title))
}

fn article_paragraphs(body: BodyText, url: &Url) -> Vec<String> {
    let BodyText { blocks, mut is_clutter, .. } = body;
    mark_page_clutter(&blocks, url, &mut is_clutter);
    blocks.into_iter().zip(is_clutter).filter(|(_, is_clutter)| !is_clutter).map(|(block, _)| block.text).collect()
}

/// Returns the canonical link. Ignores a link to another host: the page is syndicated, or the link is wrong.
fn canonical_link(document: &Document, url: &Url) -> Option<Url> {
    let link = document.select("link[rel~=canonical]").iter().next()?;
    let mut canonical = url.join(link.attr("href")?.trim()).ok()?;
    canonical.set_fragment(None);
    let is_same_host = matches!(canonical.scheme(), "http" | "https") && canonical.host() == url.host();
    is_same_host.then_some(canonical)
}

#[cfg(test)]
mod tests;
