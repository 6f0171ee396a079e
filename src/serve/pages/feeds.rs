//! The list of the published feeds, for people and, as OPML, for their readers.

use super::opml::{OPML, outlines};
use super::words::{language, number, span};
use super::{Found, Rendered, Site, answer};
use crate::domain::{FeedOrder, FeedSelection, FeedVariant, PublishedFeed};
use crate::publish::{Format, HEALTH};
use crate::serve::conditional::{PAGE, answer_once};
use crate::serve::{App, Failure};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

#[derive(Template)]
#[template(path = "feeds.html")]
struct Feeds<'a> {
    site: Site<'a>,
}

pub(in crate::serve) async fn feeds(State(app): State<App>, request: HeaderMap) -> Result<Response, Failure> {
    answer(app, request, |_, site| Ok(Found::Page(feeds_page(site)))).await
}

pub(in crate::serve) fn feeds_page(site: Site) -> Rendered {
    Feeds { site }.render()
}

/// `/feeds.opml`.
pub(in crate::serve) async fn opml(State(app): State<App>, request: HeaderMap) -> Response {
    answer_once(OPML, PAGE, outlines(&app.options, &app.public_feeds), &request)
}

impl Feeds<'_> {
    fn stable(&self) -> &'static str {
        FeedVariant::Stable.suffix()
    }

    fn address(&self, name: &str, format: &Format) -> String {
        self.site.options.url(&format!("feeds/{name}.{}", format.extension()))
    }

    fn health(&self) -> String {
        self.address(HEALTH, &Format::Atom)
    }
}

/// How a format is called.
fn name(format: &Format) -> &'static str {
    match format {
        Format::Atom => "Atom",
        Format::Rss => "RSS",
        Format::Json => "JSON Feed",
    }
}

/// Which stories a feed holds, in words.
fn selects(feed: &PublishedFeed) -> String {
    let FeedSelection { tags, outlets, languages, words, without, min_outlets, max_age, limit, order } =
        &feed.selection;
    let mut parts = Vec::new();
    if !tags.is_empty() {
        parts.push(format!("of sources with the tag {}", any(tags.iter().map(|tag| format!("‘{tag}’")))));
    }
    if !outlets.is_empty() {
        parts.push(format!("of {}", any(outlets.iter().cloned())));
    }
    if !languages.is_empty() {
        let named = languages.iter().map(|lang| language(lang).unwrap_or(lang).to_owned());
        parts.push(format!("in {}", any(named)));
    }
    if let Some(words) = words {
        parts.push(format!("that match {words}"));
    }
    if let Some(without) = without {
        parts.push(format!("that do not match {without}"));
    }
    if *min_outlets > 1 {
        parts.push(format!("that at least {min_outlets} outlets report"));
    }
    if let Some(age) = max_age {
        parts.push(format!("at most {} older than the newest", span(*age)));
    }
    let all = if parts.is_empty() { "All stories".to_owned() } else { format!("Stories {}", parts.join(", ")) };
    let limit = number(&u64::from(*limit));
    match order {
        FeedOrder::Newest => format!("{all}; the newest {limit}."),
        FeedOrder::Weight => format!("{all}; the {limit} that weigh most by outlets, priority and age."),
    }
}

fn any(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(" or ")
}
