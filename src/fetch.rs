//! One request to a source's server, by the rules of a good guest: conditional, bounded, judged at every hop.
//!
//! It decides nothing about when to ask again; that is [`crate::poll`]'s. It never follows a redirect without
//! judging the next address, never sends cookies, credentials or a referrer, and never changes a validator (RFC 9110,
//! section 13; RFC 9111).

mod body;
mod gate;
mod guard;
mod headers;
mod hub;
mod links;

pub use gate::{Origin, origin};
pub use guard::Guard;
pub use headers::Freshness;
pub use hub::HubAnswer;
pub use links::Links;

use crate::model::{Timestamp, Validators};
use body::BodyError;
use futures_util::future::BoxFuture;
use gate::Gates;
use jiff::SignedDuration;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How requests are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    pub user_agent: String,
    /// For the whole of a request with its redirects and its body.
    #[serde(with = "crate::model::duration")]
    pub total_timeout: SignedDuration,
    /// For a connection to stand, TLS included.
    #[serde(with = "crate::model::duration")]
    pub connect_timeout: SignedDuration,
    /// For the next bytes to come.
    #[serde(with = "crate::model::duration")]
    pub idle_timeout: SignedDuration,
    /// Bytes of a body, decoded.
    pub max_body: usize,
    /// Redirects followed in one poll.
    pub max_redirects: usize,
    /// Between the end of one request to an origin and the start of the next.
    #[serde(with = "crate::model::duration")]
    pub origin_gap: SignedDuration,
    /// Networks that may be reached although they are not public.
    pub allowed_networks: Vec<ipnet::IpNet>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            user_agent: concat!("newsfold/", env!("CARGO_PKG_VERSION")).into(),
            total_timeout: SignedDuration::from_secs(60),
            connect_timeout: SignedDuration::from_secs(10),
            idle_timeout: SignedDuration::from_secs(20),
            max_body: 16 * 1024 * 1024,
            max_redirects: 10,
            origin_gap: SignedDuration::from_secs(1),
            allowed_networks: Vec::new(),
        }
    }
}

/// What came of a request.
#[derive(Debug)]
pub struct Fetched {
    /// The URL that answered, after redirects.
    pub url: Url,
    pub status: Option<u16>,
    pub outcome: FetchOutcome,
}

#[derive(Debug)]
pub enum FetchOutcome {
    /// A body came whole.
    Document {
        bytes: Vec<u8>,
        content_type: Option<String>,
        validators: Option<Validators>,
        freshness: Freshness,
        links: Links,
    },
    /// The server holds our copy to be good (304). Validators that it sent along replace the old ones.
    NotModified { validators: Option<Validators>, freshness: Freshness },
    /// The feed is gone for good (410).
    Gone,
    /// We are to come later (429, 503).
    Throttled { retry_after: Option<Duration>, freshness: Freshness },
    /// No usable answer.
    Failed { detail: String },
}

/// Makes requests. Cheap to clone; all clones share connections and the per-origin gates.
#[derive(Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    guard: Arc<Guard>,
    gates: Gates,
    options: Arc<Options>,
}

/// Asked before every request: ready once this program may ask the origin, as it agreed with others; or why it may not.
pub type Turn<'a> = dyn Fn(Origin) -> BoxFuture<'a, Result<(), String>> + Send + Sync + 'a;

