//! Extracts a person's name from a byline.

use super::super::one_line_text::{html_to_plain_text, truncate_text};
use crate::markup::entities::decode_entities;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::markup::whitespace::fold_non_blank;

/// The maximum number of bytes that are read from a byline.
const MAX_BYLINE_BYTES: usize = 4 * 1024;
const MAX_NAME_BYTES: usize = 256;

/// Returns the name in `Ann Author`, `ann@news.example (Ann Author)` or `<name>Ann Author</name>…`, or the email
/// address if there is no name.
pub fn author_name(inner: &str) -> Option<String> {
    let inner = &inner[..inner.floor_char_boundary(MAX_BYLINE_BYTES)];
    let (mut name, mut email, mut bare) = (None, None, String::new());
    let mut element = "";
    for token in Tokenizer::new(inner) {
        match token {
            MarkupToken::Start(tag) => element = tag.name.rsplit(':').next().unwrap_or_default(),
            MarkupToken::End(_) => element = "",
            MarkupToken::Text(text) | MarkupToken::CData(text) => match element {
                "name" | "Name" if name.is_none() => name = html_to_plain_text(text),
                "email" if email.is_none() => email = html_to_plain_text(text),
                "" | "p" | "span" | "b" | "i" | "strong" | "em" | "a" | "li" => match token {
                    // Some programs escape the markup of a name: `&lt;span&gt;Ann&lt;/span&gt;`.
                    MarkupToken::Text(_) => bare.push_str(&decode_entities(text)),
                    _ => bare.push_str(text),
                },
                _ => {}
            },
            MarkupToken::Other => {}
        }
    }
    let mut name = name.or_else(|| html_to_plain_text(&bare)).or(email)?;
    // Removing one address scans the whole text, so text that consists of addresses would take quadratic time.
    truncate_text(&mut name, 4 * MAX_NAME_BYTES);
    let mut name = without_email_addresses(name);
    truncate_text(&mut name, MAX_NAME_BYTES);
    Some(name)
}

/// Removes email addresses, unless the text contains nothing else. feed-rs also looks for addresses in names, and
/// panics if it splits a character.
fn without_email_addresses(mut name: String) -> String {
    let is_address_char = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    let is_separator = |c: char| c.is_whitespace() || "()<>[]\",–-".contains(c);
    while let Some(at) = name.find('@') {
        let start = name[..at].trim_end_matches(is_address_char).len();
        let end = name.len() - name[at + 1..].trim_start_matches(is_address_char).len();
        let rest = format!("{} {}", &name[..start], &name[end..]);
        match fold_non_blank(&rest.trim_matches(is_separator).replace("mailto:", "")) {
            Some(rest) => name = rest,
            None => break,
        }
    }
    name
}
