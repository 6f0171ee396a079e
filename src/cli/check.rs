//! `newsfold check`: prints a parsed document without storing anything.

use super::Context;
use super::input::{read_bytes, shown_name};
use super::output::{json, print};
use super::source::{daemon_poll, web_url};
use super::table::table;
use crate::domain::FeedProblem;
use crate::domain::display_text::one_line;
use crate::feed_parser::{self, FetchedDocument, NotAFeed, ParsedFeed};
use crate::http_client::{DocumentRequest, Fetcher, NoDocument};
use crate::store::Store;
use crate::urls::feed_address::without_subscription_scheme;
use anyhow::{Context as _, bail};
use futures_util::FutureExt;
use std::path::Path;
use std::process::ExitCode;
use url::Url;

#[derive(clap::Args)]
pub struct Check {
    /// File or feed URL to parse; - reads stdin.
    #[arg(value_name = "FILE|URL")]
    what: String,
    /// URL for resolving relative links in the file.
    #[arg(long, value_name = "URL", default_value = "https://feed.invalid/")]
    base: Url,
    /// Content-Type to assume for the file.
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
}

impl Check {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let path = Path::new(&self.what);
        let is_url = self.what.contains("://") || without_subscription_scheme(&self.what) != self.what;
        let document = if is_url && !path.exists() {
            download(context, &web_url(&self.what)?).await?
        } else {
            let bytes = read_bytes(path)?;
            Document { bytes, content_type: self.content_type, url: self.base }
        };
        let Document { bytes, content_type, url } = document;
        let fetched = FetchedDocument { bytes: &bytes, content_type: content_type.as_deref(), url: &url };
        let parsed = feed_parser::parse_feed(&fetched, &feed_parser::Options::default());
        drop(bytes);
        match parsed {
            Ok((feed, problems)) => report(context, &feed, &problems),
            Err(not_a_feed) => {
                let (feeds, refresh_target) = match &not_a_feed {
                    NotAFeed::Html { feeds, refresh_target } => {
                        (feeds.iter().map(|feed| feed.url.as_str()).collect(), refresh_target.as_ref())
                    }
                    _ => (Vec::new(), None),
                };
                if context.json() {
                    let error = not_a_feed.to_string();
                    json(&serde_json::json!({"error": error, "feeds": feeds, "refresh_target": refresh_target}))?;
                }
                feeds.iter().for_each(|feed| eprintln!("the page links to {feed}"));
                bail!("{}: {}", one_line(&shown_name(path), 200), one_line(&not_a_feed.to_string(), 400))
            }
        }
    }
}

/// The document to parse, from a file or a server.
struct Document {
    bytes: Vec<u8>,
    content_type: Option<String>,
    url: Url,
}

/// Fetches a document under the configured rules. If a database exists, its holds and leases apply.
async fn download(context: &Context, url: &Url) -> anyhow::Result<Document> {
    let config = context.config()?;
    let fetched = if config.database_path().exists() {
        let store = Store::open(&config.database_path())?;
        if daemon_poll::is_required(&store) {
            bail!(
                "newsfold does not fetch documents when it runs as root; run this command as an unprivileged user, for \
                 example with `runuser -u nobody -- newsfold check URL`"
            );
        }
        config.poll_context(store, context.clock.clone(), "newsfold check")?.fetch_once(url).await?
    } else {
        let fetcher = Fetcher::new(config.fetch)?;
        fetcher.fetch(url, DocumentRequest::plain(context.clock.now()), &|_| std::future::ready(Ok(())).boxed()).await
    };
    match fetched.outcome {
        Ok(document) => {
            let bytes = tokio::task::spawn_blocking(|| document.body.decode()).await?;
            let bytes = bytes.with_context(|| format!("{url}"))?;
            Ok(Document { bytes, content_type: document.content_type, url: fetched.url })
        }
        Err(NoDocument::Failed { detail } | NoDocument::Unreachable { detail }) => bail!("{url}: {detail}"),
        Err(NoDocument::Held { origin, until }) => {
            bail!("{origin} is on hold until {until}; `newsfold origin list` shows the reason")
        }
        _ => bail!("{url}: the server responded with status {}", fetched.status.unwrap_or_default()),
    }
}

/// The JSON output. Text is unsanitized, as in the document.
#[derive(serde::Serialize)]
struct Report<'a> {
    feed: &'a ParsedFeed,
    problems: &'a [FeedProblem],
}

fn report(context: &Context, feed: &ParsedFeed, problems: &[FeedProblem]) -> anyhow::Result<ExitCode> {
    if context.json() {
        json(&Report { feed, problems })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = vec![format!("{} in {}, {} items", feed.kind, feed.charset, feed.items.len())];
    lines.extend(feed.title.as_ref().map(|title| one_line(title, 200)));
    lines.extend(problems.iter().map(|problem| {
        format!("problem: {} ×{}: {}", problem.kind.into_str(), problem.count, one_line(&problem.detail, 120))
    }));
    lines.push(table(
        &feed.items,
        &[
            ("published", |item| item.published.map_or("none".into(), |at| at.to_string())),
            ("title", |item| one_line(item.title.as_deref().unwrap_or_default(), 80)),
            ("id", |item| one_line(item.guid.as_deref().unwrap_or("none"), 60)),
            ("link", |item| one_line(item.link.as_ref().map_or("none", Url::as_str), 100)),
        ],
    ));
    print(&lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}
