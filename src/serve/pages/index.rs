//! The index page. Without a search it is the front page: the stories that were recently reported by the most outlets,
//! and the latest of the other stories. With a search, it lists stories by the day of their last change, newest first.

use super::format::{link, machine_time};
use super::query::StoryQuery;
use super::respond::{invalid_query, respond};
use super::site_layout::SiteLayout;
use super::story_summary::StorySummary;
use crate::domain::duration::after;
use crate::domain::language::language_name;
use crate::domain::language::other_language_name;
use crate::domain::{PollCounts, Story, StoryId, StorylineId, Timestamp};
use crate::publish::{SectionOptions, arrange_front_page};
use crate::serve::app_state::{AppState, Error};
use crate::store::story_activity::{story_activity, with_several_items};
use crate::store::story_search::{self, SearchFacets, SearchResults, StorySearch};
use crate::store::{ReadConnection, sources, stories};
use crate::wording::{TimedText, count_of, duration};
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use std::cmp::Reverse;
use std::collections::HashMap;

/// The number of most recently updated stories from which the front page is selected.
const MAX_RANKED_STORIES: u32 = 10_000;

/// The search form and the links to the sections, above the stories of every version of the page.
#[derive(Template)]
#[template(path = "search_form.html")]
struct SearchForm<'a> {
    site: SiteLayout<'a>,
    query: &'a StoryQuery,
    /// Whether the page is served by the daemon. A static file has neither the form nor the links.
    is_served: bool,
    choices: &'a SearchFacets,
    sections: Vec<Section<'a>>,
}

#[derive(Template)]
#[template(path = "front_page.html")]
struct FrontPage<'a> {
    site: SiteLayout<'a>,
    form: SearchForm<'a>,
    top: Vec<TopStorylineView<'a>>,
    latest: Vec<StorySummary<'a>>,
    /// The reason why there are no stories yet, and the time at which the first stories will appear; empty if there are
    /// stories.
    waiting: TimedText,
}

/// A storyline at the top of the front page.
struct TopStorylineView<'a> {
    storyline: StorylineId,
    main: StorySummary<'a>,
    developments: Vec<StorySummary<'a>>,
    story_count: usize,
}

#[derive(Template)]
#[template(path = "story_list.html")]
struct StoryList<'a> {
    site: SiteLayout<'a>,
    form: SearchForm<'a>,
    days: Vec<StoryDay<'a>>,
    has_more: bool,
}

/// The stories whose last change was on one day.
struct StoryDay<'a> {
    at: Timestamp,
    stories: Vec<StorySummary<'a>>,
}

/// A link to a part of the news.
struct Section<'a> {
    title: &'a str,
    /// The query string, including the question mark.
    query: String,
    is_shown: bool,
}

impl TopStorylineView<'_> {
    fn stories(&self) -> String {
        count_of(self.story_count, "story", "stories")
    }
}

pub async fn index(
    State(app): State<AppState>,
    RawQuery(query): RawQuery,
    request: HeaderMap,
) -> Result<Response, Error> {
    let Some(query) = StoryQuery::parse(query.as_deref()) else { return invalid_query(&app) };
    let page = move |app: &AppState, db: &ReadConnection| {
        let choices = app.facets(db)?;
        Ok(respond(index_page(db, app.site(), &choices, Some(&query))?, &request))
    };
    app.respond(page).await
}

/// Redirects `/search?q=…` to the index page, because people and browsers expect a search at this path.
pub async fn search(State(app): State<AppState>, RawQuery(query): RawQuery) -> Result<Response, Error> {
    let Some(query) = StoryQuery::parse(query.as_deref()) else { return invalid_query(&app) };
    Ok(Redirect::permanent(&app.options.url(&query.query_string(query.page))).into_response())
}

/// Renders the page. Without a query, it is the page for a static file, which has no form and no further pages.
pub fn index_page(
    db: &ReadConnection,
    site: SiteLayout,
    choices: &SearchFacets,
    query: Option<&StoryQuery>,
) -> Result<String, Error> {
    let is_served = query.is_some();
    let unfiltered = StoryQuery::default();
    let query = query.unwrap_or(&unfiltered);
    let sections = sections(query, choices, &site.options.sections);
    let form = SearchForm { site, query, is_served, choices, sections };
    if query.is_front_page() { front_page(db, form) } else { story_list(db, form) }
}

