//! Describes operator events.

use super::{Audience, TimedText};
use crate::domain::{OperatorEventKind, RecordedEvent};

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

/// Describes the event in one sentence, after its predicate.
pub fn event_detail(event: &RecordedEvent, audience: Audience<'_>) -> TimedText {
    let detail = audience.remark(&event.detail);
    match (event.kind, event.since) {
        (OperatorEventKind::Offline, Some(since)) => TimedText::from("no server has been reachable since ")
            .time(since)
            .words(format!("; the last error: {detail}")),
        (_, Some(since)) => TimedText::from(detail).words(" since ").time(since),
        (_, None) => detail.into(),
    }
}
