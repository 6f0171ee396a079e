//! Decides the format of a document by its text: JSON, an HTML page, or RSS, RDF or Atom by the root element. The declared
//! media type is ignored, because it is often wrong.

use super::parsed_feed::FeedKind;
use crate::domain::{FeedProblem, ProblemKind};
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};

const DOCTYPE: &str = "<!doctype html";

/// Returns whether the text is JSON, possibly after a comment or inside a call (`callback({…});`).
pub fn is_json(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(200)];
    let Some(brace) = head.find('{') else { return false };
    // The next character distinguishes a JSON object from a style sheet.
    let is_object = head[brace + 1..].trim_start().starts_with(['"', '}']);
    brace == 0 || (is_object && !head[..brace].contains('<'))
}

/// Returns whether a document is an HTML page. The first element that is specific to feeds or to pages decides.
pub fn is_html_page(text: &str) -> bool {
    // HTML may omit the start tags of `html`, `head` and `body`.
    let doctype = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace()).get(..DOCTYPE.len());
    let mut has_html_element = doctype.is_some_and(|start| start.eq_ignore_ascii_case(DOCTYPE));
    for token in Tokenizer::new(text) {
        let MarkupToken::Start(tag) = token else { continue };
        let local = tag.name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
        match local.as_str() {
            "rss" | "rdf" | "feed" | "channel" | "entry" | "opml" => return false,
            "html" | "head" | "body" => return true,
            "meta" | "script" | "div" | "p" | "h1" | "table" | "center" | "a" | "img" => has_html_element = true,
            _ => {}
        }
    }
    has_html_element
}

/// Returns the first element that can be the root of a feed, and the corresponding format.
pub fn find_root<'a>(tokens: &mut Tokenizer<'a>, problems: &mut Vec<FeedProblem>) -> Option<(StartTag<'a>, FeedKind)> {
    for token in tokens {
        match token {
            MarkupToken::Start(tag) => {
                let local = tag.name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
                match local.as_str() {
                    "rss" | "channel" => return Some((tag, FeedKind::Rss)),
                    "rdf" => return Some((tag, FeedKind::Rdf)),
                    // A standalone entry is a valid document too (RFC 4287 §2).
                    "feed" | "entry" => return Some((tag, FeedKind::Atom)),
                    _ => {}
                }
            }
            MarkupToken::End(name) => FeedProblem::record(problems, ProblemKind::NotWellFormed, name),
            MarkupToken::Text(text) | MarkupToken::CData(text) if !text.trim().is_empty() => {
                FeedProblem::record(problems, ProblemKind::Junk, text);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_may_follow_a_comment_or_stand_inside_a_call() {
        for text in ["{\"items\":[]}", "callback({\"items\":[{\"id\":1}]});", "/* x */{\"items\":[{\"id\":1}]}"] {
            assert!(is_json(text), "{text}");
        }
        assert!(!is_json("<rss>{}</rss>"));
        assert!(!is_json("body { color: red } <rss>"));
    }

    #[test]
    fn feed_after_an_html_warning_is_not_a_page() {
        assert!(!is_html_page("<br /><b>Warning</b>: include() <?xml version='1.0'?><rss><channel><title>x</title>"));
        assert!(!is_html_page("just words"));
        assert!(!is_html_page("<!DOCTYPE html><rss><channel><title>x</title>"));
        assert!(is_html_page("\n<!DOCTYPE HTML><title>x</title><link rel=feed href=/rss>"));
    }

    #[test]
    fn root_element_determines_the_format_of_xml() {
        let kind = |text| find_root(&mut Tokenizer::new(text), &mut Vec::new()).map(|(_, kind)| kind);
        assert_eq!(kind("<?xml version='1.0'?><rss><channel>"), Some(FeedKind::Rss));
        assert_eq!(kind("<rdf:RDF>"), Some(FeedKind::Rdf));
        assert_eq!(kind("<atom:feed>"), Some(FeedKind::Atom));
        assert_eq!(kind("<opml><body>"), None);
    }
}
