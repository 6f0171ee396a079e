//! Our own network's outages: when no server can be reached, the fault is ours and no source bears it.
//!
//! Every request is evidence: an answer, whatever it says, means that the network is up; a request to which nothing came
//! back means little by itself. Where nothing comes back from so many different outlets in a row and none answers between
//! them, the network is down. Then the sources that failed first are cleared, the operator is told once, only one source
//! at a time is tried until a server answers, and what was missed is then polled one after the other.

use super::{AttemptOutcome, PollAttempt, PollContext};
use crate::domain::duration::after;
use crate::domain::{OperatorEventKind, Source, SourceId, Timestamp};
use crate::store::{self, WriteConnection, operator_events, sources};
use jiff::SignedDuration;
use std::sync::{Arc, Mutex, MutexGuard};

/// Outlets in a row from which nothing comes back before the network counts as down; all of them where there are fewer.
/// Were a tenth of all sources dead, ten of them would come in a row by chance once in ten thousand million polls.
const SILENT: usize = 10;
/// With a single outlet nobody can tell its server's silence from the network's.
const LEAST: usize = 2;
/// An outage excuses failures for so long; outlets that are silent for longer may well be dead, all of them.
const EXCUSED: SignedDuration = SignedDuration::from_hours(24);
/// Sources that came due while nobody could poll are this far apart, or closer where they would else take too long.
pub const OVERDUE_SPACING: SignedDuration = SignedDuration::from_millis(250);

/// Whether our own network is up, as far as the daemon knows. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct OutageDetector(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Programs that ask a few chosen sources see too little to tell, and tell nothing.
    is_told: bool,
    /// The sources to which nothing came back since the last answer, with their outlets. Their polls are recorded.
    silent: Vec<(String, SourceId)>,
    since: Option<Timestamp>,
    is_down: bool,
}

impl OutageDetector {
    /// For the daemon, which goes on where the last one stood: in an outage since then, where it was in one.
    pub async fn watched(store: &store::Store) -> store::Result<OutageDetector> {
        let since = store.read(operator_events::offline_since).await?;
        let state = State { is_told: true, since, is_down: since.is_some(), ..State::default() };
        Ok(OutageDetector(Arc::new(Mutex::new(state))))
    }

    pub fn is_down(&self) -> bool {
        self.lock().is_down
    }

    /// Since when the network is down, where that excuses what fails now.
    fn excuses(&self, now: Timestamp) -> Option<Timestamp> {
        let state = self.lock();
        state.since.filter(|since| state.is_down && after(*since, EXCUSED) > now)
    }

    /// A server answered. Returns since when the network had been down, where it was.
    fn answered(&self) -> Option<Timestamp> {
        let mut state = self.lock();
        let (since, was_down) = (state.since.take(), state.is_down);
        state.silent.clear();
        state.is_down = false;
        since.filter(|_| was_down)
    }

