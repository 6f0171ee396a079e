//! The page that lists sources, those with problems first.

use super::format::{machine_time, status_class};
use super::respond::respond;
use super::site_layout::SiteLayout;
use crate::domain::display_text::one_line;
use crate::domain::{Source, SourceState, Timestamp};
use crate::serve::app_state::{AppState, Error};
use crate::store::items::{self, SourceActivity};
use crate::store::{ReadConnection, fts_query, sources};
use crate::wording::{Audience, SourceStatus, last_error, poll_state_text, unusual_poll_text};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::collections::HashMap;
use url::form_urlencoded;

/// The number of sources per page.
const PAGE_SIZE: usize = 100;
/// The highest page number.
const MAX_PAGE: usize = 1000;

/// The selection of sources that the page lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceQuery {
    /// Text that the title, the outlet or a tag contains.
    typed: String,
    /// Whether to list only sources with problems.
    problems: bool,
    /// The page number, starting at 1.
    page: usize,
}

/// The value of the parameter `show` for sources with problems.
const PROBLEMS: &str = "problems";

impl SourceQuery {
    fn parse(parameters: &HashMap<String, String>) -> SourceQuery {
        let value = |name: &str| parameters.get(name).map_or("", String::as_str);
        SourceQuery {
            typed: one_line(value("q"), fts_query::MAX_QUERY_CHARS),
            problems: value("show") == PROBLEMS,
            page: value("page").parse().unwrap_or(1).clamp(1, MAX_PAGE),
        }
    }

    fn has_filters(&self) -> bool {
        !self.typed.is_empty() || self.problems
    }

    /// Returns the query string of another page with the same filters, including the question mark.
    fn query_string(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::from("?"));
        query.append_pair("q", &self.typed).append_pair("show", if self.problems { PROBLEMS } else { "" });
        query.append_pair("page", &page.to_string()).finish()
    }

    fn matches(&self, source: &Source) -> bool {
        let typed = self.typed.to_lowercase();
        let contains = |text: &String| text.to_lowercase().contains(&typed);
        contains(&source.title) || contains(&source.outlet) || source.tags.iter().any(contains)
    }
}

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage<'a> {
    site: SiteLayout<'a>,
    /// `None` in a static file, which lists all sources.
    query: Option<&'a SourceQuery>,
    poll_state: String,
    rows: Vec<SourceRow>,
    has_more: bool,
}

struct SourceRow {
    source: Source,
    status: SourceStatus,
    last_item_at: Option<Timestamp>,
    recent_items: u64,
}

pub async fn sources(
    State(app): State<AppState>,
    Query(parameters): Query<HashMap<String, String>>,
    request: HeaderMap,
) -> Result<Response, Error> {
    let query = SourceQuery::parse(&parameters);
    app.respond(move |app, db| Ok(respond(sources_page(db, app.site(), Some(&query))?, &request))).await
}

/// Renders the page. Without a query, it is the page for a static file, which has no form and no further pages.
pub fn sources_page(db: &ReadConnection, site: SiteLayout, query: Option<&SourceQuery>) -> Result<String, Error> {
    let problems = query.is_some_and(|query| query.problems);
    let mut listed = sources::list(db, &sources::SourceFilter { problems, ..sources::SourceFilter::default() })?;
    listed.retain(|source| query.is_none_or(|query| query.matches(source)));
    listed.sort_by_key(SourceStatus::of);
    let (skip, limit) = query.map_or((0, usize::MAX), |query| ((query.page - 1) * PAGE_SIZE, PAGE_SIZE));
    let has_more = listed.len() > skip.saturating_add(limit);
    let listed: Vec<Source> = listed.into_iter().skip(skip).take(limit).collect();
    let mut activity = items::source_activity(db, &listed.iter().map(|source| source.id).collect::<Vec<_>>())?;
    let row = |source: Source| {
        let SourceActivity { last_item_at, recent_items } = activity.remove(&source.id).unwrap_or_default();
        SourceRow { status: SourceStatus::of(&source), source, last_item_at, recent_items }
    };
    let rows = listed.into_iter().map(row).collect();
    let poll_state = poll_state_text(&sources::poll_counts(db)?);
    Ok(SourcesPage { site, query, poll_state, rows, has_more }.render()?)
}

impl SourcesPage<'_> {
    /// Returns whether the page number is beyond the last page.
    fn is_beyond_end(&self) -> bool {
        self.query.is_some_and(|query| query.page > 1)
    }

    fn is_filtered(&self) -> bool {
        self.query.is_some_and(SourceQuery::has_filters)
    }
}

impl SourceRow {
    fn is_ok(&self) -> bool {
        self.status == SourceStatus::Ok
    }

    fn items_per_day(&self) -> String {
        let rate = self.recent_items as f64 / items::ACTIVITY_DAYS as f64;
        if rate >= 10.0 || rate == 0.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
    }
}

/// Returns the time of the next poll, if the source is polled.
pub fn next_poll(source: &Source) -> Option<&Timestamp> {
    (source.state == SourceState::Active).then_some(&source.next_poll_at)
}
