//! Detects outages of our own network. If no server is reachable, the sources are not the cause.
//!
//! Every request is evidence. Any response shows that the network is up. A single request without a response shows
//! little, but if consecutive requests to many different outlets get no response, the network is down. In this case,
//! the failures of the affected sources are reverted, the operator is informed once, and one source at a time is polled
//! until a server responds. After that, the missed polls are spread over time.

use super::{AttemptOutcome, PollAttempt, PollContext};
use crate::domain::duration::after;
use crate::domain::{OperatorEvent, OperatorEventKind, Source, SourceId, Timestamp};
use crate::http_client::NoDocument;
use crate::store::{self, WriteConnection, operator_events, poll_schedule, sources};
use crate::wording::Audience;
use jiff::SignedDuration;
use parking_lot::Mutex;
use std::sync::Arc;

/// The number of different outlets that must be unreachable in a row to indicate an outage. If there are fewer outlets,
/// all of them must be unreachable. If a tenth of all sources no longer existed, ten such sources would be polled
/// consecutively only once in ten billion polls.
const OUTAGE_OUTLETS: usize = 10;
/// The minimum number of active outlets for detecting outages. With only one outlet, an outage of its server would look
/// like an outage of our network.
const MIN_OUTLETS: usize = 2;
/// The part of an outage during which failures do not count. Outlets that do not respond for longer have probably
/// ceased to exist.
const MAX_EXCUSED_TIME: SignedDuration = SignedDuration::from_hours(24);
/// The time between polls of sources that became due while no polling was possible. It is shorter if the polls would
/// take longer than the minimum interval.
pub const OVERDUE_SPACING: SignedDuration = SignedDuration::from_millis(250);

/// The detector of outages of our own network, based on the polls of this program. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct OutageDetector(Arc<Mutex<OutageState>>);

#[derive(Debug, Default)]
struct OutageState {
    /// Disabled for programs that poll only a few sources, because they cannot detect an outage.
    is_enabled: bool,
    /// The source and outlet of each poll without a response since the last response.
    unreachable: Vec<(String, SourceId)>,
    since: Option<Timestamp>,
    is_down: bool,
    /// Whether the end of the outage is being recorded.
    is_ending: bool,
}

/// The end of an outage that is not yet recorded. The network counts as down until [`Self::commit`], so that no poll
/// starts before the missed polls are spread over time. If this value is dropped, the next response ends the outage.
#[derive(Debug)]
pub(super) struct OutageEnd {
    detector: OutageDetector,
    pub since: Timestamp,
}

impl OutageEnd {
    /// Reports the network as up. Call this after [`record_recovery`] is committed.
    pub fn commit(self) {
        let mut state = self.detector.0.lock();
        state.since = None;
        state.is_down = false;
    }
}

impl Drop for OutageEnd {
    fn drop(&mut self) {
        self.detector.0.lock().is_ending = false;
    }
}

impl OutageDetector {
    /// Creates a detector for the daemon. It continues an outage from before the restart.
    pub async fn restore(store: &store::Store) -> store::Result<OutageDetector> {
        let since = store.read(operator_events::offline_since).await?;
        let state = OutageState { is_enabled: true, since, is_down: since.is_some(), ..OutageState::default() };
        Ok(OutageDetector(Arc::new(Mutex::new(state))))
    }

    pub fn is_down(&self) -> bool {
        self.0.lock().is_down
    }

    /// Returns the start of the current outage, as long as failures during the outage do not count.
    fn excused_since(&self, now: Timestamp) -> Option<Timestamp> {
        let state = self.0.lock();
        state.since.filter(|since| state.is_down && after(*since, MAX_EXCUSED_TIME) > now)
    }

    /// Records that a server responded. Returns the end of the outage, unless another response is ending it.
    fn record_response(&self) -> Option<OutageEnd> {
        let mut state = self.0.lock();
        state.unreachable.clear();
        if !state.is_down {
            state.since = None;
            return None;
        }
        let since = state.since.filter(|_| !state.is_ending)?;
        state.is_ending = true;
        Some(OutageEnd { detector: self.clone(), since })
    }

    /// Records a failed poll without a response. `outlets` is the number of active outlets, at most [`OUTAGE_OUTLETS`].
    /// Returns the outage and the sources whose failures must be reverted, if the network is down.
    fn record_unreachable(
        &self,
        outlet: &str,
        source: SourceId,
        now: Timestamp,
        outlets: usize,
    ) -> Option<OutageDetected> {
        let mut state = self.0.lock();
        if !state.is_enabled {
            return None;
        }
        let since = *state.since.get_or_insert(now);
        if state.is_down {
            // The poll was already in progress when the outage was detected.
            let outage = OutageDetected { since, is_new: false, blamed: vec![source] };
            return (after(since, MAX_EXCUSED_TIME) > now).then_some(outage);
        }
        state.unreachable.push((outlet.to_owned(), source));
        let mut different: Vec<&str> = state.unreachable.iter().map(|(outlet, _)| outlet.as_str()).collect();
        different.sort_unstable();
        different.dedup();
        if outlets < MIN_OUTLETS || different.len() < outlets.clamp(MIN_OUTLETS, OUTAGE_OUTLETS) {
            return None;
        }
        state.is_down = true;
        let blamed = state.unreachable.drain(..).map(|(_, source)| source).collect();
        Some(OutageDetected { since, is_new: true, blamed })
    }
}

/// An outage, and the sources whose failures it explains.
#[derive(Debug, PartialEq)]
struct OutageDetected {
    since: Timestamp,
    is_new: bool,
    blamed: Vec<SourceId>,
}

