//! `newsfold source`: the feeds that newsfold polls.

mod add;
mod address_check;
pub(super) mod daemon_poll;
mod edit;
mod list;
mod opml;
mod poll;
mod request_options;

use super::output::{confirm, time};
use super::{Context, examples, termination_signal};
use crate::domain::display_text::one_line;
use crate::domain::language::language_code;
use crate::domain::{PollOutcome, Source, SourceId, SourceState, Timestamp};
use crate::store::poll_leases::LeaseConflict;
use crate::store::{self, Store, WriteConnection, sources};
use crate::urls::feed_address::without_subscription_scheme;
use crate::urls::outlet::readable_outlet;
use crate::wording::{Audience, poll_error};
use anyhow::{Context as _, bail};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use url::Url;

#[derive(clap::Subcommand)]
pub enum SourceCommand {
    /// Add a feed, or the feed of a web page.
    #[command(after_long_help = examples::SOURCE_ADD)]
    Add(add::Add),
    /// List the sources.
    #[command(visible_alias = "ls")]
    #[command(after_long_help = examples::SOURCE_LIST)]
    List(list::List),
    /// Show a source, its latest polls and their problems.
    Show {
        /// Number, URL, title or outlet of the source.
        source: String,
        /// Number of polls to show.
        #[arg(long, default_value_t = 10)]
        polls: u32,
    },
    /// Change a source's settings.
    #[command(after_long_help = examples::SOURCE_EDIT)]
    Edit(edit::Edit),
    /// Stop polling sources until you resume them.
    Pause(SourceNames),
    /// Resume polling sources that are paused or gone.
    Resume(SourceNames),
    /// Delete sources. Their items stay in published stories.
    #[command(visible_alias = "rm")]
    Remove {
        #[command(flatten)]
        names: SourceNames,
        /// Skip the confirmation prompt.
        #[arg(long, short)]
        yes: bool,
    },
    /// Poll sources now (rate limits still apply).
    Poll(poll::Poll),
    /// Add the sources in an OPML file. Existing sources do not change. Repairs are reported. The exit code is 1 if a
    /// line cannot be used or the file is truncated.
    #[command(after_long_help = examples::SOURCE_IMPORT)]
    Import {
        /// OPML file; - reads stdin.
        file: PathBuf,
        /// Add this tag to every source, in addition to the names of its folders.
        #[arg(long)]
        tag: Vec<String>,
        /// Also publish the old items in the sources' first documents as news.
        #[arg(long)]
        backlog: bool,
    },
    /// Print all sources as OPML.
    #[command(after_long_help = examples::SOURCE_EXPORT)]
    Export {
        /// Only sources with this tag.
        #[arg(long)]
        tag: Option<String>,
    },
    /// Synchronize the sources with an OPML file: add, change and delete sources. A truncated or malformed file is
    /// rejected.
    #[command(after_long_help = examples::SOURCE_SYNC)]
    Sync {
        /// OPML file; - reads stdin.
        file: PathBuf,
        /// Skip the confirmation prompt.
        #[arg(long, short)]
        yes: bool,
        /// Show what would change, without changing anything.
        #[arg(long)]
        dry_run: bool,
        /// Read as much as possible of a truncated or malformed file: add and change sources, but delete none.
        #[arg(long)]
        lenient: bool,
    },
}

#[derive(clap::Args)]
pub struct SourceNames {
    /// Numbers, URLs, titles or outlets of sources.
    #[arg(required = true)]
    sources: Vec<String>,
}

impl SourceCommand {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            SourceCommand::Add(add) => add.run(context).await,
            SourceCommand::List(list) => list.run(context).await,
            SourceCommand::Show { source, polls } => list::show(context, &source, polls).await,
            SourceCommand::Edit(edit) => edit.run(context).await,
            SourceCommand::Pause(names) => set_state(context, names, SourceState::Paused).await,
            SourceCommand::Resume(names) => set_state(context, names, SourceState::Active).await,
            SourceCommand::Remove { names, yes } => remove(context, names, yes).await,
            SourceCommand::Poll(poll) => poll.run(context).await,
            SourceCommand::Import { file, tag, backlog } => opml::import(context, &file, &tag, backlog).await,
            SourceCommand::Export { tag } => opml::export(context, tag).await,
            SourceCommand::Sync { file, yes, dry_run, lenient } => {
                opml::sync(context, &file, opml::SyncOptions { yes, dry_run, lenient }).await
            }
        }
    }
}

async fn set_state(context: &Context, names: SourceNames, state: SourceState) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let found = find_all(&store, &names.sources).await?;
    let changed = store.write(move |db| write_state(db, &found, state)).await?;
    let lines = changed
        .iter()
        .map(|source| format!("source {} is {}: {}", source.id, source.state.into_str(), one_line(&source.title, 80)));
    context.print(&changed, lines.collect::<Vec<_>>().join("\n"))
}

