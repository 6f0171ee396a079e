//! `newsfold source edit`: changes settings. A new URL is checked in the same way as in `source add`, and the request
//! becomes the source's first poll at that URL.

use super::address_check::{FeedSearch, FoundFeed, find_feed, refuse_taken, report_similar};
use super::daemon_poll::{self, DaemonPoll, RequestedPoll};
use super::request_options::RequestOptions;
use super::{find, language, outlet, program, tags, web_url};
use crate::cli::{Arguments, Context};
use crate::config::Config;
use crate::crawl;
use crate::daemon;
use crate::domain::display_text::one_line;
use crate::domain::duration::after;
use crate::domain::{FullTextMode, OutletProvenance, RequestSettings, Source, SourceEdit, SourceId};
use crate::store::poll_leases::PollLease;
use crate::store::{Store, sources};
use crate::urls::outlet::{outlet_of_site, outlet_of_url};
use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory};
use std::process::ExitCode;
use strum::VariantNames;
use url::Url;

#[derive(clap::Args)]
pub struct Edit {
    /// Number, URL, title or outlet of the source.
    source: String,
    #[command(flatten)]
    changes: Changes,
    /// Change the URL without fetching it first; the daemon polls it later.
    #[arg(long, requires = "url")]
    no_fetch: bool,
}

/// The settings to change. At least one is required.
#[derive(clap::Args)]
struct Changes {
    /// New URL of the same feed, or of a page that links to it; existing items are recognized at the new URL.
    #[arg(long)]
    url: Option<String>,
    /// Publisher, as a domain; "" restores the domain of the feed's website.
    #[arg(long)]
    outlet: Option<String>,
    /// Display name of the publisher; "" restores the name from the title.
    #[arg(long, value_name = "NAME")]
    outlet_name: Option<String>,
    /// Title; "" restores the feed's own title.
    #[arg(long)]
    title: Option<String>,
    /// Language code, such as en; "" restores the feed's own language.
    #[arg(long)]
    lang: Option<String>,
    /// Priority: reports from higher-priority sources are preferred as a story's lead.
    #[arg(long, allow_hyphen_values = true)]
    priority: Option<i32>,
    /// All tags of the source; repeat the option for several tags, or pass "" to remove all.
    #[arg(long)]
    tag: Option<Vec<String>>,
    /// Fetch full articles: no, group (for grouping only) or publish.
    #[arg(long, value_name = "FOR", value_parser = PossibleValuesParser::new(FullTextMode::VARIANTS))]
    full_text: Option<String>,
    /// Whether the source is an aggregator, so that the outlets named in its items count instead of its own.
    #[arg(long, value_name = "BOOL")]
    aggregator: Option<bool>,
    /// Whether the source's items are grouped with items of other sources. Applies to new items.
    #[arg(long, value_name = "BOOL")]
    group: Option<bool>,
    #[command(flatten)]
    request: RequestOptions,
}

impl Edit {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (config, store) = context.open()?;
        let source = find(&store, &self.source).await?;
        let changes = self.changes;
        let url = changes.url.as_deref().map(web_url).transpose()?;
        let polled_url = url.clone().map_or_else(|| Url::parse(&source.url), Ok)?;
        let mut edit = SourceEdit {
            url: None,
            outlet: changes.outlet.map(|o| outlet_or_default(&o, &source)).transpose()?,
            outlet_name: changes.outlet_name.map(|name| one_line(&name, 60)),
            title: changes.title.map(|t| one_line(&t, 200)),
            lang: changes.lang.map(|l| if l.is_empty() { Ok(l) } else { language(&l) }).transpose()?,
            priority: changes.priority,
            tags: changes.tag.map(|tags| self::tags(&tags)).transpose()?,
            full_text: changes.full_text.and_then(|mode| mode.parse().ok()),
            aggregator: changes.aggregator,
            request_settings: changes.request.apply(source.request_settings.clone(), &polled_url)?,
            poll_interval: changes.request.interval()?,
            is_grouped: changes.group,
        };
        if edit == SourceEdit::default() && url.is_none() {
            no_changes().exit();
        }
        let id = source.id;
        match url.filter(|url| url.as_str() != source.url) {
            Some(url) if self.no_fetch => {
                refuse_taken(&store, &url, Some(id)).await?;
                report_similar(&store, &url, Some(id)).await?;
                edit.url = Some(url.into());
                write_edit(context, &store, id, edit).await?;
            }
            Some(url) if daemon_poll::is_required(&store) => {
                daemon_poll::require_daemon(&store, ", or pass --no-fetch").await?;
                refuse_taken(&store, &url, Some(id)).await?;
                report_similar(&store, &url, Some(id)).await?;
                edit.url = Some(url.into());
                let polled = RequestedPoll { id, requested_at: context.clock.now() };
                write_edit(context, &store, id, edit).await?;
                report_failure(daemon_poll::wait(&config, &store, vec![polled]).await?, &source.url)?;
            }
            Some(url) => {
                let settings = edit.request_settings.clone().unwrap_or(source.request_settings);
                move_source(context, &config, &store, Move { id, url, edit, settings }).await?
            }
            None => write_edit(context, &store, id, edit).await?,
        }
        let edited = store.read(move |db| sources::get(db, id)).await?;
        context.print(&edited, format!("source {id} changed"))
    }
}

