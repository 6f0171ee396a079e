//! Requests to the callbacks of our own hub's subscribers (WebSub): verification (section 5.3) and delivery (7).
//!
//! A callback is an address that a third party has chosen. It is checked by the address policy, and its redirects are
//! not followed. A verification response is read up to the length of a challenge, and of a delivery response only
//! the status is read. A callback is secret, so that no error message contains it.

use super::{Fetcher, body_decoder, cache_headers, transport_error};
use crate::domain::{Timestamp, WebSubFailure};
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use std::time::Duration;
use url::Url;

/// The response of a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackResponse {
    pub status: u16,
    pub retry_after: Option<Duration>,
    /// The body of a verification response; empty if it is too long for a challenge.
    pub body: Vec<u8>,
}

/// The maximum length of an echoed challenge.
const MAX_ECHO_BYTES: usize = 1024;

impl Fetcher {
    /// Sends a verification request to a callback.
    pub async fn verify_callback(
        &self,
        callback: &Url,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<CallbackResponse, WebSubFailure> {
        within(timeout, async {
            let response = self.send_to_callback(callback, self.client.get(callback.clone())).await?;
            let mut answer = read_head(&response, now);
            if response.status().is_success() {
                let body = body_decoder::receive(response, MAX_ECHO_BYTES, &self.large_body_slots).await;
                answer.body = body.and_then(|body| body.decode()).unwrap_or_default();
            }
            Ok(answer)
        })
        .await
    }

    /// Posts a document to a callback.
    pub async fn post_to_callback(
        &self,
        callback: &Url,
        document: impl Into<reqwest::Body>,
        headers: HeaderMap,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<CallbackResponse, WebSubFailure> {
        let request = self.client.post(callback.clone()).headers(headers).body(document);
        within(timeout, async { Ok(read_head(&self.send_to_callback(callback, request).await?, now)) }).await
    }

    async fn send_to_callback(&self, callback: &Url, request: RequestBuilder) -> Result<Response, WebSubFailure> {
        self.address_policy.check(callback).await.map_err(WebSubFailure::no_response)?;
        request.send().await.map_err(|error| match transport_error::forbidden_address(&error) {
            Some(reason) => WebSubFailure::no_response(reason),
            None => WebSubFailure::no_response(transport_error::describe(&error.without_url())),
        })
    }
}

/// The response without its body.
fn read_head(response: &Response, now: Timestamp) -> CallbackResponse {
    let retry_after = cache_headers::retry_after(response.headers(), now);
    CallbackResponse { status: response.status().as_u16(), retry_after, body: Vec::new() }
}

async fn within(
    timeout: Duration,
    response: impl Future<Output = Result<CallbackResponse, WebSubFailure>>,
) -> Result<CallbackResponse, WebSubFailure> {
    let late = || Err(WebSubFailure::no_response(format!("no response within {timeout:?}")));
    tokio::time::timeout(timeout, response).await.unwrap_or_else(|_| late())
}
