//! The `websub subscriber` task sends the requests to hubs that [`renewal_schedule`] determines. The `pushes` task
//! reads the documents that hubs have pushed.
//!
//! A subscription and the time of its next action are stored before the request is sent, so a crash never causes a
//! second request. Requests to one hub are sent sequentially, with the delay and the permits that apply to all
//! requests.

use super::database_watcher::NextRun;
use super::task_context::TaskContext;
use crate::config::Config;
use crate::crawl::{PollContext, receive_push};
use crate::domain::duration::after;
use crate::domain::{
    DeclaredHub, HoldReason, HoldScope, HubEvent, HubMode, HubSubscription, NextPollReason, OriginHold, SourceId,
    Timestamp,
};
use crate::http_client::{WebSubRequestError, WebSubResponse, origin_of, websub_request_record};
use crate::store::poll_leases::PollLease;
use crate::store::{self, origins, websub_subscriptions};
use crate::urls::redact::redact_url;
use crate::websub::callback::{self, CALLBACK_PATH, CallbackEndpoint};
use crate::websub::push_queue::{PushQueue, PushedDocument};
use crate::websub::renewal_schedule::{self, SubscriptionStep};
use crate::websub::secrets;
use crate::websub::state_machine::{self, NewCredentials};
use crate::wording::{self, Audience};
use axum::Router;
use futures_util::future::join_all;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;
use url::Url;

/// The maximum number of subscriptions processed per round.
const BATCH_SIZE: u32 = 8;
/// The duration of the hold on a hub that responds with 429 but without `Retry-After`.
const DEFAULT_HOLD: SignedDuration = SignedDuration::from_hours(1);

