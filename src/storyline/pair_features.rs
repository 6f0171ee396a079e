//! The features of a pair of stories, from which the model estimates whether they belong to one storyline.

use super::options::{MIN_BURST_RATIO, REFERENCE_DOCUMENTS};
use super::story_text::{StoryTerm, StoryText};
use super::term_census::{Burst, TermCensus, TermFacts};

/// The names of the features, in order, as the model file uses them.
pub const FEATURE_NAMES: [&str; 24] = [
    "long-term cosine",
    "window cosine",
    "outlets of shared name",
    "rarest shared name",
    "rare shared title terms",
    "shared names",
    "days apart",
    "items of smaller story",
    "items of larger story",
    "shared bursts",
    "strongest shared burst",
    "shared name bursts",
    "strongest shared name burst",
    "shared title bursts",
    "widest shared burst",
    "widest shared name burst",
    "spread of shared bursts",
    "cohesive share of items",
    "cohesion of widest name",
    "outlets of widest name",
    "items of widest name",
    "dominant shared name",
    "dominant shared names",
    "dominant shared title term",
];

/// The features of one pair, in the order of [`FEATURE_NAMES`].
pub type StoryPairFeatures = [f32; FEATURE_NAMES.len()];

/// The position of "shared bursts". This feature and all after it are 0 if two stories share no burst.
pub(super) const FIRST_BURST_FEATURE: usize = 9;

/// The terms that two stories share, and sums over these terms.
#[derive(Default)]
struct SharedTerms {
    long_term_cosine: f64,
    window_cosine: f64,
    burst_strengths: LargestValues,
    name_burst_strengths: LargestValues,
    title_burst_strengths: LargestValues,
    title_idfs: LargestValues,
    spreads: LargestValues,
    name_dominances: LargestValues,
    title_dominance: f64,
    names: u32,
    rarest_name: f64,
    name_outlets: f64,
    cohesive_share: f64,
    /// The shared name whose burst has the largest spread.
    widest_name: Option<(Burst, TermFacts)>,
}

/// Returns the features of two stories. `shared_terms` are the terms that they share, in order of term number.
pub(super) fn pair_features<'a>(
    [a, b]: [&StoryText; 2],
    shared_terms: impl Iterator<Item = [&'a StoryTerm; 2]>,
    census: &TermCensus,
) -> StoryPairFeatures {
    let mut shared = SharedTerms::default();
    for [one, other] in shared_terms {
        let facts = census.get(one.number);
        shared.long_term_cosine += one.long_term_weight * other.long_term_weight;
        shared.window_cosine += one.window_weight * other.window_weight;
        let (are_names, in_titles) = (one.is_name && other.is_name, one.in_title && other.in_title);
        if in_titles {
            shared.title_idfs.add(facts.long_term_idf);
        }
        if are_names {
            shared.add_name(facts, census);
        }
        let Some(burst) = facts.burst else { continue };
        shared.burst_strengths.add(burst.strength);
        shared.spreads.add(burst.spread);
        if in_titles {
            shared.title_burst_strengths.add(burst.strength);
            shared.title_dominance = shared.title_dominance.max(burst.dominance);
        }
        if are_names {
            shared.name_burst_strengths.add(burst.strength);
            shared.name_dominances.add(burst.dominance);
            shared.cohesive_share = shared.cohesive_share.max(burst.cohesion * facts.items / census.items);
            if shared.widest_name.is_none_or(|(widest, _)| widest.spread < burst.spread) {
                shared.widest_name = Some((burst, *facts));
            }
        }
    }
    shared.features(a, b, census)
}

impl SharedTerms {
    fn add_name(&mut self, facts: &TermFacts, census: &TermCensus) {
        self.names += 1;
        self.rarest_name = self.rarest_name.max(facts.long_term_idf);
        if facts.rate > MIN_BURST_RATIO {
            self.name_outlets = self.name_outlets.max(facts.outlets / census.outlets);
        }
    }

    fn features(self, a: &StoryText, b: &StoryText, census: &TermCensus) -> StoryPairFeatures {
        let days = ((a.time - b.time).abs() / 86_400.0).min(2.0);
        let (widest, widest_facts) = self.widest_name.map_or((None, None), |(burst, facts)| (Some(burst), Some(facts)));
        let widest_items = widest_facts.map_or(0.0, |facts| facts.items / census.items);
        [
            self.long_term_cosine,
            self.window_cosine,
            self.name_outlets,
            self.rarest_name,
            self.title_idfs.sum(3),
            f64::from(self.names),
            days,
            a.log_items.min(b.log_items),
            a.log_items.max(b.log_items),
            self.burst_strengths.sum(4),
            self.burst_strengths.sum(1),
            self.name_burst_strengths.sum(4),
            self.name_burst_strengths.sum(1),
            self.title_burst_strengths.sum(3),
            self.spreads.sum(1),
            widest.map_or(0.0, |burst| burst.spread),
            self.spreads.sum(4),
            self.cohesive_share,
            widest.map_or(0.0, |burst| burst.cohesion),
            widest_facts.map_or(0.0, |facts| facts.outlets / census.outlets),
            libm::log1p(widest_items * REFERENCE_DOCUMENTS / 20.0),
            self.name_dominances.sum(1),
            self.name_dominances.sum(3),
            self.title_dominance,
        ]
        .map(|feature| feature as f32)
    }
}

/// The largest of the added values, in descending order.
#[derive(Default)]
struct LargestValues {
    values: [f64; LargestValues::MAX],
    count: usize,
}

impl LargestValues {
    const MAX: usize = 4;

    fn add(&mut self, value: f64) {
        let position = self.values[..self.count].partition_point(|larger| *larger >= value);
        if position == Self::MAX {
            return;
        }
        self.count = (self.count + 1).min(Self::MAX);
        self.values[position..self.count].rotate_right(1);
        self.values[position] = value;
    }

    /// Returns the sum of the `count` largest values.
    fn sum(&self, count: usize) -> f64 {
        self.values[..self.count.min(count)].iter().sum()
    }
}
