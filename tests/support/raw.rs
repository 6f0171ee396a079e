//! A server below HTTP: it reads the head of a request and then sends what no decent server would.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is sent after a request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// These bytes, and the end.
    Bytes(Vec<u8>),
    /// A head, and then these bytes over and over until the client has enough.
    Endless { head: Vec<u8>, bytes: Vec<u8> },
    /// A head, and then a byte each time that so long has passed.
    Trickle { head: Vec<u8>, pause: Duration },
    /// Nothing at all.
    Silence,
}

/// A head that promises a feed.
pub fn head(more: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/rss+xml\r\n{more}\r\n").into_bytes()
}

pub struct Raw {
    pub base: String,
    requests: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
}

impl Raw {
    pub async fn start(behaviour: Behaviour) -> Raw {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let raw = Raw { base, requests: Arc::default(), sent: Arc::default() };
        let (requests, sent) = (raw.requests.clone(), raw.sent.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, behaviour.clone(), requests.clone(), sent.clone()));
            }
        });
        raw
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Bytes that were sent, over all connections.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

async fn answer(mut stream: TcpStream, behaviour: Behaviour, requests: Arc<AtomicUsize>, sent: Arc<AtomicUsize>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    requests.fetch_add(1, Ordering::SeqCst);
    match behaviour {
        Behaviour::Bytes(bytes) => {
            let _ = send(&mut stream, &bytes, &sent).await;
        }
        Behaviour::Endless { head, bytes } => {
            let mut going_on = send(&mut stream, &head, &sent).await;
            while going_on {
                going_on = send(&mut stream, &bytes, &sent).await;
            }
        }
        Behaviour::Trickle { head, pause } => {
            let mut going_on = send(&mut stream, &head, &sent).await;
            while going_on {
                tokio::time::sleep(pause).await;
                going_on = send(&mut stream, b"<", &sent).await;
            }
        }
        Behaviour::Silence => {
            // Until the client hangs up.
            let _ = stream.read_u8().await;
        }
    }
}

async fn send(stream: &mut TcpStream, bytes: &[u8], sent: &AtomicUsize) -> bool {
    sent.fetch_add(bytes.len(), Ordering::SeqCst);
    stream.write_all(bytes).await.is_ok()
}