/// A request that is about to be sent.
struct HubRequest {
    source: SourceId,
    mode: HubMode,
    hub: String,
    form: Vec<(&'static str, String)>,
    requested_at: Timestamp,
}

/// Prepares the database for a configuration and returns whether WebSub is enabled.
///
/// If pushes may have been missed, because the daemon was not running, all deferred polls return to the schedules of
/// their sources.
pub(super) async fn prepare(config: &Config, context: &PollContext, pushes_missed: bool) -> store::Result<bool> {
    let disabled = config.websub_disabled_reason(context.fetcher.address_policy());
    let (now, event) = (context.clock.now(), disabled.clone().map(|reason| HubEvent::WebSubDisabled { reason }));
    let end_and_restore = move |db: &store::WriteConnection| {
        match event {
            Some(event) => websub_subscriptions::end_all(db, &event)?,
            None if pushes_missed => {}
            None => return Ok(()),
        }
        websub_subscriptions::restore_deferred_polls(db, now, &NextPollReason::PushesMissed)
    };
    context.store.write(end_and_restore).await?;
    match &disabled {
        Some(reason) => tracing::debug!(reason = wording::disabled_reason(reason), "WebSub is disabled"),
        None => tracing::info!(base_url = %config.publish.base_url, "WebSub is enabled: hubs can push to newsfold"),
    }
    Ok(disabled.is_none())
}

/// Returns the callback endpoint for hubs.
pub(super) fn router(config: &Config, context: &PollContext, queue: PushQueue) -> Router {
    callback::router(CallbackEndpoint {
        store: context.store.clone(),
        clock: context.clock.clone(),
        options: config.websub.clone(),
        queue,
        max_body_bytes: config.fetch.max_body_bytes,
        body_timeout: config.fetch.read_timeout.unsigned_abs(),
    })
}

pub(super) async fn run(mut context: TaskContext) {
    loop {
        let next = match context.store().read(websub_subscriptions::next_due_at).await {
            Ok(Some(next)) if next <= context.clock().now() => match process_due(&context).await {
                // The steps have changed the database, which triggers the next run.
                Ok(()) => NextRun::AfterChange,
                Err(error) => {
                    error.log("cannot read or write hub subscriptions; retrying");
                    NextRun::Retry
                }
            },
            Ok(next) => next.into(),
            Err(_) => NextRun::Retry,
        };
        tokio::select! {
            _ = context.shutdown.cancelled() => return,
            _ = context.work.wait(next) => {}
        }
    }
}

/// Takes the next step of each subscription in a batch of due subscriptions.
async fn process_due(context: &TaskContext) -> store::Result<()> {
    let (config, now) = (context.config.clone(), context.clock().now());
    let take_steps = move |db: &store::WriteConnection| {
        let base = config.publish.url(CALLBACK_PATH);
        let mut requests = Vec::new();
        for mut due in websub_subscriptions::due(db, now, BATCH_SIZE)? {
            let mode = take_step(&mut due.subscription, due.polled, &base, now);
            requests.extend(mode.and_then(|mode| hub_request(&due.subscription, mode, config.websub.lease, now)));
            websub_subscriptions::save(db, &due.subscription, now)?;
        }
        Ok(requests)
    };
    // Hubs are contacted concurrently. Requests to one hub are sequential, so no request waits for a permit that
    // another request holds.
    let mut by_hub: HashMap<String, Vec<HubRequest>> = HashMap::new();
    for request in context.store().write(take_steps).await? {
        by_hub.entry(request.hub.clone()).or_default().push(request);
    }
    join_all(by_hub.into_values().map(async |requests| {
        for request in requests {
            send(context, request).await;
        }
    }))
    .await;
    Ok(())
}

/// Sends a request and records the response. If the daemon stops in the meantime, no response is recorded, because the
/// hub may still verify the request.
async fn send(context: &TaskContext, request: HubRequest) {
    let lease = PollLease::new(&context.polling.program);
    let response = tokio::select! {
        biased;
        _ = context.shutdown.cancelled() => None,
        response = post(&context.polling, &request, &lease) => Some(response),
    };
    let (now, source, max_hold) = (context.clock().now(), request.source, context.config.poll.max_retry_after);
    let (hub, result) = (redact_url(&request.hub), Audience::PUBLIC.remark(&format!("{response:?}")));
    tracing::info!(%source, hub, mode = request.mode.into_str(), result, "sent a request to a hub");
    let record = move |db: &store::WriteConnection| {
        let Some(response) = response else { return Ok(()) };
        origins::record_requests(db, now, websub_request_record(&request.hub, &response, 0).as_slice())?;
        let Some(mut subscription) = websub_subscriptions::get(db, source)? else { return Ok(()) };
        if subscription.requested_at != Some(request.requested_at) {
            return Ok(());
        }
        if let Some(hold) = hub_hold(&response, &request.hub, max_hold, now) {
            origins::record_hold(db, &hold)?;
        }
        state_machine::apply_hub_response(&mut subscription, response, now);
        websub_subscriptions::save(db, &subscription, now)
    };
    let recorded = context.store().write(record).await;
    if let Err(error) = recorded.and(context.polling.release_lease(&lease).await) {
        error.log(&format!("cannot record the response of a hub for source {source}"));
    }
}

async fn post(
    context: &PollContext,
    request: &HubRequest,
    lease: &PollLease,
) -> Result<WebSubResponse, WebSubRequestError> {
    let hub = Url::parse(&request.hub).map_err(WebSubRequestError::no_response)?;
    let now = context.clock.now();
    let hold = context.origin_hold(&origin_of(&hub), HoldScope::Hub).await.map_err(WebSubRequestError::no_response)?;
    if let Some(hold) = hold {
        let reason = WebSubRequestError::no_response(wording::hold_reason_text(&hold.reason));
        return Err(WebSubRequestError { retry_after: Some(hold.until.duration_since(now)), ..reason });
    }
    context.fetcher.post_to_hub(&hub, &request.form, now, &context.permits(lease)).await
}

/// Returns the hold on a hub that responded with 429. The limit applies to the server (RFC 6585, section 4), so the hub
/// gets no request for any source until the hold ends. Polls are not held, because a feed can declare any server as its
/// hub.
fn hub_hold(
    response: &Result<WebSubResponse, WebSubRequestError>,
    hub: &str,
    max_hold: SignedDuration,
    now: Timestamp,
) -> Option<OriginHold> {
    let error = response.as_ref().err().filter(|error| error.failure.status() == Some(429))?;
    let delay = error.retry_after.unwrap_or(DEFAULT_HOLD);
    let origin = origin_of(&Url::parse(hub).ok()?);
    let reason = HoldReason::HubThrottled { failure: error.failure.clone() };
    Some(OriginHold { origin, domain: None, until: after(now, delay.min(max_hold)), reason })
}

/// Takes the next step of a subscription. Returns the mode of the request to send, if any.
fn take_step(subscription: &mut HubSubscription, polled: bool, base: &str, now: Timestamp) -> Option<HubMode> {
    let mut step = renewal_schedule::next_step(subscription, polled, base, now);
    if let SubscriptionStep::End(event) = step {
        state_machine::end_subscription(subscription, event);
        step = renewal_schedule::next_step(subscription, polled, base, now);
    }
    let credentials = match step {
        // The subscription has already ended above.
        SubscriptionStep::End(_) => return None,
        SubscriptionStep::Wait(until) => {
            subscription.next_action_at = until;
            return None;
        }
        SubscriptionStep::Unsubscribe => {
            state_machine::begin_unsubscribe(subscription, now);
            return Some(HubMode::Unsubscribe);
        }
        SubscriptionStep::Subscribe { new_credentials: false } => None,
        SubscriptionStep::Subscribe { new_credentials: true } => {
            let Some((token, secret)) = secrets::generate().zip(secrets::generate()) else {
                let retry_at = renewal_schedule::next_after_request(subscription.failures, now);
                subscription.next_action_at = Some(retry_at);
                subscription.last_event = Some(HubEvent::NoRandomness);
                return None;
            };
            Some(NewCredentials { callback: format!("{base}{token}"), secret })
        }
    };
    state_machine::begin_subscribe(subscription, credentials, now);
    Some(HubMode::Subscribe)
}

/// Returns the request for a step that has been taken.
fn hub_request(
    subscription: &HubSubscription,
    mode: HubMode,
    lease: SignedDuration,
    requested_at: Timestamp,
) -> Option<HubRequest> {
    let DeclaredHub { hub, topic } = subscription.requested.clone()?;
    let mut form = vec![
        ("hub.callback", subscription.callback.clone()?),
        ("hub.mode", mode.into_str().to_owned()),
        ("hub.topic", topic),
    ];
    if mode == HubMode::Subscribe {
        let lease_seconds = lease.as_secs().to_string();
        form.extend([("hub.secret", subscription.secret.clone()?), ("hub.lease_seconds", lease_seconds)]);
    }
    Some(HubRequest { source: subscription.source, mode, hub, form, requested_at })
}

/// Reads pushed documents in order. At shutdown, it still reads the documents that are queued or in transit, because
/// their hubs receive a success response.
pub(super) async fn read_pushes(context: TaskContext, queue: Arc<Mutex<Receiver<PushedDocument>>>) {
    let mut queue = queue.lock().await;
    loop {
        let pushed = tokio::select! {
            biased;
            pushed = queue.recv() => pushed,
            _ = context.shutdown.cancelled(), if !queue.is_closed() => {
                queue.close();
                continue;
            }
        };
        let Some(pushed) = pushed else { return };
        let source = pushed.source;
        match receive_push(&context.polling, pushed).await {
            Ok(None) => tracing::debug!(%source, "dropped a push for a source that is not polled"),
            Ok(Some((record, stored))) => super::scheduler::log_poll(&record, &stored, None),
            Err(error) => error.log(&format!("cannot store a push for source {source}")),
        }
    }
}
