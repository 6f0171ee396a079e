//! One request to a source's server, by the rules of a good guest: conditional, bounded, judged at every hop.
//!
//! It decides nothing about when to ask again; that is [`crate::crawl`]'s. It never follows a redirect without
//! judging the next address, never sends cookies, credentials of another origin or a referrer, never asks twice by
//! itself, never solves a challenge, and never changes a validator (RFC 9110, section 13; RFC 9111).

mod address_policy;
mod body_decoder;
mod bot_challenge;
mod cache_headers;
mod link_header;
mod options;
mod origin;
mod origin_limiter;
mod redirect;
mod websub_delivery;
mod websub_request;

pub use address_policy::AddressPolicy;
pub use body_decoder::{BodyError, ResponseBody};
pub use bot_challenge::challenge_in_page;
pub use cache_headers::Freshness;
pub use link_header::LinkRelations;
pub use options::{Options, PortRange};
pub use origin::Origin;
pub use websub_delivery::CallbackResponse;
pub use websub_request::{HubRequestError, hub_status, websub_request_record};

use crate::domain::{CacheValidators, RequestRecord, Timestamp};
use body_decoder::LargeBodySlots;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use origin_limiter::OriginLimiter;
use redirect::RedirectTarget;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Certificate, Response, StatusCode};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What came of asking for a document.
#[derive(Debug)]
pub struct FetchResult {
    /// The URL that answered, after redirects.
    pub url: Url,
    /// Where permanent redirects alone lead (301, 308), where the first answer was one.
    pub permanent_redirect: Option<Url>,
    /// All requests that were made, in their order.
    pub requests: Vec<RequestRecord>,
    pub status: Option<u16>,
    pub outcome: FetchOutcome,
}

#[derive(Debug)]
pub enum FetchOutcome {
    /// A body came whole.
    Document {
        body: ResponseBody,
        content_type: Option<String>,
        validators: Option<CacheValidators>,
        freshness: Freshness,
        links: LinkRelations,
    },
    /// The server holds our copy to be good (304). Validators that it sent along replace the old ones.
    NotModified { validators: Option<CacheValidators>, freshness: Freshness },
    /// The feed is gone for good (410).
    Gone,
    /// We are to come later: everybody (429), or to this document (503).
    Throttled { retry_after: Option<Duration>, freshness: Freshness },
    /// The server does not want us here (403).
    Refused { retry_after: Option<Duration> },
    /// The server asks for proof that we are a person.
    Challenged { by: &'static str, retry_after: Option<Duration> },
    /// A redirect leads to a server that is not to be asked before this time.
    Held { origin: Origin, until: Timestamp },
    /// No packet came back: no connection, no route, no answer of any name server. It may be our own network's fault.
    Unreachable { detail: String },
    /// No usable answer.
    Failed { detail: String },
}

/// Makes requests. Cheap to clone; all clones share connections, memory and the per-origin origin_limiter.
#[derive(Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    address_policy: Arc<AddressPolicy>,
    origin_limiter: OriginLimiter,
    large_body_slots: LargeBodySlots,
    options: Arc<Options>,
}

/// Asked before every request: ready once this program may ask the origin, as it agreed with others; or why it may not.
pub type AcquirePermit<'a> = dyn Fn(Origin) -> BoxFuture<'a, Result<(), PermitDenied>> + Send + Sync + 'a;

/// Why an origin may not be asked.
#[derive(Debug)]
pub enum PermitDenied {
    /// It asked not to be asked before this time.
    OnHold(Timestamp),
    Failed(String),
}

/// The HTTP client could not be built from the options.
#[derive(Debug, thiserror::Error)]
pub enum ClientBuildError {
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("cannot read certificates from {path}, which fetch.ca_file names: {cause}")]
    Certificates { path: PathBuf, cause: Box<dyn std::error::Error + Send + Sync> },
}

