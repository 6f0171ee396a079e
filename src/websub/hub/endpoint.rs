//! The HTTP endpoint of our own hub: `POST /hub` (WebSub, section 5.1).
//!
//! The endpoint responds with 202 and leaves the request to the daemon, or refuses the request with a reason in plain
//! text. The size of the body and the time to receive it are limited. Callbacks and secrets are never logged.

use super::Options;
use super::client_address::client_of_request;
use super::rate_limits;
use super::subscription_request::{MAX_FORM_BYTES, RequestRefusal, RequestRules, parse_request};
use crate::clock::Clock;
use crate::domain::SubscriberRequest;
use crate::http_client::AddressPolicy;
use crate::store::{self, Store, websub_subscriber_requests};
use crate::websub::callback::{InternalError, force_plain_text};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// The state of the endpoint.
#[derive(Clone)]
pub struct HubEndpoint {
    pub store: Store,
    pub clock: Clock,
    pub address_policy: AddressPolicy,
    pub options: Options,
    /// The URLs of all documents of our feeds.
    pub topics: Arc<BTreeSet<String>>,
    /// Networks of reverse proxies with a trusted `X-Forwarded-For` header.
    pub proxies: Vec<IpNet>,
    /// Time limit for receiving a form.
    pub form_timeout: Duration,
    /// Notified when a request has been accepted.
    pub wake: Arc<Notify>,
}

pub fn router(endpoint: HubEndpoint) -> Router {
    let route = Router::new().route("/hub", post(handle_request));
    route.layer(axum::middleware::map_response(force_plain_text)).with_state(endpoint)
}

async fn handle_request(State(endpoint): State<HubEndpoint>, request: Request) -> Response {
    match endpoint.accept_request(request).await {
        Ok(()) => {
            (StatusCode::ACCEPTED, "The hub will send a verification request to your callback.\n").into_response()
        }
        Err(EndpointError::Refused(refusal)) => {
            let mut response = (refusal_status(&refusal), format!("{refusal}.\n")).into_response();
            if let Some(delay) = refusal.retry_after() {
                response.headers_mut().insert(header::RETRY_AFTER, delay.as_secs().into());
            }
            response
        }
        Err(EndpointError::Store(error)) => InternalError(error).into_response(),
    }
}

fn refusal_status(refusal: &RequestRefusal) -> StatusCode {
    match refusal {
        RequestRefusal::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RequestRefusal::Timeout => StatusCode::REQUEST_TIMEOUT,
        RequestRefusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RequestRefusal::UnknownTopic | RequestRefusal::NotSubscribed => StatusCode::NOT_FOUND,
        RequestRefusal::ForbiddenCallback => StatusCode::FORBIDDEN,
        RequestRefusal::ClientLimit | RequestRefusal::HostLimit => StatusCode::TOO_MANY_REQUESTS,
        RequestRefusal::HubLimit | RequestRefusal::SubscriberLimit => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[derive(thiserror::Error, Debug)]
enum EndpointError {
    #[error(transparent)]
    Refused(#[from] RequestRefusal),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl HubEndpoint {
    async fn accept_request(&self, request: Request) -> Result<(), EndpointError> {
        let client = client_of_request(&request, &self.proxies);
        let form = self.read_form(request).await?;
        let now = self.clock.now();
        let rules = RequestRules { topics: &self.topics, address_policy: &self.address_policy, options: &self.options };
        let request = parse_request(&form, &rules, client, now)?;
        // Check the limits on a reader first, so that a flood of refused requests does not block the writer.
        let (candidate, options) = (request.clone(), self.options.clone());
        let read_counts =
            move |db: &store::ReadConnection| websub_subscriber_requests::rate_limit_counts(db, &candidate, now);
        let counts = self.store.read(read_counts).await?;
        rate_limits::check(&counts, request.mode, &options, now)?;
        let (topic, host, mode) = (request.topic.clone(), request.host.clone(), request.mode.into_str());
        let accepted = self.store.write(move |db| {
            let counts = websub_subscriber_requests::rate_limit_counts(db, &request, now)?;
            match rate_limits::check(&counts, request.mode, &options, now) {
                Ok(verify_at) => {
                    let request = SubscriberRequest { verify_at, ..request };
                    websub_subscriber_requests::add(db, &request, now).map(Ok)
                }
                Err(refusal) => Ok(Err(refusal)),
            }
        });
        accepted.await??;
        tracing::info!(topic, host, mode, "accepted the request of a subscriber");
        self.wake.notify_one();
        Ok(())
    }

    async fn read_form(&self, request: Request) -> Result<axum::body::Bytes, RequestRefusal> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case(FORM_TYPE) {
            return Err(RequestRefusal::ContentType);
        }
        let body = axum::body::to_bytes(request.into_body(), MAX_FORM_BYTES);
        let body = tokio::time::timeout(self.form_timeout, body).await.map_err(|_| RequestRefusal::Timeout)?;
        body.map_err(|_| RequestRefusal::TooLarge)
    }
}
