//! Checks that a new URL is not in use and that it leads to a feed, either directly or through a link on its page.

use super::{lease_holder_text, poll_error_text, termination_signal};
use crate::cli::output::time;
use crate::crawl::{self, AttemptOutcome, PollAttempt, PollContext};
use crate::domain::duration::after;
use crate::domain::{HoldReason, HoldScope, RequestSettings, SourceId, SourceState};
use crate::http_client::{DocumentRequest, NoDocument, origin_of};
use crate::store::poll_leases::{LeaseConflict, PollLease};
use crate::store::{Store, origins, sources};
use crate::urls::feed_address::similar_addresses;
use crate::wording::hold_reason_text;
use anyhow::bail;
use url::Url;

/// The suggestion in the error message if no feed is found at the URL.
const NEXT: &str = "Pass --no-fetch to use the URL anyway";

/// A feed that was found and read.
pub struct FoundFeed {
    pub url: Url,
    pub attempt: PollAttempt,
    /// Other feeds that the same page links to.
    pub others: Vec<Url>,
}

/// A search for the feed of a URL.
pub struct FeedSearch<'a> {
    pub poll_context: &'a PollContext,
    pub lease: &'a mut PollLease,
    /// The source that gets the URL; `None` for a new source.
    pub of: Option<SourceId>,
    pub settings: &'a RequestSettings,
}

/// Finds the feed of a URL; see [`FeedSearch::run`]. Releases the lease on failure and on interruption.
pub async fn find_feed(search: FeedSearch<'_>, url: &Url) -> anyhow::Result<FoundFeed> {
    let FeedSearch { poll_context, lease, of, settings } = search;
    let mut search = FeedSearch { poll_context, lease: &mut *lease, of, settings };
    let found = tokio::select! {
        found = search.run(url) => found,
        _ = termination_signal() => Err(anyhow::anyhow!("interrupted; nothing was changed")),
    };
    match found {
        Ok(found) => {
            if !found.others.is_empty() {
                eprintln!("the page links to {} feeds; the first one is used: {}", found.others.len() + 1, found.url);
                found.others.iter().for_each(|other| eprintln!("  also: {other}"));
            }
            report_similar(&poll_context.store, &found.url, of).await?;
            Ok(found)
        }
        Err(error) => {
            poll_context.release_lease(lease).await?;
            Err(error)
        }
    }
}

impl FeedSearch<'_> {
    /// Reads the feed at `url`, or the first feed that the page at `url` links to. Follows at most one redirect for
    /// browsers from that page to another page. Sends at most three requests.
    async fn run(&mut self, url: &Url) -> anyhow::Result<FoundFeed> {
        let attempt = self.fetch(url).await?;
        match attempt.outcome {
            AttemptOutcome::NotAFeed { feeds, refresh_target: Some(target), .. } if feeds.is_empty() => {
                eprintln!("{url} redirects browsers to {target}");
                let attempt = self.fetch(&target).await?;
                self.follow_link(&target, attempt).await
            }
            _ => self.follow_link(url, attempt).await,
        }
    }

    /// Returns the feed read at `url`, or the first feed that the page at `url` links to.
    async fn follow_link(&mut self, url: &Url, attempt: PollAttempt) -> anyhow::Result<FoundFeed> {
        let feeds = match attempt.outcome {
            AttemptOutcome::Read(_) => return Ok(FoundFeed { url: url.clone(), attempt, others: Vec::new() }),
            AttemptOutcome::NotAFeed { feeds, .. } if !feeds.is_empty() => feeds,
            outcome => {
                keep_hold(self.poll_context, attempt.status, attempt.url.as_ref().unwrap_or(url), &outcome).await?;
                bail!("no feed found at {url}: {}. {NEXT}", failure_text(&outcome))
            }
        };
        let feed = feeds[0].url.clone();
        let attempt = self.fetch(&feed).await?;
        match attempt.outcome {
            AttemptOutcome::Read(_) => {
                let others = feeds.into_iter().skip(1).map(|feed| feed.url).collect();
                Ok(FoundFeed { url: feed, attempt, others })
            }
            outcome => {
                keep_hold(self.poll_context, attempt.status, attempt.url.as_ref().unwrap_or(&feed), &outcome).await?;
                bail!("{url} links to {feed}, but no feed was found there: {}. {NEXT}", failure_text(&outcome))
            }
        }
    }

    async fn fetch(&mut self, url: &Url) -> anyhow::Result<PollAttempt> {
        refuse_taken(&self.poll_context.store, url, self.of).await?;
        take_turn(self.poll_context, url, self.lease).await?;
        let now = self.poll_context.clock.now();
        let request = DocumentRequest { settings: Some(self.settings), ..DocumentRequest::plain(now) };
        // The program that held the lease may have added the same feed.
        refuse_taken(&self.poll_context.store, url, self.of).await?;
        Ok(crawl::fetch_and_parse(self.poll_context, url, request, self.lease).await)
    }
}

