//! Requests to the callbacks of those who subscribe to us (WebSub, sections 5.3 and 7): whether they want to, and what is
//! new.
//!
//! A stranger names the address, so that it is judged like every other and no redirect is followed. No more of an answer
//! is read than the echo of a challenge takes, and of a delivery's answer nothing but its status. A callback is secret:
//! it stands in no detail.

use super::{Fetcher, body_decoder, cache_headers, explain, innermost, is_forbidden};
use crate::domain::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, Response};
use std::time::Duration;
use url::Url;

/// What a callback said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackResponse {
    Answered {
        status: u16,
        retry_after: Option<Duration>,
        /// Of the answer to a question; empty where it was too long to be an echo.
        body: Vec<u8>,
    },
    /// Nobody answered, or nobody may be asked.
    Failed { detail: String },
}

/// Bytes of an echo.
const MAX_ECHO: usize = 1024;

impl Fetcher {
    /// Asks a callback, and reads its short answer.
    pub async fn verify_callback(&self, callback: &Url, timeout: Duration, now: Timestamp) -> CallbackResponse {
        let asked = async {
            let response = match self.to_callback(callback, self.client.get(callback.clone())).await {
                Ok(response) => response,
                Err(detail) => return CallbackResponse::Failed { detail },
            };
            let (status, retry_after) =
                (response.status().as_u16(), cache_headers::retry_after(response.headers(), now));
            let body = match response.status().is_success() {
                false => Vec::new(),
                true => {
                    let echo = body_decoder::receive(response, MAX_ECHO, &self.large_body_slots)
                        .await
                        .and_then(body_decoder::ResponseBody::decode);
                    echo.unwrap_or_default()
                }
            };
            CallbackResponse::Answered { status, retry_after, body }
        };
        in_time(timeout, asked).await
    }

    /// Posts a document to a callback.
    pub async fn post_to_callback(
        &self,
        callback: &Url,
        document: impl Into<reqwest::Body>,
        fields: &[(&'static str, String)],
        timeout: Duration,
        now: Timestamp,
    ) -> CallbackResponse {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            match HeaderValue::from_str(value) {
                Ok(value) => _ = map.insert(*name, value),
                Err(_) => return CallbackResponse::Failed { detail: format!("{name} can't stand in a header") },
            }
        }
        let request = self.client.post(callback.clone()).headers(map).body(document);
        let delivered = async {
            match self.to_callback(callback, request).await {
                Ok(response) => CallbackResponse::Answered {
                    status: response.status().as_u16(),
                    retry_after: cache_headers::retry_after(response.headers(), now),
                    body: Vec::new(),
                },
                Err(detail) => CallbackResponse::Failed { detail },
            }
        };
        in_time(timeout, delivered).await
    }

    async fn to_callback(&self, callback: &Url, request: RequestBuilder) -> Result<Response, String> {
        self.address_policy.check_url(callback).map_err(|reason| reason.to_string())?;
        self.address_policy.check_proxied_host(callback).await.map_err(|reason| reason.to_string())?;
        request.send().await.map_err(|error| match is_forbidden(&error) {
            true => innermost(&error).to_string(),
            false => explain(&error.without_url()),
        })
    }
}

async fn in_time(timeout: Duration, answer: impl Future<Output = CallbackResponse>) -> CallbackResponse {
    let late = || CallbackResponse::Failed { detail: format!("no answer within {timeout:?}") };
    tokio::time::timeout(timeout, answer).await.unwrap_or_else(|_| late())
}
