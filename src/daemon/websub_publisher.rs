//! The `websub publisher` task: verifies subscription requests with callbacks, delivers changed documents to the
//! subscribers of our own hub, and notifies other hubs. [`delivery_retries`] decides when to repeat a delivery.
//!
//! All pending work is in the database. The time of the next attempt is stored before a request is sent, so a crash
//! neither repeats a request immediately nor loses a request. At most one request per host and `hub.concurrency`
//! requests in total are in flight. Callbacks are never logged.

use super::database_watcher::NextRun;
use super::delivery_retries::{self, DeliveryResult};
use super::feed_change_notifier::{FeedChanges, other_hubs};
use super::task_context::TaskContext;
use crate::config::Config;
use crate::crawl::PollContext;
use crate::domain::duration::after;
use crate::domain::{HubMode, HubSubscriber, Timestamp};
use crate::http_client::{CallbackRequest, WebSubRequestError, websub_request_record};
use crate::serve::FeedSnapshot;
use crate::store::hub_notifications::{self, PendingNotification};
use crate::store::poll_leases::PollLease;
use crate::store::websub_subscriber_requests::{self, PendingVerification};
use crate::store::websub_subscribers::{self, DueQuery, PendingDelivery};
use crate::store::{self, ReadConnection, WriteConnection, origins};
use crate::urls::redact::redact_url;
use crate::websub::hub::callback_verification::{self, MAX_VERIFICATION_ATTEMPTS};
use crate::websub::hub::endpoint::{self, HubEndpoint};
use crate::websub::hub::rate_limits;
use crate::websub::{secrets, signature};
use crate::wording::{self, Audience};
use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::task::{Id, JoinSet};
use url::Url;

/// The state that the task needs.
#[derive(Clone)]
struct Publisher {
    context: TaskContext,
    changes: FeedChanges,
}

/// A request that has been sent but has not received a response.
struct InFlightRequest {
    host: String,
    is_retry: bool,
}

/// A request that is about to be sent.
enum OutgoingRequest {
    Verify(PendingVerification),
    Deliver(Box<PendingDelivery>, Arc<FeedSnapshot>),
    Notify(PendingNotification),
}

/// Returns the endpoint of our own hub.
pub(super) fn router(config: &Config, context: &PollContext, changes: &FeedChanges) -> Router {
    endpoint::router(HubEndpoint {
        store: context.store.clone(),
        clock: context.clock.clone(),
        address_policy: context.fetcher.address_policy().clone(),
        options: config.hub.clone(),
        topics: changes.topics.clone(),
        proxies: config.serve.trusted_proxies.clone(),
        form_timeout: config.serve.header_timeout.unsigned_abs(),
        wake: changes.work_added.clone(),
    })
}

pub(super) async fn run(changes: FeedChanges, mut context: TaskContext) {
    let publisher = Publisher { context: context.clone(), changes };
    let mut tasks = JoinSet::new();
    let mut in_flight: HashMap<Id, InFlightRequest> = HashMap::new();
    let half = context.config.hub.concurrency as usize / 2;
    let mut check = true;
    loop {
        // Both queries use the same time. Otherwise, an attempt that becomes due between them would be in neither
        // result.
        let now = context.clock().now();
        let due = if check { publisher.claim_due_requests(&in_flight, now).await } else { Ok(Vec::new()) };
        let next = match &due {
            Ok(_) => publisher.next_attempt(now).await,
            Err(error) => {
                error.log("cannot read or write pending deliveries; retrying");
                NextRun::Retry
            }
        };
        for request in due.unwrap_or_default() {
            let (entry, publisher) = (request.in_flight(), publisher.clone());
            in_flight.insert(tasks.spawn(async move { publisher.send(request).await }).id(), entry);
        }
        tokio::select! {
            // Requests in flight are dropped. The database contains the time of their next attempts.
            _ = context.shutdown.cancelled() => return,
            Some(ended) = tasks.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(error) => {
                        tracing::error!(%error, "a request to a subscriber or a hub panicked");
                        error.id()
                    }
                };
                in_flight.remove(&id);
                // The query becomes more expensive as the number of pending deliveries grows, so wait until several
                // slots are free.
                check = in_flight.len() <= half;
            }
            _ = publisher.changes.work_added.notified() => check = true,
            _ = context.work.wait(next) => check = true,
        }
    }
}

