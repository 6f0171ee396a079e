//! The story page: its storyline, and its reports by outlet, each with its copies, the reason why it belongs to the
//! story, and its earlier versions.

use super::chart::{TimelineMark, timeline_marks};
use super::format::{headline, link, machine_time, short_headline};
use super::site_layout::SiteLayout;
use super::storyline::DevelopmentView;
use crate::domain::language::other_language_name;
use crate::domain::{ItemId, Story, StoryItem, Storyline, StorylineId, Timestamp};
use crate::serve::app_state::Error;
use crate::store::item_revisions::{self, EarlierText};
use crate::store::{ReadConnection, storylines};
use crate::wording::{ReasonTarget, ReasonText, backlog_text, count_of, duration, join_reasons, storyline_reason};
use askama::Template;
use indexmap::IndexMap;
use indexmap::map::Entry;
use std::collections::BTreeMap;

/// The maximum number of other stories of the storyline that the page lists.
const MAX_OTHER_STORIES: u32 = 5;

#[derive(Template)]
#[template(path = "story.html")]
struct StoryPage<'a> {
    site: SiteLayout<'a>,
    story: &'a Story,
    lead: &'a StoryItem,
    first: Timestamp,
    last: Timestamp,
    marks: Vec<TimelineMark>,
    outlets: Vec<OutletView<'a>>,
    /// `None` if the storyline has no other published story.
    storyline: Option<StorylineView<'a>>,
}

/// The storyline of a story as shown on the story's page.
struct StorylineView<'a> {
    id: StorylineId,
    /// The number of its other published stories: `2 other stories`.
    other_stories: String,
    reason: String,
    /// The newest other stories, newest first.
    others: Vec<DevelopmentView<'a>>,
}

/// The reports of an outlet as shown on the page.
struct OutletView<'a> {
    first: ReportView<'a>,
    /// The later reports.
    more: Vec<ReportView<'a>>,
}

/// A report as shown on the page.
struct ReportView<'a> {
    report: &'a StoryItem,
    /// The date, with the year and the zone only where they differ from those of the first report.
    time: String,
    /// The time since the story's first report that is not a copy, if it is at least one minute.
    delay: Option<String>,
    reasons: Vec<ReasonLink>,
    earlier: Vec<EarlierVersion<'a>>,
    /// The name of the language if it is not that of the lead.
    language: Option<&'static str>,
    /// The reason why the report is not news.
    backlog: Option<&'static str>,
    copies: Vec<ReportView<'a>>,
}

/// A reason why a report belongs to the story, with a link to the report that the reason refers to.
struct ReasonLink {
    text: String,
    /// The URL and the text of the link.
    target: Option<(String, String)>,
}

/// An earlier version of a report, reduced to the parts that differ from the next version.
struct EarlierVersion<'a> {
    until: Timestamp,
    title: Option<&'a str>,
    summary: Option<&'a str>,
}

/// Renders the page; `None` for a story without items.
pub fn story_page(db: &ReadConnection, site: SiteLayout, story: &Story) -> Result<Option<String>, Error> {
    let (Some(lead), Some(first)) = (story.lead(), story.first_report()) else { return Ok(None) };
    let last = story.news().last().unwrap_or(first);
    let earlier = item_revisions::earlier_texts(db, story.id)?;
    let storyline = storylines::with_published(db, story.storyline, MAX_OTHER_STORIES + 1)?;
    let published = storylines::count_published(db, story.storyline)?;
    let page = StoryPage {
        site,
        story,
        lead,
        first: first.item.ranked_at,
        last: last.item.ranked_at,
        marks: timeline_marks(story),
        outlets: by_outlet(report_views(story, site, &earlier)),
        storyline: storyline.as_ref().and_then(|storyline| storyline_view(story, storyline, published)),
    };
    Ok(Some(page.render()?))
}

/// Returns the place of a story in its storyline, which was read with its newest published stories. `published` is the
/// number of published stories.
fn storyline_view<'a>(story: &Story, storyline: &'a Storyline, published: u32) -> Option<StorylineView<'a>> {
    let other_count = published - u32::from(story.published_at.is_some());
    let newest = storyline.stories.iter().rev().filter(|other| other.id != story.id);
    let others = newest.filter_map(|other| DevelopmentView::new(other, published)).take(MAX_OTHER_STORIES as usize);
    let others: Vec<DevelopmentView> = others.collect();
    let reason = storyline_reason(&story.storyline_evidence, other_count + 1);
    let other_stories = count_of(other_count as usize, "other story", "other stories");
    (!others.is_empty()).then_some(StorylineView { id: storyline.id, other_stories, reason, others })
}

