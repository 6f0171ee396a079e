//! The list of sources.

use super::words::{machine_time, public, time};
use super::{Found, Rendered, Site, answer};
use crate::domain::{Source, SourceState};
use crate::serve::{App, Failure};
use crate::store::{self, sources as kept};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use rusqlite::Connection;

#[derive(Template)]
#[template(path = "sources.html")]
struct Sources<'a> {
    site: Site<'a>,
    sources: Vec<Source>,
}

pub(in crate::serve) async fn sources(State(app): State<App>, request: HeaderMap) -> Result<Response, Failure> {
    answer(app, request, |db, site| Ok(Found::Page(sources_page(db, site)?))).await
}

pub(in crate::serve) fn sources_page(db: &Connection, site: Site) -> store::Result<Rendered> {
    Ok(Sources { site, sources: kept::list(db, &kept::Filter::default())? }.render())
}

/// How a source is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    Failing,
    Held,
    Gone,
    Paused,
    New,
    Well,
}

impl Condition {
    pub(super) fn of(source: &Source) -> Condition {
        match source.state {
            SourceState::Gone => Condition::Gone,
            SourceState::Paused | SourceState::Removed => Condition::Paused,
            SourceState::Active if is_held(source) => Condition::Held,
            SourceState::Active => match source.last_outcome {
                None => Condition::New,
                Some(outcome) if outcome.is_success() => Condition::Well,
                Some(_) => Condition::Failing,
            },
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Condition::Failing => "failing",
            Condition::Held => "on hold",
            Condition::Gone => "gone",
            Condition::Paused => "paused",
            Condition::New => "not polled yet",
            Condition::Well => "well",
        }
    }

    /// What the style sheet calls it.
    pub(super) fn class(self) -> &'static str {
        match self {
            Condition::Failing | Condition::Gone => "bad",
            Condition::Held => "held",
            Condition::Paused | Condition::New => "quiet",
            Condition::Well => "good",
        }
    }
}

/// Whether its server asked us to stay away: by its own word, or because of another source of it.
fn is_held(source: &Source) -> bool {
    use crate::domain::PollOutcome::{Challenged, Held, Refused, Throttled};
    matches!(source.last_outcome, Some(Throttled | Refused | Challenged | Held))
        || source.next_reason.starts_with("its server is left alone")
}

fn condition(source: &Source) -> Condition {
    Condition::of(source)
}