/// The number of requests that may be sent now.
struct RequestSlots {
    free: usize,
    /// The number of these requests that may be deliveries to failing hosts.
    retries: usize,
}

impl Publisher {
    /// Returns when the next attempt after `now` becomes due. An attempt that is already due waits for another request
    /// to end.
    async fn next_attempt(&self, now: Timestamp) -> NextRun {
        let next = self.context.store().read(move |db| websub_subscribers::next_attempt_at(db, now)).await;
        next.map_or(NextRun::Retry, NextRun::from)
    }

    /// Returns the requests to send now. Stores the time of the next attempt for each request.
    async fn claim_due_requests(
        &self,
        in_flight: &HashMap<Id, InFlightRequest>,
        now: Timestamp,
    ) -> store::Result<Vec<OutgoingRequest>> {
        let concurrency = self.context.config.hub.concurrency as usize;
        let free_slots = concurrency.saturating_sub(in_flight.len());
        if free_slots == 0 {
            return Ok(Vec::new());
        }
        // Retries get at most half of the slots, so that slow hosts do not delay other hosts.
        let retries = in_flight.values().filter(|request| request.is_retry).count();
        let slots = RequestSlots { free: free_slots, retries: concurrency.div_ceil(2).saturating_sub(retries) };
        let busy = in_flight.values().map(|request| request.host.clone()).collect();
        let publisher = self.clone();
        let read = move |db: &ReadConnection| publisher.due_requests(db, now, busy, slots);
        let requests = self.context.store().read(read).await?;
        if requests.is_empty() {
            return Ok(requests);
        }
        let claim = move |db: &WriteConnection| {
            let mut claimed = Vec::new();
            for request in requests {
                if request.claim(db, now)? {
                    claimed.push(request);
                }
            }
            Ok(claimed)
        };
        self.context.store().write(claim).await
    }

    /// Returns the pending requests that may be sent now.
    fn due_requests(
        &self,
        db: &ReadConnection,
        now: Timestamp,
        mut busy: Vec<String>,
        slots: RequestSlots,
    ) -> store::Result<Vec<OutgoingRequest>> {
        let RequestSlots { free: limit, retries: mut retry_slots } = slots;
        let options = &self.context.config.publish;
        let documents = self.changes.documents.lock().clone();
        let topics: Vec<String> = documents.keys().cloned().collect();
        let mut due = Vec::new();
        if options.own_hub {
            // Verifications get at most half of the slots, so that a flood of requests does not delay deliveries.
            let query = DueQuery { now, topics: &topics, busy: &busy, limit: limit.div_ceil(2) };
            let verifications = websub_subscriber_requests::due(db, &query)?;
            busy.extend(verifications.iter().map(|pending| pending.request.host.clone()));
            due.extend(verifications.into_iter().map(OutgoingRequest::Verify));
        }
        let query = DueQuery { now, topics: &topics, busy: &busy, limit };
        let notifications = hub_notifications::due(db, &other_hubs(options), &query)?;
        due.extend(notifications.into_iter().map(OutgoingRequest::Notify));
        let deliveries = if options.own_hub { websub_subscribers::due(db, &query)? } else { Vec::new() };
        due.extend(deliveries.into_iter().filter_map(|delivery| {
            // The document in memory and the recorded hash are not updated at the same time, so the document may be
            // newer or older than the hash.
            let document =
                documents.get(&delivery.subscriber.topic).filter(|document| document.hash == delivery.hash)?;
            if delivery.host_failures > 0 {
                retry_slots = retry_slots.checked_sub(1)?;
            }
            Some(OutgoingRequest::Deliver(Box::new(delivery), document.clone()))
        }));
        due.truncate(limit);
        Ok(due)
    }

    async fn send(&self, request: OutgoingRequest) {
        let recorded = match request {
            OutgoingRequest::Verify(verification) => self.verify(verification).await,
            OutgoingRequest::Deliver(delivery, document) => self.deliver(&delivery.subscriber, &document).await,
            OutgoingRequest::Notify(notification) => self.notify(notification).await,
        };
        if let Err(error) = recorded {
            error.log("cannot record the response of a subscriber or a hub");
        }
    }

