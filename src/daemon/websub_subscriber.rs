//! The task `websub subscriber`: sends the requests to hubs that [`renewal_schedule`] asks for. The task `pushes` reads
//! what hubs have pushed.
//!
//! A subscription is stored before its request is sent, together with the time of the next action, so that a crash
//! never causes a second request. Requests to one hub are sent one after the other, with the delay and the permits that
//! apply to all requests.

use super::database_watcher::NextRun;
use super::task_context::TaskContext;
use crate::config::Config;
use crate::crawl::{PollContext, receive_push};
use crate::domain::duration::after;
use crate::domain::{HoldReason, HubEvent, HubMode, HubSubscription, NextPollReason, OriginHold, SourceId, Timestamp};
use crate::http_client::{HubRequestError, Origin, hub_status, websub_request_record};
use crate::store::leases::PollLease;
use crate::store::{self, origins, websub_subscriptions};
use crate::websub::callback::{self, CALLBACK_PATH, CallbackEndpoint};
use crate::websub::push_queue::{PushQueue, PushedDocument};
use crate::websub::renewal_schedule::{self, SubscriptionStep};
use crate::websub::secrets;
use crate::websub::state_machine::{self, NewCredentials};
use crate::wording;
use axum::Router;
use futures_util::future::join_all;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Subscriptions that are processed in one round.
const BATCH_SIZE: u32 = 8;
/// How long a hub that answers 429 without `Retry-After` gets no requests.
const DEFAULT_HOLD: SignedDuration = SignedDuration::from_hours(1);

/// What the task needs.
#[derive(Clone)]
pub(super) struct SubscriberContext {
    context: PollContext,
    /// The common prefix of callback URLs.
    callback_base: String,
    lease: SignedDuration,
}

/// A request that is about to be sent.
struct HubRequest {
    source: SourceId,
    mode: HubMode,
    hub: String,
    topic: String,
    callback: String,
    secret: String,
    requested_at: Timestamp,
}

/// Prepares the database for a start, and returns whether WebSub is enabled.
///
/// Pushes may have been missed while the daemon was not running. All deferred polls therefore return to the sources'
/// own schedules.
pub(super) async fn prepare(config: &Config, context: &PollContext) -> store::Result<bool> {
    let disabled = config.websub_disabled_reason(context.fetcher.address_policy());
    let (now, event) = (context.clock.now(), disabled.clone().map(|reason| HubEvent::WebSubDisabled { reason }));
    let end_and_restore = move |db: &store::WriteConnection| {
        if let Some(event) = event {
            websub_subscriptions::end_all(db, &event)?;
        }
        websub_subscriptions::restore_deferred_polls(db, None, now, &NextPollReason::PushesMissed)
    };
    context.store.write(end_and_restore).await?;
    match &disabled {
        Some(reason) => tracing::debug!(reason = wording::disabled_reason(reason), "WebSub is disabled"),
        None => tracing::info!(base_url = %config.publish.base_url, "WebSub is enabled: hubs can push to newsfold"),
    }
    Ok(disabled.is_none())
}

/// The callback endpoint for hubs.
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

impl SubscriberContext {
    fn new(config: &Config, context: &PollContext) -> Self {
        let callback_base = config.publish.url(CALLBACK_PATH);
        SubscriberContext { context: context.clone(), callback_base, lease: config.websub.lease }
    }
}

pub(super) async fn run(mut context: TaskContext) {
    let subscriber = SubscriberContext::new(&context.config, &context.polling);
    let (store, clock, shutdown) = (&subscriber.context.store, &subscriber.context.clock, context.shutdown.clone());
    loop {
        let next = match store.read(websub_subscriptions::next_due_at).await {
            Ok(Some(next)) if next <= clock.now() => match subscriber.process_due(&shutdown).await {
                // The steps have changed the database, which causes the next run.
                Ok(()) => NextRun::AfterChange,
                Err(error) => {
                    tracing::error!(%error, "cannot read or write hub subscriptions; retrying");
                    NextRun::Retry
                }
            },
            Ok(next) => next.into(),
            Err(_) => NextRun::Retry,
        };
        tokio::select! {
            _ = shutdown.cancelled() => return,
            _ = context.work.wait(next) => {}
        }
    }
}

impl SubscriberContext {
    /// Takes the next step of some subscriptions that are due.
    async fn process_due(&self, stop: &CancellationToken) -> store::Result<()> {
        let (now, base) = (self.context.clock.now(), self.callback_base.clone());
        let take_steps = move |db: &store::WriteConnection| {
            let mut requests = Vec::new();
            for mut due in websub_subscriptions::due(db, now, BATCH_SIZE)? {
                requests.extend(take_step(&mut due.subscription, due.polled, &base, now));
                websub_subscriptions::save(db, &due.subscription, now)?;
            }
            Ok(requests)
        };
        // Hubs are served concurrently. The requests to one hub are sequential, so that none waits for a permit that
        // another holds.
        let mut by_hub: HashMap<String, Vec<HubRequest>> = HashMap::new();
        for request in self.context.store.write(take_steps).await? {
            by_hub.entry(request.hub.clone()).or_default().push(request);
        }
        join_all(by_hub.into_values().map(|requests| self.send_all(requests, stop))).await;
        Ok(())
    }

    async fn send_all(&self, requests: Vec<HubRequest>, stop: &CancellationToken) {
        for request in requests {
            self.send(request, stop).await;
        }
    }

