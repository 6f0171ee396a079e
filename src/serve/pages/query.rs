//! The query of the index page: filters that are parsed from a URL and written to a URL. All functions are pure.

use crate::domain::display_text::one_line;
use crate::domain::language::{language_code, language_name};
use crate::store::fts_query;
use crate::store::story_search::StorySearch;
use url::form_urlencoded;

/// The number of stories per page.
const PAGE_SIZE: u32 = 40;
/// The highest page number.
const MAX_PAGE: u32 = 50;
/// The value of the parameter `view` for all stories, newest first.
const LATEST: &str = "latest";
/// The maximum length of a tag or a language, in characters.
const MAX_NAME_CHARS: usize = 100;

/// The selection of stories that the index page lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryQuery {
    /// The search text as entered, on one line.
    pub typed: String,
    pub tag: String,
    /// The languages, separated by commas.
    pub lang: String,
    pub min_outlets: u32,
    /// Whether to list all stories, newest first, instead of the front page.
    pub latest: bool,
    /// The page number, starting at 1.
    pub page: u32,
}

impl Default for StoryQuery {
    fn default() -> Self {
        StoryQuery {
            typed: String::new(),
            tag: String::new(),
            lang: String::new(),
            min_outlets: 1,
            latest: false,
            page: 1,
        }
    }
}

impl StoryQuery {
    /// Parses the query string of a URL. Uses the first value of each parameter and ignores unknown parameters. Returns
    /// `None` if a number is invalid.
    pub fn parse(query: Option<&str>) -> Option<StoryQuery> {
        let mut parsed = StoryQuery::default();
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if seen.contains(&name) {
                continue;
            }
            match &*name {
                "q" => parsed.typed = one_line(&value, fts_query::MAX_QUERY_CHARS),
                "tag" => parsed.tag = one_line(&value, MAX_NAME_CHARS),
                "lang" => parsed.lang = one_line(&value, MAX_NAME_CHARS),
                "outlets" => parsed.min_outlets = parse_number(&value)?.clamp(1, 99),
                "view" => parsed.latest = value == LATEST,
                "page" => parsed.page = parse_number(&value)?.clamp(1, MAX_PAGE),
                _ => continue,
            }
            seen.push(name);
        }
        Some(parsed)
    }

    /// Returns the corresponding database query.
    pub fn listing(&self) -> StorySearch {
        let non_empty = |value: &String| (!value.is_empty()).then(|| value.clone());
        StorySearch {
            words: fts_query::from_user_input(&self.typed),
            tag: non_empty(&self.tag),
            languages: self.languages(),
            min_outlets: self.min_outlets,
            with_backlog: true,
            skip: (self.page - 1) * PAGE_SIZE,
            limit: PAGE_SIZE,
        }
    }

    /// Returns the codes of the languages.
    pub fn languages(&self) -> Vec<String> {
        let given = self.lang.split(',').map(str::trim).filter(|code| !code.is_empty());
        given.map(|code| language_code(code).unwrap_or(code).to_owned()).collect()
    }

    /// Returns the languages as text: `English or German`.
    pub fn language_names(&self) -> String {
        let codes = self.languages();
        let names: Vec<&str> = codes.iter().map(|code| language_name(code).unwrap_or(code)).collect();
        names.join(" or ")
    }

    /// Returns whether the search text contains no searchable word.
    pub fn has_no_words(&self) -> bool {
        !self.typed.is_empty() && fts_query::from_user_input(&self.typed).is_none()
    }

    /// Returns whether the query has a filter other than the view and the page.
    pub fn has_filters(&self) -> bool {
        *self != StoryQuery { latest: self.latest, page: self.page, ..StoryQuery::default() }
    }

    /// Returns whether the query shows the front page, or a section of it, rather than a list.
    pub fn is_front_page(&self) -> bool {
        let section = StoryQuery { tag: self.tag.clone(), lang: self.lang.clone(), ..StoryQuery::default() };
        *self == section
    }

    /// Returns the first page of the list with the same filters.
    pub fn latest(&self) -> StoryQuery {
        StoryQuery { latest: true, page: 1, ..self.clone() }
    }

    pub fn is_last_page(&self) -> bool {
        self.page == MAX_PAGE
    }

    /// Returns the query string of another page with the same filters, including the question mark; empty for the index
    /// page.
    pub fn query_string(&self, page: u32) -> String {
        let (outlets, page) = (self.min_outlets.to_string(), page.to_string());
        let view = if self.latest { LATEST.to_owned() } else { String::new() };
        let parameters = [
            ("q", &self.typed, ""),
            ("tag", &self.tag, ""),
            ("lang", &self.lang, ""),
            ("outlets", &outlets, "1"),
            ("view", &view, ""),
            ("page", &page, "1"),
        ];
        let given = parameters.iter().filter(|(_, value, default)| value != default);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(given.map(|(name, value, _)| (name, value)));
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// Returns the query string of the feed for this search, without the question mark; `None` without a search.
    pub fn feed_query(&self) -> Option<String> {
        fts_query::from_user_input(&self.typed)?;
        Some(form_urlencoded::Serializer::new(String::new()).append_pair("q", &self.typed).finish())
    }

    /// Describes the query, for example `Stories matching ‘grid’, in German`.
    pub fn description(&self) -> String {
        let mut parts = Vec::new();
        if !self.typed.is_empty() {
            parts.push(format!("matching ‘{}’", self.typed));
        }
        if !self.tag.is_empty() {
            parts.push(format!("from sources tagged ‘{}’", self.tag));
        }
        if !self.languages().is_empty() {
            parts.push(format!("in {}", self.language_names()));
        }
        if self.min_outlets > 1 {
            parts.push(format!("reported by at least {} outlets", self.min_outlets));
        }
        if parts.is_empty() { "All stories".into() } else { format!("Stories {}", parts.join(", ")) }
    }
}

/// Parses an integer. An empty form field means 1.
fn parse_number(text: &str) -> Option<u32> {
    if text.trim().is_empty() { Some(1) } else { text.trim().parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_string_round_trips() {
        for query in ["", "?q=grid", "?q=power+plant&tag=a%26b&lang=de&outlets=3&page=2", "?view=latest&page=50"] {
            let parsed = StoryQuery::parse(Some(query.trim_start_matches('?'))).unwrap();
            assert_eq!(parsed.query_string(parsed.page), query);
        }
    }

    #[test]
    fn any_query_is_parsed_or_rejected() {
        let parse = |query: &str| StoryQuery::parse(Some(query));
        assert_eq!(parse("outlets=&page=&x=1"), Some(StoryQuery::default()));
        assert_eq!(parse("outlets=500&page=9999").map(|q| (q.min_outlets, q.page)), Some((99, 50)));
        assert_eq!(parse("q=a&q=b").map(|q| q.typed), Some("a".into()));
        assert_eq!(
            parse("q=%00%1b%E2%80%AEa%FFb&tag=%0d%0ax").map(|q| (q.typed, q.tag)),
            Some(("a\u{fffd}b".into(), "x".into()))
        );
        assert_eq!((parse("outlets=x"), parse("page=-1"), parse("outlets=1.5")), (None, None, None));
        let long = parse(&format!("q={}", "a".repeat(10_000))).unwrap();
        assert!(long.typed.chars().count() <= fts_query::MAX_QUERY_CHARS + 1, "with the ellipsis");
    }
}
