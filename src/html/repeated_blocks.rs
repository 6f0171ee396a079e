//! Removes boilerplate around text: share buttons, "read also" boxes, and lines that a source adds to many items.
//!
//! The input consists of the paragraphs that [`super::plain_text::text_blocks`] returns for a single document.

use std::collections::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

/// The minimum number and the minimum share of a document's items that contain a block of boilerplate.
const MIN_REPETITIONS: usize = 3;
const MIN_REPETITION_SHARE: f64 = 0.2;
/// The minimum number of words in a block that is also compared by its first and last words. Shorter blocks are
/// compared only as a whole.
const MIN_PATTERN_WORDS: usize = 8;
/// The maximum number of words in addition to the title that may differ between two items.
const MAX_EXTRA_WORDS: usize = 3;

/// Returns, for each block of each item, whether the source adds it to many items, either unchanged or around the title
/// of the item ("The post … appeared first on …"). A document with fewer than three items contains no such block.
/// `titles` are the titles of the items.
pub fn find_repeated_blocks(items: &[Vec<String>], titles: &[&str]) -> Vec<Vec<bool>> {
    // Hashes need less memory than the text. A document may be large.
    let hashes_of = |block: &String, blocks: &[String], title: &str| -> Vec<u64> {
        block_patterns(block, blocks, title).iter().map(|pattern| xxh3_64(pattern.as_bytes())).collect()
    };
    let patterns: Vec<Vec<Vec<u64>>> = items
        .iter()
        .zip(titles)
        .map(|(blocks, title)| blocks.iter().map(|block| hashes_of(block, blocks, title)).collect())
        .collect();
    let mut counts: HashMap<u64, usize> = HashMap::new();
    for item in &patterns {
        let distinct: HashSet<u64> = item.iter().flatten().copied().collect();
        for pattern in distinct {
            *counts.entry(pattern).or_default() += 1;
        }
    }
    let min = MIN_REPETITIONS.max((items.len() as f64 * MIN_REPETITION_SHARE).ceil() as usize);
    let is_repeated = |pattern: &u64| counts.get(pattern).is_some_and(|count| *count >= min);
    patterns.iter().map(|blocks| blocks.iter().map(|patterns| patterns.iter().any(is_repeated)).collect()).collect()
}

/// Returns the patterns under which a block is counted: the whole block, and its first and last words if only the title
/// or another block of the item is between them. Without this condition, similar summaries would count too.
fn block_patterns(block: &str, blocks: &[String], title: &str) -> Vec<String> {
    /// The maximum number of blocks that are compared. The repeated text is near the beginning of an item.
    const MAX_COMPARED_BLOCKS: usize = 8;
    let words: Vec<&str> = block.split(' ').collect();
    let mut patterns = vec![block.to_lowercase()];
    if words.len() >= MIN_PATTERN_WORDS {
        let middle = words[2..words.len() - 4].join(" ");
        // The comparison is case-sensitive, because boilerplate contains the exact title, whereas a sentence that
        // repeats the title starts it in lowercase.
        let is_framed = |text: &str| {
            let extra_words = (words.len() - 6).saturating_sub(text.split_whitespace().count());
            !text.is_empty() && extra_words <= MAX_EXTRA_WORDS && middle.contains(text)
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
        let items: Vec<Vec<String>> = ["Rain", "Snow", "Hail"].map(item).into();
        let repeated = find_repeated_blocks(&items, &["Rain", "Snow", "Hail"]);
        assert_eq!(repeated, vec![vec![false, true, true]; 3]);
        let repeated = find_repeated_blocks(&items[..2], &["Rain", "Snow"]);
        assert_eq!(repeated, vec![vec![false; 3]; 2], "two items are too few");
    }

    #[test]
    fn summaries_that_repeat_their_title_stay() {
        let titles = ["Ferry sinks in the harbour", "Crane falls in the harbour", "Barge burns in the harbour"];
        let item = |title: &&str| vec![format!("A big {} of Port Ellis, police said on Monday.", title.to_lowercase())];
        let items: Vec<Vec<String>> = titles.iter().map(item).collect();
        assert_eq!(find_repeated_blocks(&items, &titles), vec![vec![false]; 3]);
    }

    #[test]
    fn summaries_that_share_first_and_last_words_stay() {
        let item = |event: &str| vec![format!("The council {event}, the mayor said on Monday.")];
        let events = ["bought two ferries", "closed the old pier", "raised the harbour fees"];
        let items: Vec<Vec<String>> = events.map(item).into();
        let titles = ["Two new ferries", "Old pier closed", "Harbour fees rise"];
        assert_eq!(find_repeated_blocks(&items, &titles), vec![vec![false]; 3]);
    }
}
