//! What the database says of an attempt before it is judged, so that judging it stays pure.

use super::poll_budget::BudgetMultiplier;
use super::{AttemptOutcome, PollAttempt, PollContext};
use crate::domain::duration::before;
use crate::domain::{Source, Timestamp};
use crate::store::{self, items, origins, sources};
use jiff::SignedDuration;

/// The facts beside an attempt and its source.
#[derive(Debug, Clone)]
pub struct PollFacts {
    /// The dates of the document's items that were not there at the last poll: unknown, or pushed since.
    pub new_item_dates: Vec<Option<Timestamp>>,
    /// How many of its items were known.
    pub known_items: u32,
    /// Whether the server that turned us away serves another source well.
    pub origin_serves_others: bool,
    /// Whether another source is polled at the address to which this one is led.
    pub redirect_target_is_taken: bool,
    /// How often all sources together are polled.
    pub budget_multiplier: BudgetMultiplier,
}

impl Default for PollFacts {
    fn default() -> Self {
        let budget_multiplier = BudgetMultiplier::new(f64::INFINITY);
        PollFacts {
            new_item_dates: Vec::new(),
            known_items: 0,
            origin_serves_others: false,
            redirect_target_is_taken: false,
            budget_multiplier,
        }
    }
}

/// How far back a server's good answers to other sources count: longer than the longest interval between two polls.
const SERVED_WITHIN: SignedDuration = SignedDuration::from_hours(3 * 24);

impl PollFacts {
    pub(super) async fn gather(
        context: &PollContext,
        source: &Source,
        attempt: &PollAttempt,
    ) -> store::Result<PollFacts> {
        let id = source.id;
        let shown: Vec<(String, Option<Timestamp>)> = match &attempt.outcome {
            AttemptOutcome::Read(reading) => {
                reading.items.iter().map(|item| (item.guid.clone(), item.published_at)).collect()
            }
            _ => Vec::new(),
        };
        let turned_away = matches!(attempt.outcome, AttemptOutcome::Refused { .. } | AttemptOutcome::Challenged { .. });
        let origin = attempt.last_origin().filter(|_| turned_away).map(str::to_owned);
        let since = before(attempt.finished_at, SERVED_WITHIN);
        let permanent_redirect = attempt.permanent_redirect.clone();
        let budget_multiplier = match attempt.outcome {
            AttemptOutcome::Read(_) | AttemptOutcome::NotModified { .. } => context.budget_multiplier().await?,
            _ => PollFacts::default().budget_multiplier,
        };
        let read = move |db: &_| {
            let guids: Vec<&str> = shown.iter().map(|(guid, _)| guid.as_str()).collect();
            let old = items::known_guids(db, id, &guids)?;
            let pushed = items::pushed_guids(db, id, &guids)?;
            let is_new = |guid: &String| !old.contains(guid) || pushed.contains(guid);
            let new: Vec<_> = shown.iter().filter(|(guid, _)| is_new(guid)).map(|(_, date)| *date).collect();
            let other = permanent_redirect.map(|url| sources::by_url(db, url.as_str())).transpose()?.flatten();
            Ok(PollFacts {
                known_items: shown.iter().filter(|(guid, _)| old.contains(guid)).count() as u32,
                new_item_dates: new,
                origin_serves_others: match origin {
                    Some(origin) => origins::serves_other_sources(db, &origin, id, since)?,
                    None => false,
                },
                redirect_target_is_taken: other.is_some_and(|other| other.id != id),
                budget_multiplier,
            })
        };
        context.store.read(read).await
    }
}
