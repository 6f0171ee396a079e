//! Removes boilerplate around texts: share buttons, "read also" boxes, and lines that a source adds to many items.
//!
//! The input consists of the paragraphs that [`super::plain_text::text_blocks`] returns for a single document.

use std::collections::{HashMap, HashSet};

/// The minimum number and the minimum share of a document's items that contain a block of boilerplate.
const MIN_REPETITIONS: usize = 3;
const MIN_REPETITION_SHARE: f64 = 0.2;
/// The minimum number of words in a block with a pattern. Shorter blocks are compared only as a whole.
const MIN_PATTERN_WORDS: usize = 8;
/// The maximum number of words in addition to the title that may differ between two items.
const MAX_EXTRA_WORDS: usize = 3;

/// Removes blocks that a source adds to many items, either unchanged or around the title of the item ("The post …
/// appeared first on …"). A document with fewer than three items contains none. `titles` are the titles of the items.
pub fn remove_repeated_blocks(items: &mut [Vec<String>], titles: &[&str]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let patterns_of = |blocks: &[String], title: &str| -> Vec<Vec<String>> {
        blocks.iter().map(|block| block_patterns(block, blocks, title)).collect()
    };
    let patterns: Vec<Vec<Vec<String>>> =
        items.iter().zip(titles).map(|(blocks, title)| patterns_of(blocks, title)).collect();
    for item in &patterns {
        let distinct: HashSet<&String> = item.iter().flatten().collect();
        for pattern in distinct {
            *counts.entry(pattern.clone()).or_default() += 1;
        }
    }
    let min = MIN_REPETITIONS.max((items.len() as f64 * MIN_REPETITION_SHARE).ceil() as usize);
    let is_repeated = |pattern: &String| counts.get(pattern).is_some_and(|count| *count >= min);
    for (blocks, patterns) in items.iter_mut().zip(&patterns) {
        let mut patterns = patterns.iter();
        blocks.retain(|_| !patterns.next().is_some_and(|patterns| patterns.iter().any(is_repeated)));
    }
}

/// Returns the patterns under which a block is counted: the whole block, and its first and last words if only the title
/// or another block of the item is between them. Without this condition, similar summaries would count too.
fn block_patterns(block: &str, blocks: &[String], title: &str) -> Vec<String> {
    /// The maximum number of blocks that are compared. The repeated text is near the beginning of an item.
    const MAX_COMPARED_BLOCKS: usize = 8;
    let words: Vec<&str> = block.split(' ').collect();
    let mut patterns = vec![block.to_lowercase()];
    if words.len() >= MIN_PATTERN_WORDS {
        let middle = words[2..words.len() - 4].join(" ").to_lowercase();
        let is_framed = |text: &str| {
            let text = text.to_lowercase();
            let extra_words = (words.len() - 6).saturating_sub(text.split_whitespace().count());
            !text.is_empty() && extra_words <= MAX_EXTRA_WORDS && middle.contains(&text)
        };
        let others = blocks.iter().take(MAX_COMPARED_BLOCKS).filter(|other| *other != block);
        if is_framed(title) || others.into_iter().any(|other| is_framed(other)) {
            let (first, last) = (words[..2].join(" "), words[words.len() - 4..].join(" "));
            patterns.push(format!("{first} … {last}").to_lowercase());
        }
    }
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_that_many_items_have_is_removed() {
        let item = |title: &str| {
            vec![
                format!("{title} happened on Sunday."),
                format!("The post {title} appeared first on Mountain News."),
                "Subscribe to our morning letter.".to_owned(),
            ]
        };
        let mut items: Vec<Vec<String>> = ["Rain", "Snow", "Hail"].map(item).into();
        remove_repeated_blocks(&mut items, &["Rain", "Snow", "Hail"]);
        assert_eq!(items[0], ["Rain happened on Sunday."]);
        let mut two: Vec<Vec<String>> = ["Rain", "Snow"].map(item).into();
        remove_repeated_blocks(&mut two, &["Rain", "Snow"]);
        assert_eq!(two[0].len(), 3, "two items are too few");
    }

    #[test]
    fn summaries_that_share_first_and_last_words_stay() {
        let item = |event: &str| vec![format!("The council {event}, the mayor said on Monday.")];
        let events = ["bought two ferries", "closed the old pier", "raised the harbour fees"];
        let mut items: Vec<Vec<String>> = events.map(item).into();
        let before = items.clone();
        remove_repeated_blocks(&mut items, &["Two new ferries", "Old pier closed", "Harbour fees rise"]);
        assert_eq!(items, before);
    }
}
