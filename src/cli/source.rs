//! `newsfold source`: the feeds that are polled.

mod add;
mod list;
mod opml;
mod poll;

use super::Context;
use super::output::{confirm, json, print, time};
use crate::domain::display_text::one_line;
use crate::domain::{FullTextMode, OutletProvenance, Source as Kept, SourceEdit, SourceId, SourceState};
use crate::store::leases::LeaseConflict;
use crate::store::{Store, sources};
use crate::urls::outlet::{outlet_of_site, outlet_of_url};
use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use std::path::PathBuf;
use std::process::ExitCode;
use strum::VariantNames;
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

#[derive(clap::Subcommand)]
pub enum Source {
    /// Add a feed, or the feed of a web page.
    Add(add::Add),
    /// List the sources.
    List {
        /// Only sources with this tag.
        #[arg(long)]
        tag: Option<String>,
        /// Only sources whose last poll went wrong, or that are gone.
        #[arg(long)]
        problems: bool,
    },
    /// Show a source, its last polls and their problems.
    Show {
        /// The source's number or URL.
        source: String,
        /// Polls to show.
        #[arg(long, default_value_t = 10)]
        polls: u32,
    },
    /// Change what is kept of a source.
    Edit(Edit),
    /// Stop polling sources until they are resumed.
    Pause {
        /// Numbers or URLs.
        #[arg(required = true)]
        sources: Vec<String>,
    },
    /// Poll sources again that were paused or are gone.
    Resume {
        /// Numbers or URLs.
        #[arg(required = true)]
        sources: Vec<String>,
    },
    /// Take sources out. Their items stay in the stories that were published.
    Remove {
        /// Numbers or URLs.
        #[arg(required = true)]
        sources: Vec<String>,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Poll sources now, by all the rules of politeness.
    Poll(poll::Poll),
    /// Add the sources of an OPML file; those that are there already stay as they are. What had to be repaired is
    /// said; where a line could not be used, or the file was cut off, the exit code is 1.
    Import {
        file: PathBuf,
        /// Give every source this tag besides those of its folders.
        #[arg(long)]
        tag: Vec<String>,
    },
    /// Write all sources as OPML to stdout.
    Export,
    /// Make the sources equal an OPML file: add, change and remove. A file that may have lost outlines is refused.
    Sync {
        file: PathBuf,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
        /// Read a file that is cut off or not well-formed as far as it goes: add and change, and never remove.
        #[arg(long)]
        lenient: bool,
    },
}

#[derive(clap::Args)]
pub struct Edit {
    /// The source's number or URL.
    source: String,
    #[command(flatten)]
    changes: Changes,
}

/// At least one of them, or there is nothing to do.
#[derive(clap::Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// A new URL of the same feed; its items keep their identity.
    #[arg(long)]
    url: Option<String>,
    /// The publisher, as a domain; "" goes back to that of the feed's own site.
    #[arg(long)]
    outlet: Option<String>,
    /// The title; "" goes back to the feed's own.
    #[arg(long)]
    title: Option<String>,
    /// The language, such as en; "" goes back to the feed's own.
    #[arg(long)]
    lang: Option<String>,
    /// Higher leads a story.
    #[arg(long, allow_hyphen_values = true)]
    priority: Option<i32>,
    /// The tags, all of them: give it several times, or once as "" for none.
    #[arg(long)]
    tag: Option<Vec<String>>,
    /// Read the pages of its items: not, for grouping alone, or to publish their text too.
    #[arg(long, value_name = "FOR", value_parser = PossibleValuesParser::new(FullTextMode::VARIANTS))]
    full_text: Option<String>,
}

