//! Applies the limits to a parsed feed: drops empty and repeated values, and truncates long values.
//!
//! The module changes no other values and drops no items for their content: `ingest` decides which items to keep.

use std::collections::HashSet;

use super::Options;
use super::one_line_text::truncate_text;
use super::parsed_feed::ParsedFeed;
use crate::domain::{FeedProblem, ProblemKind};

/// The maximum length of a guid in bytes. A longer guid is text in the wrong element.
const MAX_GUID_BYTES: usize = 4 * 1024;

/// Applies the limits and records values that were truncated, dropped, missing or repeated.
pub fn apply_limits(feed: &mut ParsedFeed, options: &Options, problems: &mut Vec<FeedProblem>) {
    deduplicate(&mut feed.authors);
    if let Some(summary) = &mut feed.summary_html {
        truncate_text(summary, options.max_text_bytes);
    }
    let mut record = |kind, detail: &str| FeedProblem::record(problems, kind, detail);
    if feed.items.len() > options.max_items {
        record(ProblemKind::TooManyItems, &format!("more than {}", options.max_items));
        feed.items.truncate(options.max_items);
    }
    for item in &mut feed.items {
        item.guid = item.guid.take().map(|guid| guid.trim().to_owned());
        for text in [&mut item.guid, &mut item.title, &mut item.summary_html, &mut item.content_html] {
            text.take_if(|text| text.trim().is_empty());
        }
        if item.guid.as_mut().is_some_and(|guid| truncate_text(guid, MAX_GUID_BYTES)) {
            record(ProblemKind::TooLong, "guid");
        }
        for text in [&mut item.title, &mut item.summary_html, &mut item.content_html].into_iter().flatten() {
            if truncate_text(text, options.max_text_bytes) {
                record(ProblemKind::TooLong, "text");
            }
        }
        deduplicate(&mut item.authors);
        deduplicate(&mut item.categories);
        let mut seen = HashSet::new();
        item.enclosures.retain(|enclosure| seen.insert(enclosure.url.clone()));
    }
    let mut seen = HashSet::new();
    for item in &feed.items {
        match &item.guid {
            None => record(ProblemKind::NoGuid, item.title.as_deref().unwrap_or_default()),
            Some(guid) if !seen.insert(guid.as_str()) => record(ProblemKind::RepeatedGuid, guid),
            Some(_) => {}
        }
    }
}

/// Drops blank names and names that differ from an earlier name only by case.
fn deduplicate(names: &mut Vec<String>) {
    let mut seen = HashSet::new();
    names.retain(|name| !name.trim().is_empty() && seen.insert(name.to_lowercase()));
}

#[cfg(test)]
mod tests {
    use super::super::parsed_feed::ParsedItem;
    use super::*;

    fn check(items: Vec<ParsedItem>, kept: usize, expected: &[ProblemKind]) {
        let mut feed = ParsedFeed { items, ..ParsedFeed::default() };
        let mut problems = Vec::new();
        apply_limits(&mut feed, &Options::default(), &mut problems);
        assert_eq!(feed.items.len(), kept);
        assert_eq!(problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(), expected);
    }

    fn item(guid: Option<&str>, title: &str) -> ParsedItem {
        ParsedItem { guid: guid.map(str::to_owned), title: Some(title.to_owned()), ..ParsedItem::default() }
    }

    #[test]
    fn blank_values_become_none_and_the_item_stays() {
        check(vec![item(Some(" "), " "), item(Some("a"), "A")], 2, &[ProblemKind::NoGuid]);
    }

    #[test]
    fn repeated_and_missing_guids_are_reported_and_kept() {
        let items = vec![item(Some("a"), "A"), item(Some("a"), "B"), item(None, "C")];
        check(items, 3, &[ProblemKind::RepeatedGuid, ProblemKind::NoGuid]);
    }
}