/// Returns an error if the daemon could not read the feed at its new URL. The URL stays changed.
fn report_failure(polled: Vec<DaemonPoll>, old_url: &str) -> anyhow::Result<()> {
    let failed = polled.iter().find_map(|poll| Some((poll.source.id, poll.successful().err()?)));
    let Some((id, failure)) = failed else { return Ok(()) };
    bail!(
        "the URL of source {id} was changed, but no feed was found there: {failure}. `newsfold source edit {id} --url \
         {old_url} --no-fetch` restores the old URL"
    )
}

/// Returns the error for a command that changes nothing. Its exit code is that of invalid arguments.
fn no_changes() -> clap::Error {
    let changes = Changes::augment_args(clap::Command::new("edit"));
    let options: Vec<String> =
        changes.get_arguments().filter_map(|option| option.get_long()).map(|name| format!("--{name}")).collect();
    let message = format!("pass at least one of {}", options.join(", "));
    Arguments::command().error(ErrorKind::MissingRequiredArgument, message)
}

async fn write_edit(context: &Context, store: &Store, id: SourceId, edit: SourceEdit) -> anyhow::Result<()> {
    let now = context.clock.now();
    Ok(store.write(move |db| sources::edit(db, id, &edit, now)).await?)
}

/// A new URL for a source, and changes to other settings.
struct Move {
    id: SourceId,
    url: Url,
    edit: SourceEdit,
    settings: RequestSettings,
}

/// Reads the feed at the new URL, then changes the source and records the poll.
async fn move_source(context: &Context, config: &Config, store: &Store, wanted: Move) -> anyhow::Result<()> {
    let Move { id, url, mut edit, settings } = wanted;
    let poll_context = config.poll_context(store.clone(), context.clock.clone(), &program("source edit"))?;
    let mut lease = PollLease::new(&poll_context.program);
    let search = FeedSearch { poll_context: &poll_context, lease: &mut lease, of: Some(id), settings: &settings };
    let FoundFeed { url, attempt, .. } = find_feed(search, &url).await?;
    edit.url = Some(url.into());
    // The source becomes due only after the poll is recorded, so a running daemon does not poll it at the same time.
    let later = after(poll_context.clock.now(), poll_context.options.interval);
    let edited = store
        .write(move |db| {
            sources::edit(db, id, &edit, later)?;
            sources::get(db, id)
        })
        .await?;
    let source = edited.with_context(|| format!("source {id} was deleted while it was being changed"))?;
    crawl::record_attempt(&poll_context, &source, attempt, &lease).await?;
    daemon::group_and_publish_without_daemon(config, store, &context.clock).await
}

/// Returns the given outlet or, if it is empty, the outlet of the feed's website or URL.
fn outlet_or_default(given: &str, source: &Source) -> anyhow::Result<(String, OutletProvenance)> {
    if !given.trim().is_empty() {
        return Ok((outlet(given)?, OutletProvenance::Operator));
    }
    let site = source.site_url.as_deref().and_then(|site| Url::parse(site).ok());
    Ok(match site.as_ref().and_then(outlet_of_site) {
        Some(outlet) => (outlet, OutletProvenance::Site),
        None => (outlet_of_url(&Url::parse(&source.url)?), OutletProvenance::Guess),
    })
}
