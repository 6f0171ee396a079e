//! The page that lists the published feeds, the same list as OPML, and the feed pages.

use super::format::{link, machine_time, short_headline, shortened};
use super::respond::respond;
use super::site_layout::SiteLayout;
use super::story_summary::StorySummary;
use super::waiting::waiting_text;
use crate::domain::{Development, FeedEntry, FeedVariant, PublishedFeed, Story, StoryId, StorylineId};
use crate::opml::FeedOutline;
use crate::opml::write::write_opml;
use crate::publish::{FeedFormat, HEALTH_FEED_NAME, Options, arrange_entries, strip_invalid_chars};
use crate::serve::app_state::{AppState, Error};
use crate::serve::http_cache::{PAGE_CACHE_CONTROL, respond_once};
use crate::store::{ReadConnection, feed_entries, stories};
use crate::wording::{TimedText, count_of, selected_stories, selection_text};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "feeds.html")]
struct FeedsPage<'a> {
    site: SiteLayout<'a>,
}

pub async fn feeds(State(app): State<AppState>, request: HeaderMap) -> Result<Response, Error> {
    Ok(respond(feeds_page(app.site())?, &request))
}

pub fn feeds_page(site: SiteLayout) -> Result<String, Error> {
    Ok(FeedsPage { site }.render()?)
}

impl FeedsPage<'_> {
    fn health_feed_url(&self) -> String {
        self.site.options.url(&format!("feeds/{HEALTH_FEED_NAME}.atom"))
    }
}

/// The maximum number of stories on a feed page.
const MAX_STORIES: usize = 100;

#[derive(Template)]
#[template(path = "feed.html")]
struct FeedPage<'a> {
    site: SiteLayout<'a>,
    feed: &'a PublishedFeed,
    entries: Vec<EntryView<'a>>,
    /// Why there are no stories yet, if no story has been published.
    waiting: Option<TimedText>,
}

/// An entry of a feed: the story as it is now, and the other stories of the storyline that the edition lists.
struct EntryView<'a> {
    summary: StorySummary<'a>,
    without_entry: Vec<&'a Development>,
    with_entry: Vec<&'a Development>,
    storyline: Option<StorylineId>,
}

impl<'a> EntryView<'a> {
    /// Returns the view of an entry; `None` if the story was merged.
    fn new(entry: &'a FeedEntry, story: &'a Story) -> Option<EntryView<'a>> {
        let text = &entry.edition.text;
        let (with_entry, without_entry) = text.developments.iter().partition(|development| development.has_entry);
        let summary = StorySummary::of_entry(story, text.lead)?;
        Some(EntryView { summary, without_entry, with_entry, storyline: text.storyline })
    }

    fn is_single_line(&self) -> bool {
        self.summary.outlet_count == 1 && self.storyline.is_none()
    }
}

/// Renders a feed page, which shows how to subscribe and lists the stories of the live version in the feed's order.
pub fn feed_page(db: &ReadConnection, site: SiteLayout, feed: &PublishedFeed) -> Result<String, Error> {
    let candidates = feed_entries::current_page(db, feed, FeedVariant::Live)?.candidates;
    let mut entries = arrange_entries(&feed.selection, candidates);
    entries.truncate(MAX_STORIES);
    let shown = stories::load_headlines(db, entries.iter().map(|entry| entry.edition.story))?;
    let shown: HashMap<StoryId, &Story> = shown.iter().map(|story| (story.id, story)).collect();
    let views = entries.iter().filter_map(|entry| EntryView::new(entry, shown.get(&entry.edition.story)?));
    let entries: Vec<EntryView> = views.collect();
    let is_waiting = entries.is_empty() && !stories::any_published(db)?;
    let waiting = if is_waiting { Some(waiting_text(db, &site)?) } else { None };
    Ok(FeedPage { site, feed, entries, waiting }.render()?)
}

/// The media type of OPML, which has no registered media type.
pub const OPML_CONTENT_TYPE: &str = "text/x-opml; charset=utf-8";

/// Serves `/feeds.opml`.
pub async fn opml(State(app): State<AppState>, request: HeaderMap) -> Response {
    respond_once(OPML_CONTENT_TYPE, PAGE_CACHE_CONTROL, feeds_opml(&app.options, &app.public_feeds), &request)
}

/// Returns the published feeds as OPML 2.0 (opml.org/spec2.opml), for readers that subscribe to all feeds in one step.
/// It lists each feed once, as Atom, which every OPML reader supports.
pub fn feeds_opml(options: &Options, feeds: &[PublishedFeed]) -> Vec<u8> {
    let outline = |feed: &PublishedFeed| FeedOutline {
        title: Some(strip_invalid_chars(&feed.title)),
        xml_url: options.url(&format!("feeds/{}.{}", feed.name, FeedFormat::Atom.extension())),
        html_url: Some(options.url("")),
        ..FeedOutline::default()
    };
    let outlines: Vec<FeedOutline> = feeds.iter().map(outline).collect();
    write_opml(&strip_invalid_chars(&options.title), &outlines).into_bytes()
}
