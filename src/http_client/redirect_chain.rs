//! Sends the requests of one chain of redirects, from the first URL to a response that is not a redirect.
//!
//! [`super::redirect_target`] determines the target of each redirect. Cookies are kept only within the chain. After a
//! request to another origin, the secrets of the source are no longer sent.

use super::cookies::ChainCookies;
use super::redirect_target::{RedirectTarget, redirect_target};
use super::request_headers::request_headers;
use super::{
    AcquirePermit, FetchResult, Fetcher, MAX_HEADER_BYTES, NoDocument, RequestSpec, ResponseDocument, Transport,
    failed, origin_of, response_cache_headers, transport_error,
};
use crate::domain::RequestRecord;
use reqwest::header;
use tokio::time::Instant;
use url::Url;

/// The state of a chain of redirects.
struct RedirectChain {
    cookies: ChainCookies,
    transport: Transport,
    /// Whether a request went to an origin other than that of the secrets. Later requests contain no secrets.
    has_left_origin: bool,
}

/// The response to one request in a chain of redirects.
enum RedirectStep {
    Follow(RedirectTarget),
    Done(ResponseDocument),
}

impl Fetcher {
    /// Sends the requests of a chain until a response is not a redirect, and records them in `result`.
    ///
    /// The time spent waiting for a permit does not count towards the timeout, because the server does not cause it.
    pub(super) async fn follow_redirects(
        &self,
        result: &mut FetchResult,
        spec: &RequestSpec<'_>,
        acquire: &AcquirePermit<'_>,
    ) -> Result<ResponseDocument, NoDocument> {
        let mut time_left = self.options.total_timeout.unsigned_abs();
        let mut all_permanent = true;
        let transport = self.transport_for(spec.request.settings)?;
        let mut chain = RedirectChain { cookies: ChainCookies::default(), transport, has_left_origin: false };
        for _ in 0..=self.options.max_redirects {
            let url = result.url.clone();
            let guard = self.admit(&chain.transport, &url, acquire).await?;
            let start = Instant::now();
            result.requests.push(RequestRecord { origin: origin_of(&url), status: None, bytes: 0 });
            result.status = None;
            let step = tokio::time::timeout(time_left, self.request_once(&url, spec, &mut chain, result)).await;
            time_left = time_left.saturating_sub(start.elapsed());
            drop(guard);
            let late = |_| failed(format!("no complete response within {:#}", self.options.total_timeout));
            match step.map_err(late)?? {
                RedirectStep::Follow(target) => {
                    all_permanent &= target.is_permanent;
                    if all_permanent {
                        result.permanent_redirect = Some(target.url.clone());
                    }
                    result.url = target.url;
                }
                RedirectStep::Done(document) => return Ok(document),
            }
        }
        Err(failed(format!("more than {} redirects", self.options.max_redirects)))
    }

    /// Sends one request and records its status and size in `result`.
    async fn request_once(
        &self,
        url: &Url,
        spec: &RequestSpec<'_>,
        chain: &mut RedirectChain,
        result: &mut FetchResult,
    ) -> Result<RedirectStep, NoDocument> {
        let header_timeout = self.options.header_timeout;
        let request = build_request(url, spec, chain);
        let response = tokio::time::timeout(header_timeout.unsigned_abs(), request.send())
            .await
            .map_err(|_| failed(format!("no response within {header_timeout:#}")))?
            .map_err(|error| transport_failure(&error, result))?;
        result.status = Some(response.status().as_u16());
        result.server_time = response_cache_headers::date(response.headers(), header::DATE);
        if let Some(request) = result.requests.last_mut() {
            request.status = result.status;
        }
        let header_bytes: usize =
            response.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if header_bytes > MAX_HEADER_BYTES {
            return Err(failed(format!("the header of the response is larger than {} KiB", MAX_HEADER_BYTES >> 10)));
        }
        chain.cookies.store(url, response.headers(), spec.request.now);
        // The body of a redirect is ignored.
        if let Some(target) = redirect_target(url, &response).map_err(failed)? {
            return Ok(RedirectStep::Follow(target));
        }
        let document = self.read_response(url, response, spec).await?;
        if let Some(request) = result.requests.last_mut() {
            request.bytes = document.body.wire_bytes();
        }
        Ok(RedirectStep::Done(document))
    }
}

/// Builds the next request of a chain. The secrets of the settings are sent only until a request leaves their origin.
fn build_request(url: &Url, spec: &RequestSpec<'_>, chain: &mut RedirectChain) -> reqwest::RequestBuilder {
    chain.has_left_origin |= spec.request.settings.is_some_and(|settings| settings.origin != origin_of(url));
    let headers = request_headers(url, spec, chain.cookies.header(url), !chain.has_left_origin);
    chain.transport.client.get(url.clone()).headers(headers)
}

/// Returns the outcome of a request without a response.
fn transport_failure(error: &reqwest::Error, result: &FetchResult) -> NoDocument {
    if let Some(reason) = transport_error::forbidden_address(error) {
        return NoDocument::Blocked { reason };
    }
    let detail = transport_error::describe(error);
    // If another server in the chain responded, our own network is up.
    let answered_before = result.requests.iter().any(|request| request.status.is_some());
    if transport_error::is_unreachable(error) && !answered_before {
        NoDocument::Unreachable { detail }
    } else {
        NoDocument::Failed { detail }
    }
}
