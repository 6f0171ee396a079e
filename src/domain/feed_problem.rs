//! Faults of a document and how newsfold handled them. A fault of a source is data, never an error.

use serde::{Deserialize, Serialize};

/// One kind of fault in a document: its number of occurrences and its first example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedProblem {
    pub kind: ProblemKind,
    /// The value or place of the first occurrence, at most [`FeedProblem::MAX_DETAIL_CHARS`] characters.
    pub detail: String,
    pub count: u32,
}

impl FeedProblem {
    /// Characters of a detail; a longer one is cut, since it comes from the web and is shown in tables and terminals.
    pub const MAX_DETAIL_CHARS: usize = 200;

    pub fn new(kind: ProblemKind, detail: impl AsRef<str>) -> Self {
        FeedProblem { kind, detail: super::display_text::one_line(detail.as_ref(), Self::MAX_DETAIL_CHARS), count: 1 }
    }

    /// Adds a problem to a list, or increments the count if the list already has a problem of that kind. A hostile
    /// document may have millions of one kind, so only the first detail is prepared for display.
    pub fn record(problems: &mut Vec<FeedProblem>, kind: ProblemKind, detail: &str) {
        match problems.iter_mut().find(|problem| problem.kind == kind) {
            Some(known) => known.count = known.count.saturating_add(1),
            None => problems.push(FeedProblem::new(kind, &detail[..detail.floor_char_boundary(MAX_DETAIL_BYTES)])),
        }
    }
}

/// Bytes of a detail that are read.
const MAX_DETAIL_BYTES: usize = 1024;

/// The kinds of faults. The text form is stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum ProblemKind {
    /// The declared character set is not that of the bytes.
    WrongCharset,
    /// Bytes invalid in every plausible character set were replaced with U+FFFD.
    BadBytes,
    /// Control characters that XML forbids were removed.
    ControlCharacters,
    /// The XML is not well-formed (bare `&`, undeclared prefixes or entities, unclosed or crossed tags) and was rewritten.
    NotWellFormed,
    /// Text before or after the root element was removed.
    Junk,
    /// The document is truncated; the part before the cut was read.
    Truncated,
    /// Elements nested too deeply were removed.
    TooDeep,
    /// The document has more items than the limit; the rest was ignored.
    TooManyItems,
    /// An item without title, text and link was ignored.
    EmptyItem,
    /// Two items of the document have the same guid.
    RepeatedGuid,
    /// Items have no guid; they are identified by link, or by title and date.
    NoGuid,
    /// A date could not be parsed; the time of the poll replaces it.
    BadDate,
    /// A date is in the future or before 1970; the time of the poll replaces it in ranking.
    AbsurdDate,
    /// A language that ISO 639 does not have was ignored.
    BadLanguage,
    /// A link that is neither http nor https was removed.
    BadLink,
    /// A text longer than its limit was cut.
    TooLong,
    /// The feed changed its guids; its items were recognized by their other properties.
    GuidsRewritten,
}
