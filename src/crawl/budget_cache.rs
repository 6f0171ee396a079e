//! The multiplier at which all sources together are polled, reckoned anew now and then from what is known of each.

use super::poll_budget::{BudgetMultiplier, PollDemand};
use super::update_rate::UpdateRate;
use super::{PollContext, backoff};
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::store::{self, sources};
use jiff::SignedDuration;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The last multiplier that was reckoned, with the time until which it is good. Clones share it.
#[derive(Clone, Default)]
pub struct BudgetCache(Arc<Mutex<Option<(Timestamp, BudgetMultiplier)>>>);

/// ExpectedRates change over days; a source that was added has its share after this at the latest.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(15);

impl PollContext {
    /// The multiplier that uses up the budget: so many polls as if every source were polled at the average interval.
    pub(super) async fn budget_multiplier(&self) -> store::Result<BudgetMultiplier> {
        let mut last = self.budget.0.lock().await;
        let now = self.clock.now();
        if let Some((until, multiplier)) = *last
            && now < until
        {
            return Ok(multiplier);
        }
        let options = self.options.clone();
        let hours = self.options.average_interval.as_secs_f64() / 3600.0;
        let multiplier = self.store.read(move |db| {
            let mut demands: Vec<PollDemand> = Vec::new();
            sources::for_each_update_rate(db, |rate, wishes| {
                let floor = backoff::floor(wishes, &options);
                demands.push(UpdateRate::from_json(rate).demand(now, floor, options.max_interval));
            })?;
            Ok(BudgetMultiplier::solve(&demands, demands.len() as f64 / hours))
        });
        let multiplier = multiplier.await?;
        *last = Some((after(now, GOOD_FOR), multiplier));
        Ok(multiplier)
    }
}
