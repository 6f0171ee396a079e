//! Describes in one sentence why an attempt did not read the source.

use super::super::AttemptOutcome;
use super::MAX_DETAIL_CHARS;
use crate::domain::display_text::one_line;
use crate::domain::{HoldReason, Timestamp};
use crate::http_client::NoDocument;
use crate::wording::hold_reason_text;

impl AttemptOutcome {
    /// Returns the reason why the source could not be read; empty if it was read or has not changed. The text does not
    /// contain times; see [`AttemptOutcome::failure_time`].
    pub fn failure_text(&self) -> String {
        let text = match self {
            AttemptOutcome::Read(_) | AttemptOutcome::NoDocument(NoDocument::NotModified { .. }) => String::new(),
            AttemptOutcome::Abandoned => "newsfold was stopped during the poll".into(),
            AttemptOutcome::NotAFeed { detail, .. }
            | AttemptOutcome::Crashed { detail }
            | AttemptOutcome::Offline { detail, .. }
            | AttemptOutcome::NoDocument(NoDocument::Failed { detail } | NoDocument::Unreachable { detail }) => {
                detail.clone()
            }
            AttemptOutcome::NoDocument(NoDocument::Blocked { reason }) => reason.to_string(),
            AttemptOutcome::NoDocument(NoDocument::Held { origin, .. }) => {
                format!("it redirects to {origin}, which is on hold")
            }
            AttemptOutcome::NoDocument(NoDocument::Gone) => {
                "the server reports that the feed is gone permanently (410)".into()
            }
            AttemptOutcome::NoDocument(NoDocument::Throttled { .. }) => {
                hold_reason_text(&HoldReason::Throttled { shortened: None })
            }
            AttemptOutcome::NoDocument(NoDocument::Refused { .. }) => {
                hold_reason_text(&HoldReason::Refused { shortened: None })
            }
            AttemptOutcome::NoDocument(NoDocument::Challenged { service, .. }) => {
                hold_reason_text(&HoldReason::Challenged { service: (*service).to_owned(), shortened: None })
            }
        };
        one_line(&text, MAX_DETAIL_CHARS)
    }

    /// Returns the time to which the reason refers: the start of an outage, or the end of a hold.
    pub fn failure_time(&self) -> Option<Timestamp> {
        match self {
            AttemptOutcome::Offline { since, .. } => Some(*since),
            AttemptOutcome::NoDocument(NoDocument::Held { until, .. }) => Some(*until),
            _ => None,
        }
    }
}