impl Source {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            Source::Add(add) => add.run(context).await,
            Source::List { tag, problems } => list::list(context, sources::SourceFilter { tag, problems }).await,
            Source::Show { source, polls } => list::show(context, &source, polls).await,
            Source::Edit(edit) => edit.run(context).await,
            Source::Pause { sources } => set_state(context, sources, SourceState::Paused).await,
            Source::Resume { sources } => set_state(context, sources, SourceState::Active).await,
            Source::Remove { sources, yes } => remove(context, sources, yes).await,
            Source::Poll(poll) => poll.run(context).await,
            Source::Import { file, tag } => opml::import(context, &file, &tag).await,
            Source::Export => opml::export(context).await,
            Source::Sync { file, yes, dry_run, lenient } => {
                opml::sync(context, &file, opml::Sync { yes, dry_run, lenient }).await
            }
        }
    }
}

impl Edit {
    async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (_, store) = context.open()?;
        let source = find(&store, &self.source).await?;
        let changes = self.changes;
        let url = changes.url.as_deref().map(web_url).transpose()?.map(String::from);
        if let Some(url) = url.clone()
            && let Some(other) = store.read(move |db| sources::by_url(db, &url)).await?
            && other.id != source.id
        {
            bail!("source {} has this URL already ({})", other.id, other.state.into_str());
        }
        let edit = SourceEdit {
            url,
            outlet: changes.outlet.map(|o| outlet_or_back(&o, &source)).transpose()?,
            title: changes.title.map(|t| one_line(&t, 200)),
            lang: changes.lang.map(|l| if l.is_empty() { Ok(l) } else { language(&l) }).transpose()?,
            priority: changes.priority,
            tags: changes.tag.map(|tags| self::tags(&tags)),
            full_text: changes.full_text.and_then(|mode| mode.parse().ok()),
        };
        let now = context.clock.now();
        store.write(move |db| sources::edit(db, source.id, &edit, now)).await?;
        if context.json() {
            json(&reread(&store, &[source.id]).await?.remove(0))?;
        } else {
            print(&format!("source {} changed", source.id))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn set_state(context: &Context, names: Vec<String>, state: SourceState) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let found = find_all(&store, &names).await?;
    let ids: Vec<SourceId> = found.iter().map(|source| source.id).collect();
    store.write(move |db| ids.iter().try_for_each(|id| sources::set_state(db, *id, state))).await?;
    let ids: Vec<SourceId> = found.iter().map(|source| source.id).collect();
    let changed = reread(&store, &ids).await?;
    if context.json() {
        json(&changed)?;
        return Ok(ExitCode::SUCCESS);
    }
    for source in changed {
        print(&format!("source {} is {}: {}", source.id, source.state.into_str(), one_line(&source.title, 80)))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove(context: &Context, names: Vec<String>, yes: bool) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let found = find_all(&store, &names).await?;
    let titles: Vec<String> = found.iter().map(|s| format!("{} ({})", s.id, one_line(&s.title, 60))).collect();
    if !confirm(&format!("Remove {}?", titles.join(", ")), yes)? {
        if context.json() {
            json(&[(); 0])?
        } else {
            print("nothing was removed")?
        }
        return Ok(ExitCode::FAILURE);
    }
    let ids: Vec<SourceId> = found.iter().map(|source| source.id).collect();
    let removed = ids.clone();
    store.write(move |db| removed.iter().try_for_each(|id| sources::set_state(db, *id, SourceState::Removed))).await?;
    if context.json() {
        json(&reread(&store, &ids).await?)?;
    } else {
        print(&format!("removed {}", titles.join(", ")))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The source that the operator means by a number or a URL.
async fn find(store: &Store, name: &str) -> anyhow::Result<Kept> {
    let found = match name.parse::<i64>() {
        Ok(number) => store.read(move |db| sources::get(db, SourceId(number))).await?,
        Err(_) => {
            let (given, parsed) = (name.to_owned(), web_url(name).map(String::from).ok());
            let by_given = store.read(move |db| sources::by_url(db, &given)).await?;
            match (by_given, parsed) {
                (None, Some(url)) => store.read(move |db| sources::by_url(db, &url)).await?,
                (found, _) => found,
            }
        }
    };
    found
        .filter(|source| source.state != SourceState::Removed)
        .with_context(|| format!("there is no source ‘{}’; `newsfold source list` shows them", one_line(name, 200)))
}

/// These sources as they are now.
async fn reread(store: &Store, ids: &[SourceId]) -> anyhow::Result<Vec<Kept>> {
    let ids = ids.to_vec();
    let found = store.read(move |db| ids.iter().map(|id| sources::get(db, *id)).collect::<Result<Vec<_>, _>>()).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn find_all(store: &Store, names: &[String]) -> anyhow::Result<Vec<Kept>> {
    let mut found = Vec::new();
    for name in names {
        found.push(find(store, name).await?);
    }
    Ok(found)
}

/// An http or https URL; one without a scheme is taken as https.
fn web_url(text: &str) -> anyhow::Result<Url> {
    let text = text.trim();
    let parsed = match Url::parse(text) {
        Err(url::ParseError::RelativeUrlWithoutBase) if begins_with_host(text) => {
            Url::parse(&format!("https://{text}"))
        }
        // `host:8080/feed` parses as a URL with the scheme `host`.
        Ok(url) if !url.has_host() && begins_with_host(text) => Url::parse(&format!("https://{text}")),
        other => other,
    };
    let no_url = || format!("‘{}’ is no URL; write one such as https://news.example/feed", one_line(text, 200));
    let mut url = parsed.with_context(no_url)?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        bail!("‘{}’ is not a web address: newsfold polls http and https", one_line(text, 200));
    }
    url.set_fragment(None);
    Ok(url)
}

/// Whether a text without a scheme can be an address: it begins with what may be a server's name.
fn begins_with_host(text: &str) -> bool {
    let end = text.find(['/', '?', '#', ':']).unwrap_or(text.len());
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let (host, rest) = text.split_at(end);
    !host.is_empty() && host.chars().all(is_name) && !rest.contains(char::is_whitespace) && !rest.starts_with("://")
}

/// Ready when this program is told to end: then it gives back what it leased, so that nobody waits for it.
async fn told_to_end() -> std::io::Result<()> {
    // Not at a hangup: under nohup a command is to go on.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// What this program is called in a lease.
fn program(command: &str) -> String {
    format!("newsfold {command} (process {})", std::process::id())
}

fn in_words(held: &LeaseConflict) -> String {
    format!("{}, since {}", held.holder, time(held.since))
}

fn tags(given: &[String]) -> Vec<String> {
    let mut tags: Vec<String> =
        given.iter().map(|t| one_line(&t.to_lowercase(), 60)).filter(|t| !t.is_empty()).collect();
    tags.sort();
    tags.dedup();
    tags
}

fn language(given: &str) -> anyhow::Result<String> {
    let primary = given.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    if !(2..=3).contains(&primary.len()) || !primary.bytes().all(|b| b.is_ascii_lowercase()) {
        bail!("‘{}’ is no language; write its code, such as en, de or pt", one_line(given, 40));
    }
    Ok(primary)
}

/// The outlet that the operator names; an empty one goes back to what the feed's site or address says.
fn outlet_or_back(given: &str, source: &Kept) -> anyhow::Result<(String, OutletProvenance)> {
    if !given.trim().is_empty() {
        return Ok((outlet(given)?, OutletProvenance::Operator));
    }
    let site = source.site_url.as_deref().and_then(|site| Url::parse(site).ok());
    Ok(match site.as_ref().and_then(outlet_of_site) {
        Some(outlet) => (outlet, OutletProvenance::Site),
        None => (outlet_of_url(&Url::parse(&source.url)?), OutletProvenance::Guess),
    })
}

fn outlet(given: &str) -> anyhow::Result<String> {
    let outlet = given.trim().to_lowercase();
    if outlet.is_empty()
        || outlet.len() > 253
        || outlet.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/')
    {
        bail!("‘{}’ is no outlet; write its domain, such as bbc.co.uk", one_line(given, 80));
    }
    Ok(outlet)
}
