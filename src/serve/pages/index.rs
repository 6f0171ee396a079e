//! The index page. Without a search it is the front page: the stories that were recently reported by the most outlets,
//! and the latest of the other stories. With a search, it lists stories by the day of their last change, newest first.

use super::format::{link, machine_time, short_headline};
use super::query::StoryQuery;
use super::respond::{invalid_query, respond};
use super::site_layout::SiteLayout;
use super::story_summary::{PreferredReports, StorySummary, StorylineCounts};
use super::waiting::waiting_text;
use crate::domain::language::language_name;
use crate::domain::language::other_language_name;
use crate::domain::{Story, StoryId, Timestamp};
use crate::publish::{SectionOptions, TopStoryline, arrange_front_page};
use crate::serve::app_state::{AppState, Error};
use crate::store::story_activity::{story_activity, with_several_items};
use crate::store::story_search::{self, SearchFacets, SearchResults, StorySearch};
use crate::store::{ReadConnection, sources, stories};
use crate::wording::{TimedText, count_of};
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

/// The number of top entries that are not folded, so that the page remains short on a phone.
const UNFOLDED_TOP: usize = 10;

#[derive(Template)]
#[template(path = "front_page.html")]
struct FrontPage<'a> {
    site: SiteLayout<'a>,
    form: SearchForm<'a>,
    top: Vec<TopStorylineView<'a>>,
    /// The top entries that are folded.
    more_top: Vec<TopStorylineView<'a>>,
    latest: Vec<StorySummary<'a>>,
    /// The reason why there are no stories yet, and the time at which the first stories will appear; empty if there are
    /// stories.
    waiting: TimedText,
}

/// A storyline at the top of the front page.
struct TopStorylineView<'a> {
    main: StorySummary<'a>,
    /// The other stories with the highest ranks, by their last report, newest first.
    developments: Vec<StorySummary<'a>>,
}

#[derive(Template)]
#[template(path = "story_list.html")]
struct StoryList<'a> {
    site: SiteLayout<'a>,
    form: SearchForm<'a>,
    days: Vec<StoryDay<'a>>,
    has_more: bool,
    waiting: TimedText,
}

/// The stories whose last change was on one day.
struct StoryDay<'a> {
    /// `None` for stories that consist of backlog, whose reports have other dates.
    at: Option<Timestamp>,
    stories: Vec<StorySummary<'a>>,
}

/// A link to a part of the news.
struct Section<'a> {
    title: &'a str,
    /// The query string, including the question mark.
    query: String,
    is_shown: bool,
}

impl SearchForm<'_> {
    /// Returns whether the query has a filter, apart from a search text, that no link to a section shows.
    fn has_chosen_filter(&self) -> bool {
        let (query, sections) = (self.query, &self.site.options.sections);
        let is_own_language = |section: &SectionOptions| section.languages.join(",") == query.lang;
        let is_language_chosen = !query.lang.is_empty()
            && !sections.iter().any(|section| section.tag == query.tag && is_own_language(section));
        let has_other = !query.tag.is_empty() || query.min_outlets > 1;
        is_language_chosen || has_other && !self.sections.iter().any(|section| section.is_shown)
    }
}

impl<'a> TopStorylineView<'a> {
    fn new(
        entry: &TopStoryline,
        summary: impl Fn(&StoryId) -> Option<StorySummary<'a>>,
    ) -> Option<TopStorylineView<'a>> {
        let counts = StorylineCounts { id: entry.storyline, outlets: entry.outlet_count, stories: entry.story_count };
        let main = StorySummary { storyline: Some(counts), ..summary(&entry.main)? };
        let mut developments: Vec<StorySummary> = entry.developments.iter().filter_map(summary).collect();
        developments.sort_by_key(|summary| Reverse((summary.shown_at, summary.story.id)));
        Some(TopStorylineView { main, developments })
    }

    fn has_several_stories(&self) -> bool {
        !self.developments.is_empty()
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
    let tag = Some(form.query.tag.as_str()).filter(|tag| !tag.is_empty());
    let activity = story_activity(db, &with_several_items(db, &candidates)?, tag)?;
    let arranged = arrange_front_page(&candidates, &activity, site.options.hot_half_life);
    let shown = arranged.top.iter().flat_map(|entry| [entry.main].into_iter().chain(entry.developments.clone()));
    let shown: Vec<Story> = stories::load_headlines(db, shown.chain(arranged.latest.clone()))?;
    let shown: HashMap<StoryId, &Story> = shown.iter().map(|story| (story.id, story)).collect();
    let sources = tag.map(|tag| sources::with_tag(db, tag)).transpose()?;
    let preferred = PreferredReports { languages: form.query.languages(), sources };
    let summary = |id: &StoryId| StorySummary::new(shown.get(id)?, &preferred);
    let mut latest: Vec<StorySummary> = arranged.latest.iter().filter_map(summary).collect();
    latest.sort_by_key(|summary| Reverse((summary.shown_at, summary.story.id)));
    let mut top: Vec<TopStorylineView> =
        arranged.top.iter().filter_map(|entry| TopStorylineView::new(entry, summary)).collect();
    let more_top = top.split_off(UNFOLDED_TOP.min(top.len()));
    let is_empty = top.is_empty() && latest.is_empty();
    let waiting = if is_empty { waiting_text(db, &site)? } else { TimedText::default() };
    Ok(FrontPage { site, form, top, more_top, latest, waiting }.render()?)
}

fn story_list(db: &ReadConnection, form: SearchForm) -> Result<String, Error> {
    let (site, query) = (form.site, form.query);
    let SearchResults { stories, more } = if query.has_no_words() {
        SearchResults { stories: Vec::new(), more: false }
    } else {
        story_search::search(db, &query.listing())?
    };
    let (days, has_more) = (by_day(&stories, query, &site), more && !query.is_last_page());
    let is_waiting = days.is_empty() && query.page == 1 && !query.has_filters();
    let waiting = if is_waiting { waiting_text(db, &site)? } else { TimedText::default() };
    Ok(StoryList { site, form, days, has_more, waiting }.render()?)
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
        is_shown: section == StoryQuery { page: 1, ..query.clone() },
    };
    all.into_iter().map(link).collect()
}

fn by_day<'s>(stories: &'s [Story], query: &StoryQuery, site: &SiteLayout) -> Vec<StoryDay<'s>> {
    let mut days: Vec<StoryDay> = Vec::new();
    let date = |at: Option<Timestamp>| at.map(|at| site.date(&at));
    let preferred = PreferredReports { languages: query.languages(), sources: None };
    for mut summary in stories.iter().filter_map(|story| StorySummary::new(story, &preferred)) {
        let at = summary.backlog.is_none().then_some(summary.story.updated_at);
        summary.shown_at = at.unwrap_or(summary.shown_at);
        match days.last_mut() {
            Some(last) if date(last.at) == date(at) => last.stories.push(summary),
            _ => days.push(StoryDay { at, stories: vec![summary] }),
        }
    }
    days
}
