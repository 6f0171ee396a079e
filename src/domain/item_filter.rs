//! Filters of items by author, category, URL and regular expression, for feeds and mute rules.
//!
//! The `regex` crate matches in linear time. The size of an expression is limited, because its compiled form can be much
//! larger than its text.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// The maximum length of an expression in bytes, and of its compiled form.
const MAX_PATTERN_BYTES: usize = 1_000;
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// A filter of items. All conditions that are set must hold for the same item. The values in a list are alternatives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemFilter {
    /// The names of the authors contain one of these texts, ignoring case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// The source's feed assigns one of these categories to the item, ignoring case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// A regular expression that matches the URL of the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_pattern: Option<String>,
    /// A regular expression that matches the title or the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// The values of an item that a filter examines.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct FilteredItem {
    pub author: Option<String>,
    pub categories: Vec<String>,
    pub url: Option<String>,
    pub title: String,
    pub summary: String,
}

/// A filter with compiled expressions.
#[derive(Debug, Clone)]
pub struct CompiledFilter {
    /// The texts and categories are in lower case.
    authors: Vec<String>,
    categories: Vec<String>,
    url: Option<Regex>,
    text: Option<Regex>,
}

impl ItemFilter {
    pub fn is_empty(&self) -> bool {
        *self == ItemFilter::default()
    }

    /// Compiles the expressions.
    ///
    /// # Errors
    /// Returns the key of an invalid expression and a message for the operator.
    pub fn compile(&self) -> Result<CompiledFilter, (&'static str, String)> {
        let lowercase = |values: &[String]| values.iter().map(|value| value.to_lowercase()).collect();
        let compiled = |key, pattern: &Option<String>| match pattern {
            Some(pattern) => compile_pattern(pattern).map(Some).map_err(|error| (key, error)),
            None => Ok(None),
        };
        Ok(CompiledFilter {
            authors: lowercase(&self.authors),
            categories: lowercase(&self.categories),
            url: compiled("url_pattern", &self.url_pattern)?,
            text: compiled("pattern", &self.pattern)?,
        })
    }
}

impl CompiledFilter {
    /// Returns whether the item meets all conditions.
    pub fn matches(&self, item: &FilteredItem) -> bool {
        let CompiledFilter { authors, categories, url, text } = self;
        let author = item.author.as_deref().unwrap_or_default().to_lowercase();
        let has_category = |wanted: &String| item.categories.iter().any(|category| category.to_lowercase() == *wanted);
        (authors.is_empty() || authors.iter().any(|wanted| author.contains(wanted.as_str())))
            && (categories.is_empty() || categories.iter().any(has_category))
            && url.as_ref().is_none_or(|url| item.url.as_deref().is_some_and(|link| url.is_match(link)))
            && text.as_ref().is_none_or(|text| text.is_match(&item.title) || text.is_match(&item.summary))
    }
}

/// Compiles a regular expression, which ignores case.
fn compile_pattern(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(format!("is longer than {MAX_PATTERN_BYTES} bytes"));
    }
    let built = RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(MAX_COMPILED_BYTES)
        .dfa_size_limit(MAX_COMPILED_BYTES)
        .build();
    built.map_err(|error| format!("is not a valid regular expression: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> FilteredItem {
        FilteredItem {
            author: Some("Jane Doe, John Roe".into()),
            categories: vec!["Politics".into()],
            url: Some("https://news.example/sport/1".into()),
            title: "Grid fails".into(),
            summary: "Power is out.".into(),
        }
    }

    fn check(filter: ItemFilter, expected: bool) {
        assert_eq!(filter.compile().unwrap().matches(&item()), expected, "{filter:?}");
    }

    #[test]
    fn all_conditions_that_are_set_must_hold() {
        let filter = ItemFilter { authors: vec!["jane doe".into(), "x".into()], ..ItemFilter::default() };
        check(filter.clone(), true);
        check(ItemFilter { categories: vec!["sports".into()], ..filter.clone() }, false);
        check(ItemFilter { categories: vec!["POLITICS".into()], ..filter }, true);
        check(ItemFilter { url_pattern: Some("/sport/".into()), ..ItemFilter::default() }, true);
        check(ItemFilter { url_pattern: Some("^/sport/".into()), ..ItemFilter::default() }, false);
        check(ItemFilter { pattern: Some(r"\bpower\b|\bwater\b".into()), ..ItemFilter::default() }, true);
    }

    #[test]
    fn expressions_are_limited_in_size() {
        for pattern in ["(", "(?:a{1000}){1000}", &"a".repeat(1_001)] {
            let filter = ItemFilter { pattern: Some(pattern.into()), ..ItemFilter::default() };
            assert_eq!(filter.compile().unwrap_err().0, "pattern");
        }
    }
}
