//! The pairs of stories that are compared: pairs that share enough rare terms, and pairs with similar embeddings in
//! different languages.

use super::options::{MAX_TERM_STORIES, MIN_COSINE};
use super::story_text::StoryText;
use super::story_vectors::StoryVectors;
use std::cmp::Reverse;

/// The stories by their rare terms.
pub(super) struct CandidatePairs<'a> {
    pub stories: &'a [StoryText],
    pub vectors: &'a StoryVectors,
    /// The stories that contain a term, by term number, with the weights of the term. Empty for common terms.
    postings: Vec<Vec<(u32, f64)>>,
    /// The cosines of one story with the other stories. All are 0 between two searches.
    cosines: Vec<f64>,
}

impl<'a> CandidatePairs<'a> {
    pub(super) fn new(stories: &'a [StoryText], vectors: &'a StoryVectors) -> CandidatePairs<'a> {
        let last_terms = stories.iter().filter_map(|story| story.terms.last());
        let terms = last_terms.map(|term| term.number.0 as usize + 1).max().unwrap_or(0);
        let mut postings: Vec<Vec<(u32, f64)>> = vec![Vec::new(); terms];
        for (position, story) in stories.iter().enumerate() {
            for term in &story.terms {
                postings[term.number.0 as usize].push((position as u32, term.long_term_weight));
            }
        }
        postings.iter_mut().for_each(|posting| reduce_posting(posting, stories));
        CandidatePairs { stories, vectors, postings, cosines: vec![0.0; stories.len()] }
    }

    /// Returns the later stories with which a story is compared, in order.
    pub(super) fn later_than(&mut self, story: u32) -> Vec<u32> {
        let mut candidates: Vec<u32> = Vec::new();
        for term in &self.stories[story as usize].terms {
            let posting = &self.postings[term.number.0 as usize];
            let later = posting.partition_point(|(other, _)| *other <= story);
            for (other, weight) in &posting[later..] {
                let cosine = &mut self.cosines[*other as usize];
                if *cosine == 0.0 {
                    candidates.push(*other);
                }
                *cosine += term.long_term_weight * weight;
            }
        }
        candidates.retain(|other| std::mem::take(&mut self.cosines[*other as usize]) >= MIN_COSINE);
        candidates.extend(self.vectors.compared(story));
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }
}

/// Empties the posting of a term that is too common. Keeps the [`MAX_TERM_STORIES`] stories with the highest weights if
/// only stories with low weights make the term too common.
fn reduce_posting(posting: &mut Vec<(u32, f64)>, stories: &[StoryText]) {
    if posting.len() <= MAX_TERM_STORIES {
        return;
    }
    let weight = |(story, _): &(u32, f64)| stories[*story as usize].weight;
    if posting.iter().map(weight).sum::<f64>() > MAX_TERM_STORIES as f64 {
        posting.clear();
    }
    posting.sort_by_key(|entry| (Reverse(weight(entry).to_bits()), entry.0));
    posting.truncate(MAX_TERM_STORIES);
    posting.sort_unstable_by_key(|(story, _)| *story);
}