/// Evaluates an attempt as evidence. During an outage, an unreachable server becomes [`AttemptOutcome::Offline`].
/// Returns the end of the outage if the attempt ends it.
pub(super) fn observe_attempt(context: &PollContext, attempt: &mut PollAttempt) -> Option<OutageEnd> {
    if attempt.requests.iter().any(|request| request.status.is_some()) {
        let end = context.outage.record_response()?;
        tracing::warn!(since = %end.since, "the network is up again; polling overdue sources in sequence");
        return Some(end);
    }
    if let AttemptOutcome::NoDocument(NoDocument::Unreachable { detail }) = &attempt.outcome
        && let Some(since) = context.outage.excused_since(attempt.finished_at)
    {
        attempt.outcome = AttemptOutcome::Offline { detail: detail.clone(), since };
    }
    None
}

/// Records the end of an outage together with the poll that proved it.
pub(super) fn record_recovery(
    db: &WriteConnection,
    since: Timestamp,
    interval: SignedDuration,
    now: Timestamp,
) -> store::Result<()> {
    poll_schedule::spread_overdue(db, now, OVERDUE_SPACING, interval)?;
    let detail = "servers respond again; no server had been reachable".to_owned();
    operator_events::record(
        db,
        now,
        None,
        &OperatorEvent { kind: OperatorEventKind::Online, detail, since: Some(since) },
    )
}

/// Evaluates a recorded poll without a response as evidence. It may be the poll that reveals an outage.
pub(super) async fn observe_unreachable(
    context: &PollContext,
    source: &Source,
    detail: &str,
    now: Timestamp,
) -> store::Result<()> {
    let outlets = context.store.read(|db| sources::count_active_outlets(db, OUTAGE_OUTLETS)).await?;
    let Some(outage) = context.outage.record_unreachable(&source.outlet, source.id, now, outlets) else {
        return Ok(());
    };
    if outage.is_new {
        let last = Audience::PUBLIC.remark(detail);
        tracing::error!(since = %outage.since, last, "no server can be reached: newsfold's own network is down");
    }
    let interval = context.options.interval;
    let event =
        OperatorEvent { kind: OperatorEventKind::Offline, detail: detail.to_owned(), since: Some(outage.since) };
    let revert = move |db: &WriteConnection| {
        poll_schedule::revert_offline_failures(db, &outage.blamed, interval)?;
        if outage.is_new {
            operator_events::record(db, now, None, &event)?;
        }
        Ok(())
    };
    context.store.write(revert).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn daemon() -> OutageDetector {
        OutageDetector(Arc::new(Mutex::new(OutageState { is_enabled: true, ..OutageState::default() })))
    }

    fn unreachable(outage: &OutageDetector, n: i64, outlets: usize) -> Option<OutageDetected> {
        outage.record_unreachable(&format!("{n}.example"), SourceId(n), NOW, outlets)
    }

    #[test]
    fn ten_outlets_in_a_row_make_an_outage_that_clears_all_failed_sources() {
        let outage = daemon();
        for n in 0..9 {
            assert_eq!(unreachable(&outage, n, 500), None);
        }
        // A second source of an outlet that is already counted has no effect.
        assert_eq!(outage.record_unreachable("0.example", SourceId(77), NOW, 500), None);
        let blamed = (0..9).chain([77, 9]).map(SourceId).collect();
        assert_eq!(unreachable(&outage, 9, 500), Some(OutageDetected { since: NOW, is_new: true, blamed }));
        assert!(outage.is_down());
        // This poll was already in progress.
        assert_eq!(
            unreachable(&outage, 10, 500),
            Some(OutageDetected { since: NOW, is_new: false, blamed: vec![SourceId(10)] })
        );
    }

    #[test]
    fn network_is_down_until_the_end_of_the_outage_is_committed() {
        let outage = daemon();
        unreachable(&outage, 0, 2);
        unreachable(&outage, 1, 2);
        let end = outage.record_response().unwrap();
        assert_eq!(end.since, NOW);
        assert!(outage.is_down());
        assert!(outage.record_response().is_none(), "one response ends the outage");
        drop(end);
        assert!(outage.is_down());
        outage.record_response().expect("the end that could not be recorded is repeated").commit();
        assert!(!outage.is_down());
        assert!(outage.record_response().is_none());
    }

    #[test]
    fn response_in_between_means_that_the_network_is_up() {
        let outage = daemon();
        for n in 0..50 {
            assert_eq!(unreachable(&outage, n, 500), None);
            if n % 9 == 8 {
                assert!(outage.record_response().is_none());
            }
        }
    }

    #[test]
    fn all_of_few_outlets_make_an_outage_and_one_outlet_does_not() {
        let outage = daemon();
        assert_eq!(unreachable(&outage, 0, 1), None);
        assert_eq!(unreachable(&outage, 1, 3), None);
        assert_eq!(unreachable(&outage, 2, 3).map(|outage| outage.blamed.len()), Some(3));
    }

    #[test]
    fn outage_excuses_failures_for_a_day_and_a_command_detects_no_outage() {
        let outage = daemon();
        assert_eq!(outage.excused_since(NOW), None);
        unreachable(&outage, 0, 2);
        unreachable(&outage, 1, 2);
        assert_eq!(outage.excused_since(after(NOW, SignedDuration::from_hours(23))), Some(NOW));
        assert_eq!(outage.excused_since(after(NOW, SignedDuration::from_hours(24))), None);
        let command = OutageDetector::default();
        for n in 0..30 {
            assert_eq!(unreachable(&command, n, 500), None);
        }
    }
}
