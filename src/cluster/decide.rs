//! How near an item is to a story. Pure arithmetic over what both say.

use super::memory::Remembered;
use super::vector::Vector;
use super::words::Number;
use super::{NEAR_TITLE, Options, SAME_BUT_NUMBER};
use crate::model::{ItemId, Timestamp};

/// The likeness of an item and a story, with what stood out.
pub(super) struct Nearness {
    pub score: f32,
    /// A member whose title is nearly the item's, and how nearly.
    pub near_title: Option<(ItemId, f32)>,
    /// Numbers of the item's title where members have others: "iPhone 16" is not "iPhone 17".
    pub other_numbers: Vec<String>,
}

/// What is compared with a story: an item that comes in, or one that is remembered.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub ranked_at: Timestamp,
    pub title: &'a str,
    pub numbers: &'a [Number],
    pub vector: &'a Vector,
}

pub(super) fn nearness(item: Side<'_>, members: &[&Remembered], options: &Options) -> Nearness {
    let (mut best, mut sum) = (0.0f32, 0.0f32);
    for member in members {
        let hours = member.ranked_at.duration_since(item.ranked_at).as_secs_f32() / 3600.0;
        let decay = (-0.5 * (hours / options.sigma_hours).powi(2)).exp();
        let likeness = item.vector.cosine(&member.vector) * decay;
        best = best.max(likeness);
        sum += likeness;
    }
    let mean = sum / members.len().max(1) as f32;
    let mut score = options.best_share * best + (1.0 - options.best_share) * mean;
    let other = other_numbers(item.numbers, members);
    let mut near_title = None;
    if !other.is_empty() {
        // "Lumen 9" is not "Lumen 10", and titles that agree in all but a number are two of a series; but a toll rises.
        let apart = other.iter().any(|n| n.named) || nearest_title(item.title, members, SAME_BUT_NUMBER).is_some();
        score *= if apart { 0.0 } else { 0.5 };
    } else if score >= options.threshold * 0.5 && score < options.threshold {
        near_title = nearest_title(item.title, members, NEAR_TITLE);
        if near_title.is_some() {
            score = options.threshold;
        }
    }
    let other_numbers = other.into_iter().map(|n| n.written.clone()).collect();
    Nearness { score, near_title, other_numbers }
}

/// Numbers that count the same thing as a member's and differ, where no member has the item's number too.
fn other_numbers<'n>(numbers: &'n [Number], members: &[&Remembered]) -> Vec<&'n Number> {
    let known = || members.iter().flat_map(|m| m.numbers.iter());
    let differs =
        |n: &&Number| known().any(|m| m.of == n.of) && !known().any(|m| m.of == n.of && m.written == n.written);
    numbers.iter().filter(|n| n.of != 0).filter(differs).collect()
}

fn nearest_title(title: &str, members: &[&Remembered], least: f64) -> Option<(ItemId, f32)> {
    // Short titles are alike by chance.
    if title.chars().count() < 20 {
        return None;
    }
    let near = members.iter().map(|m| (m.id, strsim::normalized_damerau_levenshtein(title, &m.title)));
    near.filter(|(_, like)| *like >= least).map(|(id, like)| (id, like as f32)).max_by(|a, b| a.1.total_cmp(&b.1))
}
