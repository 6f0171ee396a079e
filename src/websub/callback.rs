//! What hubs reach us by: `/websub/TOKEN`. A GET asks us to confirm (WebSub, section 5.3), a POST brings news (7).
//!
//! It reads no body of somebody who does not know a token, none that is larger than a feed may be, and no more of them
//! at once than the [`PushQueue`] has room for. A push that is not signed by our hub is answered like one that is, counted,
//! and forgotten.

use super::verification::VerificationOutcome;
use super::{Options, PushQueue, PushedDocument, secrets, signature, state_machine, verification};
use crate::clock::Clock;
use crate::domain::{HubSubscription, SubscriptionState};
use crate::store::{self, Store, WriteConnection, websub_subscriptions};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::time::Duration;

/// What the callback needs.
#[derive(Clone)]
pub struct CallbackEndpoint {
    pub store: Store,
    pub clock: Clock,
    pub options: Options,
    pub inbox: PushQueue,
    /// Bytes of a document.
    pub max_body_bytes: usize,
    /// For a body to come whole.
    pub patience: Duration,
}

/// Below the base URL, before the token.
pub const PATH: &str = "websub/";
/// When a hub may try again while there is no room.
const AGAIN: &str = "60";

/// What is answered to hubs.
pub fn router(callback: CallbackEndpoint) -> Router {
    Router::new()
        .route("/websub/{token}", get(confirm).post(receive))
        .layer(axum::middleware::map_response(plain))
        .with_state(callback)
}

/// A stranger's text that we echo is never taken for anything but text.
pub(super) async fn plain(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn confirm(
    State(callback): State<CallbackEndpoint>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, InternalError> {
    let (now, lease) = (callback.clock.now(), callback.options.lease);
    if callback.known(&token).await?.is_none() {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    // Judged where it is written down, so that of two requests at once the second sees what the first has done.
    let intent = callback
        .store
        .write(move |db| {
            let Some(mut known) = websub_subscriptions::find_by_token(db, &token)? else { return Ok(VerificationOutcome::Unsolicited) };
            let intent = verification::evaluate_request(&known, &query.unwrap_or_default(), now, lease);
            if intent != VerificationOutcome::Unsolicited {
                state_machine::apply_verification(&mut known, &intent, now);
                websub_subscriptions::save(db, &known, now)?;
                tracing::info!(source = %known.source, state = known.state.as_str(), detail = known.detail, "a hub spoke");
            }
            Ok(intent)
        })
        .await?;
    Ok(match intent {
        VerificationOutcome::Subscribed { challenge, .. } | VerificationOutcome::Unsubscribed { challenge } => {
            challenge.into_response()
        }
        VerificationOutcome::Denied { .. } => StatusCode::OK.into_response(),
        VerificationOutcome::Unsolicited => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn receive(
    State(callback): State<CallbackEndpoint>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, InternalError> {
    let Some(known) = callback.known(&token).await? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    match known.state {
        SubscriptionState::Active => {}
        SubscriptionState::Asked => return Ok(StatusCode::NOT_FOUND.into_response()),
        // It tells the hub that there is no use in going on.
        _ => return Ok(StatusCode::GONE.into_response()),
    }
    let claimed = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if claimed.is_some_and(|length| length > callback.max_body_bytes) {
        return Ok(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    }
    let size = claimed.unwrap_or(callback.max_body_bytes);
    let Some(place) = callback.inbox.place(known.source, size, callback.clock.now()) else {
        return Ok((StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, AGAIN)]).into_response());
    };
    let bytes = match tokio::time::timeout(callback.patience, axum::body::to_bytes(body, size)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Ok(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        Err(_) => return Ok(StatusCode::REQUEST_TIMEOUT.into_response()),
    };
    let mut signatures = headers.get_all("x-hub-signature").iter();
    let signature = signatures.next().filter(|_| signatures.next().is_none()).map(HeaderValue::as_bytes);
    let (Some(secret), Some(asked)) = (&known.secret, &known.asked) else {
        return Ok(StatusCode::GONE.into_response());
    };
    match signature::verify(secret, signature, &bytes) {
        Ok(()) => {
            let content_type = headers.get(header::CONTENT_TYPE);
            let content_type = content_type.map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned());
            let (source, topic, at) = (known.source, asked.topic.clone(), callback.clock.now());
            place.put(|room| PushedDocument { source, topic, content_type, bytes: bytes.into(), at, _room: room });
        }
        Err(bad) => callback.ignore(token, bad).await?,
    }
    Ok(StatusCode::ACCEPTED.into_response())
}

impl CallbackEndpoint {
    async fn known(&self, token: &str) -> store::Result<Option<HubSubscription>> {
        if !secrets::is_token(token) {
            return Ok(None);
        }
        let token = token.to_owned();
        self.store.read(move |db| websub_subscriptions::find_by_token(db, &token)).await
    }

    async fn ignore(&self, token: String, bad: signature::SignatureError) -> store::Result<()> {
        let now = self.clock.now();
        let ignore = move |db: &WriteConnection| {
            if let Some(mut known) = websub_subscriptions::find_by_token(db, &token)? {
                known.ignored += 1;
                known.detail = bad.as_str().into();
                websub_subscriptions::save(db, &known, now)?;
            }
            Ok(())
        };
        self.store.write(ignore).await
    }
}

/// Our own fault: logged here, told to the hub without its details, so that it tries again.
struct InternalError(store::Error);

impl From<store::Error> for InternalError {
    fn from(error: store::Error) -> Self {
        InternalError(error)
    }
}

impl IntoResponse for InternalError {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "a hub's request could not be answered");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