/// Returns an error if another source has this URL.
pub async fn refuse_taken(store: &Store, url: &Url, of: Option<SourceId>) -> anyhow::Result<()> {
    let wanted = url.to_string();
    let Some(known) = store.read(move |db| sources::by_url(db, &wanted)).await? else { return Ok(()) };
    match of {
        None if known.state == SourceState::Removed => Ok(()),
        None => bail!("{url} is already source {}; change it with `newsfold source edit {0}`", known.id),
        Some(id) if id == known.id => Ok(()),
        Some(_) => bail!("source {} already has the URL {url} ({})", known.id, known.state.into_str()),
    }
}

/// Prints the source whose URL probably serves the same feed, if any.
pub async fn report_similar(store: &Store, url: &Url, of: Option<SourceId>) -> anyhow::Result<()> {
    let forms = similar_addresses(url);
    let known = store.read(move |db| {
        let found: Vec<_> = forms.iter().map(|form| sources::by_url(db, form)).collect::<Result<_, _>>()?;
        Ok(found.into_iter().flatten().filter(|known| known.state != SourceState::Removed).collect::<Vec<_>>())
    });
    for known in known.await?.iter().filter(|known| Some(known.id) != of) {
        eprintln!(
            "{url} may be the same feed as source {} ({}); `newsfold source remove {0}` removes that source",
            known.id, known.url
        );
    }
    Ok(())
}

/// Records the hold that a server requested, even though the source has not been added yet.
async fn keep_hold(
    poll_context: &PollContext,
    status: Option<u16>,
    url: &Url,
    outcome: &AttemptOutcome,
) -> anyhow::Result<()> {
    let AttemptOutcome::NoDocument(NoDocument::Throttled { retry_after, .. }) = outcome else { return Ok(()) };
    if status == Some(429) {
        let wait = retry_after.unwrap_or_default().clamp(
            poll_context.options.interval,
            poll_context.options.max_retry_after.max(poll_context.options.interval),
        );
        let reason = HoldReason::NewSourceThrottled;
        let until = after(poll_context.clock.now(), wait);
        let hold = poll_context.options.throttling_hold(origin_of(url), until, reason);
        poll_context.store.write(move |db| origins::record_hold(db, &hold)).await?;
    }
    Ok(())
}

/// Leases the origin. Prints a message if another program holds it.
async fn take_turn(poll_context: &PollContext, url: &Url, lease: &mut PollLease) -> anyhow::Result<()> {
    let origin = origin_of(url);
    if let Some(hold) = poll_context.origin_hold(&origin, HoldScope::Content).await? {
        bail!("{origin} is on hold until {}: {}. {NEXT}", time(hold.until), hold_reason_text(&hold.reason));
    }
    let mut is_announced = false;
    let announce = |held: &LeaseConflict| {
        if !is_announced && !held.holder.is_empty() {
            is_announced = true;
            eprintln!("waiting: {origin} is in use by {}", lease_holder_text(held));
        }
    };
    poll_context.wait_for_origin(lease, &origin, announce).await?;
    lease.origin = Some(origin);
    Ok(())
}

/// Describes why the document was not read.
fn failure_text(outcome: &AttemptOutcome) -> String {
    poll_error_text(outcome.poll_outcome(), &outcome.failure_text(), outcome.failure_time())
}