    /// A poll to which nothing came back was recorded, and the source blamed. Returns since when the network is down, and
    /// who is to be cleared of blame, where that is how it turns out.
    fn silent(&self, outlet: &str, source: SourceId, now: Timestamp, outlets: usize) -> Option<OutageDetected> {
        let mut state = self.lock();
        if !state.is_told {
            return None;
        }
        let since = *state.since.get_or_insert(now);
        if state.is_down {
            // It was under way when that was found out.
            return Some(OutageDetected { since, is_new: false, blamed: vec![source] })
                .filter(|_| after(since, EXCUSED) > now);
        }
        state.silent.push((outlet.to_owned(), source));
        let mut different: Vec<&str> = state.silent.iter().map(|(outlet, _)| outlet.as_str()).collect();
        different.sort_unstable();
        different.dedup();
        if outlets < LEAST || different.len() < outlets.clamp(LEAST, SILENT) {
            return None;
        }
        state.is_down = true;
        Some(OutageDetected { since, is_new: true, blamed: state.silent.drain(..).map(|(_, blamed)| blamed).collect() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What turned out to be our own fault.
#[derive(Debug, PartialEq)]
struct OutageDetected {
    since: Timestamp,
    is_new: bool,
    blamed: Vec<SourceId>,
}

/// That a server answered after an outage, to be written down with its poll.
#[derive(Debug, Default)]
pub(super) struct NetworkRecovery {
    back_since: Option<Timestamp>,
    interval: SignedDuration,
}

/// Takes an attempt as evidence. Where the network is known to be down its answer becomes [`AttemptOutcome::Offline`].
pub(super) fn judge(context: &PollContext, attempt: &mut PollAttempt) -> NetworkRecovery {
    let mut weather = NetworkRecovery { interval: context.options.interval, back_since: None };
    if attempt.requests.iter().any(|request| request.status.is_some()) {
        weather.back_since = context.outage.answered();
        if let Some(since) = weather.back_since {
            tracing::warn!(%since, "the network is back; what was missed is polled one after the other");
        }
    } else if let AttemptOutcome::Unreachable { detail } = &attempt.outcome
        && let Some(since) = context.outage.excuses(attempt.finished_at)
    {
        attempt.outcome = AttemptOutcome::Offline { detail: detail.clone(), since };
    }
    weather
}

impl NetworkRecovery {
    pub(super) fn write(&self, db: &WriteConnection, now: Timestamp) -> store::Result<()> {
        let Some(since) = self.back_since else { return Ok(()) };
        sources::spread_overdue(db, now, OVERDUE_SPACING, self.interval)?;
        let detail = format!("servers answer again; none could be reached since {since}");
        operator_events::record(db, now, OperatorEventKind::Online, None, &detail)
    }
}

/// Called once a poll to which nothing came back is recorded: it may be the one by which an outage shows.
pub(super) async fn after_silence(
    context: &PollContext,
    source: &Source,
    detail: &str,
    now: Timestamp,
) -> store::Result<()> {
    let outlets = context.store.read(sources::count_active_outlets).await?;
    let Some(silence) = context.outage.silent(&source.outlet, source.id, now, outlets) else { return Ok(()) };
    if silence.is_new {
        tracing::error!(since = %silence.since, last = detail, "no server can be reached: our own network is down");
    }
    let interval = context.options.interval;
    let text = format!("no server can be reached since {}; the last attempt: {detail}", silence.since);
    let write = move |db: &WriteConnection| {
        sources::revert_offline_failures(db, &silence.blamed, interval)?;
        if silence.is_new { operator_events::record(db, now, OperatorEventKind::Offline, None, &text) } else { Ok(()) }
    };
    context.store.write(write).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn daemon() -> OutageDetector {
        OutageDetector(Arc::new(Mutex::new(State { is_told: true, ..State::default() })))
    }

    fn silent(outage: &OutageDetector, n: i64, outlets: usize) -> Option<OutageDetected> {
        outage.silent(&format!("{n}.example"), SourceId(n), NOW, outlets)
    }

    #[test]
    fn ten_outlets_in_a_row_make_an_outage_and_all_who_failed_are_cleared() {
        let outage = daemon();
        for n in 0..9 {
            assert_eq!(silent(&outage, n, 500), None);
        }
        // More sources of an outlet that is silent already say nothing new.
        assert_eq!(outage.silent("0.example", SourceId(77), NOW, 500), None);
        let blamed = (0..9).chain([77, 9]).map(SourceId).collect();
        assert_eq!(silent(&outage, 9, 500), Some(OutageDetected { since: NOW, is_new: true, blamed }));
        assert!(outage.is_down());
        // One that was under way meanwhile.
        assert_eq!(
            silent(&outage, 10, 500),
            Some(OutageDetected { since: NOW, is_new: false, blamed: vec![SourceId(10)] })
        );
        assert_eq!(outage.answered(), Some(NOW));
        assert!(!outage.is_down());
    }

    #[test]
    fn an_answer_in_between_means_that_the_network_is_up() {
        let outage = daemon();
        for n in 0..50 {
            assert_eq!(silent(&outage, n, 500), None);
            if n % 9 == 8 {
                assert_eq!(outage.answered(), None);
            }
        }
    }

    #[test]
    fn with_few_outlets_all_of_them_count_and_with_one_nobody_can_tell() {
        let outage = daemon();
        assert_eq!(silent(&outage, 0, 1), None);
        assert_eq!(silent(&outage, 1, 3), None);
        assert_eq!(silent(&outage, 2, 3).map(|silence| silence.blamed.len()), Some(3));
    }

    #[test]
    fn an_outage_excuses_for_a_day_and_a_command_never_tells_of_one() {
        let outage = daemon();
        assert_eq!(outage.excuses(NOW), None);
        silent(&outage, 0, 2);
        silent(&outage, 1, 2);
        assert_eq!(outage.excuses(after(NOW, SignedDuration::from_hours(23))), Some(NOW));
        assert_eq!(outage.excuses(after(NOW, SignedDuration::from_hours(24))), None);
        let command = OutageDetector::default();
        for n in 0..30 {
            assert_eq!(silent(&command, n, 500), None);
        }
    }
}
