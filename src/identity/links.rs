//! What the links of two items of one source say about their identity.

use crate::domain::ItemId;
use crate::urls::canonical::{canonical_url, exact_url};
use url::Url;

/// How much two links have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkAgreement {
    Same,
    /// The same page with another fragment or parameter such as `ref`, or the same path on another host.
    Similar,
    Different,
    /// An item has no link.
    Unknown,
}

pub fn compare_links(a: Option<&str>, b: Option<&str>) -> LinkAgreement {
    let parse = |link: &str| Url::parse(link).ok();
    let (Some(a), Some(b)) = (a.and_then(parse), b.and_then(parse)) else { return LinkAgreement::Unknown };
    let (exact_a, exact_b) = (exact_url(&a), exact_url(&b));
    if exact_a == exact_b {
        LinkAgreement::Same
    } else if canonical_url(&a) == canonical_url(&b) || has_moved(&exact_a, &exact_b) {
        LinkAgreement::Similar
    } else {
        LinkAgreement::Different
    }
}

/// Whether two links have the same path and query, and the path is not that of a home page.
fn has_moved(a: &str, b: &str) -> bool {
    let location = |exact: &str| exact.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
    !location(a).is_empty() && location(a) == location(b)
}

/// Fewer words in a path are often the name of a section.
const MIN_SLUG_WORDS: usize = 3;

/// Whether a link looks like that of one article: it has a number or the words of a headline. The links of home pages,
/// sections and rubrics have neither.
pub fn is_article_link(link: &str) -> bool {
    let Ok(url) = Url::parse(link) else { return false };
    let exact = exact_url(&url);
    let location = exact.splitn(4, '/').nth(3).unwrap_or_default();
    let has_number = location.bytes().any(|byte| byte.is_ascii_digit());
    let is_slug = |segment: &str| segment.split(['-', '_']).filter(|word| !word.is_empty()).count() >= MIN_SLUG_WORDS;
    has_number || location.split('/').any(is_slug)
}

/// A stored item with the canonical URL of a new one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct LinkedItem {
    pub id: ItemId,
    pub url: Option<String>,
}

/// The links that replace the canonical URLs of different items which have the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeparatedLinks {
    pub new: String,
    pub stored: Vec<(ItemId, String)>,
}

/// A fragment or a parameter such as `ref` is cut only where it does not select one of several items of the source. If
/// the links of different items differ only in such a part, all of them keep it.
pub fn separate_links(new: &str, stored: &[LinkedItem]) -> Option<SeparatedLinks> {
    let exact = |link: &str| Url::parse(link).ok().map(|url| exact_url(&url));
    let new = exact(new)?;
    let stored: Vec<(ItemId, String)> = stored
        .iter()
        .filter_map(|item| Some((item.id, exact(item.url.as_deref()?)?)))
        .filter(|(_, link)| *link != new)
        .collect();
    (!stored.is_empty()).then_some(SeparatedLinks { new, stored })
}
