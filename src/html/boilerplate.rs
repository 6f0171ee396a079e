//! Boilerplate around a text: share buttons, "read also" boxes, and lines that a source adds to many items.
//!
//! Works on the paragraphs of [`super::plain_text::text_blocks`], and uses only the document at hand.

use std::collections::{HashMap, HashSet};

/// A block is boilerplate if this number of items, and this share of all items of a document, have it.
const MIN_REPETITIONS: usize = 3;
const MIN_REPETITION_SHARE: f64 = 0.2;
/// Shorter blocks are compared only as a whole.
const MIN_PATTERN_WORDS: usize = 8;

/// Removes blocks that a source adds to many items, either unchanged or around the title of the item ("The post … appeared
/// first on …"). A document with fewer than three items has none.
pub fn remove_repeated_blocks(items: &mut [Vec<String>]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for blocks in items.iter() {
        let patterns: HashSet<String> = blocks.iter().flat_map(|block| block_patterns(block)).collect();
        for pattern in patterns {
            *counts.entry(pattern).or_default() += 1;
        }
    }
    let min = MIN_REPETITIONS.max((items.len() as f64 * MIN_REPETITION_SHARE).ceil() as usize);
    let is_repeated = |pattern: &String| counts.get(pattern).is_some_and(|count| *count >= min);
    for blocks in items {
        blocks.retain(|block| !block_patterns(block).iter().any(is_repeated));
    }
}

/// The patterns under which a block is counted: the whole block, and its first and last words.
fn block_patterns(block: &str) -> Vec<String> {
    let words: Vec<&str> = block.split(' ').collect();
    let mut patterns = vec![block.to_lowercase()];
    if words.len() >= MIN_PATTERN_WORDS {
        let (first, last) = (words[..2].join(" "), words[words.len() - 4..].join(" "));
        patterns.push(format!("{first} … {last}").to_lowercase());
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
        remove_repeated_blocks(&mut items);
        assert_eq!(items[0], ["Rain happened on Sunday."]);
        let mut two: Vec<Vec<String>> = ["Rain", "Snow"].map(item).into();
        remove_repeated_blocks(&mut two);
        assert_eq!(two[0].len(), 3, "two items are too few");
    }
}