    fn callback_request<'u>(&self, callback: &'u Url, now: Timestamp) -> CallbackRequest<'u> {
        CallbackRequest { callback, timeout: self.context.config.hub.callback_timeout, now }
    }

    /// Sends a callback one verification request (section 5.3). A subscriber that does not confirm must repeat its
    /// request.
    async fn verify(&self, PendingVerification { id, request, .. }: PendingVerification) -> store::Result<()> {
        let Some(challenge) = secrets::generate() else {
            tracing::error!("the operating system returned no random bytes for a challenge");
            return Ok(());
        };
        let response = match callback_verification::verification_url(&request, &challenge) {
            Ok(url) => {
                let request = self.callback_request(&url, self.context.clock().now());
                self.context.polling.fetcher.verify_callback(request).await
            }
            Err(error) => Err(WebSubRequestError::no_response(error)),
        };
        let sent = websub_request_record(&request.callback, &response, 0);
        let confirmed = response
            .map_err(|error| error.failure)
            .and_then(|response| callback_verification::check_echo(&response, &challenge));
        let now = self.context.clock().now();
        let (topic, host, mode) = (&request.topic, &request.host, request.mode.into_str());
        match &confirmed {
            Ok(()) => tracing::info!(topic, host, mode, "a callback confirmed a request"),
            Err(failure) => {
                let reason = wording::websub_failure(failure);
                tracing::info!(topic, host, mode, reason, "a callback did not confirm a request");
            }
        }
        let record = move |db: &WriteConnection| {
            origins::record_requests(db, now, sent.as_slice())?;
            // A newer request that has replaced this request is kept.
            websub_subscriber_requests::delete(db, id)?;
            match (confirmed, request.mode) {
                (Err(_), _) => Ok(()),
                (Ok(()), HubMode::Subscribe) => {
                    websub_subscribers::subscribe(db, &request, now, after(now, request.lease))
                }
                (Ok(()), HubMode::Unsubscribe) => {
                    websub_subscribers::unsubscribe(db, &request.topic, &request.callback)
                }
            }
        };
        self.context.store().write(record).await?;
        self.changes.subscriber_added.notify_one();
        Ok(())
    }

    /// Sends a document to a subscriber (section 7).
    async fn deliver(&self, subscriber: &HubSubscriber, document: &FeedSnapshot) -> store::Result<()> {
        let (bytes, sent_at) = (document.bytes.clone(), self.context.clock().now());
        let fetcher = &self.context.polling.fetcher;
        let response = match (Url::parse(&subscriber.callback), self.delivery_headers(subscriber, document)) {
            (Ok(url), Ok(headers)) => {
                fetcher.post_to_callback(self.callback_request(&url, sent_at), bytes, headers).await
            }
            (Err(error), _) => Err(WebSubRequestError::no_response(error)),
            (_, Err(error)) => Err(WebSubRequestError::no_response(error)),
        };
        let sent = websub_request_record(&subscriber.callback, &response, document.bytes.len());
        let now = self.context.clock().now();
        let result = delivery_retries::evaluate_delivery(response, subscriber.failures, now);
        let (id, topic, host) = (subscriber.id, &subscriber.topic, &subscriber.host);
        let (event, failure) = match &result {
            DeliveryResult::Delivered => ("delivered a document", None),
            DeliveryResult::Retry { failure, .. } => ("cannot deliver a document; retrying", Some(failure)),
            DeliveryResult::GiveUp { failure } => ("removed a subscriber", Some(failure)),
        };
        let reason = failure.map(wording::websub_failure);
        tracing::info!(subscriber = %id, topic, host, reason, "{event}");
        let hash = document.hash.clone();
        let record = move |db: &WriteConnection| {
            origins::record_requests(db, now, sent.as_slice())?;
            match result {
                DeliveryResult::Delivered => websub_subscribers::record_delivery(db, id, &hash, now),
                DeliveryResult::Retry { at, failure } => {
                    websub_subscribers::record_failed_delivery(db, id, at, &failure)
                }
                DeliveryResult::GiveUp { .. } => websub_subscribers::remove(db, id).map(drop),
            }
        };
        self.context.store().write(record).await
    }

    fn delivery_headers(
        &self,
        subscriber: &HubSubscriber,
        document: &FeedSnapshot,
    ) -> Result<HeaderMap, header::InvalidHeaderValue> {
        let hub = self.context.config.publish.own_hub_url();
        let links = format!("<{hub}>; rel=\"hub\", <{}>; rel=\"self\"", subscriber.topic);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(document.content_type)?);
        headers.insert(header::LINK, HeaderValue::from_str(&links)?);
        if let Some(secret) = &subscriber.secret {
            let signature = signature::sign(secret, &document.bytes);
            headers.insert(HeaderName::from_static("x-hub-signature"), HeaderValue::from_str(&signature)?);
        }
        Ok(headers)
    }

    /// Notifies a hub that a document has changed. WebSub does not specify this request (section 6), so it has the form
    /// defined by PubSubHubbub.
    async fn notify(&self, PendingNotification { notification, hash }: PendingNotification) -> store::Result<()> {
        let topic = notification.topic.as_str();
        let form = [("hub.mode", "publish"), ("hub.url", topic), ("hub.topic", topic)];
        let lease = PollLease::new(&self.context.polling.program);
        let (fetcher, sent_at) = (&self.context.polling.fetcher, self.context.clock().now());
        let response = match Url::parse(&notification.hub) {
            Ok(hub) => fetcher.post_to_hub(&hub, &form, sent_at, &self.context.polling.permits(&lease)).await,
            Err(error) => Err(WebSubRequestError::no_response(error)),
        };
        let now = self.context.clock().now();
        let result = Audience::PUBLIC.remark(&format!("{response:?}"));
        tracing::info!(hub = redact_url(&notification.hub), topic, result, "notified a hub of a change");
        let sent = websub_request_record(&notification.hub, &response, 0);
        let result = delivery_retries::evaluate_notification(response, notification.failures, now);
        let record = move |db: &WriteConnection| {
            origins::record_requests(db, now, sent.as_slice())?;
            match result {
                DeliveryResult::Delivered => hub_notifications::record_success(db, &notification, &hash, now),
                DeliveryResult::Retry { at, failure } => {
                    hub_notifications::record_failure(db, &notification, at, None, &failure)
                }
                // The hub is part of the configuration, so the next change triggers another notification.
                DeliveryResult::GiveUp { failure } => {
                    let at = delivery_retries::next_attempt_at(notification.failures, now);
                    hub_notifications::record_failure(db, &notification, at, Some(&hash), &failure)
                }
            }
        };
        let recorded = self.context.store().write(record).await;
        recorded.and(self.context.polling.release_lease(&lease).await)
    }
}

