//! The turn at a server, agreed upon with the other programs on this database before every request.
//!
//! Whoever has to wait holds no other origin meanwhile, so that no two polls wait for each other.

use super::parse_job::MAX_PARSE_TIME;
use super::{Options, PollContext, backoff};
use crate::domain::duration::after;
use crate::domain::{DueSource, OriginHold, Source, Timestamp};
use crate::http_client::{FetchResult, Origin, PermitDenied};
use crate::store::leases::{self, LeaseConflict, PollLease};
use crate::store::{self, origins, sources};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// How often one who waits looks whether it is its turn.
const LOOK: Duration = Duration::from_millis(100);
/// Beyond the longest that a request and the reading of its answer may take, a lease lasts so much longer.
const SPARE: SignedDuration = SignedDuration::from_secs(30);

/// What came of asking for a source's turn.
#[derive(Debug)]
pub enum ClaimOutcome {
    Claimed(PollLease),
    /// Somebody else has the source or its origin right now.
    Leased(LeaseConflict),
    /// Its server asked not to be asked before a time; the source's next poll is after it.
    OnHold(OriginHold),
    /// It was polled, edited or removed since it was looked up.
    Outdated,
}

/// Until when a source that is due has to wait for hours or days that its feed skips: whatever moved its next poll, a
/// start or the end of a hold, knew nothing of them. Once it was not asked for the longest interval it is asked.
pub fn skip_until(source: &Source, options: &Options, now: Timestamp) -> Option<Timestamp> {
    let latest = after(source.last_poll_at?, options.max_interval);
    let allowed = source.wishes.first_allowed(now, latest.duration_since(now).max(SignedDuration::ZERO));
    (allowed > now).then_some(allowed)
}

impl PollContext {
    /// Takes a source's turn by `lease`, and its origin's; its next poll is not due before the interval has passed.
    pub async fn claim(&self, due: DueSource, mut lease: PollLease) -> store::Result<ClaimOutcome> {
        lease.origin = Url::parse(&due.url).ok().map(|url| crate::http_client::Origin::from_url(&url).to_string());
        let now = self.clock.now();
        let (next, until) = (after(now, self.options.interval), self.lease_until(now));
        self.store
            .write(move |db| {
                if let Some(origin) = &lease.origin
                    && let Some(hold) = origins::active_hold(db, origin, now)?
                {
                    let until = after(hold.until, backoff::jitter(&due.url, now, hold.until.duration_since(now)));
                    sources::postpone_poll(db, &due, until, &format!("its server is left alone: {}", hold.reason))?;
                    return Ok(ClaimOutcome::OnHold(hold));
                }
                if let Some(held) = leases::acquire(db, &lease, due.id, now, until)? {
                    return Ok(ClaimOutcome::Leased(held));
                }
                if !sources::claim_poll(db, &due, next)? {
                    leases::release(db, &lease, now, now)?;
                    return Ok(ClaimOutcome::Outdated);
                }
                Ok(ClaimOutcome::Claimed(lease))
            })
            .await
    }

    /// Waits until it is this poll's turn at an origin, and tells `say` of whoever has it.
    pub async fn wait_for_origin(
        &self,
        lease: &PollLease,
        origin: &Origin,
        mut say: impl FnMut(&LeaseConflict),
    ) -> store::Result<()> {
        while let Some(held) = self.move_lease(lease, origin).await? {
            say(&held);
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Asks for a document of which nothing is kept.
    pub async fn fetch_once(&self, url: &Url) -> store::Result<FetchResult> {
        let lease = PollLease::new(&self.program);
        let fetched = self.fetcher.fetch(url, None, self.clock.now(), &self.permits(&lease)).await;
        self.release_lease(&lease).await?;
        Ok(fetched)
    }

    /// The permits for the requests of a lease: before each request the lease moves to the origin of the request.
    pub fn permits<'a>(
        &'a self,
        lease: &'a PollLease,
    ) -> impl Fn(Origin) -> BoxFuture<'a, Result<(), PermitDenied>> + Send + Sync + 'a {
        move |origin| async move { self.lease_next_origin(lease, &origin).await }.boxed()
    }

    /// The same in the middle of a poll, which must come to an end.
    pub async fn lease_next_origin(&self, lease: &PollLease, origin: &Origin) -> Result<(), PermitDenied> {
        match self.origin_hold(origin).await {
            Ok(None) => {}
            Ok(Some(hold)) => return Err(PermitDenied::OnHold(hold.until)),
            Err(error) => return Err(PermitDenied::Failed(format!("the turn at {origin} could not be had: {error}"))),
        }
        let start = Instant::now();
        let patience = self.fetcher.total_timeout() + MAX_PARSE_TIME;
        loop {
            match self.move_lease(lease, origin).await {
                Ok(None) => return Ok(()),
                Ok(Some(held)) if start.elapsed() > patience => {
                    let detail = format!("{origin} was busy with {} for too long", held.holder);
                    return Err(PermitDenied::Failed(detail));
                }
                Ok(Some(_)) => tokio::time::sleep(LOOK).await,
                Err(error) => {
                    return Err(PermitDenied::Failed(format!("the turn at {origin} could not be had: {error}")));
                }
            }
        }
    }

    /// The hold of an origin, where it has one now.
    pub async fn origin_hold(&self, origin: &Origin) -> store::Result<Option<OriginHold>> {
        let (origin, now) = (origin.to_string(), self.clock.now());
        self.store.read(move |db| origins::active_hold(db, &origin, now)).await
    }

    /// Gives back what a poll that is not recorded had.
    pub async fn release_lease(&self, lease: &PollLease) -> store::Result<()> {
        let (lease, now) = (lease.clone(), self.clock.now());
        let pause = self.pause_until(now);
        self.store.write(move |db| leases::release(db, &lease, now, pause)).await
    }

    async fn move_lease(&self, lease: &PollLease, origin: &Origin) -> store::Result<Option<LeaseConflict>> {
        let (lease, origin, now) = (lease.clone(), origin.to_string(), self.clock.now());
        let (until, pause) = (self.lease_until(now), self.pause_until(now));
        self.store.write(move |db| leases::switch_origin(db, &lease, &origin, now, until, pause)).await
    }

    /// Until when the origin of a request that ended now rests.
    pub(super) fn pause_until(&self, now: Timestamp) -> Timestamp {
        after(now, self.fetcher.min_origin_delay())
    }

    fn lease_until(&self, now: Timestamp) -> Timestamp {
        let longest =
            SignedDuration::try_from(self.fetcher.total_timeout() + MAX_PARSE_TIME).unwrap_or(SignedDuration::MAX);
        after(now, longest.saturating_add(SPARE))
    }
}
