//! `newsfold source add`: one request, which is the source's first poll, and a second one if the URL is a web page that
//! links to its feed.

use super::{language, outlet, program, tags, termination_signal, web_url};
use crate::cli::Context;
use crate::cli::output::{json, print};
use crate::config::Config;
use crate::crawl::{self, AttemptOutcome, PollAttempt, PollContext};
use crate::daemon;
use crate::domain::display_text::one_line;
use crate::domain::duration::after;
use crate::domain::{
    FullTextMode, HoldReason, HoldScope, IngestResult, NewSource, OriginHold, OutletProvenance, Source, SourceState,
    Timestamp,
};
use crate::http_client::{NoDocument, origin_of};
use crate::publish::probation_until;
use crate::store::leases::{LeaseConflict, PollLease};
use crate::store::{Store, origins, sources};
use crate::urls::outlet::outlet_of_url;
use crate::wording::{Audience, duration, hold_reason_text, probation_text};
use anyhow::bail;
use clap::builder::PossibleValuesParser;
use std::process::ExitCode;
use strum::VariantNames;
use url::Url;

#[derive(clap::Args)]
pub struct Add {
    /// URL of a feed, or of a web page that links to its feed.
    url: String,
    /// Tag, for the selection of published feeds; repeatable.
    #[arg(long)]
    tag: Vec<String>,
    /// Title (overrides the feed's own).
    #[arg(long)]
    title: Option<String>,
    /// Language code, such as en (overrides the feed's own).
    #[arg(long)]
    lang: Option<String>,
    /// Priority: higher-priority sources are preferred as a story's lead.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    priority: i32,
    /// Publisher, as a domain [default: the domain of the feed's website].
    #[arg(long)]
    outlet: Option<String>,
    /// Fetch full articles: no, group (for grouping only) or publish.
    #[arg(long, value_name = "FOR", value_parser = PossibleValuesParser::new(FullTextMode::VARIANTS), default_value = "no")]
    full_text: String,
    /// Publish the old items of its first document too, as news.
    #[arg(long)]
    backlog: bool,
    /// Add it without fetching it first; the daemon polls it later.
    #[arg(long)]
    no_fetch: bool,
}

impl Add {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (config, store) = context.open()?;
        let url = web_url(&self.url)?;
        let mut new = NewSource {
            url: url.to_string(),
            outlet: self.outlet.as_deref().map(outlet).transpose()?.unwrap_or_else(|| outlet_of_url(&url)),
            outlet_provenance: if self.outlet.is_some() { OutletProvenance::Operator } else { OutletProvenance::Guess },
            title: self.title.as_deref().map(|t| one_line(t, 200)).filter(|t| !t.is_empty()),
            lang: self.lang.as_deref().map(language).transpose()?,
            priority: self.priority,
            tags: tags(&self.tag),
            full_text: self.full_text.parse().unwrap_or_default(),
            publish_backlog: self.backlog,
        };
        refuse_known(&store, &new.url).await?;
        if self.no_fetch {
            let now = context.clock.now();
            let url = new.url.clone();
            store.write(move |db| sources::add(db, &new, now, now)).await?;
            return report(context, &config, &store, (&url, None)).await;
        }
        let poll_context = config.poll_context(store.clone(), context.clock.clone(), &program("source add"))?;
        let mut lease = PollLease::new(&poll_context.program);
        let asked = tokio::select! {
            asked = read_or_discover(&poll_context, &url, &mut new, &mut lease) => asked,
            _ = termination_signal() => Err(anyhow::anyhow!("interrupted; nothing was added")),
        };
        let (attempt, others) = match asked {
            Ok(asked) => asked,
            Err(error) => {
                poll_context.release_lease(&lease).await?;
                return Err(error);
            }
        };
        if !others.is_empty() {
            eprintln!("the page links to {} feeds; added the first one: {}", others.len() + 1, new.url);
            others.iter().for_each(|other| eprintln!("  also: {other}"));
        }
        let stored = add_and_record(&poll_context, new.clone(), attempt, &lease).await?;
        daemon::group_and_publish_without_daemon(&config, &store, &context.clock).await?;
        report(context, &config, &store, (&new.url, Some(&stored))).await
    }
}

/// Reads the feed at `url`, or the first feed that the page at `url` names. `new` gets the feed's URL.
async fn read_or_discover(
    poll_context: &PollContext,
    url: &Url,
    new: &mut NewSource,
    lease: &mut PollLease,
) -> anyhow::Result<(PollAttempt, Vec<String>)> {
    take_turn(poll_context, url, lease).await?;
    // The program that held the lease may have added the same feed.
    refuse_known(&poll_context.store, &new.url).await?;
    let attempt = crawl::fetch_and_parse(poll_context, url, None, lease).await;
    let feeds = match attempt.outcome {
        AttemptOutcome::Read(_) => return Ok((attempt, Vec::new())),
        AttemptOutcome::NotAFeed { feeds, .. } if !feeds.is_empty() => feeds,
        answer => {
            keep_hold(poll_context, attempt.status, attempt.url.as_ref().unwrap_or(url), &answer).await?;
            bail!("no feed found at {url}: {}. Use --no-fetch to add it anyway", answer.failure_text())
        }
    };
    let feed = feeds[0].url.clone();
    new.url = feed.to_string();
    refuse_known(&poll_context.store, &new.url).await?;
    take_turn(poll_context, &feed, lease).await?;
    let attempt = crawl::fetch_and_parse(poll_context, &feed, None, lease).await;
    match attempt.outcome {
        AttemptOutcome::Read(_) => Ok((attempt, feeds[1..].iter().map(|f| f.url.to_string()).collect())),
        answer => bail!(
            "{url} links to {feed}, but no feed was found there: {}. Use --no-fetch to add it anyway",
            answer.failure_text()
        ),
    }
}

