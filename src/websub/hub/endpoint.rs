//! Where our hub is asked: `POST /hub` (WebSub, section 5.1). It answers 202 and leaves the rest to the daemon.
//!
//! The body is read within its bound and a time; what is not taken is refused with a reason in plain text. A callback and a
//! secret stand in no log.

use super::Options;
use super::rate_limits;
use super::subscription_request::{self, MAX_FORM_BYTES, RequestRefusal};
use crate::clock::Clock;
use crate::domain::SubscriberRequest;
use crate::http_client::AddressPolicy;
use crate::store::{self, Store, websub_subscribers};
use crate::websub::callback::plain;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// What the endpoint needs.
#[derive(Clone)]
pub struct HubEndpoint {
    pub store: Store,
    pub clock: Clock,
    pub guard: AddressPolicy,
    pub options: Options,
    /// The URLs of all documents of our feeds.
    pub topics: Arc<BTreeSet<String>>,
    /// Who says for whom it asks.
    pub proxies: Vec<IpNet>,
    /// For a form to come whole.
    pub patience: Duration,
    /// Told when there is somebody to be asked.
    pub wake: Arc<Notify>,
}

/// What is answered to subscribers.
pub fn router(endpoint: HubEndpoint) -> Router {
    Router::new().route("/hub", post(ask)).layer(axum::middleware::map_response(plain)).with_state(endpoint)
}

async fn ask(State(endpoint): State<HubEndpoint>, request: Request) -> Response {
    match endpoint.take(request).await {
        Ok(()) => (StatusCode::ACCEPTED, "Your callback will be asked whether it wants this.\n").into_response(),
        Err(EndpointError::Theirs(refusal)) => {
            let why = format!("{}.\n", refusal.why);
            match refusal.retry_after {
                Some(wait) => {
                    (refusal.status, [(header::RETRY_AFTER, wait.as_secs().to_string())], why).into_response()
                }
                None => (refusal.status, why).into_response(),
            }
        }
        Err(EndpointError::Ours(error)) => {
            tracing::error!(%error, "a subscriber's request could not be answered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

enum EndpointError {
    Theirs(RequestRefusal),
    Ours(store::Error),
}

impl From<RequestRefusal> for EndpointError {
    fn from(refusal: RequestRefusal) -> EndpointError {
        EndpointError::Theirs(refusal)
    }
}

impl From<store::Error> for EndpointError {
    fn from(error: store::Error) -> EndpointError {
        EndpointError::Ours(error)
    }
}

impl HubEndpoint {
    async fn take(&self, request: Request) -> Result<(), EndpointError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(FORM) {
            return Err(
                RequestRefusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("a request is to be {FORM}")).into()
            );
        }
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let client = client(peer, request.headers(), &self.proxies);
        let form = tokio::time::timeout(self.patience, axum::body::to_bytes(request.into_body(), MAX_FORM_BYTES)).await;
        let form = form
            .map_err(|_| RequestRefusal::new(StatusCode::REQUEST_TIMEOUT, "the request did not come whole in time"))?
            .map_err(|_| RequestRefusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the request is larger than 16 KiB"))?;
        let now = self.clock.now();
        let wanted = subscription_request::parse_request(&form, &self.topics, &self.guard, &self.options, client, now)?;
        // Judged without the writer first, so that a flood of what is refused holds up nobody who writes.
        let (asked, options) = (wanted.clone(), self.options.clone());
        let counts = self.store.read(move |db| websub_subscribers::rate_limit_counts(db, &asked, now)).await?;
        rate_limits::check(&counts, wanted.mode, &options, now)?;
        let (topic, host, mode) = (wanted.topic.clone(), wanted.host.clone(), wanted.mode.as_str());
        let taken = self.store.write(move |db| {
            let counts = websub_subscribers::rate_limit_counts(db, &wanted, now)?;
            let verify_at = match rate_limits::check(&counts, wanted.mode, &options, now) {
                Ok(verify_at) => verify_at,
                Err(refusal) => return Ok(Err(refusal)),
            };
            websub_subscribers::add_request(db, &SubscriberRequest { verify_at, ..wanted }, now)?;
            Ok(Ok(()))
        });
        taken.await??;
        tracing::info!(topic, host, mode, "our hub was asked");
        self.wake.notify_one();
        Ok(())
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Who asks, as far as that is known: through a proxy it is what the proxy itself has seen, which it adds at the end of
/// `X-Forwarded-For`; what stands before that anybody can write.
fn client(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpNet]) -> Option<String> {
    let peer = peer?.to_canonical();
    let ip = if proxies.iter().any(|network| network.contains(&peer)) {
        let said = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        said.rsplit(',').next()?.trim().parse::<IpAddr>().ok()?.to_canonical()
    } else {
        peer
    };
    // Of IPv6 a client has at least a whole /64 to choose its addresses from (RFC 6177).
    Some(match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &[&str], expect: Option<&str>) {
        let proxies = ["127.0.0.0/8".parse().unwrap()];
        let headers = forwarded.iter().map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap()));
        assert_eq!(client(peer.parse().ok(), &headers.collect(), &proxies).as_deref(), expect, "{peer} {forwarded:?}");
    }

    #[test]
    fn a_proxy_says_for_whom_it_asks_and_nobody_else_does() {
        check("192.0.2.7", &[], Some("192.0.2.7"));
        check("192.0.2.7", &["198.51.100.1"], Some("192.0.2.7"));
        check("127.0.0.1", &["198.51.100.1"], Some("198.51.100.1"));
        check("127.0.0.1", &["10.0.0.1, 198.51.100.1"], Some("198.51.100.1"));
        check("127.0.0.1", &["10.0.0.1", "198.51.100.1"], Some("198.51.100.1"));
        check("::ffff:127.0.0.1", &["2001:db8:1:2:3:4:5:6"], Some("2001:db8:1:2::"));
        check("127.0.0.1", &[], None);
        check("127.0.0.1", &["unknown"], None);
        check("nobody", &["198.51.100.1"], None);
    }
}
