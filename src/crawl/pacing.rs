//! The pace at which all sources together are polled, reckoned anew now and then from what is known of each.

use super::rate::{Demand, Pace, Rate};
use super::{Tools, wait};
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::store::{self, sources};
use jiff::SignedDuration;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The last pace that was reckoned, with the time until which it is good. Clones share it.
#[derive(Clone, Default)]
pub struct Pacing(Arc<Mutex<Option<(Timestamp, Pace)>>>);

/// Rates change over days; a source that was added has its share after this at the latest.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(15);

impl Tools {
    /// The pace that uses up the budget: so many polls as if every source were polled at the average interval.
    pub(super) async fn pace(&self) -> store::Result<Pace> {
        let mut last = self.pacing.0.lock().await;
        let now = self.clock.now();
        if let Some((until, pace)) = *last
            && now < until
        {
            return Ok(pace);
        }
        let options = self.options.clone();
        let hours = self.options.average_interval.as_secs_f64() / 3600.0;
        let pace = self.store.read(move |db| {
            let mut demands: Vec<Demand> = Vec::new();
            sources::each_rate(db, |rate, wishes| {
                let floor = wait::floor(wishes, &options);
                demands.push(Rate::from_json(rate).demand(now, floor, options.max_interval));
            })?;
            Ok(Pace::solve(&demands, demands.len() as f64 / hours))
        });
        let pace = pace.await?;
        *last = Some((after(now, GOOD_FOR), pace));
        Ok(pace)
    }
}
