//! Announces new entries of feeds to the webhooks of the configuration (`[[notify]]`). Each webhook receives the
//! entries in order, one at a time. The progress is in the database: a restart neither loses an announcement nor
//! repeats one whose success was recorded. [`super::delivery_retries`] decides when to repeat a failed
//! announcement.
//!
//! The URL of a webhook is a secret: log messages contain only its host and the name of its feed. The address policy
//! applies to the URL, and redirects are not followed.

use super::database_watcher::NextRun;
use super::delivery_retries::{DeliveryResult, MAX_WEBHOOK_ATTEMPTS, evaluate_delivery, next_attempt_at};
use super::task_context::TaskContext;
use crate::config::webhook_url;
use crate::domain::{FeedCandidate, PublishedFeed, Timestamp};
use crate::http_client::{CallbackRequest, WebSubRequestError, WebSubResponse};
use crate::metrics::METRICS;
use crate::publish::{WebhookOptions, webhook_message};
use crate::store::webhooks::{self, WebhookKey, WebhookState};
use crate::store::{self, ReadConnection, feed_entries, feed_selections};
use crate::wording::{self, Audience, count_of};
use axum::http::{HeaderMap, HeaderValue, header};
use futures_util::future::join_all;
use jiff::SignedDuration;
use url::Url;

const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
/// The delay before a file that does not contain a URL is read again.
const FILE_RETRY_DELAY: SignedDuration = SignedDuration::from_mins(5);

/// The name of this component in the health of the daemon.
const COMPONENT: &str = "webhooks";

/// A webhook of the configuration.
struct Webhook {
    /// The position in the configuration, which identifies the webhook in the health of the daemon.
    position: String,
    options: WebhookOptions,
    feed: PublishedFeed,
}

pub(super) async fn run(context: TaskContext) {
    let shutdown = context.shutdown.clone();
    context.health.forget_delivery_failures(COMPONENT);
    let running = join_all(webhooks(&context).into_iter().map(|hook| announce_entries(context.clone(), hook)));
    // Without webhooks, the task only waits.
    tokio::select! {
        _ = shutdown.cancelled() => {}
        _ = async { running.await; std::future::pending::<()>().await } => {}
    }
}

fn webhooks(context: &TaskContext) -> Vec<Webhook> {
    let feeds = context.config.publish.published_feeds();
    // The configuration has been validated, so each feed exists.
    let hooks = context.config.notify.iter().enumerate().filter_map(|(position, options)| {
        let feed = feeds.iter().find(|feed| feed.name == options.feed)?.clone();
        Some(Webhook { position: position.to_string(), options: options.clone(), feed })
    });
    hooks.collect()
}

async fn announce_entries(mut context: TaskContext, hook: Webhook) {
    for outcome in ["delivered", "failed", "skipped"] {
        hook.count(outcome, 0);
    }
    loop {
        let next = match webhook_url(&hook.options) {
            Ok(url) => announce_next(&context, &hook, &url).await.unwrap_or_else(|error| {
                error.log("the progress of a webhook could not be read or recorded; retrying");
                NextRun::Retry
            }),
            Err(error) => {
                tracing::warn!(feed = hook.feed.name, "the URL of a webhook cannot be read: {error}");
                hook.set_failure(&context, None, Some(&format!("its URL cannot be read: {error}")));
                // A change of the database does not change the file.
                context.clock().sleep(FILE_RETRY_DELAY).await;
                continue;
            }
        };
        context.work.wait(next).await;
    }
}

