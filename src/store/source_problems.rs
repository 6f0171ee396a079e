//! Which sources have a problem: those that failed in the last poll, are gone, or wait because of their server. The
//! health page and `newsfold source list --problems` list these sources.

/// The condition on a row of `source`.
pub(super) const HAS_PROBLEM: &str =
    "last_error <> '' OR state = 'gone' OR next_poll_reason ->> 'kind' = 'origin-hold'";
