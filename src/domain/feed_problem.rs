//! Problems in a document and how newsfold handled them. A problem in a source's document is data, never an error of
//! newsfold.

use serde::{Deserialize, Serialize};

/// One kind of problem in a document, with the number of occurrences and the first example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedProblem {
    pub kind: ProblemKind,
    /// The value or location of the first occurrence, at most [`FeedProblem::MAX_DETAIL_CHARS`] characters.
    pub detail: String,
    pub count: u32,
}

impl FeedProblem {
    /// The maximum length of a detail in characters. Details come from the web and are shown in tables and terminals.
    pub const MAX_DETAIL_CHARS: usize = 200;

    pub fn new(kind: ProblemKind, detail: impl AsRef<str>) -> Self {
        FeedProblem { kind, detail: super::display_text::one_line(detail.as_ref(), Self::MAX_DETAIL_CHARS), count: 1 }
    }

    /// Adds a problem to a list, or increments the count if the list already contains a problem of that kind. Prepares
    /// only the first detail for display, because a hostile document may contain millions of problems of one kind.
    pub fn record(problems: &mut Vec<FeedProblem>, kind: ProblemKind, detail: &str) {
        match problems.iter_mut().find(|problem| problem.kind == kind) {
            Some(known) => known.count = known.count.saturating_add(1),
            None => problems.push(FeedProblem::new(kind, &detail[..detail.floor_char_boundary(MAX_DETAIL_BYTES)])),
        }
    }
}

/// The maximum number of bytes that are read from a detail.
const MAX_DETAIL_BYTES: usize = 1024;

/// The kinds of problems. The text form is both stored and displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum ProblemKind {
    /// The declared character set does not match the bytes.
    WrongCharset,
    /// Bytes invalid in every plausible character set were replaced with U+FFFD.
    BadBytes,
    /// Control characters that XML forbids were removed.
    ControlCharacters,
    /// The XML was not well-formed (bare `&`, undeclared prefixes or entities, unclosed or crossed tags). It was fixed.
    NotWellFormed,
    /// Text before or after the root element was removed.
    Junk,
    /// The document is truncated. Only the received part was read.
    Truncated,
    /// Elements that were nested too deeply were removed.
    TooDeep,
    /// The document contains more items than the limit. The excess items were ignored.
    TooManyItems,
    /// An item with no title, text or link was ignored.
    EmptyItem,
    /// Two items of the document have the same guid.
    RepeatedGuid,
    /// Items have no guid. The items are identified by their link, or by their title and date.
    NoGuid,
    /// A date could not be parsed. The time of the poll replaces it.
    BadDate,
    /// A date is in the future or before 1970. For ranking, the time of the poll replaces it.
    AbsurdDate,
    /// A language code that is not in ISO 639 was ignored.
    BadLanguage,
    /// A link with a scheme other than http and https was removed.
    BadLink,
    /// Text longer than its limit was truncated.
    TooLong,
    /// The feed changed its guids. The items were recognized by their other properties.
    GuidsRewritten,
}