/// Bytes of an answer's header fields, all together.
const MAX_HEAD: usize = 64 * 1024;
/// Header fields of an answer.
const MAX_FIELDS: usize = 100;

impl Fetcher {
    pub fn new(options: Options) -> Result<Fetcher, ClientBuildError> {
        let address_policy = Arc::new(AddressPolicy::new(&options));
        let client = reqwest::Client::builder()
            .user_agent(options.user_agent())
            .redirect(reqwest::redirect::Policy::none())
            // Asking again is a decision, and goes through the origin_limiter.
            .retry(reqwest::retry::never())
            .referer(false)
            // Bodies come as they are: what reqwest decodes it decodes without a limit. Another crate may have switched
            // its decoders on.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connect_timeout(options.connect_timeout.unsigned_abs())
            .read_timeout(options.read_timeout.unsigned_abs())
            .dns_resolver(address_policy.clone())
            .http1_max_headers(MAX_FIELDS)
            .http2_max_header_list_size(MAX_HEAD as u32)
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(1);
        let client = match &options.proxy {
            None => client.no_proxy(),
            Some(proxy) => client.proxy(reqwest::Proxy::all(proxy.clone())?),
        };
        let client = client.tls_certs_merge(options.ca_file.as_deref().map_or(Ok(Vec::new()), certificates)?);
        let origin_limiter = OriginLimiter::new(options.min_origin_delay.unsigned_abs());
        let (client, large_body_slots) = (client.build()?, LargeBodySlots::default());
        Ok(Fetcher { client, address_policy, origin_limiter, large_body_slots, options: Arc::new(options) })
    }

    /// Asks for the feed at `url`, conditionally where `validators` are those of the URL that is asked.
    pub async fn fetch(
        &self,
        url: &Url,
        validators: Option<&CacheValidators>,
        now: Timestamp,
        turn: &AcquirePermit<'_>,
    ) -> FetchResult {
        self.ask(url, &RequestSpec { validators, accept: FEEDS, now }, turn).await
    }

    /// Asks for the web page at `url`, by the same rules.
    pub async fn fetch_page(&self, url: &Url, now: Timestamp, turn: &AcquirePermit<'_>) -> FetchResult {
        self.ask(url, &RequestSpec { validators: None, accept: PAGES, now }, turn).await
    }

    async fn ask(&self, url: &Url, ask: &RequestSpec<'_>, turn: &AcquirePermit<'_>) -> FetchResult {
        let mut fetched = FetchResult {
            url: url.clone(),
            permanent_redirect: None,
            requests: Vec::new(),
            status: None,
            outcome: FetchOutcome::Failed { detail: String::new() },
        };
        fetched.outcome = self.follow(&mut fetched, ask, turn).await;
        fetched
    }

    /// The longest that a request may take, with its redirects and its body.
    pub fn total_timeout(&self) -> Duration {
        self.options.total_timeout.unsigned_abs()
    }

    /// The check_address of addresses, for those that are not fetched from.
    pub fn address_policy(&self) -> &AddressPolicy {
        &self.address_policy
    }

    /// The pause between two requests to one origin.
    pub fn min_origin_delay(&self) -> SignedDuration {
        self.options.min_origin_delay
    }

