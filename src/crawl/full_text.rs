//! ParsedDocument the page of an item: by the fetcher and the rules of every request, and where robots are allowed (RFC 9309).

use super::PollContext;
use super::parse_job::MAX_PARSE_TIME;
use crate::charset::decode_text;
use crate::domain::display_text::one_line;
use crate::domain::duration::after;
use crate::domain::panic_text::join_error_text;
use crate::domain::{OriginHold, RequestRecord, Timestamp};
use crate::html::article::extract_article;
use crate::http_client::{FetchOutcome, Origin, ResponseBody};
use crate::store::full_text::{self, ArticleOutcome, PendingArticle};
use crate::store::leases::PollLease;
use crate::store::robots_txt::{self, RobotsFile};
use crate::store::{self, origins};
use crate::urls::canonical::canonical_url;
use jiff::SignedDuration;
use robotxt::Robots;
use url::Url;

/// By which name robots.txt may speak of us.
const NAME: &str = "newsfold";
/// How long what a server says of robots is good (RFC 9309, section 2.4), and how long its silence.
const GOOD: SignedDuration = SignedDuration::from_hours(24);
const SILENCE: SignedDuration = SignedDuration::from_hours(1);
/// Bytes of a robots.txt that are kept (RFC 9309, section 2.5).
const MAX_ROBOTS: usize = 500 * 1024;
/// A server that throttles without saying how long is left alone for this.
const HOLD: SignedDuration = SignedDuration::from_hours(1);

impl PollContext {
    /// Reads the page of an item and writes down what came of it.
    pub async fn fetch_full_text(&self, wanted: &PendingArticle) -> store::Result<()> {
        let lease = PollLease::new(&self.program);
        let read = self.page(wanted, &lease).await;
        self.release_lease(&lease).await?;
        let (item, page) = (wanted.item, read?);
        if let ArticleOutcome::Failed(why) = &page {
            tracing::debug!(%item, source = %wanted.source, why, "a page gave no article");
        }
        self.store.write(move |db| full_text::record_outcome(db, item, &page)).await
    }

    async fn page(&self, wanted: &PendingArticle, lease: &PollLease) -> store::Result<ArticleOutcome> {
        let url = match Url::parse(&wanted.url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            _ => return Ok(ArticleOutcome::Failed("its link is no web address".into())),
        };
        if !self.robots(&url, lease).await?.is_url_allowed(&url) {
            return Ok(ArticleOutcome::Failed("its server asks robots to stay away (robots.txt)".into()));
        }
        let now = self.clock.now();
        let fetched = self.fetcher.fetch_page(&url, now, &self.permits(lease)).await;
        self.record_requests(fetched.requests.clone()).await?;
        let at = fetched.url.clone();
        Ok(match fetched.outcome {
            FetchOutcome::Document { body, content_type, .. } => self.extract(body, content_type, at).await,
            FetchOutcome::Throttled { retry_after, .. } => {
                let asked = retry_after.and_then(|wait| SignedDuration::try_from(wait).ok()).unwrap_or(HOLD);
                if fetched.status == Some(429) {
                    self.hold(&Origin::from_url(&at), after(now, asked.min(self.options.max_retry_after))).await?;
                }
                ArticleOutcome::Failed("its server asked us to come later".into())
            }
            FetchOutcome::Challenged { by, .. } => {
                ArticleOutcome::Failed(format!("{by} asks for proof that a person asks"))
            }
            FetchOutcome::Held { origin, .. } => ArticleOutcome::Failed(format!("{origin} asked us to stay away")),
            FetchOutcome::Failed { detail } | FetchOutcome::Unreachable { detail } => {
                ArticleOutcome::Failed(one_line(&detail, 300))
            }
            _ => ArticleOutcome::Failed(format!("its server answered {}", fetched.status.unwrap_or_default())),
        })
    }

    /// Counts requests that belong to no poll.
    pub async fn record_requests(&self, requests: Vec<RequestRecord>) -> store::Result<()> {
        let now = self.clock.now();
        self.store.write(move |db| origins::record_requests(db, now, &requests)).await
    }

    async fn hold(&self, origin: &Origin, until: Timestamp) -> store::Result<()> {
        let reason = "the server asked us to come later, when it was asked for a page".into();
        let hold = OriginHold { origin: origin.to_string(), until, reason };
        self.store.write(move |db| origins::record_hold(db, &hold)).await
    }

    /// Away from the tasks that do I/O, and by the same places as documents.
    async fn extract(&self, body: ResponseBody, content_type: Option<String>, url: Url) -> ArticleOutcome {
        let Ok(_place) = self.parse_slots.acquire().await else {
            return ArticleOutcome::Failed("newsfold was stopped".into());
        };
        let reading = tokio::task::spawn_blocking(move || {
            let bytes = match body.decode() {
                Ok(bytes) => bytes,
                Err(error) => return ArticleOutcome::Failed(error.to_string()),
            };
            let page = decode_text(&bytes, content_type.as_deref(), url.domain());
            match extract_article(&page.text, &url) {
                Ok(article) => ArticleOutcome::Read {
                    paragraphs: article.paragraphs,
                    canonical_url: article.canonical_link.as_ref().map(canonical_url),
                },
                Err(none) => ArticleOutcome::Failed(none.to_string()),
            }
        });
        match tokio::time::timeout(MAX_PARSE_TIME, reading).await {
            Err(_) => ArticleOutcome::Failed(format!("reading the page took more than {} s", MAX_PARSE_TIME.as_secs())),
            Ok(Err(join)) => ArticleOutcome::Failed(format!("reading the page failed: {}", join_error_text(join))),
            Ok(Ok(page)) => page,
        }
    }

    /// What the server of a URL says of robots, asked once a day.
    async fn robots(&self, url: &Url, lease: &PollLease) -> store::Result<Robots> {
        let (name, now) = (Origin::from_url(url).to_string(), self.clock.now());
        let known = {
            let name = name.clone();
            self.store.read(move |db| robots_txt::cached(db, &name, now)).await?
        };
        let file = match known {
            Some(file) => file,
            None => {
                let file = self.ask_for_robots(url, lease).await?;
                let kept = file.clone();
                self.store.write(move |db| robots_txt::save(db, &name, &kept)).await?;
                file
            }
        };
        Ok(match file.body {
            Some(body) => Robots::parse(&body, NAME),
            None if file.allowed => Robots::allow_all(),
            None => Robots::disallow_all(),
        })
    }

    /// No file means that all is allowed; a server that fails means that nothing is, for now (RFC 9309, section 2.3.1).
    async fn ask_for_robots(&self, url: &Url, lease: &PollLease) -> store::Result<RobotsFile> {
        let now = self.clock.now();
        let permits = self.permits(lease);
        let mut at = url.clone();
        at.set_path("/robots.txt");
        at.set_query(None);
        at.set_fragment(None);
        let fetched = self.fetcher.fetch_page(&at, now, &permits).await;
        self.record_requests(fetched.requests.clone()).await?;
        let file = |good, allowed, body| RobotsFile { good_until: after(now, good), allowed, body };
        Ok(match fetched.outcome {
            FetchOutcome::Document { body, .. } => match tokio::task::spawn_blocking(|| body.decode()).await {
                Ok(Ok(mut text)) => {
                    text.truncate(MAX_ROBOTS);
                    file(GOOD, true, Some(text))
                }
                _ => file(SILENCE, false, None),
            },
            _ if fetched.status.is_some_and(|status| (400..500).contains(&status) && status != 429) => {
                file(GOOD, true, None)
            }
            _ => file(SILENCE, false, None),
        })
    }
}
