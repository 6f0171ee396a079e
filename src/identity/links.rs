//! Compares the links of two items of one source as evidence of their identity.

use crate::domain::ItemId;
use crate::urls::canonical::{canonical_url, exact_url};
use url::Url;

/// The degree to which two links agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkAgreement {
    Same,
    /// The same page with a different fragment or parameter such as `ref`, or the same path on a different host.
    Similar,
    Different,
    /// At least one of the items has no link.
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

/// Returns whether two links have the same path and query, and the path does not lead to a home page.
fn has_moved(a: &str, b: &str) -> bool {
    !location(a).is_empty() && location(a) == location(b)
}

/// Returns the part of a canonical URL after its host: path, query and fragment. The result is empty for a home page.
fn location(link: &str) -> &str {
    let rest = link.strip_prefix("https://").unwrap_or(link);
    rest.find(['/', '?', '#']).map_or("", |start| &rest[start..])
}

/// The minimum number of words in a headline within a path. Fewer words often name a section.
const MIN_SLUG_WORDS: usize = 3;

/// Returns whether a link looks like a link to one article: it contains a number or the words of a headline. Links to
/// home pages, sections and columns contain neither.
pub fn is_article_link(link: &str) -> bool {
    let Ok(url) = Url::parse(link) else { return false };
    let exact = exact_url(&url);
    let location = location(&exact);
    let has_number = location.bytes().any(|byte| byte.is_ascii_digit());
    let is_slug = |segment: &str| segment.split(['-', '_']).filter(|word| !word.is_empty()).count() >= MIN_SLUG_WORDS;
    has_number || location.split('/').any(is_slug)
}

/// A stored item that has the canonical URL of a new item.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct LinkedItem {
    pub id: ItemId,
    pub url: Option<String>,
}

/// The links that replace the canonical URL that different items share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeparatedLinks {
    pub new: String,
    pub stored: Vec<(ItemId, String)>,
}

/// Separates the canonical links of different items of a source that differ only in a fragment or in a parameter such
/// as `ref`. In this case, the canonical link of each item keeps that part.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_articles_have_a_number_or_a_slug() {
        for link in ["https://a.example/news/2041", "https://a.example/?p=7", "https://a.example/rain-closes-pass"] {
            assert!(is_article_link(link), "{link}");
        }
        for link in ["https://a.example/", "https://a.example/weather", "https://a.example/press/view?utm_source=7"] {
            assert!(!is_article_link(link), "{link}");
        }
    }

    #[test]
    fn links_keep_the_part_in_which_different_items_differ() {
        let stored = [
            LinkedItem { id: ItemId(1), url: Some("http://a.example/view?ref=11".into()) },
            LinkedItem { id: ItemId(2), url: Some("https://a.example/view?ref=12&utm_source=x".into()) },
        ];
        let separated = separate_links("https://www.a.example/view?ref=12", &stored).unwrap();
        assert_eq!(separated.new, "https://a.example/view?ref=12");
        assert_eq!(separated.stored, [(ItemId(1), "https://a.example/view?ref=11".to_owned())]);
        assert_eq!(separate_links("https://a.example/view?ref=12", &stored[1..]), None, "all items have one link");
    }
}
