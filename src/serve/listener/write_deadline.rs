//! A connection that fails if the client does not receive a response within a time limit.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// The number of responses of a connection that are being computed or sent. It is zero for an idle connection.
#[derive(Clone, Default)]
pub struct InFlight(Arc<AtomicUsize>);

/// A guard that counts as a response in flight until it is dropped.
pub struct InFlightGuard(InFlight);

impl InFlight {
    pub fn begin(&self) -> InFlightGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        InFlightGuard(self.clone())
    }

    pub fn is_active(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A TCP stream with a time limit for writing.
pub struct WriteDeadlineStream {
    stream: TcpStream,
    write_timeout: Duration,
    in_flight: InFlight,
    /// Set while the send buffer is full.
    deadline: Option<(Pin<Box<Sleep>>, InFlightGuard)>,
}

impl WriteDeadlineStream {
    pub fn new(stream: TcpStream, write_timeout: Duration, in_flight: InFlight) -> WriteDeadlineStream {
        WriteDeadlineStream { stream, write_timeout, in_flight, deadline: None }
    }

    /// Starts the deadline when the send buffer becomes full. Progress does not extend the deadline, so a client that
    /// receives a byte occasionally cannot keep the connection open. A flush ends the deadline.
    fn check_deadline<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            return written;
        }
        let (write_timeout, in_flight) = (self.write_timeout, &self.in_flight);
        let (deadline, _) = self.deadline.get_or_insert_with(|| (Box::pin(sleep(write_timeout)), in_flight.begin()));
        match deadline.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "write timeout"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for WriteDeadlineStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for WriteDeadlineStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.check_deadline(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.check_deadline(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Flushes the stream and ends the deadline. hyper flushes once everything has been written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.deadline = None;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
