//! Tells others: asks callbacks whether they subscribe, sends subscribers what is new, and pings hubs. What follows from
//! what they say is [`delivery_policy`]'s.
//!
//! Everything that is due stands in the database, and is moved forward there before a request goes out; so a crash is
//! followed by no second request at once, and nothing is lost. There is never more than one request to a host, and so
//! many in all. A callback stands in no log.

use super::LOOK;
use super::feed_change_notifier::FeedChangeContext;
use crate::config::Config;
use crate::crawl::PollContext;
use crate::domain::duration::after;
use crate::domain::{self, HubMode, HubNotification, HubSubscriber, Timestamp};
use crate::http_client::{CallbackResponse, HubResponse, Origin};
use crate::serve::FeedSnapshot;
use crate::store::leases::PollLease;
use crate::store::websub_subscribers::{self, PendingDelivery, PendingVerification};
use crate::store::{self, WriteConnection, origins};
use crate::websub::hub::delivery_policy::{self, DeliveryResult, MAX_VERIFICATION_ATTEMPTS};
use crate::websub::hub::endpoint::{self, HubEndpoint};
use crate::websub::hub::{self, rate_limits};
use crate::websub::{secrets, signature};
use axum::Router;
use futures_util::FutureExt;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

/// What others are told with.
#[derive(Clone)]
pub(super) struct PublisherContext {
    context: PollContext,
    announcing: FeedChangeContext,
    options: hub::Options,
}

/// A request under way.
struct InFlightRequest {
    host: String,
    /// Whether it goes where the last one did not arrive.
    in_vain_before: bool,
}

/// One request that is about to go out.
enum OutgoingRequest {
    Verify(PendingVerification),
    Deliver(Box<PendingDelivery>, Arc<FeedSnapshot>),
    Notify(HubNotification, String),
}

/// Where our own hub is asked.
pub(super) fn router(config: &Config, context: &PollContext, announcing: &FeedChangeContext) -> Router {
    endpoint::router(HubEndpoint {
        store: context.store.clone(),
        clock: context.clock.clone(),
        guard: context.fetcher.address_policy().clone(),
        options: config.hub.clone(),
        topics: announcing.topics.clone(),
        proxies: config.serve.trusted_proxies.clone(),
        patience: config.serve.header_timeout.unsigned_abs(),
        wake: announcing.due.clone(),
    })
}

impl PublisherContext {
    pub(super) fn new(config: &Config, context: &PollContext, announcing: &FeedChangeContext) -> PublisherContext {
        PublisherContext { context: context.clone(), announcing: announcing.clone(), options: config.hub.clone() }
    }

    fn timeout(&self) -> Duration {
        self.options.callback_timeout.unsigned_abs()
    }
}

pub(super) async fn run(telling: PublisherContext, stop: CancellationToken) {
    let mut under_way = JoinSet::new();
    let mut busy: HashMap<Id, InFlightRequest> = HashMap::new();
    let half = telling.options.concurrency as usize / 2;
    let mut look = true;
    loop {
        let jobs = if look { telling.due(&busy).await } else { Ok(Vec::new()) };
        for job in jobs.unwrap_or_else(|error| {
            tracing::error!(%error, "who is to be told could not be read or written; trying again");
            Vec::new()
        }) {
            let (going, telling) = (job.busy(), telling.clone());
            busy.insert(under_way.spawn(async move { telling.tell(job).await }).id(), going);
        }
        tokio::select! {
            // What is under way is dropped: it stands in the database when it is due again.
            _ = stop.cancelled() => return,
            Some(ended) = under_way.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(fell) => {
                        tracing::error!(error = %fell, "a request to a subscriber or a hub fell");
                        fell.id()
                    }
                };
                busy.remove(&id);
                // A look takes the longer the more are behind, so that it is worth it for some at once.
                look = busy.len() <= half;
            }
            _ = telling.announcing.due.notified() => look = true,
            _ = tokio::time::sleep(LOOK) => look = true,
        }
    }
}

