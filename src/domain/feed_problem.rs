//! Faults of a document and how newsfold handled them. A fault of a source is data, never an error.

use serde::{Deserialize, Serialize};

/// One kind of fault in a document: its number of occurrences and its first example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedProblem {
    pub kind: ProblemKind,
    /// The value or place of the first occurrence, at most [`FeedProblem::MAX_DETAIL`] characters.
    pub detail: String,
    pub count: u32,
}

impl FeedProblem {
    /// Characters of a detail; a longer one is cut, since it comes from the web and is shown in tables and terminals.
    pub const MAX_DETAIL: usize = 200;

    pub fn new(kind: ProblemKind, detail: impl AsRef<str>) -> Self {
        FeedProblem { kind, detail: super::display_text::one_line(detail.as_ref(), Self::MAX_DETAIL), count: 1 }
    }

    /// Adds a problem to a list, or counts it if the list has its kind. A hostile document may have millions of one kind,
    /// so only the first detail is prepared for display.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The declared character set is not the one that the bytes are in.
    WrongCharset,
    /// Bytes that no character set explains were replaced by U+FFFD.
    BadBytes,
    /// Control characters that XML forbids were dropped.
    ControlCharacters,
    /// Not well-formed XML: bare `&`, undeclared prefixes or entities, tags unclosed or crossed; rewritten.
    NotWellFormed,
    /// Text before or after the document's root was dropped.
    Junk,
    /// The document ends in its middle; what came before was read.
    Truncated,
    /// Elements nested beyond the limit were dropped.
    TooDeep,
    /// More items than the limit; the rest was left out.
    TooManyItems,
    /// An item with neither title, text nor link was left out.
    EmptyItem,
    /// Two items of one document carry one guid.
    RepeatedGuid,
    /// Items carry no guid; their identity comes from link, or title and date.
    NoGuid,
    /// A date that could not be read; the time of the poll stands for it.
    BadDate,
    /// A date in the future or before 1970; the time of the poll stands for it in ranking.
    AbsurdDate,
    /// A link that is not http or https was dropped.
    BadLink,
    /// A text beyond its limit was cut.
    TooLong,
    /// The feed changed its guids; its items were recognized by link, or by title and day.
    GuidsRewritten,
}

impl ProblemKind {
    /// The stored and printed form, as in `not-well-formed`.
    pub fn as_str(self) -> &'static str {
        use ProblemKind::*;
        match self {
            WrongCharset => "wrong-charset",
            BadBytes => "bad-bytes",
            ControlCharacters => "control-characters",
            NotWellFormed => "not-well-formed",
            Junk => "junk",
            Truncated => "truncated",
            TooDeep => "too-deep",
            TooManyItems => "too-many-items",
            EmptyItem => "empty-item",
            RepeatedGuid => "repeated-guid",
            NoGuid => "no-guid",
            BadDate => "bad-date",
            AbsurdDate => "absurd-date",
            BadLink => "bad-link",
            TooLong => "too-long",
            GuidsRewritten => "guids-rewritten",
        }
    }
}
