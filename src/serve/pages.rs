//! The HTML pages. They are readable without scripts, on phones, in dark mode and on paper.
//!
//! Templates escape text from feeds, and only http and https links are published. A page depends only on the database,
//! never on the time of the request, with one exception: the health page reports the daemon's tasks.

mod chart;
mod feeds;
mod format;
mod health;
mod index;
mod query;
mod respond;
mod site_layout;
mod source;
mod source_list;
mod story;
mod story_summary;
mod storyline;
mod waiting;

pub use feeds::{OPML_CONTENT_TYPE, feed_page, feeds, feeds_opml, feeds_page, opml};
pub use health::{health, health_page};
pub use index::{index, index_page, search};
pub use respond::{HTML_CONTENT_TYPE, not_found, not_found_page, respond};
pub use site_layout::SiteLayout;
pub use source::{source, source_page};
pub use source_list::{sources, sources_page};
pub use story::story_page;
pub use storyline::storyline_page;

use super::http_cache::{ASSET_CACHE_CONTROL, EncodedResponse};
use std::sync::LazyLock;

pub static STYLE: LazyLock<EncodedResponse> = LazyLock::new(|| {
    EncodedResponse::new("text/css; charset=utf-8", ASSET_CACHE_CONTROL, include_bytes!("pages/style.css").to_vec())
});
pub static FAVICON: LazyLock<EncodedResponse> = LazyLock::new(|| {
    EncodedResponse::new("image/svg+xml", ASSET_CACHE_CONTROL, include_bytes!("pages/favicon.svg").to_vec())
});
/// The robots.txt of the site. Crawlers may access everything.
pub static ROBOTS: LazyLock<EncodedResponse> = LazyLock::new(|| {
    EncodedResponse::new("text/plain; charset=utf-8", ASSET_CACHE_CONTROL, b"User-agent: *\nDisallow:\n".to_vec())
});
