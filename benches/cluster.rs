//! Measures the throughput of the clusterer, including reclustering, for different numbers of items in its window.
//!
//! `cargo bench --bench cluster` fills clusterers with 10,000, 100,000 and 1,000,000 items of synthetic news. It then
//! times the next 20,000 items for each size, in five alternating rounds, and prints medians. Alternation exposes all
//! sizes to the same noise, so their ratios are comparable. `-- --fill 10000,100000` selects the sizes.
//!
//! The words of the synthetic news are drawn from a vocabulary of 300,000 words by Zipf's law. Story sizes follow a
//! power law: most stories have one report, and a few have hundreds. A story has twelve specific words, and its reports
//! arrive from 2,000 outlets over two days. A report has a title of 10 words and a summary of 25, some of them specific
//! to the story.

use jiff::{SignedDuration, Timestamp};
use newsfold::cluster::{Clusterer, Options};
use newsfold::domain::{Item, StoryId};
use newsfold::evaluation::LabeledItem;
use std::convert::Infallible;
use std::time::Instant;

/// The number of items to time per round.
const TIMED_ITEMS: usize = 20_000;
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let sizes = arguments.iter().position(|a| a == "--fill").map(|at| arguments[at + 1].clone());
    let sizes = sizes.unwrap_or_else(|| "10000,100000,1000000".into());
    let mut streams: Vec<Stream> =
        sizes.split(',').map(|size| Stream::filled(size.parse::<usize>().expect("a number"))).collect();
    let mut rounds: Vec<Vec<RoundTimes>> = vec![Vec::new(); streams.len()];
    for _ in 0..ROUNDS {
        for (stream, rounds) in streams.iter_mut().zip(&mut rounds) {
            rounds.push(stream.run(TIMED_ITEMS));
        }
    }
    println!(
        "{:>10} {:>14} {:>12} {:>16} {:>12} {:>12} {:>9}",
        "active", "items/second", "µs/item", "range", "µs recluster", "bytes/item", "stories"
    );
    let mut first = None;
    for (stream, rounds) in streams.iter().zip(rounds) {
        let micros_per_item = |part: fn(&RoundTimes) -> f64| {
            let mut sorted: Vec<f64> = rounds.iter().map(|round| part(round) / TIMED_ITEMS as f64 * 1e6).collect();
            sorted.sort_by(f64::total_cmp);
            sorted
        };
        let (all, recluster) = (micros_per_item(|round| round.total), micros_per_item(|round| round.recluster));
        let micros = all[ROUNDS / 2];
        println!(
            "{:>10} {:>14.0} {micros:>12.1} {:>16} {:>12.1} {:>12.0} {:>9}   {:.2} times the first",
            stream.size,
            1e6 / micros,
            format!("{:.1}–{:.1}", all[0], all[ROUNDS - 1]),
            recluster[ROUNDS / 2],
            stream.bytes,
            stream.minted,
            micros / *first.get_or_insert(micros)
        );
    }
}

/// A clusterer and the news that it processes.
struct Stream {
    size: usize,
    news: NewsGenerator,
    clusterer: Clusterer,
    /// The number of items so far.
    items: usize,
    minted: i64,
    next_recluster: Timestamp,
    /// The memory per item after the window has been filled, in bytes.
    bytes: f64,
}

/// The duration of one round, in seconds.
#[derive(Clone, Copy)]
struct RoundTimes {
    total: f64,
    recluster: f64,
}

impl Stream {
    fn filled(size: usize) -> Stream {
        let clusterer = Clusterer::new(Options::default());
        let mut stream = Stream {
            size,
            news: NewsGenerator::new(size),
            clusterer,
            items: 0,
            minted: 0,
            next_recluster: Timestamp::UNIX_EPOCH,
            bytes: 0.0,
        };
        let before = resident_bytes();
        stream.run(size);
        stream.bytes = resident_bytes().saturating_sub(before) as f64 / stream.clusterer.active_items() as f64;
        stream
    }

