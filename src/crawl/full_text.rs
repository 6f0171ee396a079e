//! Fetches the full text of an item from the page that it links to. All rules for polls apply to the request, and the
//! page is fetched only if robots.txt allows it (RFC 9309).

use super::PollContext;
use super::parse_job::parse_blocking;
use crate::charset::decode_text;
use crate::domain::HoldReason;
use crate::domain::display_text::one_line;
use crate::domain::duration::after;
use crate::html::article::extract_article;
use crate::http_client::{DocumentRequest, FetchResult, NoDocument, ResponseDocument, origin_of};
use crate::store::full_text::{self, ArticleOutcome, PendingArticle};
use crate::store::poll_leases::PollLease;
use crate::store::robots_txt::{self, RobotsFile};
use crate::store::{self, origins};
use crate::urls::canonical::canonical_url;
use crate::wording::Audience;
use jiff::SignedDuration;
use robotxt::Robots;
use url::Url;

/// The product token that robots.txt files use to refer to newsfold.
const PRODUCT_TOKEN: &str = "newsfold";
/// The time for which a robots.txt, or the failure to fetch it, is cached (RFC 9309, section 2.4).
const ROBOTS_LIFETIME: SignedDuration = SignedDuration::from_hours(24);
const ROBOTS_FAILURE_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// The maximum number of bytes of a robots.txt to read (RFC 9309, section 2.5).
const MAX_ROBOTS_BYTES: usize = 500 * 1024;
/// The duration of the hold on an origin that responds with 429 but without Retry-After.
const DEFAULT_HOLD: SignedDuration = SignedDuration::from_hours(1);
/// The maximum length of a stored error message, in characters.
const MAX_ERROR_CHARS: usize = 300;

/// Fetches the page of an item and records its article, or the reason why there is none.
pub async fn fetch_full_text(context: &PollContext, pending: &PendingArticle) -> store::Result<()> {
    let lease = PollLease::new(&context.program);
    let fetched = fetch_article(context, pending, &lease).await;
    context.release_lease(&lease).await?;
    let (item, outcome) = (pending.item, fetched?);
    if let ArticleOutcome::Failed(why) = &outcome {
        let why = Audience::PUBLIC.remark(why);
        tracing::debug!(%item, source = %pending.source, why, "no article could be extracted from a page");
    }
    context.store.write(move |db| full_text::record_outcome(db, item, &outcome)).await
}

async fn fetch_article(
    context: &PollContext,
    pending: &PendingArticle,
    lease: &PollLease,
) -> store::Result<ArticleOutcome> {
    let url = match Url::parse(&pending.url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        _ => return Ok(ArticleOutcome::Failed("its link is not an http or https URL".into())),
    };
    let now = context.clock.now();
    let request = DocumentRequest { settings: Some(&pending.request_settings), ..DocumentRequest::plain(now) };
    if !robots(context, &url, request, lease).await?.is_url_allowed(&url) {
        return Ok(ArticleOutcome::Failed("robots.txt does not allow it".into()));
    }
    let FetchResult { url, requests, status, outcome, .. } =
        context.fetcher.fetch_page(&url, request, &context.permits(lease)).await;
    context.record_requests(requests).await?;
    let failure = match outcome {
        Ok(document) => return Ok(extract(context, document, url).await),
        Err(NoDocument::Throttled { retry_after, .. }) => {
            if status == Some(429) {
                let until = after(now, retry_after.unwrap_or(DEFAULT_HOLD).min(context.options.max_retry_after));
                let hold = context.options.throttling_hold(origin_of(&url), until, HoldReason::ArticleThrottled);
                context.store.write(move |db| origins::record_hold(db, &hold)).await?;
            }
            "the server asked newsfold to retry later".to_owned()
        }
        Err(NoDocument::Challenged { service, .. }) => format!("{service} answered with a bot challenge"),
        Err(NoDocument::Held { origin, .. }) => format!("{origin} is on hold"),
        Err(NoDocument::Blocked { reason }) => one_line(&reason.to_string(), MAX_ERROR_CHARS),
        Err(NoDocument::Failed { detail } | NoDocument::Unreachable { detail }) => one_line(&detail, MAX_ERROR_CHARS),
        Err(NoDocument::NotModified { .. } | NoDocument::Gone | NoDocument::Refused { .. }) => {
            format!("the server responded with status {}", status.unwrap_or_default())
        }
    };
    Ok(ArticleOutcome::Failed(failure))
}

async fn extract(context: &PollContext, page: ResponseDocument, url: Url) -> ArticleOutcome {
    let parse = move || {
        let bytes = page.body.decode().map_err(|error| error.to_string())?;
        let text = decode_text(&bytes, page.content_type.as_deref(), url.domain()).text;
        extract_article(&text, &url).map_err(|error| error.to_string())
    };
    match parse_blocking(context, parse).await.flatten() {
        Ok(article) => ArticleOutcome::Read {
            paragraphs: article.paragraphs,
            canonical_url: article.canonical_link.as_ref().map(canonical_url),
        },
        Err(error) => ArticleOutcome::Failed(error),
    }
}

/// Returns the robots.txt of the URL's origin, from the cache or from the server.
async fn robots(
    context: &PollContext,
    url: &Url,
    request: DocumentRequest<'_>,
    lease: &PollLease,
) -> store::Result<Robots> {
    let (origin, now) = (origin_of(url), context.clock.now());
    let cached = {
        let origin = origin.clone();
        context.store.read(move |db| robots_txt::cached(db, &origin, now)).await?
    };
    let file = match cached {
        Some(file) => file,
        None => {
            let file = fetch_robots(context, url, request, lease).await?;
            let saved = file.clone();
            context.store.write(move |db| robots_txt::save(db, &origin, &saved)).await?;
            file
        }
    };
    Ok(match file.body {
        Some(body) => Robots::parse(&body, PRODUCT_TOKEN),
        None if file.allow_all => Robots::allow_all(),
        None => Robots::disallow_all(),
    })
}

/// Fetches a robots.txt. A missing file allows everything. A server error disallows everything until the next attempt
/// (RFC 9309, section 2.3.1).
async fn fetch_robots(
    context: &PollContext,
    url: &Url,
    request: DocumentRequest<'_>,
    lease: &PollLease,
) -> store::Result<RobotsFile> {
    let now = request.now;
    let mut url = url.clone();
    url.set_path("/robots.txt");
    url.set_query(None);
    url.set_fragment(None);
    let fetched = context.fetcher.fetch_page(&url, request, &context.permits(lease)).await;
    context.record_requests(fetched.requests).await?;
    let failure = RobotsFile { expires_at: after(now, ROBOTS_FAILURE_LIFETIME), allow_all: false, body: None };
    let expires_at = after(now, ROBOTS_LIFETIME);
    Ok(match fetched.outcome {
        Ok(document) => match tokio::task::spawn_blocking(|| document.body.decode()).await {
            Ok(Ok(mut text)) => {
                text.truncate(MAX_ROBOTS_BYTES);
                RobotsFile { expires_at, allow_all: true, body: Some(text) }
            }
            _ => failure,
        },
        _ if fetched.status.is_some_and(|status| (400..500).contains(&status) && status != 429) => {
            RobotsFile { expires_at, allow_all: true, body: None }
        }
        _ => failure,
    })
}
