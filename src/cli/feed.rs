//! `newsfold feed`: the published feeds, their entries, and the reasons why a story is or is not in a feed.

mod websub;

use super::output::{print, time};
use super::running_daemon::use_recorded_address;
use super::table::{table, table_time};
use super::{Context, examples, id_prefix};
use crate::daemon;
use crate::domain::display_text::one_line;
use crate::domain::{FeedEntry, FeedFold, FeedOrder, FeedVariant, PublishedFeed, StoryId, StoryRank, StorylineEntry};
use crate::publish::{
    DocumentPage, FeedDocument, FeedFormat, FeedPart, Options, QueryMatches, arrange_entries, membership_conditions,
    render,
};
use crate::store::{
    self, ReadConnection, Store, editions, feed_entries, feed_selections, feed_tokens, publication, story_selection,
};
use crate::wording::selection_text;
use anyhow::{Context as _, bail};
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum FeedCommand {
    /// List the published feeds and their URLs.
    #[command(visible_alias = "ls")]
    List,
    /// Show a feed: its selection, the number of its stories, and its URLs.
    Show {
        /// Name of the feed, as printed by `newsfold feed list`.
        name: String,
    },
    /// Print the entries of a feed.
    #[command(after_long_help = examples::FEED_PREVIEW)]
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
    #[command(after_long_help = examples::FEED_EXPLAIN)]
    Explain {
        /// Name of the feed, as printed by `newsfold feed list`.
        name: String,
        /// ID of the story, or a unique prefix of it.
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
    /// List the subscribers of the built-in hub (`publish.own_hub`), or remove one.
    Subscribers(websub::Subscribers),
    /// List the notifications sent to the hubs in `publish.hubs`.
    Hubs,
}

impl FeedCommand {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            FeedCommand::List => list(context),
            FeedCommand::Hubs => websub::list_hubs(context).await,
            FeedCommand::Subscribers(command) => command.run(context).await,
            FeedCommand::Show { name } => show(context, &name).await,
            FeedCommand::Preview { name, format, stable } => {
                let variant = if stable { FeedVariant::Stable } else { FeedVariant::Live };
                preview(context, &name, format.as_deref(), variant).await
            }
            FeedCommand::Explain { name, story } => explain(context, &name, &story).await,
            FeedCommand::Token { name, rotate } => token(context, &name, rotate).await,
        }
    }
}

fn list(context: &Context) -> anyhow::Result<ExitCode> {
    let mut config = context.config()?;
    use_recorded_address(&mut config);
    let options = config.publish;
    let rows: Vec<FeedRow> = options
        .published_feeds()
        .into_iter()
        .map(|feed| FeedRow { urls: urls(&options, &feed, &[FeedVariant::Live], ""), feed })
        .collect();
    context.print_rows(
        &rows,
        "no feeds",
        &[
            ("feed", |row| row.feed.name.clone()),
            ("title", |row| one_line(&row.feed.title, 60)),
            ("atom (also .rss, .json, .stable.atom …)", |row| match row.feed.private {
                true => format!("private; `newsfold feed token {}` prints the URL", row.feed.name),
                false => row.urls[0].clone(),
            }),
        ],
    )
}

/// A feed with the URLs of its live variant, in the order of [`FeedFormat::ALL`].
#[derive(serde::Serialize)]
struct FeedRow {
    feed: PublishedFeed,
    urls: Vec<String>,
}

/// Returns the URLs of a feed in each format.
fn urls(options: &Options, feed: &PublishedFeed, variants: &[FeedVariant], query: &str) -> Vec<String> {
    let url = |variant: FeedVariant, format: FeedFormat| {
        options.url(&format!("feeds/{}{}.{}{query}", feed.name, variant.suffix(), format.extension()))
    };
    variants.iter().flat_map(|variant| FeedFormat::ALL.map(|format| url(*variant, format))).collect()
}

fn feed_named(options: &Options, name: &str) -> anyhow::Result<PublishedFeed> {
    let feed = options.published_feeds().into_iter().find(|feed| feed.name == name);
    feed.with_context(|| format!("there is no feed ‘{}’; `newsfold feed list` lists all feeds", one_line(name, 80)))
}

