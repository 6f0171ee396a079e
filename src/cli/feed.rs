//! `newsfold feed`: what is published, what stands in it, and why.

mod hubs;
mod subscribers;

use super::Context;
use super::output::{json, print, table, time};
use super::story::find;
use crate::daemon;
use crate::domain::display_text::one_line;
use crate::domain::{Edition, EditionReason, FeedEntry, FeedVariant, PublishedFeed, Story};
use crate::publish::{
    FeedDocument, FeedFormat, FeedPage, Options, QueryMatches, arrange_entries, compose_edition, membership_conditions,
    outlet_count, render,
};
use crate::store::feed_entries;
use crate::store::{self, ReadConnection, Store, feed_tokens, publication, story_selection};
use crate::wording::selection_text;
use anyhow::{Context as _, bail};
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Feed {
    /// List the published feeds and their URLs.
    List,
    /// Show a feed: its selection, the number of its stories, and its URLs.
    Show {
        /// Name of the feed, as printed by `newsfold feed list`.
        name: String,
    },
    /// Print the entries of a feed.
    Preview {
        /// Name of the feed, as printed by `newsfold feed list`.
        name: String,
        /// Print the document in this format: atom, rss or json.
        #[arg(long, value_parser = ["atom", "rss", "json"])]
        format: Option<String>,
        /// Print the stable variant, whose entries never change.
        #[arg(long)]
        stable: bool,
    },
    /// Explain why a story is or isn't in a feed.
    Explain {
        /// Name of the feed, as printed by `newsfold feed list`.
        name: String,
        /// Id of the story, or a unique prefix of it.
        story: String,
    },
    /// Print a private feed's URLs, including its access token.
    Token {
        /// Name of the feed, as printed by `newsfold feed list`.
        name: String,
        /// Create a new token and revoke the old one.
        #[arg(long)]
        rotate: bool,
    },
    /// List the subscribers of the built-in hub (publish.own_hub), or remove one.
    Subscribers(subscribers::Subscribers),
    /// List the notifications sent to the hubs of publish.hubs.
    Hubs,
}

impl Feed {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            Feed::List => list(context),
            Feed::Hubs => hubs::list(context).await,
            Feed::Subscribers(command) => command.run(context).await,
            Feed::Show { name } => show(context, &name).await,
            Feed::Preview { name, format, stable } => {
                let variant = if stable { FeedVariant::Stable } else { FeedVariant::Live };
                preview(context, &name, format.as_deref(), variant).await
            }
            Feed::Explain { name, story } => explain(context, &name, &story).await,
            Feed::Token { name, rotate } => token(context, &name, rotate).await,
        }
    }
}

