//! Fetches a document and follows redirects. Requests are conditional, limited, and checked against the address policy.
//!
//! This module never decides when to retry, because [`crate::crawl`] decides that. It checks the target of every
//! redirect. It never sends a referrer or the credentials of another origin, never keeps a cookie beyond one chain of
//! redirects, never retries by itself, never solves a bot challenge, and never changes a validator (RFC 9110, section
//! 13; RFC 9111).

mod address_policy;
mod body_decoder;
mod bot_challenge;
mod cookies;
mod link_header;
mod operator_headers;
mod options;
mod origin_limiter;
mod redirect_chain;
mod redirect_target;
mod request_headers;
mod response_cache_headers;
mod response_status;
mod transport_error;
mod user_agent;
mod websub_request;

pub use address_policy::{AddressPolicy, ForbiddenAddress};
pub use body_decoder::{BodyError, ResponseBody};
pub use bot_challenge::challenge_in_page;
pub use link_header::LinkRelations;
pub use operator_headers::check_request_header;
pub use options::{Options, PortRange};
pub use websub_request::{CallbackRequest, WebSubRequestError, WebSubResponse, websub_request_record};

use crate::domain::{CacheValidators, RequestRecord, RequestSettings, Timestamp};
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use origin_limiter::{LimiterGuard, OriginLimiter};
use parking_lot::Mutex;
use reqwest::Certificate;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

/// The result of a request for a document, after all redirects.
#[derive(Debug)]
pub struct FetchResult {
    /// The URL of the last request.
    pub url: Url,
    /// The target of the initial permanent redirects (301, 308); `None` if the first response was not a permanent
    /// redirect.
    pub permanent_redirect: Option<Url>,
    /// All requests in the order in which they were sent.
    pub requests: Vec<RequestRecord>,
    /// Status of the last response; `None` if there was no response.
    pub status: Option<u16>,
    /// The server's time, from the last response.
    pub server_time: Option<Timestamp>,
    pub outcome: Result<ResponseDocument, NoDocument>,
}

/// A complete document with the metadata from its response headers.
#[derive(Debug)]
pub struct ResponseDocument {
    pub body: ResponseBody,
    pub content_type: Option<String>,
    pub validators: Option<CacheValidators>,
    /// How long the response is fresh (RFC 9111, section 4.2).
    pub fresh_for: Option<SignedDuration>,
    pub links: LinkRelations,
}

/// The reason why no document was received.
#[derive(Debug)]
pub enum NoDocument {
    /// The stored copy is still current (304). The validators of the response replace the stored validators.
    NotModified { validators: Option<CacheValidators>, fresh_for: Option<SignedDuration> },
    /// The document is gone permanently (410).
    Gone,
    /// The server asks the client to retry later, either all requests (429) or this request (503).
    Throttled { retry_after: Option<SignedDuration>, fresh_for: Option<SignedDuration> },
    /// The server refused the request (403).
    Refused { retry_after: Option<SignedDuration> },
    /// The response is a bot challenge of this service.
    Challenged { service: &'static str, retry_after: Option<SignedDuration> },
    /// The origin is on hold until this time.
    Held { origin: String, until: Timestamp },
    /// The address policy forbids the URL or the address that its host resolves to.
    Blocked { reason: ForbiddenAddress },
    /// No response: no connection, no route, or no response from a name server. The cause may be our own network.
    Unreachable { detail: String },
    /// The request failed for another reason.
    Failed { detail: String },
}

/// The sender of requests. Cloning is cheap: all clones share connections, memory limits and the limiter of each
/// origin.
#[derive(Clone)]
pub struct Fetcher {
    transport: Transport,
    /// The transports of sources with their own proxy, by the proxy's URL.
    proxy_transports: Arc<Mutex<HashMap<String, Transport>>>,
    origin_limiter: OriginLimiter,
    /// The slots that limit the number of large bodies in memory.
    large_body_slots: Arc<Semaphore>,
    pub options: Arc<Options>,
}

/// A function that is called with the origin before every request. The future resolves once this program may send the
/// request, in coordination with the other programs on the same database.
pub type AcquirePermit<'a> = dyn Fn(String) -> BoxFuture<'a, Result<(), NoDocument>> + Send + Sync + 'a;

/// The reason why the HTTP client could not be built from the options.
#[derive(Debug, thiserror::Error)]
pub enum ClientBuildError {
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("cannot read the certificates in {path} (fetch.ca_file): {cause}")]
    Certificates { path: PathBuf, cause: Box<dyn std::error::Error + Send + Sync> },
}

