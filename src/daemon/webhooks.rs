//! Announces new entries of feeds to the webhooks of the configuration (`[[notify]]`). Each webhook receives the
//! entries in order, one at a time. The progress is in the database: a restart neither loses an announcement nor
//! repeats one whose success was recorded. [`super::delivery_retries`] decides when to repeat a failed
//! announcement.
//!
//! The URL of a webhook is a secret: log messages contain only the name of its feed. The address policy applies to the
//! URL, and redirects are not followed.

use super::database_watcher::NextRun;
use super::delivery_retries::{DeliveryResult, MAX_WEBHOOK_ATTEMPTS, evaluate_delivery, next_attempt_at};
use super::task_context::TaskContext;
use crate::domain::duration::after;
use crate::domain::{FeedCandidate, PublishedFeed, Timestamp};
use crate::http_client::{CallbackRequest, WebSubRequestError, WebSubResponse};
use crate::publish::{WebhookOptions, webhook_message};
use crate::store::webhooks::{self, WebhookKey, WebhookState};
use crate::store::{self, ReadConnection, feed_entries, feed_selections};
use crate::wording;
use axum::http::{HeaderMap, HeaderValue, header};
use futures_util::future::join_all;
use jiff::SignedDuration;
use std::path::PathBuf;
use url::Url;

const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
/// The delay before a file that does not contain a URL is read again.
const FILE_RETRY_DELAY: SignedDuration = SignedDuration::from_mins(5);

pub(super) async fn run(context: TaskContext) {
    let shutdown = context.shutdown.clone();
    let hooks = context.config.notify.clone();
    let running = join_all(hooks.into_iter().map(|hook| announce_entries(context.clone(), hook)));
    // Without webhooks, the task only waits.
    tokio::select! {
        _ = shutdown.cancelled() => {}
        _ = async { running.await; std::future::pending::<()>().await } => {}
    }
}

async fn announce_entries(mut context: TaskContext, hook: WebhookOptions) {
    let feeds = context.config.publish.published_feeds();
    // The configuration has been validated.
    let Some(feed) = feeds.into_iter().find(|feed| feed.name == hook.feed) else { return };
    loop {
        let next = match webhook_url(&hook) {
            Ok(url) => announce_next(&context, &hook, &feed, &url).await.unwrap_or_else(|error| {
                error.log("the progress of a webhook could not be read or recorded; retrying");
                NextRun::Retry
            }),
            Err(error) => {
                tracing::warn!(feed = hook.feed, "the URL of a webhook cannot be read: {error}");
                NextRun::At(after(context.clock().now(), FILE_RETRY_DELAY))
            }
        };
        context.work.wait(next).await;
    }
}

/// Returns the URL of a webhook, from the configuration or from its file.
fn webhook_url(hook: &WebhookOptions) -> Result<Url, String> {
    if let Some(url) = &hook.url {
        return Ok(url.clone());
    }
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from).unwrap_or_default();
    let file = credentials.join(hook.url_file.as_deref().unwrap_or_else(|| "".as_ref()));
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    // The error does not quote the text, which is a secret.
    Url::parse(text.trim()).map_err(|_| format!("{} does not contain a URL", file.display()))
}

/// Announces entries until no new entry is left or an attempt fails. Returns when the next attempt is due.
async fn announce_next(
    context: &TaskContext,
    hook: &WebhookOptions,
    feed: &PublishedFeed,
    url: &Url,
) -> store::Result<NextRun> {
    let key = WebhookKey { feed: feed.name.clone(), url: url.to_string() };
    loop {
        let now = context.clock().now();
        let (wanted, of_feed) = (key.clone(), feed.clone());
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
            return Ok(NextRun::At(state.next_attempt_at));
        }
        // A crash during the attempt counts as a failure.
        let postponed = WebhookState {
            failures: state.failures + 1,
            next_attempt_at: next_attempt_at(state.failures, now),
            ..state
        };
        record(context, &key, postponed).await?;
        let response = send(context, hook, &candidate, url).await;
        let done = WebhookState { last_sequence: sequence, failures: 0, next_attempt_at: now };
        let outcome = match evaluate_delivery(response, state.failures, context.clock().now()) {
            DeliveryResult::Delivered => done,
            DeliveryResult::GiveUp { failure } | DeliveryResult::Retry { failure, .. }
                if postponed.failures >= MAX_WEBHOOK_ATTEMPTS =>
            {
                let reason = wording::websub_failure(&failure);
                tracing::warn!(feed = hook.feed, reason, "a webhook failed; the entry is skipped");
                done
            }
            DeliveryResult::Retry { at, failure } => {
                let reason = wording::websub_failure(&failure);
                tracing::warn!(feed = hook.feed, reason, "a webhook failed; retrying");
                WebhookState { next_attempt_at: at, ..postponed }
            }
            DeliveryResult::GiveUp { failure } => {
                let reason = wording::websub_failure(&failure);
                tracing::warn!(feed = hook.feed, reason, "a webhook rejected an entry; retrying");
                postponed
            }
        };
        record(context, &key, outcome).await?;
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
