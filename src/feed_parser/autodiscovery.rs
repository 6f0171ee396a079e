//! Feed autodiscovery: determines to which feeds an HTML page links.
//!
//! Declared feeds (`<link rel=alternate>`, WHATWG HTML §4.6.7.1) come first, then links whose URL resembles a feed URL,
//! then comment feeds. The module builds no tree and sends no requests. It only returns candidates.

use std::collections::HashSet;

use url::Url;

use super::parsed_feed::FeedKind;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::markup::whitespace::fold_non_blank;
use crate::urls::feed_address::without_subscription_scheme;

/// A feed to which an HTML page links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLink {
    pub url: Url,
    pub title: Option<String>,
    /// The format that the link declares.
    pub kind: Option<FeedKind>,
}

/// The maximum number of links. A page with more links to feeds is a directory of feeds.
const MAX_LINKS: usize = 50;
const MAX_URL_BYTES: usize = 2048;

/// Returns the linked feeds: first declared feeds, then guessed feeds, then comment feeds, each in document order.
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
    feeds.sort_by_key(is_comments_feed);
    feeds.truncate(MAX_LINKS);
    feeds
}

/// Returns whether a feed contains readers' comments, based on its URL or on its title in the languages of WordPress.
fn is_comments_feed(feed: &FeedLink) -> bool {
    const IN_URL: [&str; 2] = ["comments", "kommentare"];
    const IN_TITLE: [&str; 24] = [
        "comments",
        "comment feed",
        "kommentar",
        "commentaires",
        "comentario",
        "comentário",
        "comentaris",
        "commenti",
        "reacties",
        "komentar",
        "komentář",
        "komentár",
        "hozzászólás",
        "kommentti",
        "kommentit",
        "yorum",
        "комментари",
        "коментар",
        "σχόλι",
        "コメント",
        "评论",
        "評論",
        "留言",
        "댓글",
    ];
    let url = feed.url.as_str().to_lowercase();
    let title = feed.title.as_deref().unwrap_or_default().to_lowercase();
    IN_URL.iter().any(|word| url.contains(word)) || IN_TITLE.iter().any(|word| title.contains(word))
}

/// Returns the page to which an empty page redirects browsers (`<meta http-equiv=refresh>`, WHATWG HTML §4.2.5.3);
/// `None` if the page only reloads itself.
pub fn refresh_target(html: &str, page_url: &Url) -> Option<Url> {
    let mut tokens = Tokenizer::new(html);
    while let Some(token) = tokens.next() {
        let MarkupToken::Start(tag) = token else { continue };
        if matches!(tag.name.to_ascii_lowercase().as_str(), "script" | "style") {
            tokens.skip_raw_text(tag.name);
        } else if tag.name.eq_ignore_ascii_case("meta")
            && tag.attribute("http-equiv").is_some_and(|name| name.trim().eq_ignore_ascii_case("refresh"))
            && let Some(content) = tag.attribute("content")
        {
            let mut target = usable_url(refresh_address(&content)?, page_url)?;
            target.set_fragment(None);
            return (target != *page_url).then_some(target);
        }
    }
    None
}

/// Returns the URL in the `content` of a refresh: `0; url='https://example.org/'`, `5,https://example.org/`.
fn refresh_address(content: &str) -> Option<&str> {
    let after_delay = content.trim_start().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim_start();
    let address = after_delay.strip_prefix([';', ',']).unwrap_or(after_delay).trim_start();
    let without_name = address
        .get(..3)
        .filter(|name| name.eq_ignore_ascii_case("url"))
        .and_then(|_| Some(address[3..].trim_start().strip_prefix('=')?.trim_start()));
    let address = without_name.unwrap_or(address);
    let quoted = address.strip_prefix(['"', '\'']).map(|rest| rest.split(['"', '\'']).next().unwrap_or_default());
    Some(quoted.unwrap_or(address).trim()).filter(|address| !address.is_empty())
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
    // An alternate of type `application/json` is usually the WordPress API rather than a JSON Feed.
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
    usable_url(tag.attribute("href")?.trim(), base)
}

fn usable_url(address: &str, base: &Url) -> Option<Url> {
    let address = without_subscription_scheme(address);
    let url = base.join(&address).ok()?;
    let is_usable = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_URL_BYTES;
    (!address.is_empty() && is_usable).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &[&str]) {
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
    fn feeds_of_comments_come_last() {
        let link = |title: &str, href: &str| {
            format!("<link rel=alternate type=application/rss+xml title='{title}' href='{href}'>")
        };
        for (title, href) in [
            ("Harbour Post » Comments Feed", "/c1/feed"),
            ("", "/comments/feed/"),
            ("", "/feeds/comments/default"),
            ("", "/?feed=comments-rss2"),
            ("Hafenpost » Kommentar-Feed", "/c2"),
            ("Le Port » Flux des commentaires", "/c3"),
            ("El Puerto » Feed de los comentarios", "/c4"),
            ("港湾ニュース » コメントフィード", "/c5"),
        ] {
            let page = format!("<html>{}{}<a href=/rss>", link(title, href), link("Harbour Post", "/news.xml"));
            let comments = Url::parse("https://news.example/").unwrap().join(href).unwrap();
            check(&page, &["https://news.example/news.xml", "https://news.example/rss", comments.as_str()]);
        }
        check(&format!("<html>{}", link("Comments", "/c")), &["https://news.example/c"]);
    }

    #[test]
    fn meta_refresh_names_the_page_to_read_instead() {
        let target = |content: &str| {
            let html = format!("<html><head><META content=\"{content}\" HTTP-EQUIV=Refresh></head>");
            refresh_target(&html, &Url::parse("https://news.example/world/").unwrap()).map(String::from)
        };
        for (content, expected) in [
            ("0; url=https://www.news.example/en", Some("https://www.news.example/en")),
            ("0;URL='/en/'", Some("https://news.example/en/")),
            ("0.5 , Url = en/rss.xml", Some("https://news.example/world/en/rss.xml")),
            ("3;https://other.example/", Some("https://other.example/")),
            ("url=../feed", Some("https://news.example/feed")),
            ("0;url=feed://other.example/rss", Some("http://other.example/rss")),
            ("300", None),
            ("300;url=", None),
            ("300; url=https://news.example/world/#top", None),
            ("0;url=javascript:alert(1)", None),
        ] {
            assert_eq!(target(content).as_deref(), expected, "for {content}");
        }
        let page = Url::parse("https://news.example/").unwrap();
        assert_eq!(
            refresh_target("<html><script>'<meta http-equiv=refresh content=\"0;url=/x\">'</script>", &page),
            None
        );
    }
}
