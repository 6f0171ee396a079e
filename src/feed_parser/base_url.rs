//! Resolves the URLs in the elements of a document against their base (`xml:base`), and limits the memory that they use.
//!
//! The resolver returns only http and https URLs.

mod xhtml_base;

use std::borrow::Cow;

use url::Url;

use self::xhtml_base::with_resolved_links;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::urls::feed_secrets::FeedSecrets;
use crate::urls::redact::base_of_links;

/// The maximum length of a URL in bytes. Longer URLs are dropped, because browsers do not open them.
pub const MAX_URL_BYTES: usize = 8 * 1024;
/// The maximum length of an `xml:base` in bytes. Without a limit, the base could grow with every level.
const MAX_BASE_BYTES: usize = 2 * 1024;
/// The growth that is allowed for any document, because a small document may have a long base.
const GRANTED_GROWTH_BYTES: usize = 1024 * 1024;

/// The bases in scope at the current element.
pub struct UrlResolver<'o> {
    /// The URL of the document without credentials and query.
    document_url: Url,
    /// The secrets of the document's URL. Relative URLs that repeat a secret are dropped.
    secrets: FeedSecrets,
    /// The feed's website, if [`website_as_base`] returns it. In this case, relative URLs belong to the website, unless
    /// the document sets a base.
    website: Option<&'o Url>,
    /// Whether a relative URL was resolved against the document's own URL.
    pub used_document_url: bool,
    /// The bases of open elements, with their depths.
    bases: Vec<(usize, Url)>,
    /// The number of bytes by which the URLs of the document may still grow. Resolution makes URLs longer: with a base
    /// of 2,000 bytes, `<link>a</link>` grows to 2,000 bytes. A hostile document could thus need many times its size in
    /// memory, so the total growth is limited to the document's length plus [`GRANTED_GROWTH_BYTES`], which far exceeds
    /// the growth in real feeds.
    remaining_growth: usize,
}

impl<'o> UrlResolver<'o> {
    pub fn new(document_url: &Url, website: Option<&'o Url>, document_length: usize) -> Self {
        UrlResolver {
            document_url: base_of_links(document_url),
            secrets: FeedSecrets::of([document_url]),
            website,
            used_document_url: false,
            bases: Vec::new(),
            remaining_growth: document_length + GRANTED_GROWTH_BYTES,
        }
    }

    /// Adds the base that a tag sets, if any.
    pub fn enter(&mut self, tag: StartTag, depth: usize) {
        if let Some(base) = self.base_of(tag) {
            self.bases.push((depth, base));
        }
    }

    /// Drops the bases of elements deeper than `depth`.
    pub fn leave(&mut self, depth: usize) {
        self.bases.retain(|(base_depth, _)| *base_depth <= depth);
    }

    /// Resolves an `href` at a tag that has not been entered; `None` if the result is not a usable http or https URL.
    pub fn resolve(&mut self, tag: Option<StartTag>, href: &str) -> Option<Url> {
        let cleaned = clean_href(href);
        let url = match Url::parse(&cleaned) {
            Ok(url) => url,
            Err(_) => {
                let base = tag.and_then(|tag| self.base_of(tag));
                let has_base = base.is_some() || !self.bases.is_empty();
                // The document itself is not the page of an item.
                if !has_base && self.website.is_none() && (cleaned.is_empty() || cleaned.starts_with('#')) {
                    return None;
                }
                self.used_document_url |= !has_base;
                let url = base.as_ref().unwrap_or_else(|| self.current_base()).join(&cleaned).ok()?;
                Some(url).filter(|url| !self.secrets.are_in_relative_link(url))?
            }
        };
        self.accept(url, href.len())
    }

    /// Returns the base that the document sets for the text in a tag that has not been entered, or for the XHTML `div`
    /// around the text; `None` if it sets no base.
    pub fn base_of_text(&self, tag: StartTag, html: &str) -> Option<Url> {
        let base = self.base_of(tag).or_else(|| self.bases.last().map(|(_, base)| base.clone()));
        match Tokenizer::new(html).next() {
            Some(MarkupToken::Start(element)) => {
                base_within(base.as_ref().unwrap_or(self.current_base()), element).or(base)
            }
            _ => base,
        }
    }

    /// Resolves the links of elements in the text that set their own base; `None` if no element sets a base.
    pub fn resolve_nested_links(&mut self, base: Option<&Url>, html: &str) -> Option<String> {
        let outer = base.unwrap_or(self.current_base()).clone();
        with_resolved_links(html, &outer, base_within, |base, link| {
            if Url::parse(link).is_ok() {
                return None;
            }
            let url = base.join(link.trim()).ok()?;
            self.accept(url, link.len())
        })
    }

    /// Returns a URL that occupies `written_bytes` in the document; `None` if the URL is unusable or grows too much.
    pub fn accept(&mut self, url: Url, written_bytes: usize) -> Option<Url> {
        let growth = url.as_str().len().saturating_sub(written_bytes);
        if !is_web_url(&url) || url.as_str().len() > MAX_URL_BYTES || growth > self.remaining_growth {
            return None;
        }
        self.remaining_growth -= growth;
        Some(url)
    }

    fn base_of(&self, tag: StartTag) -> Option<Url> {
        base_within(self.current_base(), tag)
    }

