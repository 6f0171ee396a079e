//! When a story is first published, which item leads it, and when readers are given something new of it. Pure.

use super::Options;
use crate::domain::duration::after;
use crate::domain::{
    Edition, EditionReason, EditionReport, EditionText, Story, StoryItem, StoryPublication, Timestamp,
};
use std::cmp::Reverse;

/// What to freeze of a story that is to be published now; `None` while it settles, or while all its sources are new.
///
/// The date is that of its first report, so that a source added today does not bring yesterday's news up as new.
pub fn first_publication<'s>(
    story: &'s Story,
    now: Timestamp,
    options: &Options,
) -> Option<(&'s StoryItem, StoryPublication)> {
    if after(story.founded_at, options.settle) > now {
        return None;
    }
    let grown = |i: &StoryItem| {
        i.item.source_age.is_none_or(|age| age + now.duration_since(i.item.first_seen_at) >= options.probation)
    };
    if !story.items.iter().any(grown) {
        return None;
    }
    let lead = choose_lead(story, options)?;
    let at = story.items.iter().map(|i| i.item.ranked_at).min()?;
    Some((lead, StoryPublication { at, link: lead.item.url.clone() }))
}

/// The item that stands for a story: not a copy, not of a new source, then of the source with the highest priority, then
/// the earliest, then the fullest.
pub fn choose_lead<'s>(story: &'s Story, options: &Options) -> Option<&'s StoryItem> {
    let is_new = |i: &StoryItem| i.item.source_age.is_some_and(|age| age < options.probation);
    story.items.iter().min_by_key(|i| {
        let rank = (Reverse(i.item.priority), i.item.ranked_at, Reverse(i.item.summary.len()), i.item.id);
        (i.copy_of.is_some(), is_new(i), rank)
    })
}

/// The item that leads a published story from now on: the one that did, as long as it may and no outlet of a higher
/// priority reports. An earlier report that comes in late is no reason to tell readers anything.
fn keep_lead<'s>(story: &'s Story, options: &Options) -> Option<&'s StoryItem> {
    let best = choose_lead(story, options)?;
    let kept = story.items.iter().find(|i| i.item.id == story.lead && i.copy_of.is_none());
    Some(kept.filter(|kept| kept.item.priority >= best.item.priority).unwrap_or(best))
}

/// What is to happen with the editions of a published story.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Readers are given this from now on.
    Edition(EditionReason, Box<EditionText>),
    /// There is something to tell, and it is too soon.
    Wait(Timestamp),
    /// There is nothing to tell until the story changes.
    Rest,
}

/// Whether readers are to be given something new of a published story. `made` is when its first edition was made and when
/// its last, and `latest` is the latest that is not for one feed alone.
pub fn step(
    story: &Story,
    made: Option<(Timestamp, Timestamp)>,
    latest: Option<&Edition>,
    now: Timestamp,
    options: &Options,
) -> Step {
    let Some(lead) = keep_lead(story, options) else { return Step::Rest };
    let text = compose(story, lead);
    let (Some((first_at, last_at)), Some(latest)) = (made, latest) else {
        return Step::Edition(EditionReason::First, text.into());
    };
    let Some(cause) = change(story, &text, latest) else { return Step::Rest };
    let soonest = after(last_at, options.pause);
    if now.max(soonest) >= after(first_at, options.freeze) {
        return Step::Rest;
    }
    if soonest > now { Step::Wait(soonest) } else { Step::Edition(cause, text.into()) }
}

/// What readers of the latest edition do not know.
fn change(story: &Story, text: &EditionText, latest: &Edition) -> Option<EditionReason> {
    latest.news(text, outlets(story), &story.items.iter().map(|i| i.item.id).collect())
}

/// The distinct outlets of a story; at least one.
pub fn outlets(story: &Story) -> u32 {
    u32::try_from(story.outlets().len()).unwrap_or(u32::MAX).max(1)
}

/// The edition for a feed that a story comes into, where the latest one says less than the story holds by now.
pub fn on_entering(story: &Story, latest: &Edition, options: &Options) -> Option<EditionText> {
    let text = compose(story, keep_lead(story, options)?);
    (text.reports.len() != latest.text.reports.len() || change(story, &text, latest).is_some()).then_some(text)
}

/// Bytes of a lead's own text that an edition keeps.
const MAX_CONTENT: usize = 256 * 1024;
/// Reports that an edition lists: those that came first.
const MAX_REPORTS: usize = 500;

/// A story as an edition says it.
pub fn compose(story: &Story, lead: &StoryItem) -> EditionText {
    let item = &lead.item;
    let article = item.article.as_ref().filter(|article| article.may_be_published);
    let reports = story.items.iter().take(MAX_REPORTS).map(|report| EditionReport {
        item: report.item.id,
        outlet: report.item.outlet.clone(),
        title: report.item.title.clone(),
        url: report.item.url.clone(),
        at: report.item.ranked_at,
        copy: report.copy_of.is_some(),
        why: report.evidence.short(),
    });
    EditionText {
        lead: item.id,
        title: item.title.clone(),
        summary: item.summary.clone(),
        content: item.content.clone().filter(|content| content.len() <= MAX_CONTENT),
        article: article.map(|article| article.text.clone()),
        lang: item.lang.clone(),
        image: item.image.clone(),
        source_title: item.source_title.clone(),
        source_url: item.source_url.clone(),
        tags: story.tags.clone(),
        reports: reports.collect(),
        absorbed: story.absorbed,
    }
}
