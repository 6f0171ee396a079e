//! The HTTP listener accepts connections, limits their number and duration, and closes them gracefully at shutdown.
//!
//! The site handles requests. The limits, which RFC 9110 leaves to the server, protect against slow clients: reading
//! request headers and sending a response have time limits, and the number of connections per address is limited.
//! Handlers limit request bodies themselves.

mod connection_limit;
mod write_deadline;

use super::options::Options;
use super::site::Site;
use axum::extract::ConnectInfo;
use axum::http::Request;
use connection_limit::{ConnectionLimit, ConnectionPermit};
use futures_util::future::{Either, ready};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use write_deadline::{InFlight, WriteDeadlineStream};

/// The maximum size of request headers, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// At shutdown, the time limit for receiving the first request of a connection, and for receiving the rest of a request
/// that the client has started to send.
const SHUTDOWN_HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// The number of file descriptors reserved for uses other than connections, such as the database and outgoing requests.
const RESERVED_FILES: usize = 512;
/// The length of the accept queue. The kernel may reduce it.
const ACCEPT_QUEUE: i32 = 4096;
/// The delay after `accept` fails, for example because no file descriptors are available.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);
/// The minimum interval between log messages about refused connections.
const REFUSAL_LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Serves until `stop`, then waits until all responses in flight are sent. Dropping the future aborts these responses.
pub async fn run(listener: TcpListener, site: Site, options: Options, stop: CancellationToken) {
    // A longer accept queue absorbs bursts. With the default queue, clients retry their handshake a second later.
    if let Err(error) = rustix::net::listen(&listener, ACCEPT_QUEUE) {
        tracing::warn!(%error, "cannot extend the accept queue");
    }
    let free = Arc::new(Semaphore::new(max_connections(options.max_connections)));
    let limit = ConnectionLimit::new(options.max_connections_per_ip, options.trusted_proxies.clone());
    let handler = ConnectionHandler { site, options, stop };
    let mut connections = JoinSet::new();
    let mut refusals = RefusalLog::default();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = handler.stop.cancelled() => break,
            accepted = accept(&listener, free.clone()) => accepted,
        };
        let Some((stream, permit)) = accepted else { continue };
        while connections.try_join_next().is_some() {}
        let Ok(peer) = stream.peer_addr() else { continue };
        let Some(ip_permit) = limit.acquire(peer.ip()) else {
            refusals.record();
            continue;
        };
        connections.spawn(handler.clone().serve(stream, peer, (permit, ip_permit)));
    }
    // New connections are refused immediately, so that they do not wait.
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Accepts the next connection once a permit is available.
async fn accept(listener: &TcpListener, free: Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = free.acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        // The client has already disconnected.
        Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted) => None,
        Err(error) => {
            tracing::error!(%error, "cannot accept a connection; retrying");
            sleep(ACCEPT_RETRY_DELAY).await;
            None
        }
    }
}

/// Returns the configured number of connections, or fewer if the limit on open files requires it.
fn max_connections(configured: usize) -> usize {
    let files = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| files as usize);
    let allowed = files.saturating_sub(RESERVED_FILES.min(files / 2)).max(1);
    if allowed < configured {
        tracing::warn!(
            configured,
            allowed,
            "the limit on open files allows fewer connections than serve.max_connections"
        );
    }
    configured.min(allowed).min(Semaphore::MAX_PERMITS)
}

/// The connection handler.
#[derive(Clone)]
struct ConnectionHandler {
    site: Site,
    options: Options,
    stop: CancellationToken,
}

impl ConnectionHandler {
    /// Serves one connection until it closes, and holds its permits until then.
    async fn serve(self, stream: TcpStream, peer: SocketAddr, _permits: (OwnedSemaphorePermit, ConnectionPermit)) {
        // Responses are written in one piece, so waiting for more data would only delay them.
        let _ = stream.set_nodelay(true);
        let in_flight = InFlight::default();
        let stream = WriteDeadlineStream::new(stream, self.options.write_timeout.unsigned_abs(), in_flight.clone());
        let (site, router) = (&self.site, TowerToHyperService::new(self.site.router.clone()));
        let has_request = CancellationToken::new();
        let service = service_fn(|mut request: Request<Incoming>| {
            has_request.cancel();
            let guard = in_flight.begin();
            let response = match site.respond_from_memory(&request) {
                Some(response) => Either::Left(ready(Ok(response))),
                None => {
                    // Handlers that limit requests per client need the address.
                    request.extensions_mut().insert(ConnectInfo(peer));
                    Either::Right(router.call(request))
                }
            };
            async move {
                let _guard = guard;
                response.await
            }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new());
        http.header_read_timeout(self.options.header_timeout.unsigned_abs());
        http.max_buf_size(MAX_HEAD_BYTES);
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            ended = connection.as_mut() => return log_end(ended),
            _ = self.stop.cancelled() => {}
        }
        // hyper would close a new connection immediately, even though its first request may be on the way.
        tokio::select! {
            ended = connection.as_mut() => return log_end(ended),
            _ = has_request.cancelled() => {}
            _ = sleep(SHUTDOWN_HEAD_TIMEOUT) => {}
        }
        connection.as_mut().graceful_shutdown();
        match timeout(SHUTDOWN_HEAD_TIMEOUT, connection.as_mut()).await {
            Ok(ended) => log_end(ended),
            Err(_) if in_flight.is_active() => log_end(connection.await),
            Err(_) => {}
        }
    }
}

/// Logs how a connection ended. Errors are usually caused by the client.
fn log_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

/// The log of refused connections. It gets at most one message per [`REFUSAL_LOG_INTERVAL`], so that a flood of
/// connections does not flood the log.
#[derive(Default)]
struct RefusalLog {
    unlogged: u64,
    logged_at: Option<Instant>,
}

impl RefusalLog {
    fn record(&mut self) {
        self.unlogged += 1;
        if self.logged_at.is_none_or(|at| at.elapsed() > REFUSAL_LOG_INTERVAL) {
            let connections = self.unlogged;
            tracing::warn!(connections, "closed connections from addresses that exceed serve.max_connections_per_ip");
            *self = RefusalLog { unlogged: 0, logged_at: Some(Instant::now()) };
        }
    }
}