async fn show(context: &Context, name: &str) -> anyhow::Result<ExitCode> {
    let (mut config, store) = context.open()?;
    use_recorded_address(&mut config);
    let feed = feed_named(&config.publish, name)?;
    let contents = read(&store, &feed, FeedVariant::Live, &config.publish).await?;
    let urls = urls(&config.publish, &feed, &FeedVariant::ALL, "");
    let (entries, archive_pages) = (contents.entries.len(), contents.archive_pages);
    let text = format!(
        "{}: {}\nselects: {}\ncontains: {entries} stories, {archive_pages} archive pages\n{}",
        feed.name,
        one_line(&feed.title, 200),
        one_line(&selection_text(&feed.selection), 1000),
        match feed.private {
            true => format!("private; `newsfold feed token {}` prints its URLs", feed.name),
            false => urls.join("\n"),
        }
    );
    let value = serde_json::json!({"feed": feed, "urls": urls, "entries": entries, "archive_pages": archive_pages});
    context.print(&value, text)
}

/// The current content of a feed.
struct FeedContents {
    entries: Vec<FeedEntry>,
    /// The number of the newest archive page.
    previous_page: Option<u32>,
    archive_pages: usize,
}

/// Reads the content of a feed. Computes it from the configuration if no daemon has applied the configuration yet.
async fn read(
    store: &Store,
    feed: &PublishedFeed,
    variant: FeedVariant,
    options: &Options,
) -> store::Result<FeedContents> {
    let (feed, options) = (feed.clone(), options.clone());
    let read = move |db: &ReadConnection| {
        if feed_selections::is_initialized(db, &feed)? {
            let page = feed_entries::current_page(db, &feed, variant)?;
            return Ok(FeedContents {
                entries: arrange_entries(&feed.selection, page.candidates),
                previous_page: page.previous,
                archive_pages: feed_entries::archive_page_numbers(db, &feed)?.len(),
            });
        }
        let mut entries = Vec::new();
        for story in story_selection::select(db, &feed.selection)? {
            let latest = editions::latest(db, story.id)?;
            if let Some(latest) = latest {
                entries.extend(daemon::future_entry(db, &feed, &story, latest, &options)?);
            }
        }
        Ok(FeedContents { entries, previous_page: None, archive_pages: 0 })
    };
    store.read(read).await
}

async fn preview(
    context: &Context,
    name: &str,
    format: Option<&str>,
    variant: FeedVariant,
) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let options = config.publish;
    let feed = feed_named(&options, name)?;
    let contents = read(&store, &feed, variant, &options).await?;
    if let Some(format) = format.and_then(FeedFormat::from_extension) {
        let name = feed.name.clone();
        let (instance, known_since) = store
            .read(move |db| Ok((publication::instance(db)?, feed_selections::known_since(db, Some(&name))?)))
            .await?;
        let part = FeedPart { feed: &feed, variant, page: DocumentPage::Current };
        let document = FeedDocument::of_feed(part, &instance, &contents.entries, &options)
            .known_since(known_since)
            .with_archive_links(part, contents.previous_page, None);
        print(String::from_utf8_lossy(&render(&document, format)).trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = table(
        &contents.entries,
        &[
            ("story", |entry| entry.edition.story.to_string()),
            ("title", |entry| one_line(&entry.edition.text.title, 100)),
            ("outlets", |entry| entry.edition.outlet_count.to_string()),
            ("published", |entry| table_time(entry.published_at)),
            ("edition", |FeedEntry { edition, .. }| {
                format!("{} ({}, {})", edition.number, edition.reason.into_str(), time(edition.made_at))
            }),
        ],
    );
    context.print(&contents.entries, text)
}

async fn explain(context: &Context, name: &str, story: &str) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let feed = feed_named(&config.publish, name)?;
    let story = id_prefix::story(&store, story).await?;
    let (id, name, selection) = (story.id, feed.name.clone(), feed.selection.clone());
    let (storyline, folds) = (story.storyline, feed.selection.fold == FeedFold::Storylines);
    let ranked_feed = Some(feed.clone()).filter(|feed| feed.selection.order == FeedOrder::Hot);
    let (membership, storyline_entries, matches, ranks) = store
        .read(move |db| {
            let matches = |words: Option<&String>| {
                words.map(|words| story_selection::matches_expression(db, id, words)).transpose()
            };
            let query = matches(selection.query.as_ref())?;
            let exclude_query = matches(selection.exclude_query.as_ref())?;
            let member = feed_entries::membership(db, &name, id, FeedVariant::Live)?;
            let mut entries = feed_entries::of_storyline(db, storyline, |_| u32::MAX)?;
            entries.retain(|entry| entry.feed == name && folds);
            let ranks =
                ranked_feed.map(|feed| feed_entries::ranked_stories(db, &feed, FeedVariant::Live)).transpose()?;
            let (items, excluded) = story_selection::filter_matches(db, &selection, id)?;
            let matches = QueryMatches { query, exclude_query, items, excluded };
            Ok((member, entries, matches, ranks.unwrap_or_default()))
        })
        .await?;
    let conditions = membership_conditions(&story, &feed.selection, matches);
    let shown = read(&store, &feed, FeedVariant::Live, &config.publish)
        .await?
        .entries
        .iter()
        .any(|entry| entry.edition.story == id);
    let state = match membership {
        None if conditions.iter().all(|condition| condition.holds) => missing_entry_text(&storyline_entries),
        None => "not in the feed".into(),
        Some(membership) => membership_text(membership, shown, story.merged_into.is_some()),
    };
    let mut lines = vec![state];
    lines.extend(
        conditions.iter().map(|condition| {
            format!("  {} {}", if condition.holds { "✓" } else { "✗" }, one_line(&condition.says, 500))
        }),
    );
    let rank = RankExplanation::new(&ranks, id, feed.selection.limit);
    lines.extend(rank.as_ref().map(RankExplanation::text));
    let since = membership.map(|membership| membership.entered_at);
    let value = serde_json::json!({
        "in": since.is_some(), "since": since, "shown": shown, "conditions": conditions, "rank": rank,
    });
    context.print(&value, lines.join("\n"))
}

