//! The index page: stories by the day of their last change, newest first, with filters and search.

use super::format::{day, link, machine_time, time_under_day};
use super::query::StoryQuery;
use super::respond::{invalid_query, respond};
use super::site_layout::SiteLayout;
use crate::domain::language::language_name;
use crate::domain::{Story, StoryItem, Timestamp};
use crate::serve::app_state::{AppState, Error};
use crate::store::ReadConnection;
use crate::store::story_search::{self, SearchFacets, SearchResults};
use crate::wording::{backlog_text, count_of};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use std::collections::BTreeSet;

/// The maximum number of outlets to name per story.
const MAX_NAMED_OUTLETS: usize = 12;

#[derive(Template)]
#[template(path = "index.html")]
struct IndexPage<'a> {
    site: SiteLayout<'a>,
    query: &'a StoryQuery,
    /// Whether a server handles the form; false in a static file.
    is_served: bool,
    choices: SearchFacets,
    days: Vec<StoryDay<'a>>,
    has_more: bool,
}

/// The stories whose last change was on one day.
struct StoryDay<'a> {
    at: Timestamp,
    stories: Vec<StorySummary<'a>>,
}

struct StorySummary<'a> {
    story: &'a Story,
    lead: &'a StoryItem,
    /// The first report of each outlet.
    named: Vec<&'a StoryItem>,
    /// The number of outlets that are not named.
    others: usize,
}

pub async fn index(
    State(app): State<AppState>,
    RawQuery(query): RawQuery,
    request: HeaderMap,
) -> Result<Response, Error> {
    let Some(query) = StoryQuery::parse(query.as_deref()) else { return invalid_query(&app) };
    app.respond(move |app, db| Ok(respond(index_page(db, app.site(), Some(&query))?, &request))).await
}

/// Redirects `/search?q=…` to the index page, because people and browsers expect a search at this path.
pub async fn search(State(app): State<AppState>, RawQuery(query): RawQuery) -> Result<Response, Error> {
    let Some(query) = StoryQuery::parse(query.as_deref()) else { return invalid_query(&app) };
    Ok(Redirect::permanent(&app.options.url(&query.query_string(query.page))).into_response())
}

/// Renders the page. Without a query, it is the page for a static file, which has no form and no further pages.
pub fn index_page(db: &ReadConnection, site: SiteLayout, query: Option<&StoryQuery>) -> Result<String, Error> {
    let is_served = query.is_some();
    let unfiltered = StoryQuery::default();
    let query = query.unwrap_or(&unfiltered);
    let choices = story_search::facets(db)?;
    let SearchResults { stories, more } = if query.has_no_words() {
        SearchResults { stories: Vec::new(), more: false }
    } else {
        story_search::search(db, &query.listing())?
    };
    let has_more = more && is_served && !query.is_last_page();
    Ok(IndexPage { site, query, is_served, choices, days: by_day(&stories), has_more }.render()?)
}

fn by_day(stories: &[Story]) -> Vec<StoryDay<'_>> {
    let mut days: Vec<StoryDay> = Vec::new();
    for summary in stories.iter().filter_map(summarize) {
        let at = summary.story.updated_at;
        match days.last_mut() {
            Some(last) if day(&last.at) == day(&at) => last.stories.push(summary),
            _ => days.push(StoryDay { at, stories: vec![summary] }),
        }
    }
    days
}

fn summarize(story: &Story) -> Option<StorySummary<'_>> {
    let mut seen = BTreeSet::new();
    let mut named: Vec<&StoryItem> = story.items.iter().filter(|i| seen.insert(&i.item.outlet)).collect();
    let others = named.len().saturating_sub(MAX_NAMED_OUTLETS);
    named.truncate(MAX_NAMED_OUTLETS);
    Some(StorySummary { story, lead: story.lead()?, named, others })
}

impl StorySummary<'_> {
    fn outlets(&self) -> String {
        count_of(self.story.outlets().len(), "outlet", "outlets")
    }

    /// Returns the reason why none of the story's reports is news.
    fn backlog(&self) -> Option<&'static str> {
        if self.story.news().next().is_some() { None } else { self.lead.item.backlog_reason.map(backlog_text) }
    }

    fn has_one_outlet(&self) -> bool {
        self.story.outlets().len() == 1
    }

    /// Returns whether the story has changed since its first report, with a precision of one minute.
    fn has_changed(&self) -> bool {
        self.story.items.len() > 1
            && time_under_day(&self.story.updated_at, &self.lead.item.ranked_at) != self.first_reported()
    }

    fn first_reported(&self) -> String {
        time_under_day(&self.lead.item.ranked_at, &self.story.updated_at)
    }
}