impl PublisherContext {
    /// What may go out now, each moved forward already.
    async fn due(&self, busy: &HashMap<Id, InFlightRequest>) -> store::Result<Vec<OutgoingRequest>> {
        let concurrency = self.options.concurrency as usize;
        let room = concurrency.saturating_sub(busy.len());
        // Those who let us wait have half of the room, so that there is always some for those who do not.
        let in_vain_before = busy.values().filter(|busy| busy.in_vain_before).count();
        let mut second_chances = concurrency.div_ceil(2).saturating_sub(in_vain_before);
        if room == 0 {
            return Ok(Vec::new());
        }
        let (now, own_hub) = (self.context.clock.now(), self.announcing.options.own_hub);
        let (topics, hubs) = (self.announcing.ready(), self.announcing.hubs());
        let mut busy: Vec<String> = busy.values().map(|busy| busy.host.clone()).collect();
        let found = self.context.store.read(move |db| {
            let mut asked = Vec::new();
            let mut behind = Vec::new();
            if own_hub {
                // Whoever asks for much leaves half of the room to those who are sent something.
                asked = websub_subscribers::due_verifications(db, now, &busy, room.div_ceil(2))?;
                busy.extend(asked.iter().map(|asked| asked.request.host.clone()));
                behind = websub_subscribers::due_deliveries(db, now, &topics, &busy, room)?;
            }
            let pings = if hubs.is_empty() {
                Vec::new()
            } else {
                websub_subscribers::due_notifications(db, now, (&hubs, &topics, &busy), room)?
            };
            Ok((asked, behind, pings))
        });
        let (asked, behind, pings) = found.await?;
        let asked = asked.into_iter().map(OutgoingRequest::Verify);
        let pings = pings.into_iter().map(|(ping, hash)| OutgoingRequest::Notify(ping, hash));
        // What is sent is what was announced; while the one is written down and the other made, nothing is.
        let behind = behind.into_iter().filter_map(|behind| {
            let document = self.announcing.document(&behind.subscriber.topic)?;
            if document.hash != behind.hash {
                return None;
            }
            if behind.failures_of_host > 0 {
                second_chances = second_chances.checked_sub(1)?;
            }
            Some(OutgoingRequest::Deliver(Box::new(behind), document))
        });
        let jobs: Vec<OutgoingRequest> = asked.chain(pings).chain(behind).take(room).collect();
        if jobs.is_empty() {
            return Ok(jobs);
        }
        let claim = move |db: &WriteConnection| {
            let mut claimed = Vec::new();
            for job in jobs {
                if job.claim(db, now)? {
                    claimed.push(job);
                }
            }
            Ok(claimed)
        };
        self.context.store.write(claim).await
    }

    async fn tell(&self, job: OutgoingRequest) {
        let told = match job {
            OutgoingRequest::Verify(asked) => self.ask(asked).await,
            OutgoingRequest::Deliver(behind, document) => self.deliver(&behind.subscriber, &document).await,
            OutgoingRequest::Notify(ping, hash) => self.ping(ping, hash).await,
        };
        if let Err(error) = told {
            tracing::error!(%error, "what a subscriber or a hub said could not be written down");
        }
    }

    /// Asks a callback whether it wants what was asked for it (section 5.3). It is asked once: who meant it asks again.
    async fn ask(&self, PendingVerification { id, request, .. }: PendingVerification) -> store::Result<()> {
        let Some(challenge) = secrets::generate() else {
            tracing::error!("the system has no randomness for a challenge");
            return Ok(());
        };
        let answer = match delivery_policy::verification_url(&request, &challenge) {
            Ok(url) => self.context.fetcher.verify_callback(&url, self.timeout(), self.context.clock.now()).await,
            Err(error) => CallbackResponse::Failed { detail: error.to_string() },
        };
        let confirmed = delivery_policy::check_echo(&answer, &challenge);
        let now = self.context.clock.now();
        let (topic, host, mode) = (&request.topic, &request.host, request.mode.as_str());
        match &confirmed {
            Ok(()) => tracing::info!(topic, host, mode, "a callback has confirmed"),
            Err(why) => tracing::info!(topic, host, mode, why, "a callback has not confirmed"),
        }
        let counted = counted(&request.callback, &answer, 0);
        self.context
            .store
            .write(move |db| {
                origins::record_requests(db, now, &counted)?;
                // Where another request has taken its place meanwhile, this one was confirmed all the same.
                websub_subscribers::delete_request(db, id)?;
                match (confirmed, request.mode) {
                    (Err(_), _) => {}
                    (Ok(()), HubMode::Subscribe) => {
                        websub_subscribers::subscribe(db, &request, now, after(now, request.lease))?;
                    }
                    (Ok(()), HubMode::Unsubscribe) => {
                        websub_subscribers::unsubscribe(db, &request.topic, &request.callback)?;
                    }
                }
                Ok(())
            })
            .await?;
        self.announcing.begun.notify_one();
        Ok(())
    }

    /// Sends a subscriber a document (section 7).
    async fn deliver(&self, subscriber: &HubSubscriber, document: &FeedSnapshot) -> store::Result<()> {
        let hub = self.announcing.options.own_hub_url();
        let mut fields = vec![
            ("content-type", document.content_type.to_owned()),
            ("link", format!("<{hub}>; rel=\"hub\", <{}>; rel=\"self\"", subscriber.topic)),
        ];
        if let Some(secret) = &subscriber.secret {
            fields.push(("x-hub-signature", signature::sign(secret, &document.bytes)));
        }
        let (bytes, asked_at) = (document.bytes.clone(), self.context.clock.now());
        let answer = match Url::parse(&subscriber.callback) {
            Ok(url) => self.context.fetcher.post_to_callback(&url, bytes, &fields, self.timeout(), asked_at).await,
            Err(error) => CallbackResponse::Failed { detail: error.to_string() },
        };
        let now = self.context.clock.now();
        let sent = delivery_policy::evaluate_delivery(&answer, subscriber.failures, now);
        let (id, topic, host) = (subscriber.id, &subscriber.topic, &subscriber.host);
        match &sent {
            DeliveryResult::Delivered => {
                tracing::info!(subscriber = %id, topic, host, "a subscriber was sent what is new")
            }
            DeliveryResult::Retry { detail, .. } => {
                tracing::info!(subscriber = %id, topic, host, detail, "a subscriber was not reached; trying again")
            }
            DeliveryResult::GiveUp { detail } => {
                tracing::info!(subscriber = %id, topic, host, detail, "a subscriber is gone")
            }
        }
        let counted = counted(&subscriber.callback, &answer, document.bytes.len());
        let hash = document.hash.clone();
        let written = self.context.store.write(move |db| {
            origins::record_requests(db, now, &counted)?;
            match sent {
                DeliveryResult::Delivered => websub_subscribers::record_delivery(db, id, &hash, now),
                DeliveryResult::Retry { at, detail } => websub_subscribers::record_failed_delivery(db, id, at, &detail),
                DeliveryResult::GiveUp { .. } => websub_subscribers::remove(db, id).map(drop),
            }
        });
        written.await
    }