    /// Sends a request and records the response. If the daemon stops meanwhile no response is recorded, because the hub
    /// may still verify the request.
    async fn send(&self, request: HubRequest, stop: &CancellationToken) {
        let lease = PollLease::new(&self.context.program);
        let response = tokio::select! {
            biased;
            _ = stop.cancelled() => None,
            response = self.post(&request, &lease) => Some(response),
        };
        let (now, source, max_hold) = (self.context.clock.now(), request.source, self.context.options.max_retry_after);
        tracing::info!(%source, hub = request.hub, mode = request.mode.into_str(), ?response, "sent a request to a hub");
        let record = move |db: &store::WriteConnection| {
            let Some(response) = response else { return Ok(()) };
            let sent = websub_request_record(&request.hub, hub_status(&response), 0);
            origins::record_requests(db, now, sent.as_slice())?;
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
        let recorded = self.context.store.write(record).await;
        if let Err(error) = recorded.and(self.context.release_lease(&lease).await) {
            tracing::error!(%source, %error, "cannot record the response of a hub");
        }
    }

    async fn post(&self, request: &HubRequest, lease: &PollLease) -> Result<(), HubRequestError> {
        let hub = Url::parse(&request.hub).map_err(HubRequestError::no_response)?;
        let (now, name) = (self.context.clock.now(), hold_name(&hub));
        let hold = self.context.store.read(move |db| origins::active_hold(db, &name, now)).await;
        if let Some(hold) = hold.map_err(HubRequestError::no_response)? {
            let retry_after = hold.until.duration_since(now).try_into().ok();
            return Err(HubRequestError {
                retry_after,
                ..HubRequestError::no_response(wording::hold_reason_text(&hold.reason))
            });
        }
        let lease_seconds = self.lease.as_secs().to_string();
        let mut form = vec![
            ("hub.callback", request.callback.as_str()),
            ("hub.mode", request.mode.into_str()),
            ("hub.topic", request.topic.as_str()),
        ];
        if request.mode == HubMode::Subscribe {
            form.extend([("hub.secret", request.secret.as_str()), ("hub.lease_seconds", lease_seconds.as_str())]);
        }
        self.context.fetcher.post_to_hub(&hub, &form, now, &self.context.permits(lease)).await
    }
}

/// The hold of a hub that answers 429. The limit applies to the server (RFC 6585, section 4), so that no source's
/// request is sent to the hub until then. Polls are not held, because a feed can declare any server as its hub.
fn hub_hold(
    response: &Result<(), HubRequestError>,
    hub: &str,
    max_hold: SignedDuration,
    now: Timestamp,
) -> Option<OriginHold> {
    let error = response.as_ref().err().filter(|error| error.failure.status() == Some(429))?;
    let delay = error.retry_after.and_then(|delay| SignedDuration::try_from(delay).ok()).unwrap_or(DEFAULT_HOLD);
    let origin = hold_name(&Url::parse(hub).ok()?);
    let reason = HoldReason::HubThrottled { failure: error.failure.clone() };
    Some(OriginHold { origin, until: after(now, delay.min(max_hold)), reason })
}

/// The name under which a server is held as a hub, which does not affect polls of the same server.
fn hold_name(hub: &Url) -> String {
    format!("hub {}", Origin::from_url(hub))
}

/// Takes the next step of a subscription, and returns the request to send, if any.
fn take_step(subscription: &mut HubSubscription, polled: bool, base: &str, now: Timestamp) -> Option<HubRequest> {
    let mut step = renewal_schedule::next_step(subscription, polled, base, now);
    if let SubscriptionStep::End(event) = step {
        state_machine::end_subscription(subscription, event);
        step = renewal_schedule::next_step(subscription, polled, base, now);
    }
    let mode = match step {
        // An ended subscription does not end again.
        SubscriptionStep::End(_) => return None,
        SubscriptionStep::Wait(until) => {
            subscription.next_action_at = until;
            return None;
        }
        SubscriptionStep::Unsubscribe => {
            state_machine::begin_unsubscribe(subscription, now);
            HubMode::Unsubscribe
        }
        SubscriptionStep::Subscribe { new_credentials: false } => {
            state_machine::begin_subscribe(subscription, None, now);
            HubMode::Subscribe
        }
        SubscriptionStep::Subscribe { new_credentials: true } => {
            let Some((token, secret)) = secrets::generate().zip(secrets::generate()) else {
                let retry_at = renewal_schedule::next_after_request(subscription.failures, now);
                subscription.next_action_at = Some(retry_at);
                subscription.last_event = Some(HubEvent::NoRandomness);
                return None;
            };
            let credentials = NewCredentials { callback: format!("{base}{token}"), secret };
            state_machine::begin_subscribe(subscription, Some(credentials), now);
            HubMode::Subscribe
        }
    };
    let requested = subscription.requested.clone()?;
    Some(HubRequest {
        source: subscription.source,
        mode,
        hub: requested.hub,
        topic: requested.topic,
        callback: subscription.callback.clone()?,
        secret: subscription.secret.clone()?,
        requested_at: now,
    })
}

/// Reads pushed documents in their order. At a shutdown it still reads the queued documents, because their hubs have
/// been told that they were received.
pub(super) async fn read_pushes(context: TaskContext, queue: Arc<Mutex<Receiver<PushedDocument>>>) {
    let mut queue = queue.lock().await;
    loop {
        let pushed = tokio::select! {
            biased;
            Some(pushed) = queue.recv() => pushed,
            _ = context.shutdown.cancelled() => return,
        };
        let source = pushed.source;
        match receive_push(&context.polling, pushed).await {
            Ok(None) => tracing::debug!(%source, "dropped a push for a source that is not polled"),
            Ok(Some((record, stored))) => super::scheduler::log_poll(&record, &stored, None),
            Err(error) => tracing::error!(%source, %error, "cannot store a push"),
        }
    }
}
