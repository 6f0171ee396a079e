//! A real HTTP server on loopback. It sends configured responses and records every request.

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

pub struct OriginServer {
    base: String,
    state: SharedState,
}

type SharedState = Arc<Mutex<ServerState>>;

#[derive(Default)]
struct ServerState {
    responses: HashMap<String, StubResponse>,
    requests: Vec<LoggedRequest>,
    concurrent: usize,
    max_concurrent: usize,
    released: watch::Sender<bool>,
}

/// A guard that counts as a request in flight until it gets a response or is abandoned.
struct InFlight(SharedState);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().unwrap().concurrent -= 1;
    }
}

/// A request that the server has received.
#[derive(Debug, Clone)]
pub struct LoggedRequest {
    pub path: String,
    /// The path and query of the request.
    pub target: String,
    pub headers: HeaderMap,
    pub version: Version,
    pub at: Instant,
}

impl LoggedRequest {
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers.get(name).map(|value| value.as_bytes().to_vec())
    }
}

/// The configured response for a path. If it has an ETag, a request that contains this ETag receives a 304 response.
#[derive(Clone)]
pub struct StubResponse {
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
    never: bool,
    blocked: bool,
}

impl StubResponse {
    pub fn ok(body: impl Into<Vec<u8>>) -> StubResponse {
        StubResponse { status: 200, headers: Vec::new(), body: body.into(), never: false, blocked: false }
    }

    pub fn status(status: u16) -> StubResponse {
        StubResponse { status, ..StubResponse::ok("") }
    }

    pub fn redirect(to: &str) -> StubResponse {
        StubResponse::redirect_with_status(302, to)
    }

    pub fn redirect_with_status(status: u16, to: &str) -> StubResponse {
        StubResponse::status(status).header("location", to.as_bytes())
    }

    /// Accepts the request but never responds.
    pub fn never() -> StubResponse {
        StubResponse { never: true, ..StubResponse::ok("") }
    }

    /// Delays the response until [`OriginServer::release`] is called.
    pub fn blocked(mut self) -> StubResponse {
        self.blocked = true;
        self
    }

    pub fn header(mut self, name: &str, value: &[u8]) -> StubResponse {
        self.headers.push((name.parse().unwrap(), HeaderValue::from_bytes(value).unwrap()));
        self
    }
}

impl OriginServer {
    pub async fn start() -> OriginServer {
        OriginServer::start_on("127.0.0.1").await
    }

    /// Listens on an address such as 127.0.0.2, with or without a port.
    pub async fn start_on(address: &str) -> OriginServer {
        let address = if address.contains(':') { address.to_owned() } else { format!("{address}:0") };
        OriginServer::with_listener(TcpListener::bind(address).await.unwrap())
    }

    /// Serves on an existing listener.
    pub async fn start_with(listener: std::net::TcpListener) -> OriginServer {
        listener.set_nonblocking(true).unwrap();
        OriginServer::with_listener(TcpListener::from_std(listener).unwrap())
    }

    fn with_listener(listener: TcpListener) -> OriginServer {
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = SharedState::default();
        let router = Router::new().fallback(respond).with_state(state.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        OriginServer { base, state }
    }

    /// Serves HTTP/2 over TLS under the name `localhost`. Also returns the certificate to trust, in PEM format.
    pub async fn start_h2() -> (OriginServer, String) {
        let generated = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key =
            tokio_rustls::rustls::pki_types::PrivateKeyDer::try_from(generated.signing_key.serialize_der()).unwrap();
        let mut tls = tokio_rustls::rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![generated.cert.der().clone()], key)
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let state = SharedState::default();
        let router = Router::new().fallback(respond).with_state(state.clone());
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
        (OriginServer { base, state }, generated.cert.pem())
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Sets the response for a path. Other paths return 404.
    pub fn serve(&self, path: &str, response: StubResponse) {
        self.state.lock().unwrap().responses.insert(path.to_owned(), response);
    }

    /// Sends all blocked responses. Later responses are not blocked.
    pub fn release(&self) {
        self.state.lock().unwrap().released.send_replace(true);
    }

    /// Returns the maximum number of concurrent requests so far.
    pub fn max_concurrent(&self) -> usize {
        self.state.lock().unwrap().max_concurrent
    }

    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.state.lock().unwrap().requests.clone()
    }

    pub fn request_count(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.path == path).count()
    }
}

async fn respond(State(state): State<SharedState>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let (stub, mut released) = {
        let mut state = state.lock().unwrap();
        state.concurrent += 1;
        state.max_concurrent = state.max_concurrent.max(state.concurrent);
        state.requests.push(LoggedRequest {
            path: path.clone(),
            target: request.uri().to_string(),
            headers: headers.clone(),
            version: request.version(),
            at: Instant::now(),
        });
        (state.responses.get(&path).cloned(), state.released.subscribe())
    };
    let _in_flight = InFlight(state.clone());
    let Some(stub) = stub else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if stub.blocked {
        released.wait_for(|released| *released).await.unwrap();
    }
    if stub.never {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    let etag = stub.headers.iter().find(|(name, _)| name == header::ETAG).map(|(_, value)| value.clone());
    let is_unmodified = etag.is_some() && headers.get(header::IF_NONE_MATCH) == etag.as_ref();
    let status = if is_unmodified { 304 } else { stub.status };
    let mut response = Response::builder().status(status);
    response.headers_mut().unwrap().extend(stub.headers);
    response.body(if is_unmodified { Body::empty() } else { Body::from(stub.body) }).unwrap()
}
