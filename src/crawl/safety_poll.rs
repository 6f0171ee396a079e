//! What a poll means for the hub of its source: the hub that the document declares, and whether the next poll is a
//! safety poll. It is stored in the transaction of the poll. [`push_reliability`] decides.

use crate::domain::{DeclaredHub, HubEvent, NextPollReason, PollRecord, PollingHints, SourceUpdate};
use crate::store::{self, WriteConnection, websub_subscriptions};
use crate::websub::push_reliability::{self, SafetyPollDecision};
use jiff::SignedDuration;

/// What is known beside the record.
pub(super) struct SafetyPollFacts {
    /// The hub that the document declares; the outer `None` if no document was read.
    pub declared_hub: Option<Option<DeclaredHub>>,
    /// The time between two safety polls; `None` if hubs are not used.
    pub interval: Option<SignedDuration>,
    /// The hints of the feed before this poll.
    pub polling_hints: PollingHints,
}

impl SafetyPollFacts {
    /// Stores what follows from a poll that is already recorded.
    pub(super) fn apply(
        &self,
        db: &WriteConnection,
        record: &PollRecord,
        update: &mut SourceUpdate,
        new_items: usize,
    ) -> store::Result<()> {
        let (source, now) = (record.source, record.finished_at);
        if let Some(declared) = &self.declared_hub {
            websub_subscriptions::set_declared_hub(db, source, declared.as_ref(), now)?;
        }
        let Some(mut subscription) = websub_subscriptions::get(db, source)? else { return Ok(()) };
        // The record has set the next poll by the ordinary rules, so no poll is deferred any longer.
        websub_subscriptions::clear_deferral(db, Some(source))?;
        let Some(interval) = self.interval else { return Ok(()) };
        match push_reliability::evaluate_poll(&subscription, record, update.next_poll_at, new_items, interval) {
            SafetyPollDecision::Unchanged => {}
            SafetyPollDecision::Unreliable => {
                subscription.reliable = false;
                subscription.last_event = Some(HubEvent::ItemsMissed { items: new_items });
                websub_subscriptions::save(db, &subscription, now)?;
            }
            SafetyPollDecision::Defer { until } => {
                let hints = update.feed.as_ref().map_or(&self.polling_hints, |feed| &feed.polling_hints);
                let until = hints.first_allowed(until, interval);
                let reason = NextPollReason::SafetyPoll { interval_seconds: interval.as_secs() };
                websub_subscriptions::defer_poll(db, source, update.next_poll_at, until, &reason)?;
                update.next_poll_at = until;
                update.next_poll_reason = reason;
            }
        }
        Ok(())
    }
}
