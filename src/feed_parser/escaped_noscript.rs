//! Restores `<noscript>` elements that a program escaped twice. Otherwise, readers would see their tags as text.

use crate::markup::entities::decode_entities;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};

const STARTS: [&str; 2] = ["&lt;noscript", "<noscript"];
const ENDS: [&str; 2] = ["&lt;/noscript&gt;", "</noscript>"];

/// Decodes each `<noscript>` that contains only escaped images or players. Returns `None` if there is no such element.
/// Other escaped tags are literal text, for example in articles about HTML.
pub fn with_decoded_noscript(html: &str) -> Option<String> {
    if !html.contains("&lt;") {
        return None;
    }
    let mut out = String::new();
    let mut rest = html;
    while let Some((at, kind)) = first_of(rest, STARTS) {
        let Some(length) = rest[at..].find(ENDS[kind]).map(|end| end + ENDS[kind].len()) else { break };
        let (element, after) = rest[at..].split_at(length);
        let decoded = decode_entities(element);
        out.push_str(&rest[..at]);
        out.push_str(if contains_only_media(&decoded) { &decoded } else { element });
        rest = after;
    }
    (!out.is_empty()).then(|| out + rest).filter(|decoded| decoded != html)
}

fn first_of(text: &str, needles: [&str; 2]) -> Option<(usize, usize)> {
    let places = needles.iter().enumerate().filter_map(|(kind, needle)| Some((text.find(needle)?, kind)));
    places.min()
}

/// Returns whether an element contains an image or a player, and no text.
fn contains_only_media(element: &str) -> bool {
    let mut has_media = false;
    Tokenizer::new(element).all(|token| match token {
        MarkupToken::Start(tag) => {
            has_media |= ["img", "iframe"].iter().any(|name| tag.name.eq_ignore_ascii_case(name));
            true
        }
        MarkupToken::Text(text) => text.trim().is_empty(),
        _ => true,
    }) && has_media
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_image_is_restored_and_escaped_words_stay() {
        let check = |html: &str, expected: Option<&str>| assert_eq!(with_decoded_noscript(html).as_deref(), expected);
        let image = "a<noscript><img src=\"/1.jpg\"></noscript>b";
        check("a&lt;noscript&gt;&lt;img src=\"/1.jpg\"&gt;&lt;/noscript&gt;b", Some(image));
        check("a<noscript>&lt;img src=&quot;/1.jpg&quot;&gt;</noscript>b", Some(image));
        check("Use &lt;noscript&gt; and &lt;/noscript&gt; around &lt;img&gt;", None);
        check("&lt;noscript&gt;Turn on scripts &lt;img&gt;&lt;/noscript&gt;", None);
        check("&lt;noscript&gt;&lt;img&gt;", None);
    }
}
