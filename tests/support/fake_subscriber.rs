//! One who subscribes at our hub: a real callback server on loopback that logs what it is asked and sent, and answers as it
//! is told to.

use super::fake_hub::signature;
use super::until;
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

pub struct Subscriber {
    base: String,
    state: Shared,
}

type Shared = Arc<Mutex<Inner>>;

/// What it says when it is asked whether it meant it.
#[derive(Debug, Clone)]
pub enum Says {
    Yes,
    Text(String),
    Status(u16),
    /// The challenge, and then more than anybody wants.
    Endless,
}

struct Inner {
    questions: Vec<Question>,
    pushes: Vec<Push>,
    says: Says,
    takes: (u16, Vec<(HeaderName, String)>),
    holds: watch::Sender<bool>,
    under_way: usize,
    most_at_once: usize,
}

/// A question as it came.
#[derive(Debug, Clone)]
pub struct Question {
    /// Path and query.
    pub target: String,
    query: HashMap<String, String>,
}

impl Question {
    pub fn get(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// A document as it came.
#[derive(Debug, Clone)]
pub struct Push {
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Push {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whether it is signed with this secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        self.header("x-hub-signature") == signature(secret, self.body.as_bytes())
    }
}

impl Subscriber {
    pub async fn start() -> Subscriber {
        Subscriber::start_on("127.0.0.1:0").await
    }

    pub async fn start_on(address: &str) -> Subscriber {
        let listener = TcpListener::bind(address).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(Inner {
            questions: Vec::new(),
            pushes: Vec::new(),
            says: Says::Yes,
            takes: (200, Vec::new()),
            holds: watch::Sender::new(false),
            under_way: 0,
            most_at_once: 0,
        }));
        let router = Router::new().fallback(get(asked).post(pushed)).with_state(state.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Subscriber { base, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// What it says to questions from now on.
    pub fn says(&self, says: Says) {
        self.state.lock().unwrap().says = says;
    }

    /// What it answers to documents from now on, instead of 200.
    pub fn takes(&self, status: u16, headers: &[(&'static str, &str)]) {
        let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.to_string())).collect();
        self.state.lock().unwrap().takes = (status, headers);
    }

    /// Whether it takes its time with everything.
    pub fn holds(&self, holds: bool) {
        self.state.lock().unwrap().holds.send_replace(holds);
    }

    /// The most requests that were ever under way at once.
    pub fn most_at_once(&self) -> usize {
        self.state.lock().unwrap().most_at_once
    }

    pub fn questions(&self) -> Vec<Question> {
        self.state.lock().unwrap().questions.clone()
    }

    pub fn pushes(&self) -> Vec<Push> {
        self.state.lock().unwrap().pushes.clone()
    }

    /// The n-th question, counted from 1, as soon as it is there; and there are no more.
    pub async fn question(&self, n: usize) -> Question {
        until(&format!("the callback was asked {n} times"), async || self.questions().len() >= n).await;
        let questions = self.questions();
        assert_eq!(questions.len(), n, "{questions:?}");
        questions[n - 1].clone()
    }

    /// The same of documents.
    pub async fn push(&self, n: usize) -> Push {
        until(&format!("the callback was sent {n} documents"), async || self.pushes().len() >= n).await;
        let pushes = self.pushes();
        assert_eq!(pushes.len(), n, "{pushes:?}");
        pushes[n - 1].clone()
    }
}

struct UnderWay(Shared);

impl UnderWay {
    async fn begin(state: &Shared) -> UnderWay {
        let mut holds = {
            let mut inner = state.lock().unwrap();
            inner.under_way += 1;
            inner.most_at_once = inner.most_at_once.max(inner.under_way);
            inner.holds.subscribe()
        };
        let under_way = UnderWay(state.clone());
        holds.wait_for(|holds| !holds).await.unwrap();
        under_way
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().unwrap().under_way -= 1;
    }
}

async fn asked(State(state): State<Shared>, uri: Uri) -> Response {
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let challenge = query.get("hub.challenge").cloned().unwrap_or_default();
    state.lock().unwrap().questions.push(Question { target: uri.to_string(), query });
    let _under_way = UnderWay::begin(&state).await;
    let says = state.lock().unwrap().says.clone();
    match says {
        Says::Yes => challenge.into_response(),
        Says::Text(text) => text.into_response(),
        Says::Status(status) => (StatusCode::from_u16(status).unwrap(), challenge).into_response(),
        Says::Endless => {
            let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(1 << 16)));
            Body::from_stream(chunks).into_response()
        }
    }
}

async fn pushed(State(state): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    state.lock().unwrap().pushes.push(Push { target: uri.to_string(), headers, body });
    let _under_way = UnderWay::begin(&state).await;
    let (status, headers) = state.lock().unwrap().takes.clone();
    let mut response = StatusCode::from_u16(status).unwrap().into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
