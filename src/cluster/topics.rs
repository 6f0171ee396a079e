//! Topics: the directions in which the latest items differ most, found by latent semantic analysis (Deerwester and
//! others, 1990). Two items that share few words may point the same way, since others hold the words of both.
//!
//! The directions are learned from the latest items alone by subspace iteration (Halko, Martinsson and Tropp, 2011), and
//! again, from where they stood, when the stream has moved on; that is seldom enough to cost little of each item. An
//! item is turned towards the new directions only when it is compared again. All sums run in a fixed order.

use super::memory::{Memory, Remembered};
use super::vocabulary::{Entry, Place};

/// Directions that are kept.
const DIMENSIONS: usize = 48;
/// Latest items that are learned from.
const SAMPLE: usize = 8192;
/// Items that must have come before the first are learned: fewer have no topics.
const FIRST: u32 = 256;
/// Rounds of the iteration from nothing, and from earlier directions.
const ROUNDS: usize = 4;
const AGAIN: usize = 2;

type Direction = [f32; DIMENSIONS];

/// Each term's part in each topic.
#[derive(Default)]
pub(super) struct Topics {
    /// How often they were learned; 0: never.
    epoch: u16,
    rows: Vec<Direction>,
    /// Items that came since, and those that were learned from.
    since: u32,
    learned: u32,
}

/// Which way an item points among the topics.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    /// A unit vector, in 127ths.
    parts: [i8; DIMENSIONS],
    epoch: u16,
}

impl Default for Turn {
    fn default() -> Turn {
        Turn { parts: [0; DIMENSIONS], epoch: 0 }
    }
}

impl Turn {
    /// The cosine of two items among the topics; 0 where one of them was not turned since the topics changed.
    pub(super) fn likeness(&self, other: &Turn) -> f32 {
        if self.epoch != other.epoch {
            return 0.0;
        }
        let products = self.parts.iter().zip(&other.parts).map(|(a, b)| i32::from(*a) * i32::from(*b));
        products.sum::<i32>() as f32 / (127.0 * 127.0)
    }
}

impl Topics {
    /// Counts an item that came.
    pub(super) fn count(&mut self) {
        self.since += 1;
    }

    fn due(&self, active: usize) -> bool {
        match self.epoch {
            0 => self.since >= FIRST,
            // Rarer in a large memory, where each learning makes more items turn.
            _ => self.since >= (self.learned / 2).max(active as u32 / 2),
        }
    }

    fn of(&self, item: &Remembered, memory: &Memory) -> Turn {
        let mut sum = [0.0; DIMENSIONS];
        for term in &item.terms {
            if let Some(row) = memory.vocabulary.topic(term.entry) {
                add(&mut sum, term.weight(), &self.rows[row as usize]);
            }
        }
        let length = sum.iter().map(|part| part * part).sum::<f32>().sqrt().max(1e-6);
        Turn { parts: sum.map(|part| (part / length * 127.0).round() as i8), epoch: self.epoch }
    }
}

/// Turns items towards the topics as they are now.
pub(super) fn turn(memory: &mut Memory, places: impl Iterator<Item = Place>) {
    let epoch = memory.topics.epoch;
    for place in places {
        if let Some(item) = memory.at(place).filter(|item| item.turn.epoch != epoch) {
            let turn = memory.topics.of(item, memory);
            if let Some(item) = memory.at_mut(place) {
                item.turn = turn;
            }
        }
    }
}

/// Learns the topics where it is time to.
pub(super) fn learn_if_due(memory: &mut Memory) {
    if !memory.topics.due(memory.len()) {
        return;
    }
    let sample = Sample::new(memory);
    let warm = memory.topics.epoch > 0;
    let mut rows: Vec<Direction> = sample.entries.iter().map(|entry| start(memory, *entry)).collect();
    for _ in 0..if warm { AGAIN } else { ROUNDS } {
        rows = sample.round(&rows);
        make_orthonormal(&mut rows);
    }
    memory.vocabulary.give_topics(&sample.entries);
    let epoch = memory.topics.epoch.checked_add(1).unwrap_or(1);
    memory.topics = Topics { epoch, rows, since: 0, learned: sample.starts.len() as u32 - 1 };
}

