//! Resolves the URLs of a document against `xml:base` (XML Base).
//!
//! Never returns a URL that is not http or https.

use url::Url;

use super::super::url_budget::UrlBudget;
use crate::markup::tag::StartTag;

/// Longer URLs are dropped: no browser opens them.
pub const MAX_URL_BYTES: usize = 8 * 1024;
/// A longer `xml:base` would grow with every level that adds to it.
const MAX_BASE_BYTES: usize = 2 * 1024;

/// The bases in force at the current element, and the budget of the document.
pub struct UrlResolver<'o> {
    document_url: &'o Url,
    /// The bases of open elements, with their depths.
    bases: Vec<(usize, Url)>,
    pub budget: UrlBudget,
}

impl<'o> UrlResolver<'o> {
    pub fn new(document_url: &'o Url, document: &str) -> Self {
        UrlResolver { document_url, bases: Vec::new(), budget: UrlBudget::for_document(document) }
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

    /// The absolute URL of an `href` at a tag that has not been entered; `None` if it is not a usable http or https URL.
    pub fn resolve(&mut self, tag: StartTag, href: &str) -> Option<Url> {
        let base = self.base_of(tag);
        let url = base.as_ref().unwrap_or_else(|| self.current_base()).join(href).ok()?;
        let is_usable = is_web_url(&url) && url.as_str().len() <= MAX_URL_BYTES;
        (is_usable && self.budget.try_spend(href, url.as_str())).then_some(url)
    }

    fn base_of(&self, tag: StartTag) -> Option<Url> {
        if !tag.attribute_text.contains("xml:base") {
            return None;
        }
        let declared = tag.attribute("xml:base")?;
        let base = self.current_base().join(declared.trim()).ok()?;
        (is_web_url(&base) && base.as_str().len() <= MAX_BASE_BYTES).then_some(base)
    }

    fn current_base(&self) -> &Url {
        self.bases.last().map_or(self.document_url, |(_, base)| base)
    }
}

fn is_web_url(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}
