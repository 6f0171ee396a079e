//! Describes the selection of a feed.

use super::{count_of, duration, grouped_digits};
use crate::domain::language::language_name;
use crate::domain::{FeedFold, FeedOrder, FeedSelection};

/// Describes which stories a feed contains: `Stories from sources tagged ‘war’, in English`.
pub fn selected_stories(selection: &FeedSelection) -> String {
    let FeedSelection { tags, outlets, languages, query, exclude_query, min_outlets, max_age, .. } = selection;
    let mut parts = Vec::new();
    if !tags.is_empty() {
        let quoted: Vec<String> = tags.iter().map(|tag| format!("‘{tag}’")).collect();
        parts.push(format!("from sources tagged {}", quoted.join(" or ")));
    }
    if !outlets.is_empty() {
        parts.push(format!("from {}", outlets.join(" or ")));
    }
    if !languages.is_empty() {
        let names: Vec<&str> = languages.iter().map(|code| language_name(code).unwrap_or(code)).collect();
        parts.push(format!("in {}", names.join(" or ")));
    }
    if let Some(expression) = query {
        parts.push(format!("matching {expression}"));
    }
    if let Some(expression) = exclude_query {
        parts.push(format!("not matching {expression}"));
    }
    if *min_outlets > 1 {
        parts.push(format!("reported by at least {}", count_of(*min_outlets as usize, "outlet", "outlets")));
    }
    if let Some(age) = max_age {
        parts.push(format!("at most {} older than the newest story", duration(*age)));
    }
    if parts.is_empty() { "All stories".to_owned() } else { format!("Stories {}", parts.join(", ")) }
}

/// Describes a selection with its order and folding: `Stories from sources tagged ‘war’, in English; newest 100.`
pub fn selection_text(selection: &FeedSelection) -> String {
    let FeedSelection { limit, order, fold, .. } = selection;
    let stories = selected_stories(selection);
    let limit = grouped_digits(u64::from(*limit));
    let order = match order {
        FeedOrder::Newest => format!("newest {limit}"),
        FeedOrder::Hot => format!("top {limit} by number of outlets that have reported recently"),
    };
    let fold = match fold {
        FeedFold::Storylines => "one entry per storyline, plus major developments",
        FeedFold::Stories => "one entry per story",
    };
    format!("{stories}; {order}; {fold}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn stories_are_described_without_order_and_folding() {
        assert_eq!(selected_stories(&FeedSelection::default()), "All stories");
        let selection = FeedSelection { min_outlets: 2, ..FeedSelection::default() };
        assert_eq!(selected_stories(&selection), "Stories reported by at least 2 outlets");
    }

    #[test]
    fn selection_reads_as_one_sentence() {
        assert_eq!(
            selection_text(&FeedSelection::default()),
            "All stories; newest 100; one entry per storyline, plus major developments."
        );
        let selection = FeedSelection {
            tags: vec!["war".into(), "peace".into()],
            languages: vec!["en".into()],
            query: Some("grid".into()),
            min_outlets: 3,
            max_age: Some(SignedDuration::from_hours(48)),
            order: FeedOrder::Hot,
            ..FeedSelection::default()
        };
        assert_eq!(
            selection_text(&selection),
            "Stories from sources tagged ‘war’ or ‘peace’, in English, matching grid, reported by at least 3 outlets, \
             at most 2 d older than the newest story; top 100 by number of outlets that have reported recently; one \
             entry per storyline, plus major developments."
        );
    }
}