/// Where a term's row starts: where it stood, with a little noise that is the same on every machine.
fn start(memory: &Memory, entry: Entry) -> Direction {
    let mut state = memory.vocabulary.term(entry);
    let mut row = [0.0; DIMENSIONS];
    for part in &mut row {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *part = ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * 1e-3;
    }
    if let Some(known) = memory.vocabulary.topic(entry) {
        add(&mut row, 1.0, &memory.topics.rows[known as usize]);
    }
    row
}

/// The latest items as a sparse matrix, without the terms that one of them alone holds.
struct Sample {
    /// The term of each column.
    entries: Vec<Entry>,
    /// Where each item's cells start, and where the last one's end.
    starts: Vec<usize>,
    cells: Vec<(u32, f32)>,
}

impl Sample {
    fn new(memory: &Memory) -> Sample {
        const NONE: u32 = u32::MAX;
        let mut held = vec![0u16; memory.vocabulary.len()];
        for term in memory.latest(SAMPLE).flat_map(|item| &item.terms) {
            held[term.entry as usize] += 1;
        }
        let mut columns = vec![NONE; held.len()];
        let mut sample = Sample { entries: Vec::new(), starts: vec![0], cells: Vec::new() };
        for item in memory.latest(SAMPLE) {
            for term in item.terms.iter().filter(|term| held[term.entry as usize] > 1) {
                let column = &mut columns[term.entry as usize];
                if *column == NONE {
                    *column = sample.entries.len() as u32;
                    sample.entries.push(term.entry);
                }
                sample.cells.push((*column, term.weight()));
            }
            sample.starts.push(sample.cells.len());
        }
        sample
    }

    /// The directions, once through the matrix and back.
    fn round(&self, rows: &[Direction]) -> Vec<Direction> {
        let mut out = vec![[0.0; DIMENSIONS]; rows.len()];
        for item in self.starts.windows(2) {
            let cells = &self.cells[item[0]..item[1]];
            let mut sum = [0.0; DIMENSIONS];
            cells.iter().for_each(|(column, weight)| add(&mut sum, *weight, &rows[*column as usize]));
            cells.iter().for_each(|(column, weight)| add(&mut out[*column as usize], *weight, &sum));
        }
        out
    }
}

fn add(sum: &mut Direction, weight: f32, row: &Direction) {
    for (sum, part) in sum.iter_mut().zip(row) {
        *sum += weight * part;
    }
}

/// Makes the columns of a matrix orthonormal, by Cholesky's factor of their products.
fn make_orthonormal(rows: &mut [Direction]) {
    let mut factor = [[0.0; DIMENSIONS]; DIMENSIONS];
    for row in rows.iter() {
        for (products, part) in factor.iter_mut().zip(row) {
            add(products, *part, row);
        }
    }
    for i in 0..DIMENSIONS {
        let (above, below) = factor.split_at_mut(i);
        let own = &mut below[0];
        for done in above.iter() {
            add(own, -done[i], done);
        }
        own[..i].fill(0.0);
        let root = own[i].max(1e-12).sqrt();
        own.iter_mut().for_each(|part| *part /= root);
    }
    for row in rows {
        for i in 0..DIMENSIONS {
            let part = row[i] / factor[i][i];
            for (rest, other) in row[i + 1..].iter_mut().zip(&factor[i][i + 1..]) {
                *rest -= part * other;
            }
            row[i] = part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_out_orthonormal() {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1 << 24) as f32 - 0.3
        };
        let mut rows: Vec<Direction> = (0..200).map(|_| std::array::from_fn(|_| random())).collect();
        make_orthonormal(&mut rows);
        for i in 0..DIMENSIONS {
            for j in 0..DIMENSIONS {
                let product: f32 = rows.iter().map(|row| row[i] * row[j]).sum();
                let wanted = if i == j { 1.0 } else { 0.0 };
                assert!((product - wanted).abs() < 1e-3, "{i} and {j}: {product}");
            }
        }
    }

    #[test]
    fn turns_of_different_epochs_are_not_compared() {
        let one = Turn { parts: [18; DIMENSIONS], epoch: 1 };
        let other = Turn { epoch: 2, ..one.clone() };
        assert!(one.likeness(&one) > 0.9);
        assert_eq!(one.likeness(&other), 0.0);
    }
}
