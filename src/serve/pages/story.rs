//! The page of a story: its reports in order of time, with the copies of each folded under it, why each is there, and
//! what it said before.

use super::evidence::{Because, because};
use super::plot::{Mark, marks};
use super::words::{counted, lang, link, machine_time, span, time};
use super::{Found, Rendered, Site, answer};
use crate::domain::{ItemId, Story, StoryId, StoryItem, Timestamp};
use crate::serve::{App, Failure};
use crate::store::items::Earlier;
use crate::store::{self, items, stories};
use askama::Template;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::SignedDuration;
use rusqlite::Connection;
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "story.html")]
struct StoryPage<'a> {
    site: Site<'a>,
    story: &'a Story,
    lead: &'a StoryItem,
    first: Timestamp,
    last: Timestamp,
    marks: Vec<Mark>,
    reports: Vec<Report<'a>>,
}

/// A report as it is shown.
struct Report<'a> {
    report: &'a StoryItem,
    /// How long after the story's first report it came; nothing for those that came with it.
    later: Option<String>,
    /// How long the pause before it was, from 0 to 4: the list shows it as distance.
    pause: u8,
    because: Vec<Because>,
    earlier: Vec<Said<'a>>,
    /// Whether it repeats a text that is no report's of this story.
    is_copy_of_others: bool,
    copies: Vec<Report<'a>>,
}

/// What a report said before.
struct Said<'a> {
    until: Timestamp,
    /// Where it is another than the one that followed.
    title: Option<&'a str>,
    summary: Option<&'a str>,
}

pub(in crate::serve) async fn story(app: App, id: StoryId, request: &HeaderMap) -> Result<Response, Failure> {
    answer(app, request.clone(), move |db, site| {
        let Some(story) = stories::get(db, id)? else { return Ok(Found::Nothing) };
        if let Some(into) = story.merged_into {
            return Ok(Found::Elsewhere(format!("stories/{into}")));
        }
        Ok(story_page(db, site, &story)?.map_or(Found::Nothing, Found::Page))
    })
    .await
}

/// `None` for a story without a report.
pub(in crate::serve) fn story_page(db: &Connection, site: Site, story: &Story) -> store::Result<Option<Rendered>> {
    let (Some(lead), Some(first), Some(last)) = (story.lead(), story.items.first(), story.items.last()) else {
        return Ok(None);
    };
    let said = items::said_before(db, story.id)?;
    let (first, last) = (first.item.ranked_at, last.item.ranked_at);
    let page =
        StoryPage { marks: marks(&story.items), reports: reports(story, first, &said), site, story, lead, first, last };
    Ok(Some(page.render()))
}

/// The reports in order of time, each copy under the report whose text it repeats.
fn reports<'a>(story: &'a Story, first: Timestamp, said: &'a BTreeMap<ItemId, Vec<Earlier>>) -> Vec<Report<'a>> {
    let mut top: Vec<Report> = Vec::new();
    let mut copies: BTreeMap<ItemId, Vec<Report>> = BTreeMap::new();
    let mut before = first;
    for report in &story.items {
        let shown = Report {
            report,
            later: Some(report.item.ranked_at.duration_since(first)).filter(|later| later.as_secs() >= 60).map(span),
            pause: pause(report.item.ranked_at.duration_since(before)),
            because: because(report, story),
            earlier: said.get(&report.item.id).map_or_else(Vec::new, |said| changes(report, said)),
            is_copy_of_others: false,
            copies: Vec::new(),
        };
        match original(report, story) {
            Some(of) => copies.entry(of).or_default().push(shown),
            None => {
                before = report.item.ranked_at;
                top.push(Report { is_copy_of_others: report.copy_of.is_some(), ..shown });
            }
        }
    }
    for report in &mut top {
        report.copies = copies.remove(&report.report.item.id).unwrap_or_default();
    }
    top
}

/// The report of this story whose text it repeats, found through the copies between them.
fn original(report: &StoryItem, story: &Story) -> Option<ItemId> {
    let mut found = None;
    let mut at = report;
    // Each step leads to another report, if no copies go round in a circle.
    for _ in 0..story.items.len() {
        let Some(next) = at.copy_of.and_then(|of| story.items.iter().find(|i| i.item.id == of)) else { break };
        if next.item.id == report.item.id {
            return None;
        }
        found = Some(next.item.id);
        at = next;
    }
    found
}

fn pause(pause: SignedDuration) -> u8 {
    match pause.as_secs() {
        ..300 => 0,
        300..3600 => 1,
        3600..21_600 => 2,
        21_600..86_400 => 3,
        _ => 4,
    }
}

/// What a report said before, newest first, as far as readers see a difference.
fn changes<'a>(report: &'a StoryItem, said: &'a [Earlier]) -> Vec<Said<'a>> {
    let mut after = (report.item.title.as_str(), report.item.summary.as_str());
    let mut changes = Vec::new();
    for earlier in said {
        let before = (earlier.title.as_str(), earlier.summary.as_str());
        let title = Some(before.0).filter(|title| *title != after.0);
        let summary = Some(before.1).filter(|summary| *summary != after.1 && !summary.is_empty());
        if title.is_some() || summary.is_some() {
            changes.push(Said { until: earlier.until, title, summary });
        }
        after = before;
    }
    changes
}

impl StoryPage<'_> {
    fn outlets(&self) -> String {
        counted(self.story.outlets().len(), "outlet", "outlets")
    }

    fn copies(&self) -> usize {
        self.story.items.iter().filter(|report| report.copy_of.is_some()).count()
    }

    fn spans_time(&self) -> bool {
        self.last.duration_since(self.first).as_secs() >= 60
    }
}

impl Report<'_> {
    fn copies_in_words(&self) -> String {
        counted(self.copies.len(), "copy", "copies") + " of this text"
    }

    fn earlier_in_words(&self) -> String {
        let headlines = self.earlier.iter().filter(|said| said.title.is_some()).count();
        let texts = self.earlier.iter().filter(|said| said.summary.is_some()).count();
        let mut parts = Vec::new();
        if headlines > 0 {
            parts.push(counted(headlines, "earlier headline", "earlier headlines"));
        }
        if texts > 0 {
            parts.push(counted(texts, "earlier text", "earlier texts"));
        }
        parts.join(", ")
    }
}
