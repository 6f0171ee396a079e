//! Items a second through the clusterer, second looks included, by how many items it remembers.
//!
//! `cargo bench --bench cluster` fills clusterers with 10,000, 100,000 and 1,000,000 items of synthetic news, then times
//! the next 20,000 of each, five times in turn, and prints the medians: all sizes meet the same weather of the machine, so
//! that they can be compared by ratio. `-- --fill 10000,100000` chooses the sizes.
//!
//! News is made so: words are drawn by Zipf's law from a vocabulary of 300,000; a story has a size by
//! a power law (most have one report, few have hundreds), a dozen words of its own, and reports that come over two days
//! from 2,000 outlets; a report is a title of 10 words and a summary of 25, of which a part is the story's.

use jiff::{SignedDuration, Timestamp};
use newsfold::cluster::evaluation::dataset::LabeledItem;
use newsfold::cluster::{Clusterer, Options};
use newsfold::domain::{Item, StoryId};
use std::time::Instant;

// As in the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_SETTINGS: &[u8] = b"thp:always\0";

/// Items that are timed at once, and how often.
const TIMED: usize = 20_000;
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let sizes = arguments.iter().position(|a| a == "--fill").map(|at| arguments[at + 1].clone());
    let sizes = sizes.unwrap_or_else(|| "10000,100000,1000000".into());
    let mut streams: Vec<Stream> =
        sizes.split(',').map(|size| Stream::filled(size.parse::<usize>().expect("a number"))).collect();
    let mut rounds: Vec<Vec<(f64, f64)>> = vec![Vec::new(); streams.len()];
    for _ in 0..ROUNDS {
        for (stream, rounds) in streams.iter_mut().zip(&mut rounds) {
            rounds.push(stream.run(TIMED));
        }
    }
    println!(
        "{:>10} {:>14} {:>12} {:>16} {:>12} {:>12} {:>9}",
        "active", "items/second", "µs/item", "range", "µs look/item", "bytes/item", "stories"
    );
    let mut first = None;
    for (stream, rounds) in streams.iter().zip(rounds) {
        let of = |part: fn(&(f64, f64)) -> f64| {
            let mut sorted: Vec<f64> = rounds.iter().map(|round| part(round) / TIMED as f64 * 1e6).collect();
            sorted.sort_by(f64::total_cmp);
            sorted
        };
        let (all, look) = (of(|round| round.0), of(|round| round.1));
        let micros = all[ROUNDS / 2];
        println!(
            "{:>10} {:>14.0} {micros:>12.1} {:>16} {:>12.1} {:>12.0} {:>9}   {:.2} times the first",
            stream.size,
            1e6 / micros,
            format!("{:.1}–{:.1}", all[0], all[ROUNDS - 1]),
            look[ROUNDS / 2],
            stream.bytes,
            stream.minted,
            micros / *first.get_or_insert(micros)
        );
    }
}

/// A clusterer and the news that it gets.
struct Stream {
    size: usize,
    news: News,
    clusterer: Clusterer,
    /// Items so far.
    items: usize,
    minted: i64,
    next_look: Timestamp,
    /// For each item, once all were in.
    bytes: f64,
}

impl Stream {
    fn filled(size: usize) -> Stream {
        let clusterer = Clusterer::new(Options::default());
        let mut stream = Stream {
            size,
            news: News::new(size),
            clusterer,
            items: 0,
            minted: 0,
            next_look: Timestamp::UNIX_EPOCH,
            bytes: 0.0,
        };
        let before = resident();
        stream.run(size);
        stream.bytes = resident().saturating_sub(before) as f64 / stream.clusterer.active_items() as f64;
        stream
    }

    /// Places the next items. Returns the seconds that it took, and those of them that second looks took.
    fn run(&mut self, items: usize) -> (f64, f64) {
        let options = Options::default();
        let gap = options.window.as_millis() as f64 / self.size as f64;
        let (mut all, mut looks) = (0.0, 0.0);
        for n in self.items..self.items + items {
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_millis((n as f64 * gap) as i64);
            let item = self.news.item(n, at);
            let minted = &mut self.minted;
            let mut mint = || {
                *minted += 1;
                StoryId::from_row(*minted)
            };
            let start = Instant::now();
            if at >= self.next_look {
                self.clusterer.recluster(at, |_, _| mint());
                self.next_look = at + options.recluster_interval;
                looks += start.elapsed().as_secs_f64();
            }
            self.clusterer.assign(&item, |_| mint());
            all += start.elapsed().as_secs_f64();
        }
        self.items += items;
        (all, looks)
    }
}

/// Bytes of this process in memory.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

/// Made-up news: the same for the same size, on every machine.
struct News {
    random: Random,
    stories: Vec<Running>,
    outlets: usize,
    /// Stories run for so many items of the stream.
    span: usize,
    next: usize,
}

/// A story whose reports still come.
struct Running {
    words: Vec<usize>,
    left: usize,
    until: usize,
}

const VOCABULARY: f64 = 300_000.0;

impl News {
    fn new(size: usize) -> News {
        News {
            random: Random(size as u64 ^ 0x9e37_79b9),
            stories: Vec::new(),
            outlets: 2000,
            span: size * 2 / 3,
            next: 0,
        }
    }

    fn item(&mut self, n: usize, at: Timestamp) -> Item {
        let words = self.story(n);
        let title = self.sentence(&words, 10, 0.5);
        let summary = self.sentence(&words, 25, 0.3);
        let outlet = self.random.below(self.outlets);
        let labelled = LabeledItem {
            id: n.to_string(),
            outlet: format!("outlet{outlet}.example"),
            published: at,
            title,
            summary,
            url: None,
            lang: None,
            story: serde_json::Value::Null,
        };
        labelled.item(n, None)
    }

    /// The words of the story that reports next: one that runs, or a new one.
    fn story(&mut self, n: usize) -> Vec<usize> {
        self.next += 1;
        if !self.stories.is_empty() && self.random.unit() < 0.45 {
            let at = self.random.below(self.stories.len());
            let story = &mut self.stories[at];
            story.left -= 1;
            let words = story.words.clone();
            if story.left == 0 || story.until < n {
                self.stories.swap_remove(at);
            }
            return words;
        }
        let words: Vec<usize> = (0..12).map(|_| self.random.zipf()).collect();
        // A power law: P(size > s) = 1 / s.
        let size = (1.0 / self.random.unit().max(1e-3)) as usize;
        if size > 1 {
            self.stories.push(Running { words: words.clone(), left: size - 1, until: n + self.span });
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

/// The word of a rank, in syllables; one word in seven is a name.
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

/// A small generator (SplitMix64; Steele, Lea and Flood, 2014), so that the stream never changes.
struct Random(u64);

impl Random {
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

    /// A rank by Zipf's law with exponent 1: the inverse of the continuous distribution.
    fn zipf(&mut self) -> usize {
        (libm::pow(VOCABULARY, self.unit()) - 1.0) as usize
    }
}