    /// Follows redirects. The time spent waiting for an origin's turn is ours and not the server's, so that it does
    /// not count.
    async fn follow(&self, fetched: &mut FetchResult, ask: &RequestSpec<'_>, turn: &AcquirePermit<'_>) -> FetchOutcome {
        let mut left = self.options.total_timeout.unsigned_abs();
        let mut for_good = true;
        for _ in 0..=self.options.max_redirects {
            let at = fetched.url.clone();
            if let Err(reason) = self.address_policy.check_url(&at) {
                return failed(reason.to_string());
            }
            if let Err(reason) = self.address_policy.check_proxied_host(&at).await {
                return failed(reason.to_string());
            }
            // The turn goes before the origin_limiter: whoever is in the origin_limiter waits for nobody.
            match turn(Origin::from_url(&at)).await {
                Ok(()) => {}
                Err(PermitDenied::OnHold(until)) => return FetchOutcome::Held { origin: Origin::from_url(&at), until },
                Err(PermitDenied::Failed(reason)) => return failed(reason),
            }
            let pass = self.origin_limiter.enter(&at).await;
            let start = tokio::time::Instant::now();
            fetched.requests.push(RequestRecord { origin: Origin::from_url(&at).to_string(), status: None, bytes: 0 });
            fetched.status = None;
            let hop = tokio::time::timeout(left, self.hop(&at, ask, fetched)).await;
            left = left.saturating_sub(start.elapsed());
            drop(pass);
            match hop {
                Ok(RedirectStep::Follow(redirect)) => {
                    for_good &= redirect.for_good;
                    if for_good {
                        fetched.permanent_redirect = Some(redirect.to.clone());
                    }
                    fetched.url = redirect.to;
                }
                Ok(RedirectStep::Done(outcome)) => return outcome,
                Err(_) => return failed(format!("no whole answer within {:#}", self.options.total_timeout)),
            }
        }
        failed(format!("more than {} redirects", self.options.max_redirects))
    }

    /// One request, noted in `fetched`.
    async fn hop(&self, at: &Url, ask: &RequestSpec<'_>, fetched: &mut FetchResult) -> RedirectStep {
        let head = tokio::time::timeout(self.options.header_timeout.unsigned_abs(), self.request(at, ask).send());
        let response = match head.await {
            Err(_) => return RedirectStep::Done(failed(format!("no answer within {:#}", self.options.header_timeout))),
            Ok(Err(error)) if is_forbidden(&error) => return RedirectStep::Done(failed(innermost(&error).to_string())),
            Ok(Err(error)) if nobody_is_there(&error) => {
                return RedirectStep::Done(unreachable_or_failed(fetched, explain(&error)));
            }
            Ok(Err(error)) => return RedirectStep::Done(failed(explain(&error))),
            Ok(Ok(response)) => response,
        };
        let status = Some(response.status().as_u16());
        fetched.status = status;
        if let Some(request) = fetched.requests.last_mut() {
            request.status = status;
        }
        let head: usize = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if head > MAX_HEAD {
            return RedirectStep::Done(failed(format!("the answer's header is larger than {} KiB", MAX_HEAD >> 10)));
        }
        match redirect::target(at, &response) {
            // The body of a redirect is nobody's to read.
            Some(Ok(redirect)) => RedirectStep::Follow(redirect),
            Some(Err(detail)) => RedirectStep::Done(failed(detail)),
            None => {
                let outcome = self.read(at, response, ask).await;
                if let (FetchOutcome::Document { body, .. }, Some(request)) = (&outcome, fetched.requests.last_mut()) {
                    request.bytes = body.wire_bytes();
                }
                RedirectStep::Done(outcome)
            }
        }
    }

    fn request(&self, url: &Url, ask: &RequestSpec<'_>) -> reqwest::RequestBuilder {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(ask.accept));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(body_decoder::ACCEPTED));
        if let Some(known) = ask.validators.filter(|v| v.url == url.as_str()) {
            let bytes = |value: &Option<Vec<u8>>| value.as_ref().and_then(|v| HeaderValue::from_bytes(v).ok());
            if let Some(etag) = bytes(&known.etag) {
                headers.insert(header::IF_NONE_MATCH, etag);
            }
            if let Some(modified) = bytes(&known.last_modified) {
                headers.insert(header::IF_MODIFIED_SINCE, modified);
            }
        }
        self.client.get(url.clone()).headers(headers)
    }

