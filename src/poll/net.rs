//! What a poll means for the hub of its source, in the poll's own transaction: what its document declares, and whether
//! polls may be a safety net from now on. The judgement is [`trust`]'s.

use crate::model::{HubDeclared, PollRecord};
use crate::store::{self, hubs};
use crate::websub::trust::{self, Verdict};
use jiff::SignedDuration;
use rusqlite::Connection;

/// Writes down what follows. `read` is what the document declares, where one was read; `safety_poll` is `None` where
/// hubs are not used.
pub(super) fn settle(
    db: &Connection,
    record: &mut PollRecord,
    new_items: usize,
    read: Option<Option<HubDeclared>>,
    safety_poll: Option<SignedDuration>,
) -> store::Result<()> {
    let (source, now) = (record.source, record.finished_at);
    if let Some(declared) = read {
        hubs::declare(db, source, declared.as_ref(), now)?;
    }
    let Some(mut known) = hubs::of(db, source)? else { return Ok(()) };
    // The record has just set the next poll by its own rules, so that nothing is deferred any more.
    hubs::back_to_plain(db, Some(source), now, "")?;
    let Some(safety_poll) = safety_poll else { return Ok(()) };
    match trust::after_poll(&known, record, new_items, safety_poll) {
        Verdict::Plain => {}
        Verdict::Missed => {
            known.trusted = false;
            known.detail = format!("a poll found news that the hub had not pushed: {new_items} items");
            hubs::save(db, &known, now)?;
        }
        Verdict::Net { until, reason } => {
            hubs::defer(db, source, record.next_poll_at, until, &reason)?;
            record.next_poll_at = until;
            record.next_reason = reason;
        }
    }
    Ok(())
}
