//! What people ask the front page for, read from an address and written into one. Pure.

use super::words::language;
use crate::domain::text::one_line;
use crate::store::listing::Listing;
use crate::store::words;
use url::form_urlencoded;

/// Stories on a page, and how far back pages go.
const SHOWN: u32 = 40;
const LAST_PAGE: u32 = 50;
/// Characters of a tag or a language that are read.
const MAX_NAME: usize = 100;

/// The filters of the front page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::serve) struct Filters {
    /// What was typed to search for, made to stand on one line.
    pub typed: String,
    pub tag: String,
    pub lang: String,
    pub outlets: u32,
    /// Counted from 1.
    pub page: u32,
}

impl Default for Filters {
    fn default() -> Self {
        Filters { typed: String::new(), tag: String::new(), lang: String::new(), outlets: 1, page: 1 }
    }
}

impl Filters {
    /// Reads the query of an address. Of several values of one name the first counts, and names that mean nothing here
    /// are passed over. `None` where a number is asked for and none is given.
    pub(super) fn read(query: Option<&str>) -> Option<Filters> {
        let mut filters = Filters::default();
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if seen.contains(&name) {
                continue;
            }
            match &*name {
                "q" => filters.typed = one_line(&value, words::MAX_TYPED),
                "tag" => filters.tag = one_line(&value, MAX_NAME),
                "lang" => filters.lang = one_line(&value, MAX_NAME),
                "outlets" => filters.outlets = number(&value)?.clamp(1, 99),
                "page" => filters.page = number(&value)?.clamp(1, LAST_PAGE),
                _ => continue,
            }
            seen.push(name);
        }
        Some(filters)
    }

    /// What the database is to be asked for.
    pub(super) fn listing(&self) -> Listing {
        let given = |value: &String| (!value.is_empty()).then(|| value.clone());
        Listing {
            words: words::query(&self.typed),
            tag: given(&self.tag),
            lang: given(&self.lang),
            min_outlets: self.outlets,
            skip: (self.page - 1) * SHOWN,
            limit: SHOWN,
        }
    }

    /// Whether something was typed in which there is nothing to search for.
    pub(super) fn is_without_words(&self) -> bool {
        !self.typed.is_empty() && words::query(&self.typed).is_none()
    }

    /// Whether stories are narrowed at all.
    pub(super) fn narrow(&self) -> bool {
        *self != Filters { page: self.page, ..Filters::default() }
    }

    pub(super) fn is_last_page(&self) -> bool {
        self.page == LAST_PAGE
    }

    /// The query, with its question mark, of the same filters on another page; nothing where there is nothing to say.
    pub(super) fn on_page(&self, page: u32) -> String {
        let (outlets, page) = (self.outlets.to_string(), page.to_string());
        let all = [
            ("q", &self.typed, ""),
            ("tag", &self.tag, ""),
            ("lang", &self.lang, ""),
            ("outlets", &outlets, "1"),
            ("page", &page, "1"),
        ];
        let said = all.iter().filter(|(_, value, default)| value != default);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(said.map(|(name, value, _)| (name, value)));
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// The query of the feed of what is searched for.
    pub(super) fn search(&self) -> Option<String> {
        words::query(&self.typed)?;
        Some(form_urlencoded::Serializer::new(String::new()).append_pair("q", &self.typed).finish())
    }

    /// What is shown, in words.
    pub(super) fn in_words(&self) -> String {
        let mut parts = Vec::new();
        if !self.typed.is_empty() {
            parts.push(format!("with the words ‘{}’", self.typed));
        }
        if !self.tag.is_empty() {
            parts.push(format!("of sources with the tag ‘{}’", self.tag));
        }
        if !self.lang.is_empty() {
            parts.push(format!("in {}", language(&self.lang).unwrap_or(&self.lang)));
        }
        if self.outlets > 1 {
            parts.push(format!("of at least {} outlets", self.outlets));
        }
        format!("Stories {}", parts.join(", "))
    }
}

/// A whole number; what is left empty in a form is 1.
fn number(text: &str) -> Option<u32> {
    if text.trim().is_empty() { Some(1) } else { text.trim().parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        for query in ["", "?q=grid", "?q=power+plant&tag=a%26b&lang=de&outlets=3&page=2", "?page=50"] {
            let filters = Filters::read(Some(query.trim_start_matches('?'))).unwrap();
            assert_eq!(filters.on_page(filters.page), query);
        }
    }

    #[test]
    fn anything_can_be_read() {
        let read = |query: &str| Filters::read(Some(query));
        assert_eq!(read("outlets=&page=&x=1"), Some(Filters::default()));
        assert_eq!(read("outlets=500&page=9999").map(|f| (f.outlets, f.page)), Some((99, 50)));
        assert_eq!(read("q=a&q=b").map(|f| f.typed), Some("a".into()));
        assert_eq!(
            read("q=%00%1b%E2%80%AEa%FFb&tag=%0d%0ax").map(|f| (f.typed, f.tag)),
            Some(("a\u{fffd}b".into(), "x".into()))
        );
        assert_eq!((read("outlets=x"), read("page=-1"), read("outlets=1.5")), (None, None, None));
        let long = read(&format!("q={}", "a".repeat(10_000))).unwrap();
        assert!(long.typed.chars().count() <= words::MAX_TYPED + 1, "with the sign that it was cut");
    }
}
