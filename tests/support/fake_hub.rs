//! A real hub on loopback: it logs what it is asked, answers as it is told to, verifies and pushes when the test says.

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

pub struct Hub {
    base: String,
    state: Shared,
}

type Shared = Arc<Mutex<Inner>>;

#[derive(Default)]
struct Inner {
    asked: Vec<Request>,
    answer: Option<(u16, HeaderMap, String)>,
}

/// A request as the hub has it.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: HeaderMap,
    form: HashMap<String, String>,
}

impl Request {
    pub fn get(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    /// The callback's path: what stands before it is what a proxy takes away.
    pub fn callback(&self) -> String {
        Url::parse(self.get("hub.callback")).unwrap().path().to_owned()
    }

    pub fn token(&self) -> String {
        self.callback().rsplit('/').next().unwrap().to_owned()
    }
}

impl Hub {
    pub async fn start() -> Hub {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Hub::start_on(listener).await
    }

    pub async fn start_on(listener: TcpListener) -> Hub {
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let state = Shared::default();
        let router = Router::new().fallback(post(ask)).with_state(state.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Hub { base, state }
    }

    pub fn url(&self) -> &str {
        &self.base
    }

    /// What it answers from now on, instead of 202.
    pub fn answer(&self, status: u16, headers: &[(&'static str, &str)], text: &str) {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        self.state.lock().unwrap().answer = Some((status, headers, text.to_owned()));
    }

    pub fn accept(&self) {
        self.state.lock().unwrap().answer = None;
    }

    pub fn asked(&self) -> Vec<Request> {
        self.state.lock().unwrap().asked.clone()
    }

    /// The n-th request, counted from 1, as soon as it is there.
    pub async fn request(&self, n: usize) -> Request {
        super::until(&format!("the hub was asked {n} times"), async || self.asked().len() >= n).await;
        let asked = self.asked();
        assert_eq!(asked.len(), n, "{asked:?}");
        asked[n - 1].clone()
    }
}

async fn ask(State(state): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    let mut inner = state.lock().unwrap();
    inner.asked.push(Request { path: uri.path().to_owned(), headers, form });
    match &inner.answer {
        None => StatusCode::ACCEPTED.into_response(),
        Some((status, headers, text)) => {
            let mut response = (StatusCode::from_u16(*status).unwrap(), text.clone()).into_response();
            response.headers_mut().extend(headers.clone());
            response
        }
    }
}

/// The `X-Hub-Signature` of a body.
pub fn signature(secret: &str, body: &[u8]) -> String {
    use aws_lc_rs::hmac;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}
