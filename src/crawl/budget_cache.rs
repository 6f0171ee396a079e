//! The budget multiplier, computed from the update rates of all sources and cached.

use super::poll_budget::{BudgetMultiplier, PollDemand};
use super::update_rate::UpdateRate;
use super::{PollContext, backoff};
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::store::{self, sources};
use jiff::SignedDuration;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The last multiplier. Clones share it.
#[derive(Clone, Default)]
pub struct BudgetCache(Arc<Mutex<Option<CachedMultiplier>>>);

struct CachedMultiplier {
    multiplier: BudgetMultiplier,
    valid_until: Timestamp,
}

/// Rates change over days. A new source gets its share of the budget after this time at the latest.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

impl PollContext {
    /// The multiplier that uses the whole budget: as many polls as if every source were polled at the average interval.
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
            sources::for_each_update_rate(db, |rate, hints| {
                let floor = backoff::feed_minimum(hints, &options);
                demands.push(UpdateRate::from_json(rate).demand(now, floor, options.max_interval));
            })?;
            let average_hours = options.average_interval.as_secs_f64() / 3600.0;
            Ok(BudgetMultiplier::solve(&demands, demands.len() as f64 / average_hours))
        };
        let multiplier = self.store.read(solve).await?;
        *cached = Some(CachedMultiplier { multiplier, valid_until: after(now, LIFETIME) });
        Ok(multiplier)
    }
}
