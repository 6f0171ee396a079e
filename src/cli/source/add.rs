//! `newsfold source add`: sends one request, which becomes the source's first poll. If the URL is a web page that links
//! to its feed, more requests follow. If root runs the command, the daemon may send these requests ([`daemon_poll`]).

use super::address_check::{FeedSearch, FoundFeed, find_feed, refuse_taken, report_similar};
use super::daemon_poll::{self, RequestedPoll};
use super::request_options::RequestOptions;
use super::{language, outlet, program, tags, web_url};
use crate::cli::Context;
use crate::cli::output::{json, print};
use crate::config::Config;
use crate::crawl::{self, PollAttempt, PollContext};
use crate::daemon;
use crate::domain::display_text::one_line;
use crate::domain::duration::after;
use crate::domain::{
    FullTextMode, IngestResult, NewSource, OutletProvenance, RequestSettings, Source, SourceState, Timestamp,
};
use crate::publish::probation_until;
use crate::store::poll_leases::PollLease;
use crate::store::{Store, items, sources};
use crate::urls::outlet::outlet_of_url;
use crate::wording::{Audience, duration, probation_text};
use anyhow::bail;
use clap::builder::PossibleValuesParser;
use std::process::ExitCode;
use strum::VariantNames;

#[derive(clap::Args)]
pub struct Add {
    /// URL of a feed, or of a web page that links to its feed.
    url: String,
    /// Tag by which published feeds can select sources; repeatable.
    #[arg(long)]
    tag: Vec<String>,
    /// Title (overrides the feed's own).
    #[arg(long)]
    title: Option<String>,
    /// Language code, such as en (overrides the feed's own).
    #[arg(long)]
    lang: Option<String>,
    /// Priority: reports from higher-priority sources are preferred as a story's lead.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    priority: i32,
    /// Publisher, as a domain [default: the domain of the feed's website].
    #[arg(long)]
    outlet: Option<String>,
    /// Fetch full articles: no, group (for grouping only) or publish.
    #[arg(long, value_name = "FOR", value_parser = PossibleValuesParser::new(FullTextMode::VARIANTS), default_value = "no")]
    full_text: String,
    /// Treat the source as an aggregator: count the outlets named in its items instead of its own.
    #[arg(long)]
    aggregator: bool,
    /// Also publish the old items in the feed's first document as news.
    #[arg(long)]
    backlog: bool,
    /// Do not group the source's items with items of other sources: each item is a separate story.
    #[arg(long)]
    no_group: bool,
    #[command(flatten)]
    request: RequestOptions,
    /// Add the source without fetching it first; the daemon polls it later.
    #[arg(long)]
    no_fetch: bool,
}

impl Add {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (config, store) = context.open_or_create()?;
        let url = web_url(&self.url)?;
        let mut new = NewSource {
            url: url.to_string(),
            outlet: self.outlet.as_deref().map(outlet).transpose()?.unwrap_or_else(|| outlet_of_url(&url)),
            outlet_provenance: if self.outlet.is_some() { OutletProvenance::Operator } else { OutletProvenance::Guess },
            title: self.title.as_deref().map(|t| one_line(t, 200)).filter(|t| !t.is_empty()),
            lang: self.lang.as_deref().map(language).transpose()?,
            priority: self.priority,
            tags: tags(&self.tag)?,
            full_text: self.full_text.parse().unwrap_or_default(),
            aggregator: self.aggregator,
            publish_backlog: self.backlog,
            feed_search_steps: 0,
            request_settings: self.request.apply(RequestSettings::default(), &url)?.unwrap_or_default(),
            poll_interval: self.request.interval()?.flatten(),
            is_ungrouped: self.no_group,
        };
        refuse_taken(&store, &url, None).await?;
        let now = context.clock.now();
        if self.no_fetch {
            report_similar(&store, &url, None).await?;
            store.write(move |db| sources::add(db, &new, now, now)).await?;
            return report(context, &config, &store, (url.as_str(), None)).await;
        }
        if daemon_poll::is_required(&store) {
            report_similar(&store, &url, None).await?;
            new.feed_search_steps = crawl::MAX_FEED_SEARCH_STEPS;
            let (url, stored) = add_through_daemon(&config, &store, new, now).await?;
            return report(context, &config, &store, (&url, Some(stored))).await;
        }
        let poll_context = config.poll_context(store.clone(), context.clock.clone(), &program("source add"))?;
        let mut lease = PollLease::new(&poll_context.program);
        let search =
            FeedSearch { poll_context: &poll_context, lease: &mut lease, of: None, settings: &new.request_settings };
        let FoundFeed { url, attempt, .. } = find_feed(search, &url).await?;
        new.url = url.into();
        let stored = add_and_record(&poll_context, new.clone(), attempt, &lease).await?;
        daemon::group_and_publish_without_daemon(&config, &store, &context.clock).await?;
        let stored = StoredItems { new: stored.new.len() as u64, backlog: stored.backlog.into() };
        report(context, &config, &store, (&new.url, Some(stored))).await
    }
}

