//! Reads subscription lists leniently and reports every problem.
//!
//! Most shared lists are not well-formed XML, because a URL contains a bare `&`. The reader accepts them, but reports
//! repairs and unusable outlines, so that a truncated file is not mistaken for a complete file.
//!
//! The reader does not check URLs: `source import` does.

mod outline_reader;
mod well_formedness;

use self::outline_reader::OutlineReader;
use self::well_formedness::{bare_ampersand_lines, find_first_fault};
use super::{FeedOutline, OpmlFault};
use crate::charset::decode_text;
use crate::domain::FeedProblem;
use crate::domain::display_text::one_line;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};

/// The subscriptions of a list and the problems in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionList {
    pub outlines: Vec<FeedOutline>,
    /// Subscriptions without a URL, or left incomplete by a truncated file.
    pub unusable: Vec<OpmlFault>,
    /// The lines on which an unescaped `&` was read as a literal `&`.
    pub bare_ampersand_lines: Vec<usize>,
    /// The first place where the file is otherwise not well-formed XML. Outlines after it may be missing.
    pub fault: Option<OpmlFault>,
    /// The first limit of newsfold that the file exceeds. The rest is not read.
    pub exceeded_limit: Option<OpmlFault>,
    /// Whether the file is truncated.
    pub is_truncated: bool,
    /// Repairs that preceded the parsing of the markup, such as repairs of the character set.
    pub problems: Vec<FeedProblem>,
}

/// Why a file cannot be read as a subscription list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpmlError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is not OPML: {detail}")]
    NotOpml { detail: String },
}

/// The maximum number of bytes that are read from a file.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;
const MAX_OUTLINES: usize = 200_000;
/// The maximum number of categories of a subscription.
pub const MAX_CATEGORIES: usize = 64;
const TRUNCATED_OUTLINE: &str = "the file ends in the middle of this outline";

/// Reads the subscriptions of a file in document order.
///
/// # Errors
///
/// Returns [`OpmlError`] if the file is empty or has neither an `opml` nor an `outline` element.
pub fn read_opml(bytes: &[u8]) -> Result<SubscriptionList, OpmlError> {
    let decoded = decode_text(&bytes[..bytes.len().min(MAX_BYTES)], None, None);
    let text = decoded.text;
    if text.trim().is_empty() {
        return Err(OpmlError::Empty);
    }
    let mut list = read_outlines(&text)
        .ok_or_else(|| OpmlError::NotOpml { detail: one_line(&text, FeedProblem::MAX_DETAIL_CHARS) })?;
    let limit = |message: String| Some(OpmlFault { line: 1, message });
    if bytes.len() > MAX_BYTES {
        // The file does not end where newsfold stops reading.
        list.is_truncated = false;
        list.unusable.retain(|fault| fault.message != TRUNCATED_OUTLINE);
        list.exceeded_limit = limit(format!("the file has more than {MAX_BYTES} bytes; the rest is not read"));
    } else {
        find_first_fault(&text, &mut list);
    }
    if list.outlines.len() > MAX_OUTLINES {
        list.outlines.truncate(MAX_OUTLINES);
        let message = format!("the file has more than {MAX_OUTLINES} subscriptions; the others are not read");
        list.exceeded_limit = limit(message);
    }
    list.bare_ampersand_lines = bare_ampersand_lines(&text);
    list.problems = decoded.problems;
    Ok(list)
}

/// Reads the outlines of a document; `None` if the document is not OPML.
fn read_outlines(text: &str) -> Option<SubscriptionList> {
    let mut reader = OutlineReader::new(text);
    let mut tokens = Tokenizer::new(text);
    let mut is_opml = false;
    loop {
        let start = tokens.offset();
        let Some(token) = tokens.next() else { break };
        match token {
            MarkupToken::Start(tag) if tag.name.eq_ignore_ascii_case("opml") => is_opml = true,
            MarkupToken::Start(tag) if tag.name.eq_ignore_ascii_case("outline") => {
                is_opml = true;
                reader.start_outline(tag, start, tokens.truncated);
            }
            MarkupToken::End(name) if name.eq_ignore_ascii_case("outline") => reader.end_outline(),
            MarkupToken::Text(part) => reader.read_split_outline(part, start),
            _ => {}
        }
        if reader.list.outlines.len() > MAX_OUTLINES {
            break;
        }
    }
    reader.list.is_truncated = tokens.truncated;
    is_opml.then_some(reader.list)
}

#[cfg(test)]
mod tests;
