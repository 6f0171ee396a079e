//! Our own network's outages: when no server can be reached, the fault is ours and no source bears it.
//!
//! Every request is evidence: an answer, whatever it says, means that the network is up; a request that reached nobody
//! means little by itself. Where so many different origins in a row reach nobody and none answers between them, the
//! network is down. Then the sources that failed first are cleared, the operator is told once, only one source at a time
//! is tried until a server answers, and what was missed is then polled one after the other.

use super::{Answer, Attempt, Tools};
use crate::model::{EventKind, Source, SourceId, Timestamp};
use crate::store::{self, events, sources};
use jiff::SignedDuration;
use rusqlite::Connection;
use std::sync::{Arc, Mutex, MutexGuard};

/// Origins in a row that reach nobody before the network counts as down; fewer where there are not so many outlets.
/// Were a tenth of all sources dead, ten of them would come in a row by chance once in ten thousand million polls.
const SILENT: usize = 10;
/// With a single outlet nobody can tell its server's silence from the network's.
const LEAST: usize = 2;
/// Sources that came due while nobody could poll are this far apart, or closer where they would else take too long.
pub const APART: SignedDuration = SignedDuration::from_millis(250);

/// Whether our own network is up, as far as the polls of this program know. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Outage(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Who reached nobody since the last answer: the first source of each origin.
    silent: Vec<(String, SourceId)>,
    since: Option<Timestamp>,
    is_down: bool,
}

/// What a request that reached nobody means.
#[derive(Debug, PartialEq)]
enum Silence {
    /// The source's own affair, as far as is known.
    Its,
    /// The network is down.
    Ours(Timestamp),
    /// It has just turned out to be down, and these sources were blamed for it.
    JustOurs(Timestamp, Vec<SourceId>),
}

impl Outage {
    pub fn is_down(&self) -> bool {
        self.lock().is_down
    }

    /// A server answered. Returns since when the network had been down, where it was.
    fn answered(&self) -> Option<Timestamp> {
        let before = std::mem::take(&mut *self.lock());
        before.since.filter(|_| before.is_down)
    }

    fn silent(&self, origin: &str, source: SourceId, now: Timestamp, outlets: usize) -> Silence {
        let mut state = self.lock();
        let since = *state.since.get_or_insert(now);
        if state.is_down {
            return Silence::Ours(since);
        }
        if !state.silent.iter().any(|(silent, _)| silent == origin) {
            state.silent.push((origin.to_owned(), source));
        }
        if outlets < LEAST || state.silent.len() < outlets.clamp(LEAST, SILENT) {
            return Silence::Its;
        }
        state.is_down = true;
        let blamed = state.silent.drain(..).map(|(_, blamed)| blamed).filter(|blamed| *blamed != source);
        Silence::JustOurs(since, blamed.collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What follows from an attempt for all the others, to be written down with it.
#[derive(Debug, Default)]
pub(super) struct Weather {
    event: Option<(EventKind, String)>,
    /// Sources that were blamed for what was our fault.
    cleared: Vec<SourceId>,
    interval: SignedDuration,
}

/// Takes an attempt as evidence. Where the network is down its answer becomes [`Answer::Offline`].
pub(super) async fn judge(tools: &Tools, source: &Source, attempt: &mut Attempt) -> store::Result<Weather> {
    let mut weather = Weather { interval: tools.options.interval, ..Weather::default() };
    if attempt.requests.iter().any(|request| request.status.is_some()) {
        if let Some(since) = tools.outage.answered() {
            tracing::warn!(%since, "the network is back; what was missed is polled one after the other");
            let detail = format!("servers answer again; none could be reached since {since}");
            weather.event = Some((EventKind::Online, detail));
        }
        return Ok(weather);
    }
    let (Answer::Unreachable { detail }, Some(origin)) = (&attempt.answer, attempt.origin()) else {
        return Ok(weather);
    };
    let detail = detail.clone();
    let outlets = tools.store.read(sources::active_outlets).await?;
    let since = match tools.outage.silent(origin, source.id, attempt.finished_at, outlets) {
        Silence::Its => return Ok(weather),
        Silence::Ours(since) => since,
        Silence::JustOurs(since, cleared) => {
            tracing::error!(%since, last = detail, "no server can be reached: our own network is down");
            let detail = format!("no server can be reached since {since}; the last attempt: {detail}");
            weather.event = Some((EventKind::Offline, detail));
            weather.cleared = cleared;
            since
        }
    };
    attempt.answer = Answer::Offline { detail, since };
    Ok(weather)
}

impl Weather {
    pub(super) fn write(&self, db: &Connection, now: Timestamp) -> store::Result<()> {
        sources::clear_of_blame(db, &self.cleared, self.interval)?;
        let Some((kind, detail)) = &self.event else { return Ok(()) };
        if *kind == EventKind::Online {
            sources::spread_overdue(db, now, APART, self.interval)?;
        }
        events::record(db, now, *kind, None, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn silent(outage: &Outage, n: i64, outlets: usize) -> Silence {
        outage.silent(&format!("https://{n}.example"), SourceId(n), NOW, outlets)
    }

    #[test]
    fn ten_origins_in_a_row_make_an_outage_and_the_first_nine_are_cleared() {
        let outage = Outage::default();
        for n in 0..9 {
            assert_eq!(silent(&outage, n, 500), Silence::Its);
            // The same origin again says nothing new.
            assert_eq!(silent(&outage, n, 500), Silence::Its);
        }
        assert_eq!(silent(&outage, 9, 500), Silence::JustOurs(NOW, (0..9).map(SourceId).collect()));
        assert_eq!(silent(&outage, 10, 500), Silence::Ours(NOW));
        assert!(outage.is_down());
        assert_eq!(outage.answered(), Some(NOW));
        assert!(!outage.is_down());
    }

    #[test]
    fn an_answer_in_between_means_that_the_network_is_up() {
        let outage = Outage::default();
        for n in 0..50 {
            assert_eq!(silent(&outage, n, 500), Silence::Its);
            if n % 9 == 8 {
                assert_eq!(outage.answered(), None);
            }
        }
    }

    #[test]
    fn with_few_outlets_all_of_them_count_and_with_one_nobody_can_tell() {
        let outage = Outage::default();
        assert_eq!(silent(&outage, 0, 1), Silence::Its);
        assert_eq!(silent(&outage, 0, 3), Silence::Its);
        assert_eq!(silent(&outage, 1, 3), Silence::Its);
        assert_eq!(silent(&outage, 2, 3), Silence::JustOurs(NOW, vec![SourceId(0), SourceId(1)]));
    }
}