/// Groups reports by outlet, in order of each outlet's first report.
fn by_outlet(reports: Vec<ReportView<'_>>) -> Vec<OutletView<'_>> {
    let mut outlets: IndexMap<&str, OutletView> = IndexMap::new();
    for view in reports {
        match outlets.entry(&view.report.item.outlet) {
            Entry::Occupied(mut outlet) => outlet.get_mut().more.push(view),
            Entry::Vacant(outlet) => {
                outlet.insert(OutletView { first: view, more: Vec::new() });
            }
        }
    }
    outlets.into_values().collect()
}

/// Returns the reports in order of time, each with its copies.
fn report_views<'a>(
    story: &'a Story,
    site: SiteLayout<'_>,
    earlier: &'a BTreeMap<ItemId, Vec<EarlierText>>,
) -> Vec<ReportView<'a>> {
    // A copy can have an earlier date than its original, which is shown above it.
    let first = story.news().find(|report| report.copy_of.is_none()).or(story.first_report());
    let first = first.map_or(Timestamp::UNIX_EPOCH, |first| first.item.ranked_at);
    let lead_language = story.lead().and_then(|lead| lead.item.lang.as_deref());
    let mut originals: Vec<ReportView> = Vec::new();
    let mut copies: BTreeMap<ItemId, Vec<ReportView>> = BTreeMap::new();
    for report in &story.items {
        let delay = report.item.ranked_at.duration_since(first);
        let view = ReportView {
            report,
            time: report_time(report.item.ranked_at, first, site),
            delay: (delay.as_secs() >= 60).then(|| duration(delay)),
            reasons: reason_links(report, story, site.root),
            earlier: earlier.get(&report.item.id).map_or_else(Vec::new, |earlier| earlier_versions(report, earlier)),
            language: other_language_name(report.item.lang.as_deref(), lead_language),
            backlog: report.item.backlog_reason.map(backlog_text),
            copies: Vec::new(),
        };
        match original_of(report, story) {
            Some(original) => copies.entry(original).or_default().push(view),
            None => originals.push(view),
        }
    }
    for original in &mut originals {
        original.copies = copies.remove(&original.report.item.id).unwrap_or_default();
    }
    originals
}

/// Formats the date of a report, without the year and the zone if the first report shows them.
fn report_time(at: Timestamp, first: Timestamp, site: SiteLayout<'_>) -> String {
    let year = |at: &Timestamp| site.date(at).split('-').next().map(str::to_owned);
    if at != first && year(&at) == year(&first) { site.short_time(&at) } else { site.time(&at) }
}

/// Returns the original in this story that this report copies, at the end of any chain of copies.
fn original_of(report: &StoryItem, story: &Story) -> Option<ItemId> {
    let mut found = None;
    let mut current = report;
    // The number of steps is bounded, because copies might refer to each other in a cycle.
    for _ in 0..story.items.len() {
        let Some(next) = current.copy_of.and_then(|of| story.items.iter().find(|i| i.item.id == of)) else { break };
        if next.item.id == report.item.id {
            return None;
        }
        found = Some(next.item.id);
        current = next;
    }
    found
}

/// Returns the reasons why a report belongs to the story, with links to the reports and stories that they refer to.
fn reason_links(report: &StoryItem, story: &Story, root: &str) -> Vec<ReasonLink> {
    let link = |ReasonText { text, refers_to }: ReasonText| {
        let (words, target) = match refers_to {
            None => return ReasonLink { text, target: None },
            Some(ReasonTarget::Story(other)) => {
                (String::new(), Some((format!("{root}/stories/{other}"), "another story".to_owned())))
            }
            Some(ReasonTarget::Item(item)) => match story.items.iter().find(|other| other.item.id == item) {
                Some(other) => {
                    let words = format!("{}’s report", other.item.outlet_name);
                    (String::new(), Some((format!("#item-{item}"), words)))
                }
                None => ("a report that has left this story".to_owned(), None),
            },
        };
        ReasonLink { text: format!("{text} {words}"), target }
    };
    join_reasons(&report.evidence).into_iter().map(link).collect()
}

/// Returns the earlier versions of a report that differ visibly, newest first.
fn earlier_versions<'a>(report: &'a StoryItem, earlier: &'a [EarlierText]) -> Vec<EarlierVersion<'a>> {
    let mut after = (report.item.title.as_str(), report.item.summary.as_str());
    let mut versions = Vec::new();
    for version in earlier {
        let before = (version.title.as_str(), version.summary.as_str());
        let title = Some(before.0).filter(|title| *title != after.0);
        let summary = Some(before.1).filter(|summary| *summary != after.1 && !summary.is_empty());
        if title.is_some() || summary.is_some() {
            versions.push(EarlierVersion { until: version.replaced_at, title, summary });
        }
        after = before;
    }
    versions
}

impl OutletView<'_> {
    fn more_summary(&self) -> String {
        count_of(self.more.len(), "more report", "more reports")
    }
}

impl StoryPage<'_> {
    fn has_news(&self) -> bool {
        self.story.news().next().is_some()
    }

    /// Returns the number of outlets, reports and copies, without numbers that repeat others.
    fn counts(&self) -> String {
        let (outlets, reports) = (self.story.outlets().len(), self.story.items.len());
        let mut text = count_of(outlets, "outlet", "outlets");
        if reports != outlets {
            text += &format!(", {}", count_of(reports, "report", "reports"));
        }
        if self.copy_count() > 0 {
            text += &format!(" including {}", count_of(self.copy_count(), "copy", "copies"));
        }
        text
    }

    fn copy_count(&self) -> usize {
        self.story.items.iter().filter(|report| report.copy_of.is_some()).count()
    }

    fn spans_time(&self) -> bool {
        self.last.duration_since(self.first).as_secs() >= 60
    }
}

impl ReportView<'_> {
    fn copies_summary(&self) -> String {
        count_of(self.copies.len(), "copy", "copies") + " of this report"
    }

    fn earlier_summary(&self) -> String {
        let titles = self.earlier.iter().filter(|version| version.title.is_some()).count();
        let summaries = self.earlier.iter().filter(|version| version.summary.is_some()).count();
        let mut parts = Vec::new();
        if titles > 0 {
            parts.push(count_of(titles, "earlier headline", "earlier headlines"));
        }
        if summaries > 0 {
            parts.push(count_of(summaries, "earlier summary", "earlier summaries"));
        }
        parts.join(", ")
    }
}
