//! Sends WebSub requests: to hubs (section 5.1), and to the callbacks of our own hub's subscribers, for verification
//! (section 5.3) and delivery (section 7).
//!
//! Requests to hubs follow the general rules: at each hop, the address policy checks the URL, and the request waits for
//! the origin's permit. Only the redirects that keep the method (307 and 308) are followed, and never from https to
//! http, because the form contains a secret. A third party chooses the callback, so the address policy checks it and
//! redirects are not followed. Callbacks are secret, so error messages never contain them.

use super::redirect_target::redirect_target;
use super::{AcquirePermit, Fetcher, NoDocument, body_decoder, origin_of, response_cache_headers, transport_error};
use crate::domain::display_text::one_line;
use crate::domain::{RequestRecord, Timestamp, WebSubFailure};
use jiff::SignedDuration;
use reqwest::header::{self, HeaderMap};
use reqwest::{RequestBuilder, Response, StatusCode};
use tokio::time::Instant;
use url::{Url, form_urlencoded};

/// A response with a 2xx status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSubResponse {
    pub status: u16,
    /// The body of a verification response; empty if it is longer than any challenge.
    pub body: Vec<u8>,
}

/// A request to the callback of a subscriber.
#[derive(Debug, Clone, Copy)]
pub struct CallbackRequest<'u> {
    pub callback: &'u Url,
    pub timeout: SignedDuration,
    pub now: Timestamp,
}

/// The reason why a request failed, and the delay that the server requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSubRequestError {
    pub failure: WebSubFailure,
    pub retry_after: Option<SignedDuration>,
}

/// The maximum size of an echoed challenge, in bytes.
const MAX_ECHO_BYTES: usize = 1024;
/// The maximum number of bytes to read from a hub's refusal, which may contain an explanation.
const MAX_MESSAGE_BYTES: usize = 2 * 1024;
const MAX_MESSAGE_CHARS: usize = 200;

impl WebSubRequestError {
    pub fn no_response(error: impl ToString) -> WebSubRequestError {
        WebSubRequestError { failure: WebSubFailure::no_response(error), retry_after: None }
    }

    fn late(timeout: SignedDuration) -> WebSubRequestError {
        WebSubRequestError::no_response(format!("no response within {timeout:#}"))
    }
}

/// Returns the record of a request to a hub or callback, for the origin's statistics. Returns `None` if there is no
/// status, because then the request may not have been sent.
pub fn websub_request_record(
    url: &str,
    response: &Result<WebSubResponse, WebSubRequestError>,
    bytes: usize,
) -> Option<RequestRecord> {
    let status = match response {
        Ok(response) => response.status,
        Err(error) => error.failure.status()?,
    };
    Some(RequestRecord { origin: origin_of(&Url::parse(url).ok()?), status: Some(status), bytes: bytes as u64 })
}

