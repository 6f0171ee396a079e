//! Resolves the links in HTML and drops links that must not be published.

use crate::urls::feed_secrets::FeedSecrets;
use crate::urls::redact::without_credentials;
use url::Url;

/// The rules by which links in HTML become absolute or are removed.
#[derive(Clone, Default)]
pub struct LinkRules {
    /// The base of relative links. Without a base, relative links are removed.
    pub base: Option<Url>,
    /// Whether the base is only the directory that contains the HTML. If so, links to a fragment of the same page are
    /// removed, because the URL of the page is unknown.
    pub is_folder: bool,
    /// The secrets of the feed's URL. Links that reveal one of them are removed.
    pub secrets: FeedSecrets,
}

impl LinkRules {
    /// Returns the absolute form of a link; `None` if the link is removed.
    pub(super) fn resolve(&self, link: &str) -> Option<Url> {
        let link = link.trim();
        let (url, is_relative) = match Url::parse(link) {
            Ok(url) => (url, false),
            Err(_) => (self.base.as_ref()?.join(link).ok()?, true),
        };
        let is_same_page = self.is_folder && (link.is_empty() || link.starts_with('#'));
        let is_secret = self.secrets.are_in_link(&url) || is_relative && self.secrets.are_in_relative_link(&url);
        (!is_same_page && !is_secret).then(|| without_credentials(url))
    }
}
