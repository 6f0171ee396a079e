//! A WebSub hub on loopback. It records requests and sends a configured response. Tests send verifications and pushes.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use url::Url;

pub struct FakeHub {
    base: String,
    state: SharedHubState,
}

type SharedHubState = Arc<Mutex<HubState>>;

#[derive(Default)]
struct HubState {
    requests: Vec<HubRequest>,
    /// The response that replaces 202.
    response: Option<(u16, HeaderMap, String)>,
}

/// A request that the hub has received.
#[derive(Debug, Clone)]
pub struct HubRequest {
    pub path: String,
    pub headers: HeaderMap,
    form: HashMap<String, String>,
}

impl HubRequest {
    pub fn get(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    /// Returns the path of the callback. It omits the base URL, because the tests run without the reverse proxy to
    /// which the base URL refers.
    pub fn callback(&self) -> String {
        Url::parse(self.get("hub.callback")).unwrap().path().to_owned()
    }

    pub fn token(&self) -> String {
        self.callback().rsplit('/').next().unwrap().to_owned()
    }
}

impl FakeHub {
    pub async fn start() -> FakeHub {
        FakeHub::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap()).await
    }

    pub async fn start_on(listener: TcpListener) -> FakeHub {
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let state = SharedHubState::default();
        let router = Router::new().fallback(post(record_request)).with_state(state.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        FakeHub { base, state }
    }

    pub fn url(&self) -> &str {
        &self.base
    }

    /// Sets the response to later requests.
    pub fn respond_with(&self, status: u16, headers: &[(&'static str, &str)], text: &str) {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        self.state.lock().unwrap().response = Some((status, headers, text.to_owned()));
    }

    /// Accepts later requests with 202, which is the default.
    pub fn accept(&self) {
        self.state.lock().unwrap().response = None;
    }

    pub fn requests(&self) -> Vec<HubRequest> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Waits for the n-th request, counted from 1, and asserts that it is the last one.
    pub async fn request(&self, n: usize) -> HubRequest {
        super::wait_until(&format!("the hub has received {n} requests"), async || self.requests().len() >= n).await;
        let requests = self.requests();
        assert_eq!(requests.len(), n, "{requests:?}");
        requests[n - 1].clone()
    }
}

async fn record_request(State(state): State<SharedHubState>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    let mut state = state.lock().unwrap();
    state.requests.push(HubRequest { path: uri.path().to_owned(), headers, form });
    match &state.response {
        None => StatusCode::ACCEPTED.into_response(),
        Some((status, headers, text)) => {
            let mut response = (StatusCode::from_u16(*status).unwrap(), text.clone()).into_response();
            response.headers_mut().extend(headers.clone());
            response
        }
    }
}

/// Returns the `X-Hub-Signature` of a body, with SHA-256.
pub fn signature(secret: &str, body: &[u8]) -> String {
    use ring::hmac;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}