/// The maximum total size of the header fields of a response, in bytes.
const MAX_HEADER_BYTES: usize = 64 * 1024;
const MAX_HEADER_FIELDS: usize = 100;
/// The maximum number of proxies of sources whose transports are kept.
const MAX_PROXIES: usize = 64;
/// The Accept header of a request for a feed, and for a web page.
const ACCEPT_FEEDS: &str = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, \
                            application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1";
const ACCEPT_PAGES: &str = "text/html, application/xhtml+xml, */*;q=0.1";

/// A request for a document.
#[derive(Clone, Copy)]
pub struct DocumentRequest<'a> {
    /// The cache validators. They are sent only in requests to the URL to which they belong.
    pub validators: Option<&'a CacheValidators>,
    /// The settings of the source; `None` for a request that does not belong to a source.
    pub settings: Option<&'a RequestSettings>,
    pub now: Timestamp,
}

impl DocumentRequest<'_> {
    /// Returns an unconditional request without settings.
    pub fn plain(now: Timestamp) -> Self {
        DocumentRequest { validators: None, settings: None, now }
    }
}

/// A request, and the Accept header for the kind of document.
struct RequestSpec<'a> {
    request: DocumentRequest<'a>,
    accept: &'static str,
}

/// Returns the origin of a URL (RFC 6454), such as `https://news.example`: ASCII, without a default port. Rate limits
/// and holds apply per origin.
pub fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Installs ring as the TLS cryptography provider of this process. Must be called before a reqwest client is built.
pub fn install_tls_provider() {
    // An error means that a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// An HTTP client, and the policy for the addresses to which it connects.
#[derive(Clone)]
struct Transport {
    client: reqwest::Client,
    address_policy: Arc<AddressPolicy>,
}

impl Transport {
    fn new(options: &Options) -> Result<Transport, ClientBuildError> {
        let address_policy = Arc::new(AddressPolicy::new(options));
        install_tls_provider();
        let client = reqwest::Client::builder()
            .user_agent(options.user_agent())
            .redirect(reqwest::redirect::Policy::none())
            // The caller decides whether to retry, and each retry passes through the origin limiter.
            .retry(reqwest::retry::never())
            .referer(false)
            // reqwest decodes without a size limit, so bodies are received undecoded. Feature unification may have
            // enabled its decoders.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connect_timeout(options.connect_timeout.unsigned_abs())
            .read_timeout(options.read_timeout.unsigned_abs())
            .dns_resolver(address_policy.clone())
            .http1_max_headers(MAX_HEADER_FIELDS)
            .http2_max_header_list_size(MAX_HEADER_BYTES as u32)
            // Redirects and articles reuse a connection within seconds, whereas the next poll follows minutes later. At
            // 1,000 polls of different servers per second, a longer timeout would exhaust the limit on open files.
            .pool_idle_timeout(Duration::from_secs(3))
            .pool_max_idle_per_host(1);
        let client = match &options.proxy {
            None => client.no_proxy(),
            Some(proxy) => client.proxy(reqwest::Proxy::all(proxy.clone())?),
        };
        let certificates = options.ca_file.as_deref().map_or(Ok(Vec::new()), read_certificates)?;
        Ok(Transport { client: client.tls_certs_merge(certificates).build()?, address_policy })
    }
}

impl Fetcher {
    /// Creates a fetcher with its own HTTP client.
    ///
    /// # Errors
    /// Returns an error if the certificates in `options.ca_file` cannot be read or the client cannot be built.
    pub fn new(options: Options) -> Result<Fetcher, ClientBuildError> {
        Ok(Fetcher {
            transport: Transport::new(&options)?,
            proxy_transports: Arc::default(),
            origin_limiter: OriginLimiter::new(options.min_origin_delay.unsigned_abs()),
            large_body_slots: Arc::new(Semaphore::new(body_decoder::LARGE_BODY_SLOTS)),
            options: Arc::new(options),
        })
    }

    /// Returns the transport for a source, whose own proxy replaces the proxy of the options.
    fn transport_for(&self, settings: Option<&RequestSettings>) -> Result<Transport, NoDocument> {
        let Some(proxy) = settings.and_then(|settings| settings.proxy.as_ref()) else {
            return Ok(self.transport.clone());
        };
        let mut transports = self.proxy_transports.lock();
        if let Some(known) = transports.get(proxy.reveal()) {
            return Ok(known.clone());
        }
        let url = Url::parse(proxy.reveal()).map_err(|_| failed("the proxy of this source is not a valid URL"))?;
        let transport = Transport::new(&Options { proxy: Some(url), ..(*self.options).clone() })
            .map_err(|_| failed("the proxy of this source cannot be used"))?;
        if transports.len() >= MAX_PROXIES {
            transports.clear();
        }
        transports.insert(proxy.reveal().to_owned(), transport.clone());
        Ok(transport)
    }

    /// Requests the feed at `url`.
    pub async fn fetch(&self, url: &Url, request: DocumentRequest<'_>, acquire: &AcquirePermit<'_>) -> FetchResult {
        self.fetch_with(url, &RequestSpec { request, accept: ACCEPT_FEEDS }, acquire).await
    }

    /// Requests the web page at `url` under the same rules.
    pub async fn fetch_page(
        &self,
        url: &Url,
        request: DocumentRequest<'_>,
        acquire: &AcquirePermit<'_>,
    ) -> FetchResult {
        self.fetch_with(url, &RequestSpec { request, accept: ACCEPT_PAGES }, acquire).await
    }

    async fn fetch_with(&self, url: &Url, spec: &RequestSpec<'_>, acquire: &AcquirePermit<'_>) -> FetchResult {
        let mut result = FetchResult {
            url: url.clone(),
            permanent_redirect: None,
            requests: Vec::new(),
            status: None,
            server_time: None,
            outcome: Err(failed("")),
        };
        result.outcome = self.follow_redirects(&mut result, spec, acquire).await;
        result
    }

    /// Returns the address policy, for callers that check a URL without sending a request.
    pub fn address_policy(&self) -> &AddressPolicy {
        &self.transport.address_policy
    }

    /// Checks the address and waits for permission to send a request. The program's own limiter comes last, so that a
    /// wait for another program does not block other requests of this program.
    async fn admit(
        &self,
        transport: &Transport,
        url: &Url,
        acquire: &AcquirePermit<'_>,
    ) -> Result<LimiterGuard, NoDocument> {
        transport.address_policy.check(url).await.map_err(|reason| NoDocument::Blocked { reason })?;
        acquire(origin_of(url)).await?;
        Ok(self.origin_limiter.acquire(origin_of(url)).await)
    }
}

fn read_certificates(file: &Path) -> Result<Vec<Certificate>, ClientBuildError> {
    let unreadable = |cause| ClientBuildError::Certificates { path: file.to_owned(), cause };
    let pem = std::fs::read(file).map_err(|error| unreadable(error.into()))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if found.is_empty() => Err(unreadable("the file contains no certificate".into())),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(error.into())),
    }
}

fn failed(detail: impl Into<String>) -> NoDocument {
    NoDocument::Failed { detail: detail.into() }
}
