//! The callback endpoint for hubs, `/websub/TOKEN`: GET verifies a request (WebSub, section 5.3), and POST delivers a
//! document (section 7).
//!
//! A body is received only with a valid token, up to the maximum size of a feed, and only while the [`PushQueue`] has a
//! free slot. A push with an invalid signature gets the same response as a valid push, as section 8 requires, but it is
//! only counted and then discarded.

use super::push_queue::{PushQueue, PushedDocument};
use super::verification::VerificationOutcome;
use super::{Options, secrets, signature, state_machine, verification};
use crate::clock::Clock;
use crate::domain::{HubEvent, HubSubscription, SignatureError, SubscriptionState};
use crate::store::{self, Store, websub_subscriptions};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::time::Duration;

/// The state of the endpoint.
#[derive(Clone)]
pub struct CallbackEndpoint {
    pub store: Store,
    pub clock: Clock,
    pub options: Options,
    pub queue: PushQueue,
    pub max_body_bytes: usize,
    /// Time limit for receiving a body.
    pub body_timeout: Duration,
}

/// The path of callbacks below the base URL, before the token.
pub const CALLBACK_PATH: &str = "websub/";
/// The value of `Retry-After` when the queue has no free slot, in seconds.
const QUEUE_RETRY_SECONDS: &str = "60";

pub fn router(endpoint: CallbackEndpoint) -> Router {
    Router::new()
        .route("/websub/{token}", get(verify).post(receive_push))
        .layer(axum::middleware::map_response(force_plain_text))
        .with_state(endpoint)
}

/// Marks a response as plain text, because it may echo third-party text.
pub(super) async fn force_plain_text(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn verify(
    State(endpoint): State<CallbackEndpoint>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, InternalError> {
    let (now, lease) = (endpoint.clock.now(), endpoint.options.lease);
    if endpoint.find_subscription(&token).await?.is_none() {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    // Evaluate inside the write, so that the second of two concurrent requests sees the effect of the first.
    let outcome = endpoint
        .store
        .write(move |db| {
            let Some(mut subscription) = websub_subscriptions::find_by_token(db, &token)? else {
                return Ok(VerificationOutcome::Unsolicited);
            };
            let outcome = verification::evaluate_request(&subscription, &query.unwrap_or_default(), now, lease);
            if outcome != VerificationOutcome::Unsolicited {
                state_machine::apply_verification(&mut subscription, &outcome, now);
                websub_subscriptions::save(db, &subscription, now)?;
                let (source, state) = (subscription.source, subscription.state.into_str());
                tracing::info!(%source, state, "a hub verified or denied a request");
            }
            Ok(outcome)
        })
        .await?;
    Ok(match outcome {
        VerificationOutcome::Subscribed { challenge, .. } | VerificationOutcome::Unsubscribed { challenge } => {
            challenge.into_response()
        }
        VerificationOutcome::Denied { .. } => StatusCode::OK.into_response(),
        VerificationOutcome::Unsolicited => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn receive_push(
    State(endpoint): State<CallbackEndpoint>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, InternalError> {
    let Some(subscription) = endpoint.find_subscription(&token).await? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    match subscription.state {
        SubscriptionState::Active => {}
        SubscriptionState::Requested => return Ok(StatusCode::NOT_FOUND.into_response()),
        // Status 410 makes the hub stop pushing.
        _ => return Ok(StatusCode::GONE.into_response()),
    }
    let (Some(secret), Some(requested)) = (subscription.secret, subscription.requested) else {
        return Ok(StatusCode::GONE.into_response());
    };
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let max_bytes = length.unwrap_or(endpoint.max_body_bytes);
    if max_bytes > endpoint.max_body_bytes {
        return Ok(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    }
    let Some(slot) = endpoint.queue.reserve(subscription.source, max_bytes, endpoint.clock.now()) else {
        return Ok((StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, QUEUE_RETRY_SECONDS)]).into_response());
    };
    let bytes = match tokio::time::timeout(endpoint.body_timeout, axum::body::to_bytes(body, max_bytes)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Ok(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        Err(_) => return Ok(StatusCode::REQUEST_TIMEOUT.into_response()),
    };
    match signature::verify(&secret, signature_header(&headers), &bytes) {
        Ok(()) => {
            let content_type = headers.get(header::CONTENT_TYPE);
            let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            let (source, topic, at) = (subscription.source, requested.topic, endpoint.clock.now());
            slot.send(|permit| PushedDocument {
                source,
                topic,
                content_type,
                bytes: bytes.into(),
                at,
                _permit: permit,
            });
        }
        Err(error) => endpoint.record_rejected_push(token, error).await?,
    }
    Ok(StatusCode::ACCEPTED.into_response())
}

/// Returns the value of the signature header; `None` if the header is absent or repeated.
fn signature_header(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all("x-hub-signature").iter();
    let value = values.next()?;
    values.next().is_none().then_some(value.as_bytes())
}

impl CallbackEndpoint {
    async fn find_subscription(&self, token: &str) -> store::Result<Option<HubSubscription>> {
        if !secrets::has_token_format(token) {
            return Ok(None);
        }
        let token = token.to_owned();
        self.store.read(move |db| websub_subscriptions::find_by_token(db, &token)).await
    }

    async fn record_rejected_push(&self, token: String, error: SignatureError) -> store::Result<()> {
        let now = self.clock.now();
        let record = move |db: &store::WriteConnection| {
            let Some(mut subscription) = websub_subscriptions::find_by_token(db, &token)? else { return Ok(()) };
            subscription.rejected_pushes += 1;
            subscription.last_event = Some(HubEvent::PushRejected { error });
            websub_subscriptions::save(db, &subscription, now)
        };
        self.store.write(record).await
    }
}

/// An internal error. The error is logged. The client gets a 500 response without details, and is expected to try
/// again.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct InternalError(#[from] pub store::Error);

impl IntoResponse for InternalError {
    fn into_response(self) -> Response {
        self.0.log("cannot respond to a WebSub request");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
