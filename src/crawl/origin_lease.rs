//! Leases of sources and origins, by which the programs on one database coordinate before every request.
//!
//! A poll that waits for an origin holds no lease on another origin, so two polls never wait for each other.

use super::parse_job::MAX_PARSE_TIME;
use super::{Options, PollContext, poll_delay};
use crate::domain::duration::after;
use crate::domain::{DueSource, HoldScope, NextPollReason, OriginHold, RequestRecord, Timestamp};
use crate::http_client::{DocumentRequest, FetchResult, NoDocument, origin_of};
use crate::store::poll_leases::{self, ActiveLeases, LeaseConflict, LeaseTerm, PollLease};
use crate::store::{self, Store, WriteConnection, origins, poll_schedule, sources};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The time between attempts to lease an origin that another poll holds.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// The margin that a lease adds to the maximum duration of a request and its parsing.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// The result of claiming a source that is due.
#[derive(Debug)]
pub enum ClaimOutcome {
    Claimed(PollLease),
    /// Another poll has leased the source or its origin.
    Leased(LeaseConflict),
    /// The source's origin is on hold. The next poll is due after the hold.
    OnHold(OriginHold),
    /// The source has been polled, edited or removed since it was read.
    Outdated,
}

/// Clears the hold of an origin at the operator's request. The waiting sources are polled as soon as their feeds allow
/// it. Returns their number; `None` if there was no hold.
pub async fn clear_hold(
    store: &Store,
    origin: String,
    options: Options,
    now: Timestamp,
) -> store::Result<Option<usize>> {
    let clear = move |db: &WriteConnection| {
        let waiting = origins::waiting_sources(db, &origin, now)?;
        let was_held = origins::clear_hold(db, &origin)?;
        for id in &waiting {
            let Some(source) = sources::get(db, *id)? else { continue };
            let minimum = poll_delay::feed_minimum(&source.polling_hints, &options);
            let earliest = source.last_poll_at.map_or(now, |last| after(last, minimum));
            poll_schedule::clear_hold(db, *id, earliest.max(now))?;
        }
        Ok((was_held || !waiting.is_empty()).then_some(waiting.len()))
    };
    store.write(clear).await
}

impl PollContext {
    /// Leases a source and its origin for a poll. If the poll is never recorded, the source's next poll is due after
    /// the delay that the feed and its server require.
    pub async fn claim(&self, due: DueSource, mut lease: PollLease) -> store::Result<ClaimOutcome> {
        lease.origin = Url::parse(&due.url).ok().map(|url| origin_of(&url));
        let now = self.clock.now();
        let (options, term) = (self.options.clone(), self.lease_term(now));
        self.store
            .write(move |db| {
                if let Some(origin) = &lease.origin
                    && let Some(hold) = origins::active_hold(db, origin, HoldScope::Content, now)?
                {
                    let until = after(hold.until, poll_delay::jitter(&due.url, now, hold.until.duration_since(now)));
                    let reason = NextPollReason::OriginHold { hold: hold.reason.clone() };
                    poll_schedule::postpone_poll(db, &due, until, &reason)?;
                    return Ok(ClaimOutcome::OnHold(hold));
                }
                if let Some(conflict) = poll_leases::acquire(db, &lease, due.id, term)? {
                    return Ok(ClaimOutcome::Leased(conflict));
                }
                let delay = sources::get(db, due.id)?
                    .map(|source| poll_delay::until_recorded(&source, &options.for_source(&source)));
                let next = after(now, delay.unwrap_or(options.interval));
                if !poll_schedule::claim_poll(db, &due, now, next)? {
                    poll_leases::release(db, &lease, now, now)?;
                    return Ok(ClaimOutcome::Outdated);
                }
                Ok(ClaimOutcome::Claimed(lease))
            })
            .await
    }

    /// Returns the leases of all programs. Ends those of programs that were killed.
    pub async fn active_leases(&self) -> store::Result<ActiveLeases> {
        let now = self.clock.now();
        let read = move |db: &_| poll_leases::active_leases(db, now);
        let leases = self.store.read(read).await?;
        if leases.ended_programs.is_empty() {
            return Ok(leases);
        }
        let (ended, origin_free_at) = (leases.ended_programs, self.origin_free_at(now));
        let release = move |db: &_| poll_leases::release_of_ended_programs(db, &ended, now, origin_free_at);
        self.store.write(release).await?;
        self.store.read(read).await
    }

