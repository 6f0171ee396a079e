//! Asks hubs for what is due, and reads what they have pushed. When what is due is [`renewal_schedule`]'s to say.
//!
//! What is asked is written down before the request goes out, with when to ask again; so a crash is followed by no
//! second request. Requests go one at a time to a hub, with the pause and by the turns of all requests.

use super::{LOOK, Signals};
use crate::config::Config;
use crate::crawl::{self, PollContext};
use crate::domain;
use crate::domain::duration::after;
use crate::domain::{HubMode, HubSubscription, OriginHold, SourceId, Timestamp};
use crate::http_client::{HubResponse, Origin};
use crate::store::leases::PollLease;
use crate::store::{self, origins, websub_subscriptions};
use crate::websub::callback::{self, CallbackEndpoint};
use crate::websub::renewal_schedule::{self, SubscriptionStep};
use crate::websub::state_machine::{self, NewCredentials};
use crate::websub::{PushQueue, PushedDocument, secrets};
use axum::Router;
use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Subscriptions that are dealt with in one go.
const BATCH: u32 = 8;

/// What requests to hubs are made with.
#[derive(Clone)]
pub(super) struct SubscriberContext {
    context: PollContext,
    /// Where callbacks begin.
    base: String,
    lease: SignedDuration,
}

/// A request that is about to go out.
struct HubRequest {
    source: SourceId,
    mode: HubMode,
    hub: String,
    topic: String,
    callback: String,
    secret: String,
    at: Timestamp,
}

/// Readies the database for a start, and returns why hubs are not used, where they are not.
///
/// What was pushed while nothing ran is unknown here, so that no poll stays deferred: each such source is polled at its
/// ordinary time.
pub(super) async fn prepare(config: &Config, context: &PollContext) -> store::Result<Option<String>> {
    let off = super::websub_off(config, &context.fetcher);
    let (now, why) = (context.clock.now(), off.clone());
    context
        .store
        .write(move |db| {
            if let Some(why) = &why {
                websub_subscriptions::end_all(db, &format!("WebSub is off: {why}"))?;
            }
            websub_subscriptions::restore_deferred_polls(
                db,
                None,
                now,
                "newsfold was started anew and may have missed what its hub pushed",
            )
        })
        .await?;
    match &off {
        Some(why) => tracing::debug!(why, "WebSub is off"),
        None => tracing::info!(base = %config.publish.base_url, "hubs may push to newsfold (WebSub)"),
    }
    Ok(off)
}

/// What hubs reach us by.
pub(super) fn router(config: &Config, context: &PollContext, inbox: PushQueue) -> Router {
    callback::router(CallbackEndpoint {
        store: context.store.clone(),
        clock: context.clock.clone(),
        options: config.websub.clone(),
        inbox,
        max_body_bytes: config.fetch.max_body_bytes,
        patience: config.fetch.read_timeout.unsigned_abs(),
    })
}

impl SubscriberContext {
    pub(super) fn new(config: &Config, context: &PollContext) -> Self {
        SubscriberContext {
            context: context.clone(),
            base: config.publish.url(callback::PATH),
            lease: config.websub.lease,
        }
    }
}

