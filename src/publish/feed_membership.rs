//! Pure functions that check the conditions of a feed's selection and explain why a story is or is not in the feed.

use crate::domain::{FeedSelection, Story};
use crate::wording::backlog_text;
use serde::Serialize;
use std::collections::BTreeSet;

/// A condition that a story must meet to be in a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MembershipCondition {
    pub holds: bool,
    /// The condition and the story's value, in human-readable form.
    pub says: String,
}

/// The results of a feed's full-text expressions for a story: whether any item matches. `None` means that the
/// expression is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryMatches {
    pub query: Option<bool>,
    pub exclude_query: Option<bool>,
    /// Whether an item matches the feed's filter.
    pub items: bool,
    /// Whether an item matches an excluding filter or a mute rule.
    pub excluded: bool,
}

/// The facts about a story that the conditions of feeds compare.
pub struct StoryFacts<'s> {
    tags: BTreeSet<&'s str>,
    outlets: BTreeSet<&'s str>,
    languages: BTreeSet<&'s str>,
    pub outlet_count: u32,
}

impl<'s> StoryFacts<'s> {
    pub fn new(story: &'s Story) -> StoryFacts<'s> {
        StoryFacts {
            tags: story.tags.iter().map(String::as_str).collect(),
            outlets: story.items.iter().map(|i| i.item.outlet.as_str()).collect(),
            languages: story.items.iter().filter_map(|i| i.item.lang.as_deref()).collect(),
            outlet_count: story.outlet_count(),
        }
    }

    /// Returns whether a published story meets the conditions on tags, outlets and languages, and on the number of
    /// outlets. The other conditions need queries.
    pub fn may_match(&self, selection: &FeedSelection) -> bool {
        let lists = [
            (&selection.tags, &self.tags),
            (&selection.outlets, &self.outlets),
            (&selection.languages, &self.languages),
        ];
        self.outlet_count >= selection.min_outlets
            && lists.into_iter().all(|(wanted, present)| wanted.is_empty() || has_any(wanted, present))
    }
}

fn has_any(wanted: &[String], present: &BTreeSet<&str>) -> bool {
    wanted.iter().any(|one| present.contains(one.as_str()))
}

/// Returns all conditions that the feed's selection sets.
pub fn membership_conditions(
    story: &Story,
    selection: &FeedSelection,
    matches: QueryMatches,
) -> Vec<MembershipCondition> {
    let facts = StoryFacts::new(story);
    let mut all = vec![publication_condition(story)];
    all.extend(list_condition("tag", &selection.tags, &facts.tags));
    all.extend(list_condition("outlet", &selection.outlets, &facts.outlets));
    all.extend(list_condition("language", &selection.languages, &facts.languages));
    if let (Some(expression), Some(matched)) = (&selection.query, matches.query) {
        all.push(query_condition("query", expression, matched, true));
    }
    if let (Some(expression), Some(matched)) = (&selection.exclude_query, matches.exclude_query) {
        all.push(query_condition("exclude_query", expression, matched, false));
    }
    if !selection.items.is_empty() {
        let text = "a report matches the filter by author, category, URL or pattern".into();
        all.push(condition(matches.items, text));
    }
    if !selection.excluded.is_empty() {
        all.push(condition(!matches.excluded, "no report matches exclude_pattern or a mute rule".into()));
    }
    if selection.min_outlets > 1 {
        let (wanted, count) = (selection.min_outlets, facts.outlet_count);
        all.push(condition(count >= wanted, format!("at least {wanted} outlets; the story has {count}")));
    }
    all
}

fn condition(holds: bool, says: String) -> MembershipCondition {
    MembershipCondition { holds, says }
}

fn publication_condition(story: &Story) -> MembershipCondition {
    match (&story.merged_into, story.published_at) {
        (Some(into), _) => condition(false, format!("merged into story {into}")),
        (None, Some(_)) => condition(true, "published".into()),
        (None, None) => match (story.news().next(), story.items.first().and_then(|i| i.item.backlog_reason)) {
            (None, Some(reason)) => {
                condition(false, format!("not published: all reports are backlog ({})", backlog_text(reason)))
            }
            _ => condition(
                false,
                "not published yet: the publishing delay has not passed, or all sources of the story are on probation"
                    .into(),
            ),
        },
    }
}

fn list_condition(name: &str, wanted: &[String], present: &BTreeSet<&str>) -> Option<MembershipCondition> {
    if wanted.is_empty() {
        return None;
    }
    let holds = has_any(wanted, present);
    let present: Vec<&str> = present.iter().copied().collect();
    let present = if present.is_empty() { "none".to_owned() } else { present.join(", ") };
    Some(condition(holds, format!("{name}: any of {}; the story has {present}", wanted.join(", "))))
}

fn query_condition(name: &str, expression: &str, matched: bool, wanted: bool) -> MembershipCondition {
    let reports = if matched { "at least one report matches" } else { "no report matches" };
    condition(matched == wanted, format!("{name}: {expression}; {reports}"))
}
