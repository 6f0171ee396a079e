//! The front page: stories, those that changed last first, by the day of their last change; and the search.

use super::filters::Filters;
use super::words::{counted, day, lang, language, link, machine_time, time_on};
use super::{Found, Message, Rendered, Site, answer, message};
use crate::domain::{Story, StoryItem, Timestamp};
use crate::serve::{App, Failure};
use crate::store::listing::{self, Choices, Listed};
use crate::store::{self};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use rusqlite::Connection;
use std::collections::BTreeSet;

/// Outlets that are named at each story.
const NAMED: usize = 12;

#[derive(Template)]
#[template(path = "front.html")]
struct Front<'a> {
    site: Site<'a>,
    filters: &'a Filters,
    /// Whether somebody answers to what the form asks: a file does not.
    is_served: bool,
    choices: Choices,
    days: Vec<Day<'a>>,
    more: bool,
}

/// The stories that last changed on one day.
struct Day<'a> {
    at: Timestamp,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    story: &'a Story,
    lead: &'a StoryItem,
    /// The first report of each outlet.
    named: Vec<&'a StoryItem>,
    /// Outlets that are not named.
    others: usize,
}

pub(in crate::serve) async fn front(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let Some(filters) = Filters::read(query.as_deref()) else { return Ok(no_such_selection(&app)) };
    answer(app, request, move |db, site| Ok(Found::Page(front_page(db, site, Some(&filters))?))).await
}

/// `/search?q=…` is where people and browsers look for a search.
pub(in crate::serve) async fn search(State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let Some(filters) = Filters::read(query.as_deref()) else { return no_such_selection(&app) };
    Redirect::permanent(&app.options.url(&filters.on_page(filters.page))).into_response()
}

fn no_such_selection(app: &App) -> Response {
    let text = "After ?outlets= and ?page= this page takes a whole number, as in /?outlets=3: how many outlets must \
                report a story.";
    let site = Site::new(&app.options, &app.public_feeds);
    message(StatusCode::BAD_REQUEST, &Message { site, title: "No such selection", text })
}

/// Without filters it is the page for a file, which has no form and leads to no further pages.
pub(in crate::serve) fn front_page(db: &Connection, site: Site, filters: Option<&Filters>) -> store::Result<Rendered> {
    let is_served = filters.is_some();
    let all = Filters::default();
    let filters = filters.unwrap_or(&all);
    let choices = listing::choices(db)?;
    let Listed { stories, more } = if filters.is_without_words() {
        Listed { stories: Vec::new(), more: false }
    } else {
        listing::list(db, &filters.listing())?
    };
    let more = more && is_served && !filters.is_last_page();
    Ok(Front { site, filters, is_served, choices, days: by_day(&stories), more }.render())
}

fn by_day(stories: &[Story]) -> Vec<Day<'_>> {
    let mut days: Vec<Day> = Vec::new();
    for entry in stories.iter().filter_map(entry) {
        let at = entry.story.updated_at;
        match days.last_mut() {
            Some(last) if day(&last.at) == day(&at) => last.entries.push(entry),
            _ => days.push(Day { at, entries: vec![entry] }),
        }
    }
    days
}

fn entry(story: &Story) -> Option<Entry<'_>> {
    let mut seen = BTreeSet::new();
    let mut named: Vec<&StoryItem> = story.items.iter().filter(|i| seen.insert(&i.item.outlet)).collect();
    let others = named.len().saturating_sub(NAMED);
    named.truncate(NAMED);
    Some(Entry { story, lead: story.lead()?, named, others })
}

impl Entry<'_> {
    fn outlets(&self) -> String {
        counted(self.story.outlets().len(), "outlet", "outlets")
    }

    fn is_alone(&self) -> bool {
        self.story.outlets().len() == 1
    }

    /// Whether it has grown since its first report, as far as minutes tell.
    fn has_grown(&self) -> bool {
        self.story.items.len() > 1 && time_on(&self.story.updated_at, &self.lead.item.ranked_at) != self.first()
    }

    fn first(&self) -> String {
        time_on(&self.lead.item.ranked_at, &self.story.updated_at)
    }
}
