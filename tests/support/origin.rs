//! A real HTTP server on loopback that says what it is told to and logs every request.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub struct Origin {
    base: String,
    state: Shared,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    answers: HashMap<String, Answer>,
    log: Vec<Logged>,
    under_way: usize,
    most_at_once: usize,
    let_go: watch::Sender<bool>,
}

/// Counts a request for as long as it is under way, be it answered or given up.
struct UnderWay(Shared);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().under_way -= 1;
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Logged {
    pub path: String,
    /// With the query.
    pub target: String,
    pub headers: HeaderMap,
    pub version: Version,
    pub at: Instant,
}

impl Logged {
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers.get(name).map(|value| value.as_bytes().to_vec())
    }
}

/// What a path answers. An ETag makes it conditional.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
    hangs: bool,
    held: bool,
}

impl Answer {
    pub fn ok(body: impl Into<Vec<u8>>) -> Answer {
        Answer { status: 200, headers: Vec::new(), body: body.into(), hangs: false, held: false }
    }

    pub fn status(status: u16) -> Answer {
        Answer { status, ..Answer::ok("") }
    }

    pub fn redirect(to: &str) -> Answer {
        Answer::redirect_by(302, to)
    }

    pub fn redirect_by(status: u16, to: &str) -> Answer {
        Answer::status(status).header("location", to.as_bytes())
    }

    /// Takes the request and never answers.
    pub fn hangs() -> Answer {
        Answer { hangs: true, ..Answer::ok("") }
    }

    /// Comes once [`Origin::let_go`] says so.
    pub fn held(mut self) -> Answer {
        self.held = true;
        self
    }

    pub fn header(mut self, name: &str, value: &[u8]) -> Answer {
        self.headers.push((name.parse().unwrap(), HeaderValue::from_bytes(value).unwrap()));
        self
    }
}

impl Origin {
    pub async fn start() -> Origin {
        Origin::start_on("127.0.0.1").await
    }

    /// On an address such as 127.0.0.2, or one with its port.
    pub async fn start_on(address: &str) -> Origin {
        let address = if address.contains(':') { address.to_owned() } else { format!("{address}:0") };
        Origin::serving(TcpListener::bind(address).await.unwrap())
    }

    /// On a listener that is there already.
    pub async fn start_with(listener: std::net::TcpListener) -> Origin {
        listener.set_nonblocking(true).unwrap();
        Origin::serving(TcpListener::from_std(listener).unwrap())
    }

    fn serving(listener: TcpListener) -> Origin {
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Shared::default();
        let router = Router::new().fallback(answer).with_state(state.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Origin { base, state }
    }

    /// The same over TLS and HTTP/2, under the name `localhost`. Returns the certificate to trust, in PEM.
    pub async fn start_h2() -> (Origin, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = tokio_rustls::rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let mut tls = tokio_rustls::rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let state = Shared::default();
        let router = Router::new().fallback(answer).with_state(state.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(router.clone()));
                tokio::spawn(async move {
                    let stream = acceptor.accept(stream).await.unwrap();
                    let serving = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new()).http2_only();
                    let _ = serving.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        (Origin { base, state }, made.cert.pem())
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn serve(&self, path: &str, answer: Answer) {
        self.state.0.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// Answers what was held, and holds nothing from now on.
    pub fn let_go(&self) {
        self.state.0.lock().unwrap().let_go.send_replace(true);
    }

    /// The most requests that were ever under way at once.
    pub fn most_at_once(&self) -> usize {
        self.state.0.lock().unwrap().most_at_once
    }

    pub fn requests(&self) -> Vec<Logged> {
        self.state.0.lock().unwrap().log.clone()
    }

    pub fn count(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.path == path).count()
    }
}

async fn answer(State(state): State<Shared>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let target = request.uri().to_string();
    let headers = request.headers().clone();
    let (found, mut let_go) = {
        let mut inner = state.0.lock().unwrap();
        inner.under_way += 1;
        inner.most_at_once = inner.most_at_once.max(inner.under_way);
        inner.log.push(Logged {
            path: path.clone(),
            target,
            headers: headers.clone(),
            version: request.version(),
            at: Instant::now(),
        });
        (inner.answers.get(&path).cloned(), inner.let_go.subscribe())
    };
    let _under_way = UnderWay(state.clone());
    let Some(answer) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if answer.held {
        let_go.wait_for(|gone| *gone).await.unwrap();
    }
    if answer.hangs {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    let etag = answer.headers.iter().find(|(name, _)| name == header::ETAG).map(|(_, value)| value.clone());
    let known = etag.is_some() && headers.get(header::IF_NONE_MATCH) == etag.as_ref();
    let status = if known { 304 } else { answer.status };
    let mut response = Response::builder().status(status);
    response.headers_mut().unwrap().extend(answer.headers);
    response.body(if known { Body::empty() } else { Body::from(answer.body) }).unwrap()
}
