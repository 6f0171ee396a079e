//! Fetches the full text of an item from the page that it links to. All rules for polls apply to the request, and the
//! page is fetched only if robots.txt allows it (RFC 9309).

use super::PollContext;
use super::parse_job::parse_blocking;
use super::robots_txt::robots_of;
use crate::charset::decode_text;
use crate::domain::HoldReason;
use crate::domain::display_text::one_line;
use crate::domain::duration::after;
use crate::html::article::extract_article;
use crate::http_client::{DocumentRequest, FetchResult, NoDocument, ResponseDocument, origin_of};
use crate::store::article_queue::{self, ArticleOutcome, PendingArticle};
use crate::store::poll_leases::PollLease;
use crate::store::{self, origins};
use crate::urls::canonical::canonical_url;
use crate::wording::Audience;
use jiff::SignedDuration;
use url::Url;

/// The duration of the hold on an origin that responds with 429 but without Retry-After.
const DEFAULT_HOLD: SignedDuration = SignedDuration::from_hours(1);
/// The maximum length of a stored error message, in characters.
const MAX_ERROR_CHARS: usize = 300;

/// Fetches the page of an item and records its article, or the reason why there is none.
pub async fn fetch_article_page(context: &PollContext, pending: &PendingArticle) -> store::Result<()> {
    let lease = PollLease::new(&context.program);
    let fetched = fetch_article(context, pending, &lease).await;
    context.release_lease(&lease).await?;
    let (item, outcome) = (pending.item, fetched?);
    if let ArticleOutcome::Failed(why) = &outcome {
        let why = Audience::PUBLIC.remark(why);
        tracing::debug!(%item, source = %pending.source, why, "no article could be extracted from a page");
    }
    context.store.write(move |db| article_queue::record_outcome(db, item, &outcome)).await
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
    if !robots_of(context, &url, request, lease).await?.is_url_allowed(&url) {
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
        Err(NoDocument::Challenged { service, .. }) => format!("{service} responded with a bot challenge"),
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
