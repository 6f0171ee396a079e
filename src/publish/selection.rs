//! Why a story is in a feed, or is not: each thing that the feed asks for, and what the story has of it. Pure.

use crate::domain::{FeedSelection, Story};
use serde::Serialize;
use std::collections::BTreeSet;

/// One thing that a feed asks of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    pub holds: bool,
    pub says: String,
}

/// Everything that a feed asks of a story. `words` and `without` are whether an item of the story matches the feed's
/// expressions of these names, where it has them.
pub fn conditions(
    story: &Story,
    selection: &FeedSelection,
    words: Option<bool>,
    without: Option<bool>,
) -> Vec<Condition> {
    let mut all = Vec::new();
    let mut ask = |holds: bool, says: String| all.push(Condition { holds, says });
    match (&story.merged_into, &story.published) {
        (Some(into), _) => ask(false, format!("it was merged into {into}")),
        (None, Some(_)) => ask(true, "it is published".into()),
        (None, None) => ask(false, "it is not published yet: it settles".into()),
    }
    let outlets: BTreeSet<&str> = story.items.iter().map(|i| i.item.outlet.as_str()).collect();
    let languages: BTreeSet<&str> = story.items.iter().filter_map(|i| i.item.lang.as_deref()).collect();
    let tags: BTreeSet<&str> = story.tags.iter().map(String::as_str).collect();
    let lists = [
        ("tag", &selection.tags, tags),
        ("outlet", &selection.outlets, outlets),
        ("language", &selection.languages, languages),
    ];
    for (what, wanted, has) in lists.into_iter().filter(|(_, wanted, _)| !wanted.is_empty()) {
        let list = |words: Vec<&str>| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
        let wants = list(wanted.iter().map(String::as_str).collect());
        let holds = wanted.iter().any(|one| has.contains(one.as_str()));
        ask(holds, format!("{what}: any of {wants}; it has {}", list(has.into_iter().collect())));
    }
    if let (Some(expression), Some(found)) = (&selection.words, words) {
        ask(found, format!("words: {expression}; {} of its reports matches", if found { "one" } else { "none" }));
    }
    if let (Some(expression), Some(found)) = (&selection.without, without) {
        ask(!found, format!("without: {expression}; {} of its reports matches", if found { "one" } else { "none" }));
    }
    if selection.min_outlets > 1 {
        let has = super::outlets(story);
        ask(has >= selection.min_outlets, format!("at least {} outlets; it has {has}", selection.min_outlets));
    }
    all
}
