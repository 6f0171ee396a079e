//! Handles truncated documents. An incomplete last item is held back, and is stored only if the next document is
//! truncated at the same point. Until then, requests are unconditional, because a 304 response would hide the complete
//! document.
//!
//! [`crate::feed_parser`] recognizes truncated documents: it sets [`ProblemKind::Truncated`] and marks the item in
//! which the document ends.

use super::parsed_document::ParsedDocument;
use super::{AttemptOutcome, PollAttempt, PollContext};
use crate::domain::{NewItem, ProblemKind, Source, TruncatedEnd};
use crate::store::{self, items};

/// Removes and returns the last item if the document ends within it.
pub(super) fn hold_back_incomplete_item(items: &mut Vec<NewItem>) -> Option<NewItem> {
    items.pop_if(|item| item.is_incomplete)
}

impl ParsedDocument {
    /// Returns the end of the document if it is truncated.
    pub(super) fn truncated_end(&self, source: &Source) -> Option<TruncatedEnd> {
        if !self.problems.iter().any(|problem| problem.kind == ProblemKind::Truncated) {
            return None;
        }
        let last = self.incomplete_item.as_ref().or(self.items.last());
        let last_guid = last.map(|item| item.guid.clone()).unwrap_or_default();
        let is_confirmed = source.truncated_end.as_ref().is_some_and(|before| before.last_guid == last_guid);
        Some(TruncatedEnd { last_guid, is_confirmed })
    }
}

/// Adds the incomplete item to the items of the document if the previous document was truncated at the same point. An
/// item that is already stored stays as it is.
pub(super) async fn release_incomplete_item(
    context: &PollContext,
    source: &Source,
    attempt: &mut PollAttempt,
) -> store::Result<()> {
    let AttemptOutcome::Read(document) = &mut attempt.outcome else { return Ok(()) };
    let is_confirmed = document.truncated_end(source).is_some_and(|end| end.is_confirmed);
    let Some(item) = document.incomplete_item.take_if(|_| is_confirmed) else { return Ok(()) };
    let (id, guid) = (source.id, item.guid.clone());
    if context.store.read(move |db| items::known_guids(db, id, &[&guid])).await?.is_empty() {
        document.items.push(item);
    } else {
        document.incomplete_item = Some(item);
    }
    Ok(())
}
