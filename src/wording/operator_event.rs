//! The kinds of operator events, as predicates of a sentence.

use crate::domain::OperatorEventKind;

/// Returns the predicate that follows the source's title or `newsfold`: `is failing`, `cannot reach any server`.
pub fn event_phrase(kind: OperatorEventKind) -> &'static str {
    match kind {
        OperatorEventKind::Broken => "is failing",
        OperatorEventKind::Recovered => "has recovered",
        OperatorEventKind::Moved => "has moved",
        OperatorEventKind::Gone => "is gone",
        OperatorEventKind::Offline => "cannot reach any server",
        OperatorEventKind::Online => "can reach servers again",
        OperatorEventKind::DiskNearlyFull => "has little space left on its disk",
        OperatorEventKind::DiskHasSpace => "has enough space on its disk again",
    }
}