impl Fetcher {
    /// Posts a form to a hub. Any 2xx status means acceptance: hubs send 202 before they verify the request, and 204
    /// afterwards.
    pub async fn post_to_hub(
        &self,
        hub: &Url,
        form: &[(&str, impl AsRef<str>)],
        now: Timestamp,
        acquire_permit: &AcquirePermit<'_>,
    ) -> Result<WebSubResponse, WebSubRequestError> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut url = hub.clone();
        let mut remaining = self.options.total_timeout.unsigned_abs();
        for _ in 0..=self.options.max_redirects {
            let limiter_guard = self
                .admit(&self.transport, &url, acquire_permit)
                .await
                .map_err(|denied| request_denied(denied, now))?;
            let start = Instant::now();
            let response = tokio::time::timeout(remaining, self.post_form(&url, &form, now)).await;
            remaining = remaining.saturating_sub(start.elapsed());
            drop(limiter_guard);
            let late = |_| WebSubRequestError::late(self.options.total_timeout);
            let response = response.map_err(late)??;
            match redirect_target(&url, &response).map_err(WebSubRequestError::no_response)? {
                None => return Ok(WebSubResponse { status: response.status().as_u16(), body: Vec::new() }),
                Some(target) if url.scheme() == "https" && target.url.scheme() != "https" => {
                    let refusal = "a redirect from https to http would expose the secret";
                    return Err(WebSubRequestError::no_response(refusal));
                }
                Some(target) => url = target.url,
            }
        }
        Err(WebSubRequestError::no_response(format!("more than {} redirects", self.options.max_redirects)))
    }

    /// Posts a form once. Returns a 2xx response or a redirect that keeps the method.
    async fn post_form(&self, url: &Url, form: &str, now: Timestamp) -> Result<Response, WebSubRequestError> {
        let request = self
            .transport
            .client
            .post(url.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.to_owned());
        let header_timeout = self.options.header_timeout;
        let response = tokio::time::timeout(header_timeout.unsigned_abs(), request.send())
            .await
            .map_err(|_| WebSubRequestError::late(header_timeout))?
            .map_err(|error| WebSubRequestError::no_response(transport_error::describe(&error)))?;
        let status = response.status();
        if status.is_success() || matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
            return Ok(response);
        }
        let retry_after = response_cache_headers::retry_after(response.headers(), now);
        let message = self.read_message(response).await;
        Err(WebSubRequestError { failure: WebSubFailure::Status { status: status.as_u16(), message }, retry_after })
    }

    /// Reads the explanation in a refusal. Ignores bodies that are not plain text or that exceed a few lines.
    async fn read_message(&self, response: Response) -> String {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("text/plain") || response.headers().contains_key(header::CONTENT_ENCODING) {
            return String::new();
        }
        let body = body_decoder::receive(response, MAX_MESSAGE_BYTES, &self.large_body_slots).await;
        let text = body.and_then(|body| body.decode()).unwrap_or_default();
        one_line(&String::from_utf8_lossy(&text), MAX_MESSAGE_CHARS)
    }

    /// Sends a verification request to a callback. Reads at most 1 KiB of the response.
    pub async fn verify_callback(&self, request: CallbackRequest<'_>) -> Result<WebSubResponse, WebSubRequestError> {
        let CallbackRequest { callback, timeout, now } = request;
        let verified = async {
            let response = self.send_to_callback(callback, self.transport.client.get(callback.clone()), now).await?;
            let status = response.status().as_u16();
            let body = body_decoder::receive(response, MAX_ECHO_BYTES, &self.large_body_slots).await;
            Ok(WebSubResponse { status, body: body.and_then(|body| body.decode()).unwrap_or_default() })
        };
        tokio::time::timeout(timeout.unsigned_abs(), verified).await.map_err(|_| WebSubRequestError::late(timeout))?
    }

    /// Posts a document to a callback. Reads only the status of the response.
    pub async fn post_to_callback(
        &self,
        request: CallbackRequest<'_>,
        document: impl Into<reqwest::Body>,
        headers: HeaderMap,
    ) -> Result<WebSubResponse, WebSubRequestError> {
        let CallbackRequest { callback, timeout, now } = request;
        let request = self.transport.client.post(callback.clone()).headers(headers).body(document);
        let sent = tokio::time::timeout(timeout.unsigned_abs(), self.send_to_callback(callback, request, now)).await;
        let response = sent.map_err(|_| WebSubRequestError::late(timeout))??;
        Ok(WebSubResponse { status: response.status().as_u16(), body: Vec::new() })
    }

    async fn send_to_callback(
        &self,
        callback: &Url,
        request: RequestBuilder,
        now: Timestamp,
    ) -> Result<Response, WebSubRequestError> {
        self.transport.address_policy.check(callback).await.map_err(WebSubRequestError::no_response)?;
        let response = request.send().await.map_err(|error| match transport_error::forbidden_address(&error) {
            Some(reason) => WebSubRequestError::no_response(reason),
            None => WebSubRequestError::no_response(transport_error::describe(&error.without_url())),
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let failure = WebSubFailure::Status { status: response.status().as_u16(), message: String::new() };
        Err(WebSubRequestError { failure, retry_after: response_cache_headers::retry_after(response.headers(), now) })
    }
}

fn request_denied(denied: NoDocument, now: Timestamp) -> WebSubRequestError {
    match denied {
        NoDocument::Held { origin, until } => WebSubRequestError {
            retry_after: Some(until.duration_since(now)),
            ..WebSubRequestError::no_response(format!("{origin} is on hold until {until}"))
        },
        NoDocument::Blocked { reason } => WebSubRequestError::no_response(reason),
        NoDocument::Failed { detail } => WebSubRequestError::no_response(detail),
        other => WebSubRequestError::no_response(format!("{other:?}")),
    }
}
