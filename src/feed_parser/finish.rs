//! The last look at a parsed feed, whoever parsed it: nothing empty, nothing doubled, nothing too long.
//!
//! Never changes what an item says of itself, and leaves none out: what is worth keeping is judged where it is kept.

use std::collections::HashSet;

use super::text::cut;
use super::{Options, ParsedFeed};
use crate::domain::{FeedProblem, ProblemKind};

/// A longer guid is a text that strayed into the wrong element.
const MAX_GUID: usize = 4 * 1024;

pub fn finish(feed: &mut ParsedFeed, options: &Options, problems: &mut Vec<FeedProblem>) {
    once(&mut feed.authors);
    if let Some(summary) = &mut feed.summary_html {
        cut(summary, options.max_text);
    }
    let mut note = |kind, detail: &str| FeedProblem::note(problems, FeedProblem::new(kind, detail));
    if feed.items.len() > options.max_items {
        note(ProblemKind::TooManyItems, &format!("more than {}", options.max_items));
        feed.items.truncate(options.max_items);
    }
    for item in &mut feed.items {
        item.guid = item.guid.take().map(|guid| guid.trim().to_owned()).filter(|guid| !guid.is_empty());
        for text in [&mut item.guid, &mut item.title, &mut item.summary_html, &mut item.content_html] {
            if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                *text = None;
            }
        }
        if item.guid.as_mut().is_some_and(|guid| cut(guid, MAX_GUID)) {
            note(ProblemKind::TooLong, "guid");
        }
        for text in [&mut item.title, &mut item.summary_html, &mut item.content_html].into_iter().flatten() {
            if cut(text, options.max_text) {
                note(ProblemKind::TooLong, "text");
            }
        }
        once(&mut item.authors);
        once(&mut item.categories);
        let mut seen = HashSet::new();
        item.enclosures.retain(|enclosure| seen.insert(enclosure.url.clone()));
    }
    let mut seen = HashSet::new();
    for item in &feed.items {
        match &item.guid {
            None => note(ProblemKind::NoGuid, item.title.as_deref().unwrap_or_default()),
            Some(guid) if !seen.insert(guid.as_str()) => note(ProblemKind::RepeatedGuid, guid),
            Some(_) => {}
        }
    }
}

fn once(names: &mut Vec<String>) {
    let mut seen = HashSet::new();
    names.retain(|name| !name.trim().is_empty() && seen.insert(name.to_lowercase()));
}

#[cfg(test)]
mod tests {
    use super::super::{FeedKind, ParsedItem};
    use super::*;
    use crate::domain::PollingHints;

    fn check(items: Vec<ParsedItem>, left: usize, expect: &[ProblemKind]) {
        let mut feed = ParsedFeed {
            kind: FeedKind::Rss,
            charset: "UTF-8",
            id: None,
            title: None,
            summary_html: None,
            authors: Vec::new(),
            published: None,
            site_url: None,
            self_url: None,
            hubs: Vec::new(),
            lang: None,
            wishes: PollingHints::default(),
            updated: None,
            items,
        };
        let mut problems = Vec::new();
        finish(&mut feed, &Options::default(), &mut problems);
        assert_eq!(feed.items.len(), left);
        assert_eq!(problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(), expect);
    }

    fn item(guid: Option<&str>, title: &str) -> ParsedItem {
        ParsedItem { guid: guid.map(str::to_owned), title: Some(title.to_owned()), ..ParsedItem::default() }
    }

    #[test]
    fn what_is_blank_is_nothing_and_the_item_stays() {
        check(vec![item(Some(" "), " "), item(Some("a"), "A")], 2, &[ProblemKind::NoGuid]);
    }

    #[test]
    fn repeated_and_missing_guids_are_told_and_kept() {
        let items = vec![item(Some("a"), "A"), item(Some("a"), "B"), item(None, "C")];
        check(items, 3, &[ProblemKind::RepeatedGuid, ProblemKind::NoGuid]);
    }
}
