//! The page with all sources.

use super::format::{condition_class, machine_time, time};
use super::respond::{PageLookup, respond};
use super::site_layout::{RenderedPage, SiteLayout};
use crate::domain::{Source, SourceState, Timestamp};
use crate::serve::app_state::{AppState, InternalError};
use crate::store::{self, ReadConnection, sources as stored};
use crate::wording::{Audience, SourceCondition};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage<'a> {
    site: SiteLayout<'a>,
    sources: Vec<Source>,
}

pub async fn sources(State(app): State<AppState>, request: HeaderMap) -> Result<Response, InternalError> {
    respond(app, request, |db, site| Ok(PageLookup::Found(sources_page(db, site)?))).await
}

pub fn sources_page(db: &ReadConnection, site: SiteLayout) -> store::Result<RenderedPage> {
    Ok(SourcesPage { site, sources: stored::list(db, &stored::SourceFilter::default())? }.render())
}

fn condition(source: &Source) -> SourceCondition {
    SourceCondition::of(source)
}

/// The error of the last poll; empty if it succeeded.
fn last_error(source: &Source) -> String {
    source.last_outcome.map_or_else(String::new, |outcome| Audience::Public.poll_error(outcome, &source.last_error))
}

/// The time of the next poll, if the source is polled at all.
pub fn next_poll(source: &Source) -> Option<&Timestamp> {
    (source.state == SourceState::Active).then_some(&source.next_poll_at)
}