/// The HTTP client could not be built from the options.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client: {0}")]
pub struct SetUpError(#[from] reqwest::Error);

impl Fetcher {
    pub fn new(options: Options) -> Result<Fetcher, SetUpError> {
        let guard = Arc::new(Guard::new(options.allowed_networks.clone()));
        let client = reqwest::Client::builder()
            .user_agent(&options.user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(options.connect_timeout.unsigned_abs())
            .read_timeout(options.idle_timeout.unsigned_abs())
            .dns_resolver(guard.clone())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(1)
            .build()?;
        let gates = Gates::new(options.origin_gap.unsigned_abs());
        Ok(Fetcher { client, guard, gates, options: Arc::new(options) })
    }

    /// Asks for `url`, conditionally where `validators` are those of the URL that is asked.
    pub async fn fetch(&self, url: &Url, validators: Option<&Validators>, now: Timestamp, turn: &Turn<'_>) -> Fetched {
        let mut url = url.clone();
        let (status, outcome) = self.follow(&mut url, validators, now, turn).await;
        Fetched { url, status, outcome }
    }

    /// The longest that a request may take, with its redirects and its body.
    pub fn total_timeout(&self) -> Duration {
        self.options.total_timeout.unsigned_abs()
    }

    /// The judge of addresses, for those that are not fetched from.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The pause between two requests to one origin.
    pub fn origin_gap(&self) -> SignedDuration {
        self.options.origin_gap
    }

    /// Follows redirects. The time spent waiting for an origin's turn is ours and not the server's, so that it does
    /// not count.
    async fn follow(
        &self,
        at: &mut Url,
        validators: Option<&Validators>,
        now: Timestamp,
        turn: &Turn<'_>,
    ) -> (Option<u16>, FetchOutcome) {
        let mut left = self.options.total_timeout.unsigned_abs();
        for _ in 0..=self.options.max_redirects {
            if let Err(reason) = self.guard.judge_url(at) {
                return (None, failed(reason.to_string()));
            }
            // The turn goes before the gate: whoever is in the gate waits for nobody.
            if let Err(reason) = turn(origin(at)).await {
                return (None, failed(reason));
            }
            let pass = self.gates.enter(at).await;
            let start = tokio::time::Instant::now();
            let hop = tokio::time::timeout(left, self.hop(at, validators, now)).await;
            left = left.saturating_sub(start.elapsed());
            drop(pass);
            match hop {
                Ok(Hop::To(next)) => *at = next,
                Ok(Hop::End(status, outcome)) => return (status, outcome),
                Err(_) => {
                    return (None, failed(format!("no whole answer within {:#}", self.options.total_timeout)));
                }
            }
        }
        (None, failed(format!("more than {} redirects", self.options.max_redirects)))
    }

    async fn hop(&self, at: &Url, validators: Option<&Validators>, now: Timestamp) -> Hop {
        let response = match self.request(at, validators).send().await {
            Ok(response) => response,
            Err(error) => return Hop::End(None, failed(explain(&error))),
        };
        let status = Some(response.status().as_u16());
        match redirect_target(at, &response) {
            // The body of a redirect is nobody's to read.
            Some(Ok(next)) => Hop::To(next),
            Some(Err(detail)) => Hop::End(status, failed(detail)),
            None => Hop::End(status, self.read(at, response, now).await),
        }
    }

    fn request(&self, url: &Url, validators: Option<&Validators>) -> reqwest::RequestBuilder {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static(
                "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, \
                 application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1",
            ),
        );
        if let Some(known) = validators.filter(|v| v.url == url.as_str()) {
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

    async fn read(&self, url: &Url, response: Response, now: Timestamp) -> FetchOutcome {
        let headers = response.headers();
        let validators = headers::validators(url, headers);
        let freshness = headers::freshness(headers, now);
        match response.status() {
            StatusCode::NOT_MODIFIED => FetchOutcome::NotModified { validators, freshness },
            StatusCode::GONE => FetchOutcome::Gone,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                FetchOutcome::Throttled { retry_after: headers::retry_after(headers, now), freshness }
            }
            status if status.is_success() => {
                let content_type =
                    headers.get(header::CONTENT_TYPE).map(|v| String::from_utf8_lossy(v.as_bytes()).into());
                let links = links::links(headers, url);
                match body::read(response, self.options.max_body).await {
                    Ok(bytes) => FetchOutcome::Document { bytes, content_type, validators, freshness, links },
                    Err(BodyError::TooLarge) => {
                        failed(format!("the body is larger than {} MiB", self.options.max_body >> 20))
                    }
                    Err(BodyError::Broken(error)) => failed(format!("the body broke off: {}", explain(&error))),
                }
            }
            status => failed(format!("the server answered {status}")),
        }
    }
}

/// One request of a chain of redirects.
enum Hop {
    To(Url),
    End(Option<u16>, FetchOutcome),
}

/// Where a redirect leads: to a URL, or nowhere that can be followed. `None` where it is none.
fn redirect_target(at: &Url, response: &Response) -> Option<Result<Url, String>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let Some(location) = response.headers().get(header::LOCATION) else {
        return Some(Err(format!("{} without a place to go", response.status())));
    };
    let location = String::from_utf8_lossy(location.as_bytes());
    Some(at.join(&location).map_err(|e| format!("a redirect to something that is no URL: {e}")))
}

fn failed(detail: impl Into<String>) -> FetchOutcome {
    FetchOutcome::Failed { detail: detail.into() }
}

/// The innermost cause is the one that tells: "connection refused" rather than "error sending request".
fn explain(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let kind = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else {
        "the request failed"
    };
    format!("{kind}: {cause}")
}