    /// What an answer that is no redirect says. Only the body of a document is read.
    async fn read(&self, url: &Url, response: Response, ask: &RequestSpec<'_>) -> FetchOutcome {
        let headers = response.headers();
        let validators = cache_headers::validators(url, headers);
        let freshness = cache_headers::freshness(headers, ask.now);
        let retry_after = cache_headers::retry_after(headers, ask.now);
        if let Some(by) = bot_challenge::challenge_in_headers(headers) {
            return FetchOutcome::Challenged { by, retry_after };
        }
        match response.status() {
            // We never ask for a part.
            StatusCode::PARTIAL_CONTENT => failed("the server answered with a part of the document (206)"),
            StatusCode::NOT_MODIFIED if ask.validators.is_none_or(|asked| asked.url != url.as_str()) => {
                failed("the server answered 304, not modified, to a request without a condition")
            }
            StatusCode::NOT_MODIFIED => FetchOutcome::NotModified { validators, freshness },
            StatusCode::GONE => FetchOutcome::Gone,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                FetchOutcome::Throttled { retry_after, freshness }
            }
            StatusCode::FORBIDDEN => FetchOutcome::Refused { retry_after },
            status if status.is_success() => {
                let content_type =
                    headers.get(header::CONTENT_TYPE).map(|v| String::from_utf8_lossy(v.as_bytes()).into());
                let links = link_header::links(headers, url);
                match body_decoder::receive(response, self.options.max_body_bytes, &self.large_body_slots).await {
                    Ok(body) => FetchOutcome::Document { body, content_type, validators, freshness, links },
                    Err(error) => failed(error.to_string()),
                }
            }
            status => failed(format!("the server answered {status}")),
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, ClientBuildError> {
    let unreadable = |cause| ClientBuildError::Certificates { path: file.to_owned(), cause };
    let pem = std::fs::read(file).map_err(|error| unreadable(error.into()))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if found.is_empty() => Err(unreadable("there is none in it".into())),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(error.into())),
    }
}

/// What is asked for.
struct RequestSpec<'a> {
    validators: Option<&'a CacheValidators>,
    accept: &'static str,
    now: Timestamp,
}

const FEEDS: &str = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, \
                     application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1";
const PAGES: &str = "text/html, application/xhtml+xml, */*;q=0.1";

/// One request of a chain of redirects.
enum RedirectStep {
    Follow(RedirectTarget),
    Done(FetchOutcome),
}

fn failed(detail: impl Into<String>) -> FetchOutcome {
    FetchOutcome::Failed { detail: detail.into() }
}

/// Where a server answered before, the network is there and the fault is not ours.
fn unreachable_or_failed(fetched: &FetchResult, detail: String) -> FetchOutcome {
    if fetched.requests.iter().any(|request| request.status.is_some()) {
        failed(detail)
    } else {
        FetchOutcome::Unreachable { detail }
    }
}

/// Whether it looks as it does when our own network is down: nothing at all comes back. A server that refuses, breaks
/// off or shows a bad certificate is there, and so is a name server that knows no such name.
fn nobody_is_there(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{HostUnreachable, NetworkDown, NetworkUnreachable, TimedOut};
    if !error.is_connect() {
        return false;
    }
    let cause = innermost(error);
    let silent = cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| matches!(error.kind(), HostUnreachable | NetworkDown | NetworkUnreachable | TimedOut));
    // The resolver of the C library has this for EAI_AGAIN, and the standard library no code for it.
    error.is_timeout() || silent || cause.to_string().contains("Temporary failure in name resolution")
}

/// Whether the address_policy, and not the network, was against it.
fn is_forbidden(error: &reqwest::Error) -> bool {
    innermost(error).is::<address_policy::ForbiddenAddress>()
}

/// The innermost cause is the one that tells: "connection refused" rather than "error sending request".
fn innermost<'e>(error: &'e (dyn std::error::Error + 'static)) -> &'e (dyn std::error::Error + 'static) {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}

fn explain(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else {
        "the request failed"
    };
    format!("{kind}: {}", innermost(error))
}
