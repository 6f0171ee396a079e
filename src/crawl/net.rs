//! What a poll means for the hub of its source, in the poll's own transaction: what its document declares, and whether
//! polls may be a safety net from now on. The judgement is [`trust`]'s.

use crate::domain::{DeclaredHub, PollRecord, PollingHints};
use crate::store::{self, hubs};
use crate::websub::trust::{self, Verdict};
use jiff::SignedDuration;
use rusqlite::Connection;

/// What is known beside the record.
pub(super) struct Facts {
    /// What the document declares, where one was read.
    pub hub: Option<Option<DeclaredHub>>,
    /// How long polls may be deferred; `None` where hubs are not used.
    pub safety_poll: Option<SignedDuration>,
    /// What the feed asked for until now.
    pub wishes: PollingHints,
}

impl Facts {
    /// Writes down what follows from a poll that is recorded already.
    pub(super) fn settle(&self, db: &Connection, record: &mut PollRecord, new_items: usize) -> store::Result<()> {
        let (source, now) = (record.source, record.finished_at);
        if let Some(declared) = &self.hub {
            hubs::declare(db, source, declared.as_ref(), now)?;
        }
        let Some(mut known) = hubs::of(db, source)? else { return Ok(()) };
        // The record has just set the next poll by its own rules, so that nothing is deferred any more.
        hubs::back_to_plain(db, Some(source), now, "")?;
        let Some(safety_poll) = self.safety_poll else { return Ok(()) };
        match trust::after_poll(&known, record, new_items, safety_poll) {
            Verdict::Plain => {}
            Verdict::Missed => {
                known.trusted = false;
                known.detail = format!("a poll found news that the hub had not pushed: {new_items} items");
                hubs::save(db, &known, now)?;
            }
            Verdict::Net { until, reason } => {
                // Hours and days that the feed wants to be left alone are kept to here too.
                let wishes = record.feed_wishes.as_ref().unwrap_or(&self.wishes);
                let until = wishes.first_allowed(until, safety_poll);
                hubs::defer(db, source, record.next_poll_at, until, &reason)?;
                record.next_poll_at = until;
                record.next_reason = reason;
            }
        }
        Ok(())
    }
}