async fn remove(context: &Context, names: SourceNames, yes: bool) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let found = find_all(&store, &names.sources).await?;
    let titles: Vec<String> = found.iter().map(|s| format!("{} ({})", s.id, one_line(&s.title, 60))).collect();
    let titles = titles.join(", ");
    if !confirm(&format!("Remove {titles}?"), yes)? {
        context.print(&[(); 0], "nothing was removed")?;
        return Ok(ExitCode::FAILURE);
    }
    let removed = store.write(move |db| write_state(db, &found, SourceState::Removed)).await?;
    context.print(&removed, format!("removed {titles}"))
}

/// Sets the state of sources and returns the changed sources.
fn write_state(db: &WriteConnection, sources: &[Source], state: SourceState) -> store::Result<Vec<Source>> {
    sources.iter().try_for_each(|source| sources::set_state(db, source.id, state))?;
    sources.iter().filter_map(|source| sources::get(db, source.id).transpose()).collect()
}

/// Finds the source with this number, URL, title or outlet.
async fn find(store: &Store, name: &str) -> anyhow::Result<Source> {
    let given = name.trim().to_owned();
    let found = store.read(move |db| {
        if let Ok(number) = given.parse() {
            return Ok(Vec::from_iter(sources::get(db, SourceId(number))?));
        }
        let mut found = Vec::from_iter(sources::by_url(db, &given)?);
        if let (true, Ok(url)) = (found.is_empty(), web_url(&given)) {
            found.extend(sources::by_url(db, url.as_str())?);
        }
        if found.is_empty() { sources::by_name(db, &given) } else { Ok(found) }
    });
    let mut found = found.await?;
    found.retain(|source| source.state != SourceState::Removed);
    let shown = one_line(name, 200);
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().take(10).map(|source| source.id.to_string()).collect();
        bail!("‘{shown}’ matches {} sources; pass the number of one of them: {}", found.len(), ids.join(", "));
    }
    found.pop().with_context(|| format!("there is no source ‘{shown}’; `newsfold source list` lists all sources"))
}

async fn find_all(store: &Store, names: &[String]) -> anyhow::Result<Vec<Source>> {
    let mut found = Vec::new();
    for name in names {
        found.push(find(store, name).await?);
    }
    Ok(found)
}

/// Parses an http or https URL. Assumes https if there is no scheme. Removes the schemes of feed readers.
pub(super) fn web_url(text: &str) -> anyhow::Result<Url> {
    let text = &*without_subscription_scheme(text.trim());
    let parsed = match Url::parse(text) {
        Ok(url) if url.has_host() => Ok(url),
        // The text has no scheme. `host:8080/feed` parses as a URL with the scheme `host`.
        _ if begins_with_host(text) => Url::parse(&format!("https://{text}")),
        other => other,
    };
    let invalid_url =
        || format!("‘{}’ is not a valid URL; enter one such as https://news.example/feed", one_line(text, 200));
    let mut url = parsed.with_context(invalid_url)?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        bail!("‘{}’ is not an http or https URL", one_line(text, 200));
    }
    url.set_fragment(None);
    Ok(url)
}

/// Returns whether a string without a scheme begins with a possible host name.
fn begins_with_host(text: &str) -> bool {
    let end = text.find(['/', '?', '#', ':']).unwrap_or(text.len());
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let (host, rest) = text.split_at(end);
    !host.is_empty() && host.chars().all(is_name) && !rest.contains(char::is_whitespace) && !rest.starts_with("://")
}

/// Returns the name of this program in leases.
fn program(command: &str) -> String {
    format!("newsfold {command} (process {})", std::process::id())
}

fn lease_holder_text(held: &LeaseConflict) -> String {
    format!("{}, since {}", held.holder, time(held.acquired_at))
}

/// Describes the error of a poll to the operator.
fn poll_error_text(outcome: PollOutcome, error: &str, time: Option<Timestamp>) -> String {
    poll_error(outcome, error, time, Audience::Operator).format(Audience::Operator)
}

/// The maximum length of a tag, in characters.
const MAX_TAG_CHARS: usize = 60;

/// Returns the tags in lower case, sorted and without duplicates.
fn tags(given: &[String]) -> anyhow::Result<Vec<String>> {
    let mut tags = BTreeSet::new();
    for tag in given {
        let tag = one_line(&tag.to_lowercase(), 2 * MAX_TAG_CHARS);
        if tag.chars().count() > MAX_TAG_CHARS {
            bail!("the tag ‘{tag}’ is longer than {MAX_TAG_CHARS} characters");
        }
        tags.insert(tag);
    }
    Ok(tags.into_iter().filter(|tag| !tag.is_empty()).collect())
}

fn language(given: &str) -> anyhow::Result<String> {
    match language_code(given) {
        Some(code) => Ok(code.to_owned()),
        None => bail!("‘{}’ is not a language code; enter one such as en, de or pt", one_line(given, 40)),
    }
}

fn outlet(given: &str) -> anyhow::Result<String> {
    let outlet = readable_outlet(given.trim());
    if outlet.is_empty()
        || outlet.len() > 253
        || outlet.starts_with('/')
        || outlet.contains("//")
        || outlet.contains(|c: char| c.is_whitespace() || c.is_control())
    {
        let examples = "its domain, such as bbc.co.uk, or its channel, such as reddit.com/r/rust";
        bail!("‘{}’ is not a valid outlet; enter {examples}", one_line(given, 80));
    }
    Ok(outlet)
}