fn front_page(db: &ReadConnection, form: SearchForm) -> Result<String, Error> {
    let site = form.site;
    let candidates = story_search::find(db, &StorySearch { limit: MAX_RANKED_STORIES, ..form.query.listing() })?;
    let activity = story_activity(db, &with_several_items(db, &candidates)?)?;
    let arranged = arrange_front_page(&candidates, &activity, site.options.hot_half_life);
    let shown = arranged.top.iter().flat_map(|entry| [entry.main].into_iter().chain(entry.developments.clone()));
    let shown: Vec<Story> = stories::load_headlines(db, shown.chain(arranged.latest.clone()))?;
    let shown: HashMap<StoryId, &Story> = shown.iter().map(|story| (story.id, story)).collect();
    let languages = form.query.languages();
    let summary = |id: &StoryId| StorySummary::new(shown.get(id)?, &languages);
    let top = arranged.top.iter().filter_map(|entry| {
        Some(TopStorylineView {
            storyline: entry.storyline,
            main: summary(&entry.main)?,
            developments: entry.developments.iter().filter_map(summary).collect(),
            story_count: entry.story_count,
        })
    });
    let mut latest: Vec<StorySummary> = arranged.latest.iter().filter_map(summary).collect();
    latest.sort_by_key(|summary| Reverse((summary.last, summary.story.id)));
    let top: Vec<TopStorylineView> = top.collect();
    let is_empty = top.is_empty() && latest.is_empty();
    let waiting = if is_empty { waiting_text(db, &site)? } else { TimedText::default() };
    Ok(FrontPage { site, form, top, latest, waiting }.render()?)
}

fn story_list(db: &ReadConnection, form: SearchForm) -> Result<String, Error> {
    let (site, query) = (form.site, form.query);
    let SearchResults { stories, more } = if query.has_no_words() {
        SearchResults { stories: Vec::new(), more: false }
    } else {
        story_search::search(db, &query.listing())?
    };
    let (days, has_more) = (by_day(&stories, query, &site), more && !query.is_last_page());
    Ok(StoryList { site, form, days, has_more }.render()?)
}

/// Describes when the first stories will appear, or what the operator must do first.
fn waiting_text(db: &ReadConnection, site: &SiteLayout) -> Result<TimedText, Error> {
    let PollCounts { active, unpolled, .. } = sources::poll_counts(db)?;
    if active == 0 {
        return Ok("Add a source: newsfold source add URL.".into());
    }
    let (polled, delay) = (active - unpolled, site.options.delay);
    let text = TimedText::from(format!(
        "{polled} of {active} sources have been polled. Stories appear {} after their first report.",
        duration(delay)
    ));
    Ok(match stories::first_unpublished_after(db, Timestamp::MIN)? {
        Some(created_at) => text.words(" The first stories appear about ").time(after(created_at, delay)).words("."),
        None => text,
    })
}

/// Returns the links to the top stories, to the latest stories, and to the configured sections or the main tags. They
/// keep the language that the reader chose.
fn sections<'a>(query: &StoryQuery, choices: &'a SearchFacets, configured: &'a [SectionOptions]) -> Vec<Section<'a>> {
    let own_language = |section: &SectionOptions| section.languages.join(",");
    let is_choice = !configured.iter().any(|s| s.tag == query.tag && own_language(s) == query.lang);
    let chosen = if is_choice { query.lang.clone() } else { String::new() };
    let of = |tag: &str, lang: String| StoryQuery { tag: tag.into(), lang, ..StoryQuery::default() };
    let top = of("", chosen.clone());
    let mut all = vec![("Top", top.clone()), ("Latest", top.latest())];
    if configured.is_empty() {
        all.extend(choices.main_tags.iter().map(|tag| (tag.as_str(), of(tag, chosen.clone()))));
    }
    all.extend(configured.iter().map(|section| {
        let lang = if chosen.is_empty() { own_language(section) } else { chosen.clone() };
        (section.title.as_deref().unwrap_or(&section.tag), of(&section.tag, lang))
    }));
    let link = |(title, section): (&'a str, StoryQuery)| Section {
        title,
        query: section.query_string(1),
        is_shown: section == *query,
    };
    all.into_iter().map(link).collect()
}

fn by_day<'s>(stories: &'s [Story], query: &StoryQuery, site: &SiteLayout) -> Vec<StoryDay<'s>> {
    let mut days: Vec<StoryDay> = Vec::new();
    let languages = query.languages();
    for summary in stories.iter().filter_map(|story| StorySummary::new(story, &languages)) {
        let at = summary.story.updated_at;
        match days.last_mut() {
            Some(last) if site.date(&last.at) == site.date(&at) => last.stories.push(summary),
            _ => days.push(StoryDay { at, stories: vec![summary] }),
        }
    }
    days
}
