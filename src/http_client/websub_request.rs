//! POST requests to WebSub hubs (section 5.1). They follow the same rules as every other request.
//!
//! Each hop is checked by the address policy and waits for the origin's permit. Only 307 and 308 redirects, which keep
//! the method, are followed, and never from https to http, because the form contains a secret. Of a refusal only the
//! plain-text explanation is read.

use super::{AcquirePermit, Fetcher, Origin, RequestDenied, body_decoder, cache_headers, redirect, transport_error};
use crate::domain::display_text::one_line;
use crate::domain::{RequestRecord, Timestamp, WebSubFailure};
use reqwest::{Response, StatusCode, header};
use std::time::Duration;
use tokio::time::Instant;
use url::{Url, form_urlencoded};

/// Why a request to a hub has failed, and how long the hub asks to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubRequestError {
    pub failure: WebSubFailure,
    pub retry_after: Option<Duration>,
}

/// One request of a chain of redirects.
enum HubHop {
    Accepted,
    Redirect(Url),
}

/// Bytes of a refusal that are read for its explanation.
const MAX_MESSAGE_BYTES: usize = 2 * 1024;
const MAX_MESSAGE_CHARS: usize = 200;

impl HubRequestError {
    /// An error without a response of the hub.
    pub fn no_response(error: impl ToString) -> HubRequestError {
        HubRequestError { failure: WebSubFailure::no_response(error), retry_after: None }
    }
}

/// The status of a hub's response, if there was one. A hub that accepts a request counts as 202.
pub fn hub_status(response: &Result<(), HubRequestError>) -> Option<u16> {
    response.as_ref().map_or_else(|error| error.failure.status(), |()| Some(202))
}

/// A request to a hub or a callback for the statistics of its origin; `None` without a status, because it may not have
/// been sent.
pub fn websub_request_record(url: &str, status: Option<u16>, bytes: usize) -> Option<RequestRecord> {
    let origin = Origin::from_url(&Url::parse(url).ok()?).to_string();
    Some(RequestRecord { origin, status: Some(status?), bytes: bytes as u64 })
}

impl Fetcher {
    /// Posts a form to a hub. A hub accepts it with any 2xx status: 202 before it verifies the request, 204 after.
    pub async fn post_to_hub(
        &self,
        hub: &Url,
        form: &[(&str, &str)],
        now: Timestamp,
        acquire_permit: &AcquirePermit<'_>,
    ) -> Result<(), HubRequestError> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut url = hub.clone();
        let mut remaining = self.total_timeout();
        for _ in 0..=self.options.max_redirects {
            let limiter_guard = self.admit(&url, acquire_permit).await.map_err(|denied| request_denied(denied, now))?;
            let start = Instant::now();
            let hop = tokio::time::timeout(remaining, self.post_form(&url, &form, now)).await;
            remaining = remaining.saturating_sub(start.elapsed());
            drop(limiter_guard);
            let late = |_| HubRequestError::no_response(format!("no response within {:#}", self.options.total_timeout));
            match hop.map_err(late)?? {
                HubHop::Accepted => return Ok(()),
                HubHop::Redirect(next) if url.scheme() == "https" && next.scheme() != "https" => {
                    return Err(HubRequestError::no_response("a redirect from https to http would expose the secret"));
                }
                HubHop::Redirect(next) => url = next,
            }
        }
        Err(HubRequestError::no_response(format!("more than {} redirects", self.options.max_redirects)))
    }

    async fn post_form(&self, url: &Url, form: &str, now: Timestamp) -> Result<HubHop, HubRequestError> {
        let request = self
            .client
            .post(url.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.to_owned());
        let header_timeout = self.options.header_timeout;
        let response = tokio::time::timeout(header_timeout.unsigned_abs(), request.send())
            .await
            .map_err(|_| HubRequestError::no_response(format!("no response within {header_timeout:#}")))?
            .map_err(|error| HubRequestError::no_response(transport_error::describe(&error)))?;
        match response.status() {
            status if status.is_success() => Ok(HubHop::Accepted),
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
                match redirect::redirect_target(url, &response) {
                    Some(Ok(redirect)) => Ok(HubHop::Redirect(redirect.url)),
                    Some(Err(detail)) => Err(HubRequestError::no_response(detail)),
                    None => Err(HubRequestError::no_response("a redirect without a target")),
                }
            }
            status => {
                let retry_after = cache_headers::retry_after(response.headers(), now);
                let message = self.read_message(response).await;
                Err(HubRequestError {
                    failure: WebSubFailure::Status { status: status.as_u16(), message },
                    retry_after,
                })
            }
        }
    }

    /// The explanation in a refusal. A body of another type than plain text, or of more than a few lines, is ignored.
    async fn read_message(&self, response: Response) -> String {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("text/plain") || response.headers().contains_key(header::CONTENT_ENCODING) {
            return String::new();
        }
        let body = body_decoder::receive(response, MAX_MESSAGE_BYTES, &self.large_body_slots).await;
        let text = body.and_then(|body| body.decode()).unwrap_or_default();
        one_line(&String::from_utf8_lossy(&text), MAX_MESSAGE_CHARS)
    }
}

fn request_denied(denied: RequestDenied, now: Timestamp) -> HubRequestError {
    match denied {
        RequestDenied::Blocked(reason) => HubRequestError::no_response(reason),
        RequestDenied::OnHold(origin, until) => HubRequestError {
            retry_after: until.duration_since(now).try_into().ok(),
            ..HubRequestError::no_response(format!("{origin} is on hold until {until}"))
        },
        RequestDenied::Failed(detail) => HubRequestError::no_response(detail),
    }
}