    /// Tells a hub that a document has changed, as hubs of PubSubHubbub expect it: WebSub leaves it open (section 6).
    async fn ping(&self, ping: HubNotification, hash: String) -> store::Result<()> {
        let form = [("hub.mode", "publish"), ("hub.url", ping.topic.as_str()), ("hub.topic", ping.topic.as_str())];
        let lease = PollLease::new(&self.context.program);
        let turn = |origin: Origin| {
            let lease = &lease;
            async move { self.context.lease_next_origin(lease, &origin).await }.boxed()
        };
        let answer = match Url::parse(&ping.hub) {
            Ok(hub) => self.context.fetcher.post_to_hub(&hub, &form, self.context.clock.now(), &turn).await,
            Err(error) => HubResponse::Refused { detail: error.to_string(), status: None, retry_after: None },
        };
        let now = self.context.clock.now();
        let sent = delivery_policy::evaluate_notification(&answer, ping.failures, now);
        tracing::info!(hub = ping.hub, topic = ping.topic, ?answer, "a hub was told that a feed has changed");
        let status = match &answer {
            HubResponse::Accepted => Some(202),
            HubResponse::Refused { status, .. } => *status,
        };
        let counted: Vec<_> = request_to(&ping.hub, status, 0).into_iter().collect();
        let written = self.context.store.write(move |db| {
            origins::record_requests(db, now, &counted)?;
            match sent {
                DeliveryResult::Delivered => websub_subscribers::record_notification(db, &ping, &hash, now),
                DeliveryResult::Retry { at, detail } => {
                    websub_subscribers::record_failed_notification(db, &ping, at, None, &detail)
                }
                // The operator named it, so that it is told of the next change all the same.
                DeliveryResult::GiveUp { detail } => {
                    let at = delivery_policy::next_attempt_at(ping.failures, now);
                    websub_subscribers::record_failed_notification(db, &ping, at, Some(&hash), &detail)
                }
            }
        });
        written.await.and(self.context.release_lease(&lease).await)
    }
}

impl OutgoingRequest {
    /// To whom there is no other request meanwhile.
    fn busy(&self) -> InFlightRequest {
        let (host, failures) = match self {
            OutgoingRequest::Verify(asked) => (&asked.request.host, 0),
            OutgoingRequest::Deliver(behind, _) => (&behind.subscriber.host, behind.failures_of_host),
            OutgoingRequest::Notify(ping, _) => (&ping.hub, ping.failures),
        };
        InFlightRequest { host: host.clone(), in_vain_before: failures > 0 }
    }

    /// Moves it forward, unless it is there no more.
    fn claim(&self, db: &WriteConnection, now: Timestamp) -> store::Result<bool> {
        match self {
            OutgoingRequest::Verify(asked) if asked.tries >= MAX_VERIFICATION_ATTEMPTS => {
                websub_subscribers::delete_request(db, asked.id)?;
                Ok(false)
            }
            OutgoingRequest::Verify(asked) => {
                websub_subscribers::claim_verification(db, asked.id, after(now, rate_limits::MIN_VERIFICATION_INTERVAL))
            }
            OutgoingRequest::Deliver(behind, _) => {
                let subscriber = &behind.subscriber;
                websub_subscribers::claim_delivery(
                    db,
                    subscriber.id,
                    delivery_policy::next_attempt_at(subscriber.failures, now),
                )
            }
            OutgoingRequest::Notify(ping, _) => {
                websub_subscribers::claim_notification(db, ping, delivery_policy::next_attempt_at(ping.failures, now))?;
                Ok(true)
            }
        }
    }
}

/// The request as it is counted. Where there is no status nobody may have been asked.
fn counted(callback: &str, answer: &CallbackResponse, bytes: usize) -> Vec<domain::RequestRecord> {
    let status = match answer {
        CallbackResponse::Answered { status, .. } => Some(*status),
        CallbackResponse::Failed { .. } => None,
    };
    request_to(callback, status, bytes).into_iter().collect()
}

fn request_to(url: &str, status: Option<u16>, bytes: usize) -> Option<domain::RequestRecord> {
    let origin = Origin::from_url(&Url::parse(url).ok()?).to_string();
    Some(domain::RequestRecord { origin, status: Some(status?), bytes: bytes as u64 })
}