/// Records the hold that a server requested, although no source is added.
async fn keep_hold(
    poll_context: &PollContext,
    status: Option<u16>,
    url: &Url,
    answer: &AttemptOutcome,
) -> anyhow::Result<()> {
    let AttemptOutcome::NoDocument(NoDocument::Throttled { retry_after, .. }) = answer else { return Ok(()) };
    if status == Some(429) {
        let wait = retry_after.unwrap_or_default().clamp(
            poll_context.options.interval,
            poll_context.options.max_retry_after.max(poll_context.options.interval),
        );
        let reason = HoldReason::NewSourceThrottled;
        let until = after(poll_context.clock.now(), wait);
        let hold = OriginHold { origin: origin_of(url), until, reason };
        poll_context.store.write(move |db| origins::record_hold(db, &hold)).await?;
    }
    Ok(())
}

/// Leases the origin. Prints a message if another program holds it.
async fn take_turn(poll_context: &PollContext, url: &Url, lease: &mut PollLease) -> anyhow::Result<()> {
    let origin = origin_of(url);
    if let Some(hold) = poll_context.origin_hold(&origin, HoldScope::Content).await? {
        let until = super::super::output::time(hold.until);
        bail!(
            "{origin} is on hold until {until}: {}. Use --no-fetch to add the source anyway",
            hold_reason_text(&hold.reason)
        );
    }
    let mut told = false;
    let say = |held: &LeaseConflict| {
        if !told && !held.holder.is_empty() {
            told = true;
            eprintln!("waiting: {origin} is in use by {}", super::lease_holder_text(held));
        }
    };
    poll_context.wait_for_origin(lease, &origin, say).await?;
    lease.origin = Some(origin);
    Ok(())
}

async fn refuse_known(store: &Store, url: &str) -> anyhow::Result<()> {
    let wanted = url.to_owned();
    match store.read(move |db| sources::by_url(db, &wanted)).await? {
        Some(known) if known.state != SourceState::Removed => {
            bail!("{url} is already source {}; change it with `newsfold source edit {0}`", known.id)
        }
        _ => Ok(()),
    }
}

async fn add_and_record(
    poll_context: &PollContext,
    new: NewSource,
    attempt: PollAttempt,
    lease: &PollLease,
) -> anyhow::Result<IngestResult> {
    let (now, url) = (poll_context.clock.now(), new.url.clone());
    let later = after(now, poll_context.options.interval);
    // Due only after the first poll is recorded, so that a running daemon does not poll it at the same time.
    let source = poll_context
        .store
        .write(move |db| {
            sources::add(db, &new, later, now)?;
            sources::by_url(db, &new.url)
        })
        .await?;
    let Some(source) = source else { bail!("{url} was deleted while it was being added") };
    Ok(crawl::record_attempt(poll_context, &source, attempt, lease).await?.ingested)
}

/// Prints the added source; if it was polled, the number of its items and of those that are backlog; and its probation.
async fn report(
    context: &Context,
    config: &Config,
    store: &Store,
    (url, stored): (&str, Option<&IngestResult>),
) -> anyhow::Result<ExitCode> {
    let url = url.to_owned();
    let Some(source) = store.read(move |db| sources::by_url(db, &url)).await? else {
        bail!("the source was deleted in the meantime");
    };
    let probation_until = probation_until(&source, &config.publish).filter(|until| *until > context.clock.now());
    if context.json() {
        let backlog_items = stored.map(|stored| stored.backlog);
        json(&AddedSource { source: &source, backlog_items, probation_until })?;
        return Ok(ExitCode::SUCCESS);
    }
    let title = one_line(&source.title, 80);
    let came = stored.map_or_else(|| "not fetched".into(), |stored| format!("{} items", stored.new.len()));
    print(&format!("added source {}: {title} ({}), {came}, {}", source.id, source.outlet, source.url))?;
    if let Some(backlog) = stored.map(|stored| stored.backlog).filter(|backlog| *backlog > 0) {
        let window = duration(config.cluster.window);
        print(&format!(
            "backlog: {backlog} of the items are undated or older than {window}; they are searchable, but not published \
             (--backlog publishes them)"
        ))?;
    }
    if let Some(until) = probation_until {
        let until = probation_text(Some(until), Audience::Operator);
        print(&format!(
            "probation: {until}; until then its items join stories, but no story is published for them alone"
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A source that was added. Without `backlog_items` it was not fetched.
#[derive(serde::Serialize)]
struct AddedSource<'a> {
    #[serde(flatten)]
    source: &'a Source,
    backlog_items: Option<u32>,
    probation_until: Option<Timestamp>,
}