    /// Waits until the lease covers an origin. Calls `on_conflict` on each attempt that finds the origin leased by
    /// another poll.
    pub async fn wait_for_origin(
        &self,
        lease: &PollLease,
        origin: &str,
        mut on_conflict: impl FnMut(&LeaseConflict),
    ) -> store::Result<()> {
        while let Some(conflict) = self.switch_origin(lease, origin).await? {
            on_conflict(&conflict);
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        Ok(())
    }

    /// Fetches a document once under the leases of its origins. Records neither a poll nor the requests.
    pub async fn fetch_once(&self, url: &Url) -> store::Result<FetchResult> {
        let lease = PollLease::new(&self.program);
        let fetched = self.fetcher.fetch(url, DocumentRequest::plain(self.clock.now()), &self.permits(&lease)).await;
        self.release_lease(&lease).await?;
        Ok(fetched)
    }

    /// Returns the permits for the requests of one lease; see [`crate::http_client::AcquirePermit`].
    pub fn permits<'a>(
        &'a self,
        lease: &'a PollLease,
    ) -> impl Fn(String) -> BoxFuture<'a, Result<(), NoDocument>> + Send + Sync + 'a {
        move |origin| async move { self.lease_next_origin(lease, &origin).await }.boxed()
    }

    /// Moves the lease of a poll to another origin. The wait has a time limit, because polls must end.
    pub(super) async fn lease_next_origin(&self, lease: &PollLease, origin: &str) -> Result<(), NoDocument> {
        let failed = |error: store::Error| NoDocument::Failed { detail: format!("cannot lease {origin}: {error}") };
        if let Some(hold) = self.origin_hold(origin, HoldScope::Content).await.map_err(failed)? {
            return Err(NoDocument::Held { origin: origin.to_owned(), until: hold.until });
        }
        let start = Instant::now();
        let max_wait = (self.fetcher.options.total_timeout + MAX_PARSE_TIME).unsigned_abs();
        while let Some(conflict) = self.switch_origin(lease, origin).await.map_err(failed)? {
            if start.elapsed() > max_wait {
                let detail = format!("{origin} was leased by {} for too long", conflict.holder);
                return Err(NoDocument::Failed { detail });
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        Ok(())
    }

    /// Returns the active hold of an origin.
    pub async fn origin_hold(&self, origin: &str, scope: HoldScope) -> store::Result<Option<OriginHold>> {
        let (origin, now) = (origin.to_owned(), self.clock.now());
        self.store.read(move |db| origins::active_hold(db, &origin, scope, now)).await
    }

    /// Releases the lease of a poll without recording the poll.
    pub async fn release_lease(&self, lease: &PollLease) -> store::Result<()> {
        let (lease, now) = (lease.clone(), self.clock.now());
        let origin_free_at = self.origin_free_at(now);
        self.store.write(move |db| poll_leases::release(db, &lease, now, origin_free_at)).await
    }

    /// Records requests that do not belong to a poll.
    pub async fn record_requests(&self, requests: Vec<RequestRecord>) -> store::Result<()> {
        let now = self.clock.now();
        self.store.write(move |db| origins::record_requests(db, now, &requests)).await
    }

    async fn switch_origin(&self, lease: &PollLease, origin: &str) -> store::Result<Option<LeaseConflict>> {
        let (lease, origin, term) = (lease.clone(), origin.to_owned(), self.lease_term(self.clock.now()));
        self.store.write(move |db| poll_leases::switch_origin(db, &lease, &origin, term)).await
    }

    /// Returns when an origin can receive the next request if its last request ended now.
    pub(super) fn origin_free_at(&self, now: Timestamp) -> Timestamp {
        after(now, self.fetcher.options.min_origin_delay)
    }

    fn lease_term(&self, now: Timestamp) -> LeaseTerm {
        let until = after(now, self.fetcher.options.total_timeout + MAX_PARSE_TIME + LEASE_MARGIN);
        LeaseTerm { from: now, until, origin_free_at: self.origin_free_at(now) }
    }
}
