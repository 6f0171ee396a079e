//! Decides which validators are stored for the next request, and when a request omits them (RFC 9110, section 13).

use super::super::parsed_document::ParsedDocument;
use super::PollInput;
use crate::domain::duration::after;
use crate::domain::{CacheValidators, Source, SourceUpdate, Timestamp};
use jiff::SignedDuration;

/// The time for which a server may respond to conditional requests only with 304. After this time, the server gets one
/// request without validators per `FULL_REQUEST_INTERVAL`, because it may send 304 even if the feed has changed.
const MAX_NOT_MODIFIED_PERIOD: SignedDuration = SignedDuration::from_hours(14 * 24);
const FULL_REQUEST_INTERVAL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Returns whether the next request for a source omits validators, because a faulty server or cache may respond with
/// 304 forever.
pub(in crate::crawl) fn full_request_is_due(source: &Source, now: Timestamp) -> bool {
    let passed = |since: Timestamp, span| now >= after(since, span);
    source.not_modified_since.is_some_and(|since| passed(since, MAX_NOT_MODIFIED_PERIOD))
        && source.full_request_at.is_none_or(|last| passed(last, FULL_REQUEST_INTERVAL))
}

/// Stores the validators of a document, or none if it may be incomplete, so that the next request gets all of it.
pub(super) fn keep_after_document(input: &PollInput<'_>, document: &ParsedDocument, update: &mut SourceUpdate) {
    // Clear the validators that this document lacks, because older validators belong to a document that is no longer
    // stored.
    update.validators.clone_from(&document.validators);
    if update.truncated_end.as_ref().is_some_and(|end| !end.is_confirmed) {
        update.validators = None;
    }
    // An unconditional document does not prove that the server handles conditional requests correctly.
    if input.attempt.is_conditional || document.validators.is_none() {
        update.not_modified_since = None;
    }
}

/// Merges validators after a 304 response, which may update them. Validators that it omits remain valid (RFC 9110,
/// section 15.4.5; RFC 9111, section 4.3.4).
pub(super) fn merge_validators(
    old: Option<&CacheValidators>,
    new: Option<&CacheValidators>,
) -> Option<CacheValidators> {
    let Some(new) = new else { return old.cloned() };
    let mut merged = new.clone();
    if let Some(old) = old.filter(|old| old.url == new.url) {
        merged.etag = merged.etag.or_else(|| old.etag.clone());
        merged.last_modified = merged.last_modified.or_else(|| old.last_modified.clone());
    }
    Some(merged)
}
