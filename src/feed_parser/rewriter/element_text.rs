//! Reads the text of an element whose end tag may be missing.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use quick_xml::escape::partial_escape;

use super::super::element_map::{FeedNamespace, namespace_of_prefix};
use crate::markup::entities::decode_entities;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};

/// The text between the tags of an element.
pub struct ElementText<'a> {
    /// The unchanged text, in which entities are not decoded.
    pub inner: &'a str,
    /// Whether the text contains elements.
    pub has_elements: bool,
    /// The token that ended the text in place of a missing end tag.
    pub ended_by: Option<MarkupToken<'a>>,
}

/// Reads up to the element's end tag, or to the first token for which `ends_element` returns true. Such a token shows
/// that the end tag is missing. `ends_element` receives an end tag only if it matches no open child.
pub fn read_element_text<'a>(
    tokens: &mut Tokenizer<'a>,
    tag: StartTag<'a>,
    ends_element: impl Fn(MarkupToken<'a>) -> bool,
) -> ElementText<'a> {
    // Elements below this depth are not tracked.
    const MAX_TRACKED: usize = 32;
    let mut text = ElementText { inner: "", has_elements: false, ended_by: None };
    if tag.self_closing {
        return text;
    }
    let start = tokens.offset();
    let mut depth = 0usize;
    let mut children: Vec<&str> = Vec::new();
    loop {
        let end = tokens.offset();
        let token = tokens.next();
        match token {
            Some(MarkupToken::End(name)) if depth > 0 && name.eq_ignore_ascii_case(tag.name) => {
                depth -= 1;
                continue;
            }
            Some(MarkupToken::End(name)) if name.eq_ignore_ascii_case(tag.name) => {}
            Some(MarkupToken::End(name)) if children.iter().any(|child| child.eq_ignore_ascii_case(name)) => {
                let index = children.iter().rposition(|child| child.eq_ignore_ascii_case(name));
                children.truncate(index.unwrap_or_default());
                continue;
            }
            Some(token) if ends_element(token) => text.ended_by = Some(token),
            Some(MarkupToken::Start(child)) => {
                text.has_elements = true;
                depth += usize::from(child.name.eq_ignore_ascii_case(tag.name) && !child.self_closing);
                if !child.self_closing && children.len() < MAX_TRACKED {
                    children.push(child.name);
                }
                continue;
            }
            Some(_) => continue,
            None => {}
        }
        text.inner = tokens.slice(start, end);
        return text;
    }
}

/// Returns the content of an element: text with decoded entities, or unchanged markup if the content has elements.
///
/// The result exceeds `max_bytes` by at most a few bytes, and only if text was omitted, so that the caller can detect
/// the truncation.
pub fn flatten_markup(inner: &str, has_elements: bool, max_bytes: usize) -> String {
    let mut out = String::new();
    for token in Tokenizer::new(inner) {
        let room = (max_bytes + 4).saturating_sub(out.len());
        if room == 0 {
            break;
        }
        match token {
            MarkupToken::Text(text) if !has_elements => {
                // Few references are more than eight times as long as the character that they represent.
                let text = prefix(text, room.saturating_mul(8));
                out.push_str(prefix(&decode_entities(text), room));
            }
            MarkupToken::Text(text) | MarkupToken::CData(text) => out.push_str(prefix(text, room)),
            MarkupToken::Start(tag) if tag.attribute_text.len() < room => {
                out.push('<');
                out.push_str(without_xhtml_prefix(tag.name));
                out.push_str(tag.attribute_text);
                out.push_str(if tag.self_closing { "/>" } else { ">" });
            }
            MarkupToken::End(name) if name.len() < room => {
                out.push_str("</");
                out.push_str(without_xhtml_prefix(name));
                out.push('>');
            }
            MarkupToken::Start(_) | MarkupToken::End(_) | MarkupToken::Other => {}
        }
    }
    out
}

fn prefix(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

fn without_xhtml_prefix(name: &str) -> &str {
    match name.split_once(':') {
        Some((prefix, local)) if namespace_of_prefix(prefix) == FeedNamespace::Xhtml => local,
        _ => name,
    }
}

/// Returns whether the text contains an `&` that does not start one of XML's own references.
pub fn has_bare_ampersand(text: &str) -> bool {
    const XML_REFERENCES: [&str; 6] = ["#", "amp;", "lt;", "gt;", "quot;", "apos;"];
    let is_bare = |after: &str| !XML_REFERENCES.iter().any(|reference| after.starts_with(reference));
    let mut ampersands = text.match_indices('&').take(1000);
    ampersands.any(|(at, _)| is_bare(&text[at + 1..])) && !text.contains("<![CDATA[")
}

/// Returns the decoded base64 text of an element, escaped for XML; `None` if it is not base64 or is binary data.
pub fn decode_base64_element(tag: StartTag, inner: &str) -> Option<String> {
    if !is_base64(tag) {
        return None;
    }
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let encoded: String = inner.split_ascii_whitespace().collect();
    let bytes = GeneralPurpose::new(&base64::alphabet::STANDARD, CONFIG).decode(encoded).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let is_binary = text.contains(|c: char| c.is_control() && !c.is_whitespace());
    (!is_binary).then(|| partial_escape(text).into_owned())
}

/// Returns whether a tag declares base64 text: Atom 0.3's `mode="base64"`, or Atom 1.0 content with a media type that
/// is neither text nor XML (RFC 4287 §4.1.3.3).
pub fn is_base64(tag: StartTag) -> bool {
    let has = |name: &str, value: &str| tag.attribute(name).is_some_and(|declared| declared.trim() == value);
    has("mode", "base64") || has("type", "application/octet-stream")
}
