//! Gathers the facts from the database that a decision needs, so that the decision stays pure.

use super::linked_feed::linked_feed;
use super::poll_budget::{BudgetMultiplier, PollDemand};
use super::update_rate::UpdateRate;
use super::{AttemptOutcome, PollAttempt, PollContext, poll_delay};
use crate::domain::duration::{after, before};
use crate::domain::{Source, Timestamp};
use crate::http_client::NoDocument;
use crate::store::{self, items, origins, sources};
use jiff::SignedDuration;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The facts that a decision needs in addition to an attempt and its source.
#[derive(Debug, Clone, Default)]
pub struct PollFacts {
    /// The dates of the document's items that are new since the last poll: unknown items, and items pushed since then.
    pub new_item_dates: Vec<Option<Timestamp>>,
    /// The number of the document's items that were already known.
    pub known_items: u32,
    /// Whether the origin that refused the request serves another source successfully.
    pub origin_serves_others: bool,
    /// Whether another source already has the URL to which this source redirects, or to which its web page links.
    pub redirect_target_is_taken: bool,
    pub budget_multiplier: BudgetMultiplier,
}

/// The time for which a successful poll of another source counts as evidence that the origin does not refuse all
/// requests. It is longer than the default maximum interval between polls.
const SERVED_EVIDENCE_LIFETIME: SignedDuration = SignedDuration::from_hours(3 * 24);

/// The budget multiplier, computed from the update rates of all sources. Clones share it.
#[derive(Clone, Default)]
pub struct BudgetCache(Arc<Mutex<Option<CachedMultiplier>>>);

struct CachedMultiplier {
    multiplier: BudgetMultiplier,
    valid_until: Timestamp,
}

/// The number of sources from which the multiplier is estimated. The error of the mean demand is about one percent.
const SAMPLED_SOURCES: u32 = 10_000;
/// The time after which the multiplier is computed again. Rates change over days, so this time mainly determines when a
/// new source gets its share of the budget.
const BUDGET_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

impl PollContext {
    /// Returns the multiplier that uses the whole budget: as many polls as if each source were polled at the average
    /// interval.
    pub(super) async fn budget_multiplier(&self) -> store::Result<BudgetMultiplier> {
        let mut cached = self.budget.0.lock().await;
        let now = self.clock.now();
        if let Some(cached) = &*cached
            && now < cached.valid_until
        {
            return Ok(cached.multiplier);
        }
        let options = self.options.clone();
        let solve = move |db: &_| {
            let mut demands: Vec<PollDemand> = Vec::new();
            for source in sources::sample_demands(db, SAMPLED_SOURCES)? {
                let floor = poll_delay::feed_minimum(&source.polling_hints, &options);
                demands.push(UpdateRate::from_json(&source.update_rate).demand(now, floor, options.max_interval));
            }
            let average_hours = options.average_interval.as_secs_f64() / 3600.0;
            Ok(BudgetMultiplier::solve(&demands, demands.len() as f64 / average_hours))
        };
        let multiplier = self.store.read(solve).await?;
        *cached = Some(CachedMultiplier { multiplier, valid_until: after(now, BUDGET_LIFETIME) });
        Ok(multiplier)
    }
}

impl PollFacts {
    pub(super) async fn gather(
        context: &PollContext,
        source: &Source,
        attempt: &PollAttempt,
    ) -> store::Result<PollFacts> {
        let id = source.id;
        let shown: Vec<(String, Option<Timestamp>)> = match &attempt.outcome {
            AttemptOutcome::Read(document) => {
                document.items.iter().map(|item| (item.guid.clone(), item.published_at)).collect()
            }
            _ => Vec::new(),
        };
        let is_refusal = matches!(
            attempt.outcome,
            AttemptOutcome::NoDocument(NoDocument::Refused { .. } | NoDocument::Challenged { .. })
        );
        let refusing_origin = attempt.last_origin().filter(|_| is_refusal).map(str::to_owned);
        let since = before(attempt.finished_at, SERVED_EVIDENCE_LIFETIME);
        let redirect_target = linked_feed(source, &attempt.outcome).or(attempt.permanent_redirect.clone());
        let budget_multiplier = match attempt.outcome {
            AttemptOutcome::Read(_) | AttemptOutcome::NoDocument(NoDocument::NotModified { .. }) => {
                context.budget_multiplier().await?
            }
            _ => BudgetMultiplier::default(),
        };
        let read = move |db: &_| {
            let guids: Vec<&str> = shown.iter().map(|(guid, _)| guid.as_str()).collect();
            let known = items::known_guids(db, id, &guids)?;
            let pushed = items::pushed_guids(db, id, &guids)?;
            let is_new = |guid: &String| !known.contains(guid) || pushed.contains(guid);
            let at_target = redirect_target.map(|url| sources::by_url(db, url.as_str())).transpose()?.flatten();
            Ok(PollFacts {
                new_item_dates: shown.iter().filter(|(guid, _)| is_new(guid)).map(|(_, date)| *date).collect(),
                known_items: shown.iter().filter(|(guid, _)| known.contains(guid)).count() as u32,
                origin_serves_others: match refusing_origin {
                    Some(origin) => origins::serves_other_sources(db, &origin, id, since)?,
                    None => false,
                },
                redirect_target_is_taken: at_target.is_some_and(|other| other.id != id),
                budget_multiplier,
            })
        };
        context.store.read(read).await
    }
}