fn list(context: &Context) -> anyhow::Result<ExitCode> {
    let options = context.config()?.publish;
    let feeds = options.published_feeds();
    if context.json() {
        let urls = |feed| FeedFormat::ALL.map(|format| url(&options, feed, FeedVariant::Live, format));
        let rows: Vec<serde_json::Value> =
            feeds.iter().map(|feed| serde_json::json!({"feed": feed, "urls": urls(feed)})).collect();
        json(&rows)?;
    } else {
        let address = |feed: &PublishedFeed| match feed.private {
            true => format!("private; `newsfold feed token {}` prints it", feed.name),
            false => url(&options, feed, FeedVariant::Live, FeedFormat::Atom),
        };
        let rows = feeds.iter().map(|feed| [feed.name.clone(), one_line(&feed.title, 60), address(feed)]);
        table(["feed", "title", "atom (also .rss, .json, .stable.atom …)"], rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The feed's address, without its token.
fn url(options: &Options, feed: &PublishedFeed, variant: FeedVariant, format: FeedFormat) -> String {
    options.url(&format!("feeds/{}{}.{}", feed.name, variant.suffix(), format.extension()))
}

fn urls(options: &Options, feed: &PublishedFeed, token: Option<&str>) -> Vec<String> {
    let query = token.map_or_else(String::new, |token| format!("?token={token}"));
    let of = |variant| FeedFormat::ALL.map(|format| url(options, feed, variant, format) + &query);
    FeedVariant::ALL.into_iter().flat_map(of).collect()
}

fn named(options: &Options, name: &str) -> anyhow::Result<PublishedFeed> {
    let feed = options.published_feeds().into_iter().find(|feed| feed.name == name);
    feed.with_context(|| format!("there is no feed ‘{}’; `newsfold feed list` lists all", one_line(name, 80)))
}

async fn show(context: &Context, name: &str) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let feed = named(&config.publish, name)?;
    let contents = read(&store, &feed, FeedVariant::Live).await?;
    let urls = urls(&config.publish, &feed, None);
    if context.json() {
        json(&serde_json::json!({
            "feed": feed, "urls": urls, "entries": contents.entries.len(), "archive_pages": contents.archive_pages,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{}: {}", feed.name, one_line(&feed.title, 200)))?;
    print(&format!("selects: {}", one_line(&selection_text(&feed.selection), 1000)))?;
    print(&format!("contains: {} stories, {} archive pages", contents.entries.len(), contents.archive_pages))?;
    if feed.private {
        return print(&format!("private; `newsfold feed token {}` prints its URLs", feed.name))
            .map(|()| ExitCode::SUCCESS);
    }
    for url in urls {
        print(&url)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a feed shows.
struct FeedContents {
    entries: Vec<FeedEntry>,
    /// The newest archive page.
    previous_page: Option<u32>,
    archive_pages: usize,
}

/// What a feed shows. If the configuration has changed and no daemon has applied it: what it would show.
async fn read(store: &Store, feed: &PublishedFeed, variant: FeedVariant) -> store::Result<FeedContents> {
    let feed = feed.clone();
    let read = move |db: &ReadConnection| {
        if feed_entries::is_initialized(db, &feed)? {
            let page = feed_entries::current_page(db, &feed, variant)?;
            return Ok(FeedContents {
                entries: arrange_entries(&feed.selection, page.candidates),
                previous_page: page.previous,
                archive_pages: feed_entries::archive_page_numbers(db, &feed)?.len(),
            });
        }
        let stories = story_selection::select(db, &feed.selection)?;
        let entries = stories.iter().filter_map(future_entry).collect();
        Ok(FeedContents { entries, previous_page: None, archive_pages: 0 })
    };
    store.read(read).await
}

/// The entry with which a story would enter a feed now.
fn future_entry(story: &Story) -> Option<FeedEntry> {
    let edition = Edition {
        story: story.id,
        number: 1,
        made_at: story.updated_at,
        reason: EditionReason::First,
        outlet_count: outlet_count(story),
        text: compose_edition(story, story.lead()?),
    };
    Some(FeedEntry { published: story.published.clone()?, edition })
}

async fn preview(
    context: &Context,
    name: &str,
    format: Option<&str>,
    variant: FeedVariant,
) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let options = config.publish;
    let feed = named(&options, name)?;
    let contents = read(&store, &feed, variant).await?;
    if let Some(format) = format.and_then(FeedFormat::from_extension) {
        let instance = store.read(publication::instance).await?;
        let document = FeedDocument::of_feed(&feed, variant, FeedPage::Current, &instance, &contents.entries, &options)
            .with_archive_links(&feed, variant, contents.previous_page, None);
        return print(String::from_utf8_lossy(&render(&document, format)).trim_end()).map(|()| ExitCode::SUCCESS);
    }
    if context.json() {
        json(&contents.entries)?;
        return Ok(ExitCode::SUCCESS);
    }
    table(
        ["story", "title", "outlets", "published", "edition"],
        contents.entries.iter().map(|FeedEntry { published, edition }| {
            [
                edition.story.to_string(),
                one_line(&edition.text.title, 100),
                edition.outlet_count.to_string(),
                time(published.at),
                format!("{} ({}, {})", edition.number, edition.reason.into_str(), time(edition.made_at)),
            ]
        }),
    )?;
    Ok(ExitCode::SUCCESS)
}

async fn explain(context: &Context, name: &str, story: &str) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let feed = named(&config.publish, name)?;
    let story = find(&store, story).await?;
    let (id, asked) = (story.id, feed.clone());
    let (standing, matches) = store
        .read(move |db| {
            let matches = |words: &Option<String>| {
                words.as_ref().map(|w| story_selection::matches_expression(db, id, w)).transpose()
            };
            let selection = &asked.selection;
            let matches =
                QueryMatches { query: matches(&selection.query)?, exclude_query: matches(&selection.exclude_query)? };
            Ok((feed_entries::membership_of(db, &asked.name, id)?, matches))
        })
        .await?;
    let conditions = membership_conditions(&story, &feed.selection, matches);
    let shown = read(&store, &feed, FeedVariant::Live).await?.entries.iter().any(|entry| entry.edition.story == id);
    if context.json() {
        let since = standing.map(|(at, _)| at);
        json(&serde_json::json!({"in": standing.is_some(), "since": since, "shown": shown, "conditions": conditions}))?;
        return Ok(ExitCode::SUCCESS);
    }
    match (standing, shown) {
        (Some((at, edition)), true) => {
            print(&format!("in the feed since {}, with edition {edition} at that time", time(at)))?
        }
        (Some((at, _)), false) if story.merged_into.is_some() => {
            print(&format!(
                "in the feed since {}; only in the stable variant, because the story was merged into another one",
                time(at)
            ))?;
        }
        (Some((at, _)), false) => {
            print(&format!(
                "in the feed since {}, but no longer shown: newer stories replaced it, or it is too old",
                time(at)
            ))?;
        }
        (None, _) if conditions.iter().all(|condition| condition.holds) => {
            print("not in the feed yet, but all conditions hold; the daemon adds it within a second")?;
        }
        (None, _) => print("not in the feed")?,
    }
    for condition in conditions {
        print(&format!("  {} {}", if condition.holds { "✓" } else { "✗" }, one_line(&condition.says, 500)))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn token(context: &Context, name: &str, rotate: bool) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let feed = named(&config.publish, name)?;
    if !feed.private {
        bail!("the feed ‘{name}’ is public; set `private = true` in its [[publish.feeds]] table to make it private");
    }
    let name = feed.name.clone();
    let known = store.read(move |db| feed_tokens::find(db, &name)).await?;
    let token = match known.filter(|_| !rotate) {
        Some(token) => token,
        None => daemon::rotate_feed_token(&store, &feed, &context.clock).await?,
    };
    let urls = urls(&config.publish, &feed, Some(&token));
    if context.json() {
        json(&serde_json::json!({"feed": feed.name, "token": token, "urls": urls}))?;
        return Ok(ExitCode::SUCCESS);
    }
    if rotate {
        print("the old token has been revoked; the new URLs:")?;
    }
    urls.iter().try_for_each(|url| print(url))?;
    Ok(ExitCode::SUCCESS)
}
