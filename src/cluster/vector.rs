//! An item as a unit vector of its terms, each weighed by place (title or summary), count and rarity.

use super::frequency::Frequencies;
use super::words::{Term, Text};

/// Sorted by term, of length 1.
#[derive(Debug, Clone)]
pub(super) struct Vector(Box<[(Term, f32)]>);

impl Vector {
    pub(super) fn new(text: &Text, frequencies: &Frequencies, title_weight: f32) -> Vector {
        let mut parts: Vec<(Term, f32)> = text
            .terms
            .iter()
            .map(|(term, count)| {
                let places = title_weight * f32::from(count.title) + f32::from(count.summary);
                (*term, (1.0 + places).ln() * frequencies.idf(*term))
            })
            .collect();
        let length = parts.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
        if length > 0.0 {
            parts.iter_mut().for_each(|(_, w)| *w /= length);
        }
        Vector(parts.into_boxed_slice())
    }

    /// The cosine of the angle between two items: 1 where they say the same, 0 where they share no term.
    pub(super) fn cosine(&self, other: &Vector) -> f32 {
        self.common(other).map(|(_, product)| product).sum()
    }

    /// The terms that weigh most in the item, heaviest first.
    pub(super) fn strongest(&self, count: usize) -> Vec<Term> {
        heaviest(self.0.to_vec(), count)
    }

    /// The terms that bind the item most to those vectors.
    pub(super) fn shared_with<'v>(&self, others: impl Iterator<Item = &'v Vector>, count: usize) -> Vec<Term> {
        let mut sums = std::collections::BTreeMap::new();
        for other in others {
            for (term, product) in self.common(other) {
                *sums.entry(term).or_insert(0.0) += product;
            }
        }
        heaviest(sums.into_iter().collect(), count)
    }

    fn common<'v>(&'v self, other: &'v Vector) -> impl Iterator<Item = (Term, f32)> + 'v {
        let mut rest = other.0.iter().peekable();
        self.0.iter().filter_map(move |(term, weight)| {
            while rest.next_if(|(t, _)| t < term).is_some() {}
            rest.peek().filter(|(t, _)| t == term).map(|(_, w)| (*term, weight * w))
        })
    }
}

/// Terms by weight; equal weights by term, so that the order is everywhere the same.
fn heaviest(mut parts: Vec<(Term, f32)>, count: usize) -> Vec<Term> {
    parts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    parts.truncate(count);
    parts.into_iter().map(|(term, _)| term).collect()
}
