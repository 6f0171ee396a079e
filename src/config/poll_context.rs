//! The context for polls under a configuration.

use super::Config;
use crate::clock::Clock;
use crate::crawl::{BudgetCache, OutageDetector, PollContext};
use crate::domain::DisabledReason;
use crate::feed_parser;
use crate::http_client::{self, AddressPolicy, Fetcher};
use crate::publish;
use crate::store::Store;
use std::sync::Arc;
use tokio::sync::Semaphore;

impl Config {
    /// The context for polls by `program`, which is the holder of their leases.
    pub fn poll_context(
        &self,
        store: Store,
        clock: Clock,
        program: &str,
    ) -> Result<PollContext, http_client::ClientBuildError> {
        let fetcher = Fetcher::new(self.fetch.clone())?;
        let is_websub_enabled = self.websub_disabled_reason(fetcher.address_policy()).is_none();
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Ok(PollContext {
            fetcher,
            store,
            clock,
            options: self.poll.clone(),
            parse_options: feed_parser::Options {
                max_bytes: self.fetch.max_body_bytes,
                ..feed_parser::Options::default()
            },
            safety_poll_interval: is_websub_enabled.then_some(self.websub.safety_poll_interval),
            program: program.to_owned(),
            outage: OutageDetector::default(),
            budget: BudgetCache::default(),
            parse_slots: Arc::new(Semaphore::new(cores)),
        })
    }

    /// Why newsfold does not subscribe at hubs under this configuration; `None` if it does.
    pub fn websub_disabled_reason(&self, address_policy: &AddressPolicy) -> Option<DisabledReason> {
        let default_base_url = publish::Options::default().base_url;
        self.websub.disabled_reason(&self.publish.base_url, &default_base_url, address_policy)
    }
}
