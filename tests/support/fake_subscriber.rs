//! A subscriber of our own hub: a callback server on loopback that records verification requests and deliveries and
//! sends configured responses.

use super::fake_hub::signature;
use super::wait_until;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub struct FakeSubscriber {
    base: String,
    state: SharedState,
}

type SharedState = Arc<Mutex<SubscriberState>>;

/// The response to a verification request.
#[derive(Debug, Clone)]
pub enum VerificationReply {
    Echo,
    Text(String),
    /// The challenge, with this status.
    Status(u16),
    /// A body that never ends.
    Endless,
}

struct SubscriberState {
    verifications: Vec<VerificationRequest>,
    deliveries: Vec<Delivery>,
    verification_reply: VerificationReply,
    delivery_reply: (u16, Vec<(HeaderName, String)>),
    blocked: watch::Sender<bool>,
    concurrent: usize,
    max_concurrent: usize,
}

/// A verification request that the callback has received.
#[derive(Debug, Clone)]
pub struct VerificationRequest {
    /// The path and query of the request.
    pub target: String,
    query: HashMap<String, String>,
}

impl VerificationRequest {
    pub fn get(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// A document that the callback has received.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Delivery {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn is_signed_with(&self, secret: &str) -> bool {
        self.header("x-hub-signature") == signature(secret, self.body.as_bytes())
    }
}

impl FakeSubscriber {
    pub async fn start() -> FakeSubscriber {
        FakeSubscriber::start_on("127.0.0.1:0").await
    }

    pub async fn start_on(address: &str) -> FakeSubscriber {
        let listener = TcpListener::bind(address).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(SubscriberState {
            verifications: Vec::new(),
            deliveries: Vec::new(),
            verification_reply: VerificationReply::Echo,
            delivery_reply: (200, Vec::new()),
            blocked: watch::Sender::new(false),
            concurrent: 0,
            max_concurrent: 0,
        }));
        let route = get(record_verification).post(record_delivery);
        let router = Router::new().fallback(route).with_state(state.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        FakeSubscriber { base, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Sets the response to later verification requests.
    pub fn reply_to_verifications(&self, reply: VerificationReply) {
        self.state.lock().unwrap().verification_reply = reply;
    }

    /// Sets the response to later deliveries, which is 200 by default.
    pub fn reply_to_deliveries(&self, status: u16, headers: &[(&'static str, &str)]) {
        let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.to_string())).collect();
        self.state.lock().unwrap().delivery_reply = (status, headers);
    }

    /// Sets whether requests get no response.
    pub fn set_blocked(&self, blocked: bool) {
        self.state.lock().unwrap().blocked.send_replace(blocked);
    }

    /// Returns the maximum number of concurrent requests so far.
    pub fn max_concurrent(&self) -> usize {
        self.state.lock().unwrap().max_concurrent
    }

    pub fn verifications(&self) -> Vec<VerificationRequest> {
        self.state.lock().unwrap().verifications.clone()
    }

    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state.lock().unwrap().deliveries.clone()
    }

    /// Waits for the n-th verification request, counted from 1, and asserts that it is the last one.
    pub async fn verification(&self, n: usize) -> VerificationRequest {
        let what = format!("the callback has received {n} verification requests");
        wait_until(&what, async || self.verifications().len() >= n).await;
        let verifications = self.verifications();
        assert_eq!(verifications.len(), n, "{verifications:?}");
        verifications[n - 1].clone()
    }

    /// Waits for the n-th delivery, counted from 1, and asserts that it is the last one.
    pub async fn delivery(&self, n: usize) -> Delivery {
        wait_until(&format!("the callback has received {n} deliveries"), async || self.deliveries().len() >= n).await;
        let deliveries = self.deliveries();
        assert_eq!(deliveries.len(), n, "{deliveries:?}");
        deliveries[n - 1].clone()
    }
}

/// A guard that counts as a request in flight until it is dropped.
struct InFlight(SharedState);

impl InFlight {
    async fn begin(state: &SharedState) -> InFlight {
        let mut blocked = {
            let mut state = state.lock().unwrap();
            state.concurrent += 1;
            state.max_concurrent = state.max_concurrent.max(state.concurrent);
            state.blocked.subscribe()
        };
        let in_flight = InFlight(state.clone());
        blocked.wait_for(|blocked| !blocked).await.unwrap();
        in_flight
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().unwrap().concurrent -= 1;
    }
}

async fn record_verification(State(state): State<SharedState>, uri: Uri) -> Response {
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let challenge = query.get("hub.challenge").cloned().unwrap_or_default();
    state.lock().unwrap().verifications.push(VerificationRequest { target: uri.to_string(), query });
    let _in_flight = InFlight::begin(&state).await;
    let reply = state.lock().unwrap().verification_reply.clone();
    match reply {
        VerificationReply::Echo => challenge.into_response(),
        VerificationReply::Text(text) => text.into_response(),
        VerificationReply::Status(status) => (StatusCode::from_u16(status).unwrap(), challenge).into_response(),
        VerificationReply::Endless => {
            let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(1 << 16)));
            Body::from_stream(chunks).into_response()
        }
    }
}

async fn record_delivery(State(state): State<SharedState>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    state.lock().unwrap().deliveries.push(Delivery { target: uri.to_string(), headers, body });
    let _in_flight = InFlight::begin(&state).await;
    let (status, headers) = state.lock().unwrap().delivery_reply.clone();
    let mut response = StatusCode::from_u16(status).unwrap().into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