pub(super) async fn run(asking: SubscriberContext, stop: CancellationToken) {
    let (store, clock) = (&asking.context.store, &asking.context.clock);
    loop {
        let next = match store.read(websub_subscriptions::next_due_at).await {
            Ok(Some(next)) if next <= clock.now() => {
                if let Err(error) = asking.round(&stop).await {
                    tracing::error!(%error, "what is agreed with hubs could not be read or written; trying again");
                }
                None
            }
            next => next.ok().flatten(),
        };
        let sleep_until_next = async {
            match next {
                Some(next) => clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stop.cancelled() => return,
            _ = sleep_until_next => {}
            _ = tokio::time::sleep(LOOK) => {}
        }
    }
}

impl SubscriberContext {
    /// Takes the next step of some subscriptions whose time has come.
    async fn round(&self, stop: &CancellationToken) -> store::Result<()> {
        let (now, base) = (self.context.clock.now(), self.base.clone());
        let requests = self.context.store.write(move |db| {
            let due = websub_subscriptions::due(db, now, BATCH)?;
            let mut requests = Vec::new();
            for (mut known, polled) in due {
                let mut step = renewal_schedule::next_step(&known, polled, &base, now);
                if let SubscriptionStep::End(why) = step {
                    state_machine::end_subscription(&mut known, why);
                    step = renewal_schedule::next_step(&known, polled, &base, now);
                }
                requests.extend(take(&mut known, step, &base, now));
                websub_subscriptions::save(db, &known, now)?;
            }
            Ok(requests)
        });
        // One after the other to a hub, so that none waits for the turn that another has; hubs at the same time.
        let mut by_hub: HashMap<String, Vec<HubRequest>> = HashMap::new();
        for request in requests.await? {
            by_hub.entry(request.hub.clone()).or_default().push(request);
        }
        let one_hub = async |requests: Vec<HubRequest>| {
            for request in requests {
                self.send(request, stop).await;
            }
        };
        join_all(by_hub.into_values().map(one_hub)).await;
        Ok(())
    }

    /// Asks a hub and writes down what it said. When we are stopped meanwhile nothing is: it may still verify.
    async fn send(&self, request: HubRequest, stop: &CancellationToken) {
        let lease = PollLease::new(&self.context.program);
        let asked = async {
            match Url::parse(&request.hub) {
                Ok(hub) => self.ask(&hub, &request, &lease).await,
                Err(error) => HubResponse::Refused { detail: error.to_string(), status: None, retry_after: None },
            }
        };
        let answer = tokio::select! {
            biased;
            _ = stop.cancelled() => None,
            answer = asked => Some(answer),
        };
        let (now, source, at) = (self.context.clock.now(), request.source, request.at);
        let asked: Vec<_> = answer.iter().filter_map(|answer| asked_of(answer, &request.hub)).collect();
        let longest = self.context.options.max_retry_after;
        tracing::info!(%source, hub = request.hub, mode = request.mode.as_str(), ?answer, "a hub was asked");
        let written = self.context.store.write(move |db| {
            origins::record_requests(db, now, &asked)?;
            let known = websub_subscriptions::get(db, source)?.filter(|known| known.requested_at == Some(at));
            if let Some((mut known, answer)) = known.zip(answer) {
                state_machine::apply_hub_response(&mut known, &answer, now);
                websub_subscriptions::save(db, &known, now)?;
                if let Some(hold) = hold(&answer, &request.hub, longest, now) {
                    origins::record_hold(db, &hold)?;
                }
            }
            Ok(())
        });
        if let Err(error) = written.await.and(self.context.release_lease(&lease).await) {
            tracing::error!(%source, %error, "what a hub said could not be written down");
        }
    }

    async fn ask(&self, hub: &Url, request: &HubRequest, lease: &PollLease) -> HubResponse {
        let now = self.context.clock.now();
        let name = name_of(hub);
        match self.context.store.read(move |db| origins::active_hold(db, &name, now)).await {
            Ok(None) => {}
            Ok(Some(hold)) => {
                let retry_after = hold.until.duration_since(now).try_into().ok();
                return HubResponse::Refused { detail: hold.reason, status: None, retry_after };
            }
            Err(error) => {
                return HubResponse::Refused { detail: error.to_string(), status: None, retry_after: None };
            }
        }
        let turn = |origin: Origin| async move { self.context.lease_next_origin(lease, &origin).await }.boxed();
        let seconds = self.lease.as_secs().to_string();
        let mut form = vec![
            ("hub.callback", request.callback.as_str()),
            ("hub.mode", request.mode.as_str()),
            ("hub.topic", request.topic.as_str()),
        ];
        if request.mode == HubMode::Subscribe {
            form.extend([("hub.secret", request.secret.as_str()), ("hub.lease_seconds", seconds.as_str())]);
        }
        self.context.fetcher.post_to_hub(hub, &form, self.context.clock.now(), &turn).await
    }
}

/// Without a word of how long, a hub to which we are too many rests for so long.
const REST: SignedDuration = SignedDuration::from_hours(1);

/// Too many requests are counted by server (RFC 6585, section 4), so that a hub that says so is asked nothing for any
/// source until then. Polls are not held by it: a feed can call anybody its hub.
fn hold(answer: &HubResponse, hub: &str, longest: SignedDuration, now: Timestamp) -> Option<OriginHold> {
    let HubResponse::Refused { detail, status: Some(429), retry_after } = answer else { return None };
    let asked = retry_after.and_then(|wait| SignedDuration::try_from(wait).ok()).unwrap_or(REST);
    let origin = name_of(&Url::parse(hub).ok()?);
    Some(OriginHold { origin, until: after(now, asked.min(longest)), reason: format!("as a hub, {detail}") })
}

/// The request as it is counted. Where there is no status nobody may have been asked.
fn asked_of(answer: &HubResponse, hub: &str) -> Option<domain::RequestRecord> {
    let status = match answer {
        HubResponse::Accepted => Some(202),
        HubResponse::Refused { status, .. } => *status,
    };
    Some(domain::RequestRecord {
        origin: Origin::from_url(&Url::parse(hub).ok()?).to_string(),
        status: Some(status?),
        bytes: 0,
    })
}

/// Under which name a hub is held, apart from its server.
fn name_of(hub: &Url) -> String {
    format!("hub {}", Origin::from_url(hub))
}

/// Does a step to a subscription, and gives the request that it makes, if any.
fn take(known: &mut HubSubscription, step: SubscriptionStep, base: &str, now: Timestamp) -> Option<HubRequest> {
    let mode = match step {
        // After an end there is nothing to end.
        SubscriptionStep::End(_) => return None,
        SubscriptionStep::Wait(until) => {
            known.next_at = until;
            return None;
        }
        SubscriptionStep::Unsubscribe => {
            state_machine::begin_unsubscribe(known, now);
            HubMode::Unsubscribe
        }
        SubscriptionStep::Subscribe { new_credentials: false } => {
            state_machine::begin_subscribe(known, None, now);
            HubMode::Subscribe
        }
        SubscriptionStep::Subscribe { new_credentials: true } => {
            let Some((token, secret)) = secrets::generate().zip(secrets::generate()) else {
                known.next_at = Some(renewal_schedule::next_after_request(known.failures, now));
                known.detail = "the system has no randomness for a secret".into();
                return None;
            };
            state_machine::begin_subscribe(
                known,
                Some(NewCredentials { callback: format!("{base}{token}"), secret }),
                now,
            );
            HubMode::Subscribe
        }
    };
    let asked = known.asked.clone()?;
    Some(HubRequest {
        source: known.source,
        mode,
        hub: asked.hub,
        topic: asked.topic,
        callback: known.callback.clone()?,
        secret: known.secret.clone()?,
        at: now,
    })
}

/// Reads what was pushed, in its order. At the end it still reads what is there: its hub was told that we have it.
pub(super) async fn read_pushes(
    context: PollContext,
    inbox: Arc<Mutex<Receiver<PushedDocument>>>,
    signals: Signals,
    stop: CancellationToken,
) {
    let mut inbox = inbox.lock().await;
    loop {
        let pushed = tokio::select! {
            biased;
            Some(pushed) = inbox.recv() => pushed,
            _ = stop.cancelled() => return,
        };
        let source = pushed.source;
        match crawl::receive_push(&context, pushed).await {
            Ok(None) => tracing::debug!(%source, "a push for a source that is polled no more was dropped"),
            Ok(Some((record, stored))) => {
                super::scheduler::log(&record, &stored);
                signals.tell(&stored);
            }
            Err(error) => tracing::error!(%source, %error, "a push could not be stored"),
        }
    }
}
