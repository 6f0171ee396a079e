//! The front door: takes connections, bounds how many and for how long, and closes them in order at the end.
//!
//! What is asked and answered is the router's. The bounds (RFC 9110 leaves them to the server) are against clients that
//! take their time, on purpose or not: the head of a request has a deadline, and so has the taking of an answer; an
//! address has so many connections and no more. The body of a request is the business of who reads it.

mod counts;
mod patient;

use super::Options;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use counts::{Counts, Place};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use patient::{Patient, UnderWay};
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

/// Bytes of a request's head.
const MAX_HEAD: usize = 32 * 1024;
/// At the end, for the rest of a request that has begun; who needs longer has asked nothing yet.
const LAST_HEAD: Duration = Duration::from_secs(1);
/// Files for everything but connections: the database, the servers that are asked.
const OTHER_FILES: usize = 512;
/// Connections that stand and are not yet accepted; the system may allow fewer.
const BACKLOG: i32 = 4096;
/// The pause after an accept that failed for want of something.
const BREATH: Duration = Duration::from_millis(200);

/// Serves until `stop`, then lets the answers under way be taken. Dropped before that, it cuts them off.
pub async fn run(listener: TcpListener, router: Router, options: Options, stop: CancellationToken) {
    // A crowd that comes at once waits in line, and need not knock again a second later.
    if let Err(error) = rustix::net::listen(&listener, BACKLOG) {
        tracing::warn!(%error, "the line of clients before the door stays as long as it is");
    }
    let room = Arc::new(Semaphore::new(room(options.max_connections)));
    let counts = Counts::new(options.max_connections_per_ip, options.proxies.clone());
    let door = Door { router, options, stop };
    let mut connections = JoinSet::new();
    let mut refused = Refused::default();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = door.stop.cancelled() => break,
            accepted = accept(&listener, room.clone()) => accepted,
        };
        let Some((stream, permit)) = accepted else { continue };
        while connections.try_join_next().is_some() {}
        let Ok(peer) = stream.peer_addr() else { continue };
        let Some(place) = counts.enter(peer.ip()) else {
            refused.tell();
            continue;
        };
        connections.spawn(door.clone().serve(stream, peer, (permit, place)));
    }
    // Who comes now is to be refused at once and not kept waiting.
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, room: Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = room.acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        // The client has gone already.
        Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted) => None,
        Err(error) => {
            tracing::error!(%error, "a connection could not be accepted; trying again");
            sleep(BREATH).await;
            None
        }
    }
}

/// So many connections that the limit of open files leaves enough for everything else.
fn room(wanted: usize) -> usize {
    let files = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| files as usize);
    let room = files.saturating_sub(OTHER_FILES.min(files / 2)).max(1);
    if room < wanted {
        tracing::warn!(wanted, room, "the limit of open files leaves room for fewer connections than are configured");
    }
    wanted.min(room).min(Semaphore::MAX_PERMITS)
}

/// What a connection is served with.
#[derive(Clone)]
struct Door {
    router: Router,
    options: Options,
    stop: CancellationToken,
}

impl Door {
    /// Serves one connection to its end; it holds its place for as long.
    async fn serve(self, stream: TcpStream, peer: SocketAddr, _place: (OwnedSemaphorePermit, Place)) {
        // An answer is written in one go, so that there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let under_way = UnderWay::default();
        let stream = Patient::new(stream, self.options.answer_timeout.unsigned_abs(), under_way.clone());
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(|mut request: Request<Incoming>| {
            // Who asks, for those that count it.
            request.extensions_mut().insert(ConnectInfo(peer));
            let (answer, answering) = (router.call(request), under_way.answering());
            async move {
                let _answering = answering;
                answer.await
            }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new());
        http.header_read_timeout(self.options.header_timeout.unsigned_abs());
        http.max_buf_size(MAX_HEAD);
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            ended = connection.as_mut() => return note(ended),
            _ = self.stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        match timeout(LAST_HEAD, connection.as_mut()).await {
            Ok(ended) => note(ended),
            Err(_) if under_way.is_some() => note(connection.await),
            Err(_) => {}
        }
    }
}

/// How a connection ended is the client's affair.
fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Tells of refused connections now and then, and not of each: whoever floods us is not to flood the log.
#[derive(Default)]
struct Refused {
    since: u64,
    told: Option<Instant>,
}

impl Refused {
    fn tell(&mut self) {
        self.since += 1;
        if self.told.is_none_or(|told| told.elapsed() > Duration::from_secs(60)) {
            let connections = self.since;
            tracing::warn!(
                connections,
                "connections were closed: their addresses had serve.max_connections_per_ip open"
            );
            *self = Refused { since: 0, told: Some(Instant::now()) };
        }
    }
}