impl OutgoingRequest {
    /// Returns the entry that prevents another request to the same host.
    fn in_flight(&self) -> InFlightRequest {
        let (host, failures) = match self {
            OutgoingRequest::Verify(pending) => (&pending.request.host, 0),
            OutgoingRequest::Deliver(pending, _) => (&pending.subscriber.host, pending.host_failures),
            OutgoingRequest::Notify(pending) => (&pending.notification.hub, pending.notification.failures),
        };
        InFlightRequest { host: host.clone(), is_retry: failures > 0 }
    }

    /// Stores the time of the next attempt. Returns whether the request must still be sent.
    fn claim(&self, db: &WriteConnection, now: Timestamp) -> store::Result<bool> {
        match self {
            OutgoingRequest::Verify(pending) if pending.attempts >= MAX_VERIFICATION_ATTEMPTS => {
                websub_subscriber_requests::delete(db, pending.id)?;
                Ok(false)
            }
            OutgoingRequest::Verify(pending) => {
                let retry_at = after(now, rate_limits::MIN_VERIFICATION_INTERVAL);
                websub_subscriber_requests::claim(db, pending.id, retry_at)
            }
            OutgoingRequest::Deliver(pending, _) => {
                let subscriber = &pending.subscriber;
                let retry_at = delivery_retries::next_attempt_at(subscriber.failures, now);
                websub_subscribers::claim(db, subscriber.id, retry_at)
            }
            OutgoingRequest::Notify(pending) => {
                let retry_at = delivery_retries::next_attempt_at(pending.notification.failures, now);
                hub_notifications::claim(db, &pending.notification, retry_at)?;
                Ok(true)
            }
        }
    }
}