/// Explains why a story that meets all conditions of a feed has no entry there.
fn missing_entry_text(storyline_entries: &[StorylineEntry]) -> String {
    match storyline_entries.first() {
        Some(entry) => format!(
            "not in the feed: the entry of story {} represents the storyline, and lists this story until this story is \
             a major development (publish.development_outlets)",
            entry.story
        ),
        None => "not in the feed yet, but all conditions hold; the daemon adds it within a second".into(),
    }
}

fn membership_text(membership: feed_entries::FeedMembership, is_shown: bool, is_merged: bool) -> String {
    let state = match is_shown {
        true => &format!(", with edition {} at that time", membership.edition_number),
        false if is_merged => "; only in the stable variant, because the story was merged into another one",
        false => ", but no longer shown: other stories replaced it, or it is too old",
    };
    format!("in the feed since {}{state}", time(membership.entered_at))
}

/// The position of a story in a feed with `hot` order.
#[derive(serde::Serialize)]
struct RankExplanation {
    /// 1 for the story with the highest rank.
    position: usize,
    ranked_stories: usize,
    /// The number of stories that the feed shows.
    limit: u32,
    /// How far the story is above the last story that the feed shows, in doublings of the number of outlets; negative
    /// if the feed does not show it.
    doublings_above_last: f64,
}

impl RankExplanation {
    fn new(ranks: &[(StoryId, StoryRank)], story: StoryId, limit: u32) -> Option<RankExplanation> {
        let index = ranks.iter().position(|(id, _)| *id == story)?;
        let last = ranks.iter().take(limit as usize).next_back()?;
        let doublings_above_last = ranks[index].1.doublings_above(last.1);
        Some(RankExplanation { position: index + 1, ranked_stories: ranks.len(), limit, doublings_above_last })
    }

    fn text(&self) -> String {
        let RankExplanation { position, ranked_stories, limit, doublings_above_last: doublings } = self;
        let distance = match *doublings {
            0.0.. => format!("{doublings:.1} above the last story shown (doubling the number of outlets adds 1.0)"),
            _ => format!("{:.1} below the last story shown (doubling the number of outlets adds 1.0)", -doublings),
        };
        format!("  rank {position} of {ranked_stories}; the feed shows the first {limit}; {distance}")
    }
}

async fn token(context: &Context, name: &str, rotate: bool) -> anyhow::Result<ExitCode> {
    let (mut config, store) = context.open()?;
    use_recorded_address(&mut config);
    let feed = feed_named(&config.publish, name)?;
    if !feed.private {
        bail!("the feed ‘{name}’ is public; set `private = true` in its [[publish.feeds]] section to make it private");
    }
    let name = feed.name.clone();
    let known = store.read(move |db| feed_tokens::find(db, &name)).await?;
    let token = match known.filter(|_| !rotate) {
        Some(token) => token,
        None => daemon::rotate_feed_token(&store, &feed, &context.clock).await?,
    };
    let urls = urls(&config.publish, &feed, &FeedVariant::ALL, &format!("?token={token}"));
    let heading = if rotate { "the old token has been revoked; the new URLs:\n" } else { "" };
    let value = serde_json::json!({"feed": feed.name, "token": token, "urls": urls});
    context.print(&value, heading.to_owned() + &urls.join("\n"))
}
