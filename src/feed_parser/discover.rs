//! An HTML page in place of a feed: is it one, and which feeds does it point to?
//!
//! Never builds a tree and never fetches; what it finds is a suggestion. `<link rel=alternate>` is the standard's way
//! (HTML §4.6.7.1), links in the text whose address looks like a feed's are the second choice.

use std::collections::HashSet;

use url::Url;

use super::{FeedKind, FeedLink};
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::markup::whitespace::fold_non_blank;

/// Links beyond this number are a directory, not a page with a feed.
const MAX_LINKS: usize = 50;

/// Whether a text is an HTML page and no feed, judged by its first element that only one of both can have.
pub fn is_html(text: &str) -> bool {
    let mut seen_html = false;
    for token in Tokenizer::new(text) {
        let MarkupToken::Start(tag) = token else { continue };
        let local = tag.name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
        match local.as_str() {
            "rss" | "rdf" | "feed" | "channel" | "entry" | "opml" => return false,
            "html" | "head" | "body" => return true,
            "meta" | "script" | "div" | "p" | "h1" | "table" | "center" | "a" | "img" => seen_html = true,
            _ => {}
        }
    }
    seen_html
}

/// The feeds that a page points to, best first.
pub fn feeds(html: &str, url: &Url) -> Vec<FeedLink> {
    let mut base = url.clone();
    let (mut declared, mut mentioned) = (Vec::new(), Vec::new());
    let mut tokens = Tokenizer::new(html);
    while let Some(token) = tokens.next() {
        let MarkupToken::Start(tag) = token else { continue };
        match tag.name.to_ascii_lowercase().as_str() {
            "script" | "style" => tokens.skip_raw_text(tag.name),
            "base" => base = tag.attribute("href").and_then(|href| url.join(href.trim()).ok()).unwrap_or(base),
            "link" if declared.len() < MAX_LINKS => declared.extend(declared_feed(tag, &base)),
            "a" if mentioned.len() < MAX_LINKS => mentioned.extend(mentioned_feed(tag, &base)),
            _ => {}
        }
    }
    let mut seen = HashSet::new();
    let mut feeds: Vec<FeedLink> = declared.into_iter().chain(mentioned).collect();
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
    let has = |word: &str| relation.split_whitespace().any(|r| r == word);
    // `application/json` alternatives are WordPress's API far more often than a JSON Feed.
    if !(has("feed") || has("alternate") && kind.is_some()) {
        return None;
    }
    let title = tag.attribute("title").and_then(|title| fold_non_blank(&title));
    Some(FeedLink { url: address(tag, base)?, title, kind })
}

fn mentioned_feed(tag: StartTag, base: &Url) -> Option<FeedLink> {
    let url = address(tag, base)?;
    let path = url.path().to_ascii_lowercase();
    let path = path.trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    let query = url.query().unwrap_or_default().to_ascii_lowercase();
    let looks =
        matches!(last, "feed" | "feeds" | "rss" | "atom" | "rss2" | "rdf" | "feed.json" | "index.rdf" | "index.xml")
            || last.ends_with(".rss")
            || last.ends_with(".atom")
            || (last.ends_with(".xml") && ["rss", "feed", "atom"].iter().any(|word| path.contains(word)))
            || ["feed=rss", "feed=atom", "format=rss", "format=atom", "format=feed"]
                .iter()
                .any(|word| query.contains(word));
    let title = tag.attribute("title").and_then(|title| fold_non_blank(&title));
    looks.then_some(FeedLink { url, title, kind: None })
}

fn address(tag: StartTag, base: &Url) -> Option<Url> {
    let href = tag.attribute("href")?;
    // `feed:https://…` and `feed://…` were meant for the browser's feed reader.
    let href = href.trim();
    let plain = href.strip_prefix("feed://").map(|rest| format!("http://{rest}"));
    let href = plain.as_deref().unwrap_or_else(|| href.strip_prefix("feed:").unwrap_or(href));
    let url = base.join(href).ok()?;
    (!href.is_empty() && matches!(url.scheme(), "http" | "https") && url.as_str().len() <= 2048).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expect: &[&str]) {
        assert!(is_html(html));
        let found = feeds(html, &Url::parse("https://news.example/world/").unwrap());
        assert_eq!(found.iter().map(|feed| feed.url.as_str()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn declared_feeds_come_before_mentioned_ones() {
        check(
            "<html><body><a href=/world/rss>RSS</a><link rel='alternate' type=application/atom+xml href=a.xml></html>",
            &["https://news.example/world/a.xml", "https://news.example/world/rss"],
        );
    }

    #[test]
    fn a_base_and_repeated_links_count() {
        check(
            "<html><base href='https://cdn.example/x/'><link rel=alternate type='application/rss+xml' href=feed>\
             <a href='https://cdn.example/x/feed'>again</a>",
            &["https://cdn.example/x/feed"],
        );
    }

    #[test]
    fn only_the_web_and_no_scripts() {
        check(
            "<!DOCTYPE html><script>'<link rel=alternate type=application/rss+xml href=no>'</script>\
             <link rel=alternate type=application/rss+xml href='javascript:x'><link rel=stylesheet href=feed>\
             <link rel=alternate type=application/json href=/wp-json/><a href='feed://news.example/f.rss'>",
            &["http://news.example/f.rss"],
        );
    }

    #[test]
    fn a_feed_is_no_page_even_behind_a_warning() {
        assert!(!is_html("<br /><b>Warning</b>: include() <?xml version='1.0'?><rss><channel><title>x</title>"));
        assert!(!is_html("just words"));
    }
}
