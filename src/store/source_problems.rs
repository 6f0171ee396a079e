//! Finds the sources with a problem: those that failed at the last poll, are gone, or are on hold. The health page and
//! `newsfold source list --problems` list these sources.

/// The condition on a row of `source`.
pub(super) const HAS_PROBLEM: &str =
    "last_error <> '' OR state = 'gone' OR next_poll_reason ->> 'kind' = 'origin-hold'";
