//! A start tag and its attributes, with or without quotes.
//!
//! At most [`MAX_ATTRIBUTES`] attributes are read.

use std::borrow::Cow;

use super::entities::decode_entities;

/// A start tag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StartTag<'a> {
    pub name: &'a str,
    /// The text between the name and the closing bracket.
    pub attribute_text: &'a str,
    pub self_closing: bool,
}

/// The maximum number of attributes. The limit is high, because a value with unescaped quotes splits into one attribute
/// per word.
const MAX_ATTRIBUTES: usize = 4_096;

impl<'a> StartTag<'a> {
    /// Returns the attributes in order. The values are not decoded.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        AttributeIterator { rest: self.attribute_text }.take(MAX_ATTRIBUTES)
    }

    /// Returns the decoded value of an attribute. Ignores case, because feeds write `isPermalink` and `HREF`.
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| decode_entities(value))
    }
}

/// Returns the number of attributes in the text of a whole tag, at most [`MAX_ATTRIBUTES`].
pub fn count_attributes(tag_text: &str) -> usize {
    let name_end = tag_text.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(tag_text.len());
    AttributeIterator { rest: &tag_text[name_end..] }.take(MAX_ATTRIBUTES).count()
}

struct AttributeIterator<'a> {
    rest: &'a str,
}

impl<'a> Iterator for AttributeIterator<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '='));
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '/')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else {
            self.rest = after;
            return Some((name, ""));
        };
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quoted = quote.and_then(|quote| value[1..].split_once(quote));
        let (value, rest) = quoted.unwrap_or_else(|| {
            let bare = value.trim_start_matches(['"', '\'']);
            bare.split_at(bare.find(char::is_whitespace).unwrap_or(bare.len()))
        });
        self.rest = rest;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use crate::markup::tokenizer::{MarkupToken, Tokenizer};

    #[test]
    fn attributes_may_be_unquoted_valueless_and_contain_brackets() {
        let Some(MarkupToken::Start(tag)) = Tokenizer::new("<a HREF=x?y=1&amp;z b c='1>2' d = \"&eacute;\"/>").next()
        else {
            panic!("a tag")
        };
        assert_eq!(tag.attribute("href").as_deref(), Some("x?y=1&z"));
        assert_eq!(tag.attribute("b").as_deref(), Some(""));
        assert_eq!(tag.attribute("c").as_deref(), Some("1>2"));
        assert_eq!(tag.attribute("d").as_deref(), Some("é"));
    }
}
