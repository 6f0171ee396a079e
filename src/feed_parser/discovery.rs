//! Feed autodiscovery: whether a document is an HTML page, and which feeds it links to.
//!
//! Declared feeds (`<link rel=alternate>`, WHATWG HTML §4.6.7.1) come first, then links whose URL looks like that of a
//! feed. Never builds a tree, never fetches: the result is a list of candidates.

use std::collections::HashSet;

use url::Url;

use super::parsed_feed::FeedKind;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::markup::whitespace::fold_non_blank;

/// A feed that an HTML page links to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLink {
    pub url: Url,
    pub title: Option<String>,
    /// The format that the link declares.
    pub kind: Option<FeedKind>,
}

/// A page with more links to feeds is a directory of feeds.
const MAX_LINKS: usize = 50;
const MAX_URL_BYTES: usize = 2048;

/// Whether a document is an HTML page, decided by the first element that only a feed or only a page can have.
pub fn is_html_page(text: &str) -> bool {
    let mut has_html_element = false;
    for token in Tokenizer::new(text) {
        let MarkupToken::Start(tag) = token else { continue };
        let local = tag.name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
        match local.as_str() {
            "rss" | "rdf" | "feed" | "channel" | "entry" | "opml" => return false,
            "html" | "head" | "body" => return true,
            "meta" | "script" | "div" | "p" | "h1" | "table" | "center" | "a" | "img" => has_html_element = true,
            _ => {}
        }
    }
    has_html_element
}

/// The feeds that a page links to: declared ones first, then guessed ones, each in document order.
pub fn linked_feeds(html: &str, page_url: &Url) -> Vec<FeedLink> {
    let mut base = page_url.clone();
    let (mut declared, mut guessed) = (Vec::new(), Vec::new());
    let mut tokens = Tokenizer::new(html);
    while let Some(token) = tokens.next() {
        let MarkupToken::Start(tag) = token else { continue };
        match tag.name.to_ascii_lowercase().as_str() {
            "script" | "style" => tokens.skip_raw_text(tag.name),
            "base" => base = tag.attribute("href").and_then(|href| page_url.join(href.trim()).ok()).unwrap_or(base),
            "link" if declared.len() < MAX_LINKS => declared.extend(declared_feed(tag, &base)),
            "a" if guessed.len() < MAX_LINKS => guessed.extend(guessed_feed(tag, &base)),
            _ => {}
        }
    }
    let mut seen = HashSet::new();
    let mut feeds: Vec<FeedLink> = declared.into_iter().chain(guessed).collect();
    feeds.retain(|feed| seen.insert(feed.url.clone()));
    feeds.truncate(MAX_LINKS);
    feeds
}

fn declared_feed(tag: StartTag, base: &Url) -> Option<FeedLink> {
    let relation = tag.attribute("rel")?.to_ascii_lowercase();
    let media_type = tag.attribute("type").unwrap_or_default().to_ascii_lowercase();
    let kind = match media_type.split(';').next().unwrap_or_default().trim() {
        "application/rss+xml" => Some(FeedKind::Rss),
        "application/rdf+xml" => Some(FeedKind::Rdf),
        "application/atom+xml" => Some(FeedKind::Atom),
        "application/feed+json" => Some(FeedKind::Json),
        _ => None,
    };
    let mut relations = relation.split_whitespace();
    // An alternate of type `application/json` is usually WordPress's API and not a JSON Feed.
    let is_feed = relations.any(|relation| relation == "feed" || (relation == "alternate" && kind.is_some()));
    if !is_feed {
        return None;
    }
    Some(FeedLink { url: link_url(tag, base)?, title: link_title(tag), kind })
}

fn guessed_feed(tag: StartTag, base: &Url) -> Option<FeedLink> {
    let url = link_url(tag, base)?;
    looks_like_feed(&url).then(|| FeedLink { url, title: link_title(tag), kind: None })
}

fn looks_like_feed(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    let path = path.trim_end_matches('/');
    let file_name = path.rsplit('/').next().unwrap_or_default();
    let query = url.query().unwrap_or_default().to_ascii_lowercase();
    const FILE_NAMES: [&str; 9] =
        ["feed", "feeds", "rss", "atom", "rss2", "rdf", "feed.json", "index.rdf", "index.xml"];
    const QUERIES: [&str; 5] = ["feed=rss", "feed=atom", "format=rss", "format=atom", "format=feed"];
    FILE_NAMES.contains(&file_name)
        || file_name.ends_with(".rss")
        || file_name.ends_with(".atom")
        || (file_name.ends_with(".xml") && ["rss", "feed", "atom"].iter().any(|word| path.contains(word)))
        || QUERIES.iter().any(|part| query.contains(part))
}

fn link_title(tag: StartTag) -> Option<String> {
    tag.attribute("title").and_then(|title| fold_non_blank(&title))
}

fn link_url(tag: StartTag, base: &Url) -> Option<Url> {
    let href = tag.attribute("href")?;
    let href = href.trim();
    // `feed:https://…` and `feed://…` address the browser's feed reader.
    let http = href.strip_prefix("feed://").map(|rest| format!("http://{rest}"));
    let href = http.as_deref().unwrap_or_else(|| href.strip_prefix("feed:").unwrap_or(href));
    let url = base.join(href).ok()?;
    let is_usable = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_URL_BYTES;
    (!href.is_empty() && is_usable).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &[&str]) {
        assert!(is_html_page(html));
        let found = linked_feeds(html, &Url::parse("https://news.example/world/").unwrap());
        assert_eq!(found.iter().map(|feed| feed.url.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn declared_feeds_come_before_guessed_ones() {
        check(
            "<html><body><a href=/world/rss>RSS</a><link rel='alternate' type=application/atom+xml href=a.xml></html>",
            &["https://news.example/world/a.xml", "https://news.example/world/rss"],
        );
    }

    #[test]
    fn base_element_resolves_links_and_repeated_links_are_dropped() {
        check(
            "<html><base href='https://cdn.example/x/'><link rel=alternate type='application/rss+xml' href=feed>\
             <a href='https://cdn.example/x/feed'>again</a>",
            &["https://cdn.example/x/feed"],
        );
    }

    #[test]
    fn links_in_scripts_and_of_other_schemes_are_ignored() {
        check(
            "<!DOCTYPE html><script>'<link rel=alternate type=application/rss+xml href=no>'</script>\
             <link rel=alternate type=application/rss+xml href='javascript:x'><link rel=stylesheet href=feed>\
             <link rel=alternate type=application/json href=/wp-json/><a href='feed://news.example/f.rss'>",
            &["http://news.example/f.rss"],
        );
    }

    #[test]
    fn feed_after_an_html_warning_is_not_a_page() {
        assert!(!is_html_page("<br /><b>Warning</b>: include() <?xml version='1.0'?><rss><channel><title>x</title>"));
        assert!(!is_html_page("just words"));
    }
}
