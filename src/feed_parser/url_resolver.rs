//! Resolves the URLs of a document against its base (`xml:base`), and limits the memory that they use.
//!
//! Never returns a URL that is not http or https.

use url::Url;

use crate::markup::tag::StartTag;

/// Longer URLs are dropped: no browser opens them.
pub const MAX_URL_BYTES: usize = 8 * 1024;
/// A longer `xml:base` would grow with every level that adds to it.
const MAX_BASE_BYTES: usize = 2 * 1024;
/// The growth that every document may use, since a small one may have a long base.
const GRANTED_GROWTH_BYTES: usize = 1024 * 1024;

/// The bases in force at the current element.
pub struct UrlResolver<'o> {
    document_url: &'o Url,
    /// The bases of open elements, with their depths.
    bases: Vec<(usize, Url)>,
    /// How many more bytes the URLs of the document may grow by. Resolving makes URLs longer: `<link>a</link>` under a
    /// base of 2,000 bytes becomes 2,000 bytes. A document of nothing else would need many times its size in memory, so
    /// all URLs together may grow by the document's length, far more than those of real feeds do.
    remaining_growth: usize,
}

impl<'o> UrlResolver<'o> {
    pub fn new(document_url: &'o Url, document: &str) -> Self {
        UrlResolver { document_url, bases: Vec::new(), remaining_growth: document.len() + GRANTED_GROWTH_BYTES }
    }

    /// Adds the base that a tag sets, if it sets one.
    pub fn enter(&mut self, tag: StartTag, depth: usize) {
        if let Some(base) = self.base_of(tag) {
            self.bases.push((depth, base));
        }
    }

    /// Drops the bases of elements deeper than `depth`.
    pub fn leave(&mut self, depth: usize) {
        self.bases.retain(|(base_depth, _)| *base_depth <= depth);
    }

    /// The absolute URL of an `href`, at a tag that has not been entered; `None` if it is not a usable http or https URL.
    pub fn resolve(&mut self, tag: Option<StartTag>, href: &str) -> Option<Url> {
        let base = tag.and_then(|tag| self.base_of(tag));
        let url = base.as_ref().unwrap_or_else(|| self.current_base()).join(href).ok()?;
        self.accept(url, href.len())
    }

    /// Returns a URL that takes `written_bytes` in the document, unless it is unusable or grows too much.
    pub fn accept(&mut self, url: Url, written_bytes: usize) -> Option<Url> {
        let growth = url.as_str().len().saturating_sub(written_bytes);
        if !is_web_url(&url) || url.as_str().len() > MAX_URL_BYTES || growth > self.remaining_growth {
            return None;
        }
        self.remaining_growth -= growth;
        Some(url)
    }

    fn base_of(&self, tag: StartTag) -> Option<Url> {
        if !tag.attribute_text.contains("xml:base") {
            return None;
        }
        let base = self.current_base().join(tag.attribute("xml:base")?.trim()).ok()?;
        (is_web_url(&base) && base.as_str().len() <= MAX_BASE_BYTES).then_some(base)
    }

    fn current_base(&self) -> &Url {
        self.bases.last().map_or(self.document_url, |(_, base)| base)
    }
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
        let mut urls = UrlResolver { remaining_growth: 20, ..UrlResolver::new(&base, "") };
        assert!(urls.resolve(None, "a").is_some());
        assert!(urls.resolve(None, "a").is_none());
        assert!(urls.resolve(None, "http://a.example/b").is_some());
        assert!(urls.resolve(None, "ftp://a.example/b").is_none());
    }
}