    /// Assigns the next items.
    fn run(&mut self, items: usize) -> RoundTimes {
        let options = Options::default();
        let gap = options.window.as_millis() as f64 / self.size as f64;
        let mut times = RoundTimes { total: 0.0, recluster: 0.0 };
        for n in self.items..self.items + items {
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_millis((n as f64 * gap) as i64);
            let item = self.news.item(n, at);
            let minted = &mut self.minted;
            let mut mint = || {
                *minted += 1;
                Ok::<_, Infallible>(StoryId::from_row(*minted))
            };
            let start = Instant::now();
            if at >= self.next_recluster {
                let Ok(_) = self.clusterer.recluster(at, |_, _| mint(), |_| Ok(None));
                self.next_recluster = at + options.recluster_interval;
                times.recluster += start.elapsed().as_secs_f64();
            }
            let Ok(_) = self.clusterer.assign(&item, |_| mint());
            times.total += start.elapsed().as_secs_f64();
        }
        self.items += items;
        times
    }
}

/// The resident memory of this process, in bytes.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

/// Generates synthetic news, which is the same for a given size on every machine.
struct NewsGenerator {
    random: SplitMix64,
    stories: Vec<OpenStory>,
    /// The number of items after which a story ends.
    span: usize,
}

/// A story that will get more reports.
struct OpenStory {
    words: Vec<usize>,
    reports_left: usize,
    /// The number of the first item after the end of the story.
    until: usize,
}

const VOCABULARY_WORDS: f64 = 300_000.0;
const OUTLETS: usize = 2000;

impl NewsGenerator {
    fn new(size: usize) -> NewsGenerator {
        NewsGenerator { random: SplitMix64(size as u64 ^ 0x9e37_79b9), stories: Vec::new(), span: size * 2 / 3 }
    }

    fn item(&mut self, n: usize, at: Timestamp) -> Item {
        let words = self.story(n);
        let title = self.sentence(&words, 10, 0.5);
        let summary = self.sentence(&words, 25, 0.3);
        let outlet = self.random.below(OUTLETS);
        let labeled = LabeledItem {
            id: n.to_string(),
            outlet: format!("outlet{outlet}.example"),
            published: at,
            title,
            summary,
            url: None,
            lang: None,
            story: serde_json::Value::Null,
            storyline: None,
        };
        labeled.to_item(n as i64, None)
    }

    /// The specific words for the next report, from an open story or a new one.
    fn story(&mut self, n: usize) -> Vec<usize> {
        if !self.stories.is_empty() && self.random.unit() < 0.45 {
            let at = self.random.below(self.stories.len());
            let story = &mut self.stories[at];
            story.reports_left -= 1;
            let words = story.words.clone();
            if story.reports_left == 0 || story.until < n {
                self.stories.swap_remove(at);
            }
            return words;
        }
        let words: Vec<usize> = (0..12).map(|_| self.random.zipf()).collect();
        // A power law: P(size > s) = 1 / s.
        let size = (1.0 / self.random.unit().max(1e-3)) as usize;
        if size > 1 {
            self.stories.push(OpenStory { words: words.clone(), reports_left: size - 1, until: n + self.span });
        }
        words
    }

    fn sentence(&mut self, story: &[usize], length: usize, share: f64) -> String {
        let mut text = String::new();
        for place in 0..length {
            let own = self.random.unit() < share;
            let rank = if own { story[self.random.below(story.len())] } else { self.random.zipf() };
            let word = word(rank);
            match place {
                0 => text.push_str(&word[..1].to_uppercase()),
                _ => text.push(' '),
            }
            text.push_str(if place == 0 { &word[1..] } else { &word });
        }
        text
    }
}

/// The word with a given rank, composed of syllables. One word in seven is a name.
fn word(rank: usize) -> String {
    const ONSETS: [&str; 16] = ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st"];
    const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];
    let mut text = String::new();
    let mut left = rank + 80;
    while left > 0 {
        text.push_str(ONSETS[left % 16]);
        left /= 16;
        text.push_str(VOWELS[(left + rank) % 5]);
        left /= 5;
    }
    if rank % 7 == 3 { format!("{}{}", text[..1].to_uppercase(), &text[1..]) } else { text }
}

/// A random number generator (Steele, Lea and Flood, 2014) whose sequence does not depend on library versions.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    /// Draws a rank from Zipf's law with exponent 1, using the inverse of the continuous distribution.
    fn zipf(&mut self) -> usize {
        (libm::pow(VOCABULARY_WORDS, self.unit()) - 1.0) as usize
    }
}
