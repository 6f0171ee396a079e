//! The options that determine the documents of the site.

use crate::publish;

#[derive(Debug, Clone)]
pub struct SiteOptions {
    pub publish: publish::Options,
    /// Whether the site contains the source pages, the health page and the health feed.
    pub status_pages: bool,
}