/// The items that the first poll of a source stored.
#[derive(Clone, Copy)]
struct StoredItems {
    new: u64,
    backlog: u64,
}

/// Adds a source and waits until the daemon has found and read its feed. Returns the URL of the feed. Removes the
/// source again if the daemon cannot read the feed.
async fn add_through_daemon(
    config: &Config,
    store: &Store,
    new: NewSource,
    now: Timestamp,
) -> anyhow::Result<(String, StoredItems)> {
    daemon_poll::require_daemon(store, ", or pass --no-fetch").await?;
    let given = new.url.clone();
    let added = store.write(move |db| sources::add(db, &new, now, now)).await?;
    let Some(id) = added else { bail!("{given} was added by another command in the meantime") };
    let polled = daemon_poll::wait(config, store, vec![RequestedPoll { id, requested_at: now }]).await?.remove(0);
    let feed_url = &polled.source.url;
    let new = match polled.successful() {
        Ok(poll) => poll.new_items.into(),
        Err(failure) => {
            store.write(move |db| sources::set_state(db, id, SourceState::Removed)).await?;
            bail!("no feed found at {feed_url}: {failure}. Pass --no-fetch to use the URL anyway");
        }
    };
    if *feed_url != given {
        eprintln!("the page {given} links to the feed {feed_url}");
    }
    let backlog = store.read(move |db| items::count_backlog(db, id)).await?;
    Ok((feed_url.clone(), StoredItems { new, backlog }))
}

async fn add_and_record(
    poll_context: &PollContext,
    new: NewSource,
    attempt: PollAttempt,
    lease: &PollLease,
) -> anyhow::Result<IngestResult> {
    let (now, url) = (poll_context.clock.now(), new.url.clone());
    let later = after(now, poll_context.options.interval);
    // The source becomes due only after its first poll is recorded, so a running daemon does not also poll it.
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

/// Prints the added source, the number of items and of backlog items if it was polled, and its probation.
async fn report(
    context: &Context,
    config: &Config,
    store: &Store,
    (url, stored): (&str, Option<StoredItems>),
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
    let items = stored.map_or_else(|| "not fetched".into(), |stored| format!("{} items", stored.new));
    print(&format!("added source {}: {title} ({}), {items}, {}", source.id, source.outlet, source.url))?;
    if let Some(backlog) = stored.map(|stored| stored.backlog).filter(|backlog| *backlog > 0) {
        let window = duration(config.cluster.window);
        print(&format!(
            "backlog: {backlog} of the items are undated or older than {window}; they are searchable, but not published \
             (--backlog publishes them)"
        ))?;
    }
    if let Some(until) = probation_until {
        let until = probation_text(Some(until)).format(Audience::Operator);
        print(&format!(
            "probation: {until}; until then, its items join stories, but a story that consists only of such items is not \
             published"
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An added source. `backlog_items` is absent if the source was not fetched.
#[derive(serde::Serialize)]
struct AddedSource<'a> {
    #[serde(flatten)]
    source: &'a Source,
    backlog_items: Option<u64>,
    probation_until: Option<Timestamp>,
}