    fn current_base(&self) -> &Url {
        self.bases.last().map_or(self.website.unwrap_or(&self.document_url), |(_, base)| base)
    }
}

/// Returns the base that a tag sets, relative to the base of an enclosing element.
fn base_within(outer: &Url, tag: StartTag) -> Option<Url> {
    if !tag.attribute_text.contains("xml:base") {
        return None;
    }
    let base = outer.join(tag.attribute("xml:base")?.trim()).ok()?;
    (is_web_url(&base) && base.as_str().len() <= MAX_BASE_BYTES).then_some(base)
}

/// Returns the website as the base of relative URLs, if it is on a different host than the document or if the directory
/// of the document may be secret.
pub fn website_as_base(website: Option<&Url>, document_url: &Url) -> Option<Url> {
    let is_secret_folder =
        || document_url.join("x").is_ok_and(|link| FeedSecrets::of([document_url]).are_in_relative_link(&link));
    website.filter(|website| website.host_str() != document_url.host_str() || is_secret_folder()).cloned()
}

/// Normalizes a URL: removes line breaks with their indentation, and decodes `&` that was escaped twice.
pub fn clean_href(href: &str) -> Cow<'_, str> {
    const ESCAPED_AMPERSANDS: [&str; 6] = ["&amp;", "&AMP;", "&#38;", "&#038;", "&#x26;", "&#X26;"];
    /// The maximum number of times that a URL is decoded. More levels of escaping are not accidental.
    const MAX_ESCAPES: usize = 4;
    let mut href = Cow::Borrowed(href.trim());
    if href.contains(['\n', '\r']) {
        href = Cow::Owned(href.split(['\n', '\r']).map(str::trim).collect());
    }
    for _ in 0..MAX_ESCAPES {
        if !ESCAPED_AMPERSANDS.iter().any(|escaped| href.contains(escaped)) {
            break;
        }
        for escaped in ESCAPED_AMPERSANDS {
            href = Cow::Owned(href.replace(escaped, "&"));
        }
    }
    let mut end = href.len();
    while let Some(last) = href.get(end.saturating_sub(3)..end)
        && ["%0a", "%0d", "%09", "%20"].iter().any(|escape| last.eq_ignore_ascii_case(escape))
    {
        end -= 3;
    }
    if end < href.len() { Cow::Owned(href[..end].to_owned()) } else { href }
}

fn is_web_url(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_grow_until_the_budget_is_spent() {
        let base = Url::parse("http://a.example/").unwrap();
        let mut urls = UrlResolver { remaining_growth: 20, ..UrlResolver::new(&base, None, 0) };
        assert!(urls.resolve(None, "a").is_some());
        assert!(urls.resolve(None, "a").is_none());
        assert!(urls.resolve(None, "http://a.example/b").is_some());
        assert!(urls.resolve(None, "ftp://a.example/b").is_none());
    }

    #[test]
    fn line_breaks_and_double_escapes_are_not_part_of_a_url() {
        let check = |href: &str, expected: &str| assert_eq!(clean_href(href), expected);
        check("\n  https://a.example/\n    story/7\n", "https://a.example/story/7");
        check("https://a.example/?p=7&amp;q=8&amp;amp;r=9", "https://a.example/?p=7&q=8&r=9");
        check("https://a.example/?p=7&#038;q=8&AMP;r=9", "https://a.example/?p=7&q=8&r=9");
        check("https://a.example/7%0A%0d", "https://a.example/7");
        check("https://a.example/a%20b", "https://a.example/a%20b");
    }

    #[test]
    fn relative_urls_belong_to_the_website_unless_the_document_sets_a_base() {
        let (document, website) =
            (Url::parse("https://feeds.host.example/f/1").unwrap(), Url::parse("https://a.example/").unwrap());
        let base = website_as_base(Some(&website), &document);
        let mut urls = UrlResolver::new(&document, base.as_ref(), 0);
        assert_eq!(urls.resolve(None, "/a/7").unwrap().as_str(), "https://a.example/a/7");
        assert_eq!(website_as_base(Some(&document), &document), None);
    }

    #[test]
    fn relative_urls_do_not_repeat_the_secrets_of_the_address() {
        let document = Url::parse("https://ann:word@a.example/news/feed?auth=word").unwrap();
        let mut urls = UrlResolver::new(&document, None, 0);
        let mut resolved = |href: &str| urls.resolve(None, href).map(String::from);
        assert_eq!(resolved("7").as_deref(), Some("https://a.example/news/7"));
        assert_eq!(resolved("?p=7").as_deref(), Some("https://a.example/news/feed?p=7"));
        assert_eq!((resolved("#p7"), resolved("")), (None, None));
        let document = Url::parse("https://a.example/rss/SECRET42/feed.xml").unwrap();
        let mut urls = UrlResolver::new(&document, None, 0);
        let mut resolved = |href: &str| urls.resolve(None, href).map(String::from);
        assert_eq!((resolved("7"), resolved("i/7.jpg"), resolved("?p=7")), (None, None, None));
        assert_eq!(resolved("/7").as_deref(), Some("https://a.example/7"));
        assert_eq!(resolved("../7").as_deref(), Some("https://a.example/rss/7"));
    }
}
