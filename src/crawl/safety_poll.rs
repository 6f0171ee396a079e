//! What a poll means for the hub of its source, in the poll's own transaction: what its document declares, and whether
//! polls may be a safety net from now on. The judgement is [`push_reliability`]'s.

use crate::domain::{DeclaredHub, HubEvent, PollRecord, PollingHints};
use crate::store::{self, WriteConnection, websub_subscriptions};
use crate::websub::push_reliability::{self, SafetyPollDecision};
use jiff::SignedDuration;

/// What is known beside the record.
pub(super) struct SafetyPollFacts {
    /// What the document declares, where one was read.
    pub hub: Option<Option<DeclaredHub>>,
    /// How long polls may be deferred; `None` where hubs are not used.
    pub safety_poll_interval: Option<SignedDuration>,
    /// What the feed asked for until now.
    pub wishes: PollingHints,
}

impl SafetyPollFacts {
    /// Writes down what follows from a poll that is recorded already.
    pub(super) fn settle(&self, db: &WriteConnection, record: &mut PollRecord, new_items: usize) -> store::Result<()> {
        let (source, now) = (record.source, record.finished_at);
        if let Some(declared) = &self.hub {
            websub_subscriptions::set_declared_hub(db, source, declared.as_ref(), now)?;
        }
        let Some(mut known) = websub_subscriptions::get(db, source)? else { return Ok(()) };
        // The record has just set the next poll by its own rules, so that nothing is deferred any more.
        websub_subscriptions::restore_deferred_polls(db, Some(source), now, "")?;
        let Some(safety_poll) = self.safety_poll_interval else { return Ok(()) };
        match push_reliability::evaluate_poll(&known, record, new_items, safety_poll) {
            SafetyPollDecision::Unchanged => {}
            SafetyPollDecision::Unreliable => {
                known.reliable = false;
                known.last_event = Some(HubEvent::ItemsMissed { items: new_items });
                websub_subscriptions::save(db, &known, now)?;
            }
            SafetyPollDecision::Defer { until } => {
                let reason =
                    format!("{safety_poll:#} after the last poll, as a safety net: its hub pushes what is new");
                // Hours and days that the feed wants to be left alone are kept to here too.
                let wishes = record.feed_wishes.as_ref().unwrap_or(&self.wishes);
                let until = wishes.first_allowed(until, safety_poll);
                websub_subscriptions::defer_poll(db, source, record.next_poll_at, until, &reason)?;
                record.next_poll_at = until;
                record.next_reason = reason;
            }
        }
        Ok(())
    }
}