/// Announces entries until no new entry is left or an attempt fails. Returns when the next attempt is due.
async fn announce_next(context: &TaskContext, hook: &Webhook, url: &Url) -> store::Result<NextRun> {
    let key = WebhookKey { feed: hook.feed.name.clone(), url: url.to_string() };
    loop {
        let now = context.clock().now();
        let (wanted, of_feed) = (key.clone(), hook.feed.clone());
        let read = move |db: &ReadConnection| {
            let state = webhooks::state(db, &wanted)?;
            let last = feed_entries::last_sequence(db, &of_feed.name)?;
            let next = feed_entries::next_entry(db, &of_feed, state.map_or(last, |state| state.last_sequence))?;
            Ok((state, next, last, feed_selections::is_initialized(db, &of_feed)?))
        };
        let (state, next, last_sequence, is_filled) = context.store().read(read).await?;
        let Some(state) = state else {
            if !is_filled {
                // The stories with which a new feed is filled are not announced.
                return Ok(NextRun::AfterChange);
            }
            // A new webhook does not announce the entries that are in the feed already.
            record(context, &key, WebhookState { last_sequence, failures: 0, next_attempt_at: now }).await?;
            return Ok(NextRun::AfterChange);
        };
        let Some((sequence, candidate)) = next else { return Ok(NextRun::AfterChange) };
        if state.next_attempt_at > now {
            hook.recall_failures(context, url, state);
            return Ok(NextRun::At(state.next_attempt_at));
        }
        // A crash during the attempt counts as a failure.
        let postponed = WebhookState {
            failures: state.failures + 1,
            next_attempt_at: next_attempt_at(state.failures, now),
            ..state
        };
        record(context, &key, postponed).await?;
        let response = send(context, &hook.options, &candidate, url).await;
        let done = WebhookState { last_sequence: sequence, failures: 0, next_attempt_at: now };
        let outcome = hook.evaluate(context, url, response, (postponed, done));
        record(context, &key, outcome).await?;
    }
}

impl Webhook {
    /// Logs and counts the result of an attempt. Returns the progress: `done`, or `postponed` if the entry must be
    /// announced again.
    fn evaluate(
        &self,
        context: &TaskContext,
        url: &Url,
        response: Result<WebSubResponse, WebSubRequestError>,
        (postponed, done): (WebhookState, WebhookState),
    ) -> WebhookState {
        let (failure, retry) = match evaluate_delivery(response, postponed.failures - 1, context.clock().now()) {
            DeliveryResult::Delivered => {
                self.count("delivered", 1);
                self.set_failure(context, Some(url), None);
                return done;
            }
            DeliveryResult::Retry { at, failure } => (failure, WebhookState { next_attempt_at: at, ..postponed }),
            DeliveryResult::GiveUp { failure } => (failure, postponed),
        };
        let (feed, host, reason) = (&self.feed.name, url.host_str(), wording::websub_failure(&failure));
        self.count("failed", 1);
        self.set_failure(context, Some(url), Some(&reason));
        if postponed.failures >= MAX_WEBHOOK_ATTEMPTS {
            self.count("skipped", 1);
            tracing::warn!(feed, host, reason, "a webhook failed; the entry is skipped");
            return done;
        }
        tracing::warn!(feed, host, reason, "a webhook failed; retrying");
        retry
    }

    fn count(&self, outcome: &str, requests: u64) {
        METRICS.webhook_requests.with_label_values(&[self.feed.name.as_str(), outcome]).inc_by(requests);
    }

    /// Reports failures that an earlier process has recorded.
    fn recall_failures(&self, context: &TaskContext, url: &Url, state: WebhookState) {
        if state.failures > 0 && !context.health.has_delivery_failure(COMPONENT, &self.position) {
            let attempts = count_of(state.failures as usize, "attempt", "attempts");
            let next = Audience::PUBLIC.time(state.next_attempt_at);
            self.set_failure(context, Some(url), Some(&format!("{attempts} failed; the next one is at {next}")));
        }
    }

    /// Reports why the last attempt failed; `None` if it succeeded. The report contains only the host of the URL.
    fn set_failure(&self, context: &TaskContext, url: Option<&Url>, reason: Option<&str>) {
        let host = url.and_then(Url::host_str).map_or_else(String::new, |host| format!(" at {host}"));
        let text = |reason| format!("the webhook of the feed {}{host} failed: {reason}", self.feed.name);
        let reason = reason.map(|reason| Audience::PUBLIC.remark(&text(reason)));
        context.health.set_delivery_failure(COMPONENT, &self.position, reason);
    }
}

async fn send(
    context: &TaskContext,
    hook: &WebhookOptions,
    candidate: &FeedCandidate,
    url: &Url,
) -> Result<WebSubResponse, WebSubRequestError> {
    let Some(edition) = candidate.editions.last() else {
        return Err(WebSubRequestError::no_response("the entry has no edition"));
    };
    let message = webhook_message(hook, edition, candidate.published_at, &context.config.publish);
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(message.content_type))]);
    let now: Timestamp = context.clock().now();
    let request = CallbackRequest { callback: url, timeout: TIMEOUT, now };
    context.polling.fetcher.post_to_callback(request, message.body, headers).await
}

async fn record(context: &TaskContext, key: &WebhookKey, state: WebhookState) -> store::Result<()> {
    let key = key.clone();
    context.store().write(move |db| webhooks::record(db, &key, state)).await
}
