//! A server below the HTTP level: it reads the request headers and then sends arbitrary bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The data to send after a request.
#[derive(Debug, Clone)]
pub enum RawResponse {
    /// These bytes, after which the server closes the connection.
    Bytes(Vec<u8>),
    /// A header, and then these bytes repeatedly until the client closes the connection.
    Endless { head: Vec<u8>, bytes: Vec<u8> },
    /// A header, and then one byte after each pause.
    Trickle { head: Vec<u8>, pause: Duration },
    /// Nothing.
    Silence,
}

/// Returns the header of a response that contains a feed, with additional header lines.
pub fn head(more: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/rss+xml\r\n{more}\r\n").into_bytes()
}

pub struct RawServer {
    pub base: String,
    requests: Arc<AtomicUsize>,
    sent_bytes: Arc<AtomicUsize>,
}

impl RawServer {
    pub async fn start(response: RawResponse) -> RawServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = RawServer { base, requests: Arc::default(), sent_bytes: Arc::default() };
        let (requests, sent_bytes) = (server.requests.clone(), server.sent_bytes.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(respond(stream, response.clone(), requests.clone(), sent_bytes.clone()));
            }
        });
        server
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Returns the number of bytes sent over all connections.
    pub fn sent_bytes(&self) -> usize {
        self.sent_bytes.load(Ordering::SeqCst)
    }
}

async fn respond(
    mut stream: TcpStream,
    response: RawResponse,
    requests: Arc<AtomicUsize>,
    sent_bytes: Arc<AtomicUsize>,
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    requests.fetch_add(1, Ordering::SeqCst);
    match response {
        RawResponse::Bytes(bytes) => {
            let _ = send(&mut stream, &bytes, &sent_bytes).await;
        }
        RawResponse::Endless { head, bytes } => {
            let mut connected = send(&mut stream, &head, &sent_bytes).await;
            while connected {
                connected = send(&mut stream, &bytes, &sent_bytes).await;
            }
        }
        RawResponse::Trickle { head, pause } => {
            let mut connected = send(&mut stream, &head, &sent_bytes).await;
            while connected {
                tokio::time::sleep(pause).await;
                connected = send(&mut stream, b"<", &sent_bytes).await;
            }
        }
        RawResponse::Silence => {
            // Reading returns when the client closes the connection.
            let _ = stream.read_u8().await;
        }
    }
}

async fn send(stream: &mut TcpStream, bytes: &[u8], sent_bytes: &AtomicUsize) -> bool {
    sent_bytes.fetch_add(bytes.len(), Ordering::SeqCst);
    stream.write_all(bytes).await.is_ok()
}
