//! `newsfold check`: what newsfold reads in a document. Nothing is stored.

use super::Context;
use super::output::{one_line, print, table};
use crate::daemon;
use crate::domain::FeedProblem;
use crate::feed_parser::{self, FetchedDocument, NotAFeed, ParsedFeed};
use anyhow::{Context as _, bail};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use url::Url;

#[derive(clap::Args)]
pub struct Check {
    /// A file, or the URL of a feed.
    #[arg(value_name = "FILE|URL")]
    what: String,
    /// The URL that the file is thought to come from, for relative links.
    #[arg(long, value_name = "URL", default_value = "https://feed.invalid/")]
    base: Url,
    /// The Content-Type that the file is thought to come with.
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
}

impl Check {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let options = feed_parser::Options::default();
        let (bytes, content_type, url) = if self.what.contains("://") && !Path::new(&self.what).exists() {
            let url = Url::parse(&self.what).context("this is no URL")?;
            daemon::download(&context.config()?, context.open_existing()?, &context.clock, &url).await?
        } else {
            let bytes = std::fs::read(&self.what).with_context(|| format!("cannot read {}", self.what))?;
            (bytes, self.content_type, self.base)
        };
        let document = FetchedDocument { bytes: &bytes, content_type: content_type.as_deref(), url: &url };
        let read = feed_parser::parse_feed(&document, &options);
        drop(bytes);
        match read {
            Ok((feed, problems)) => report(context, &feed, &problems),
            Err(not_a_feed) => {
                let feeds = match &not_a_feed {
                    NotAFeed::Html { feeds } => feeds.as_slice(),
                    _ => &[],
                };
                if context.json() {
                    let feeds: Vec<&str> = feeds.iter().map(|feed| feed.url.as_str()).collect();
                    stream(&serde_json::json!({"error": not_a_feed.to_string(), "feeds": feeds}))?;
                }
                feeds.iter().for_each(|feed| eprintln!("the page names {}", feed.url));
                bail!("{}: {}", one_line(&self.what, 200), one_line(&not_a_feed.to_string(), 400))
            }
        }
    }
}

/// What `--json` prints: `kind`, `charset` and the rest of `feed` as [`ParsedFeed`] has it, texts as the document had
/// them, not sanitised.
#[derive(serde::Serialize)]
struct Report<'a> {
    feed: &'a ParsedFeed,
    problems: &'a [FeedProblem],
}

/// Prints JSON as it is made, because a feed may be large.
fn stream<T: serde::Serialize>(value: &T) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

fn report(context: &Context, feed: &ParsedFeed, problems: &[FeedProblem]) -> anyhow::Result<ExitCode> {
    if context.json() {
        stream(&Report { feed, problems })?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{} in {}, {} items", feed.kind.as_str(), feed.charset, feed.items.len()))?;
    if let Some(title) = &feed.title {
        print(&one_line(title, 200))?;
    }
    for problem in problems {
        print(&format!("problem: {} ×{}: {}", problem.kind.as_str(), problem.count, one_line(&problem.detail, 120)))?;
    }
    table(
        ["published", "title", "id", "link"],
        feed.items.iter().map(|item| {
            [
                item.published.map_or_else(|| "none".into(), |at| at.to_string()),
                one_line(item.title.as_deref().unwrap_or_default(), 80),
                one_line(item.guid.as_deref().unwrap_or("none"), 60),
                one_line(item.link.as_ref().map_or("none", Url::as_str), 100),
            ]
        }),
    )?;
    Ok(ExitCode::SUCCESS)
}
