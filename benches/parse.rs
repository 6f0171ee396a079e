//! Measures the parsing of clean documents into items, and the memory that it needs.
//!
//! `cargo bench --bench parse` parses feeds of generated text on one thread, and prints the megabytes per second of CPU
//! time, for the parser (decoding, lenient rewriting, feed-rs) and for the complete chain that ends with sanitized
//! items. It also prints the peak size of the heap during the chain, as a multiple of the document's size. `-- --folder
//! DIR` parses the `*.xml` files of a directory instead.

#[path = "support/generated_feed.rs"]
mod generated_feed;

use jiff::Timestamp;
use newsfold::feed_parser::{FetchedDocument, Options, ParsedFeed, parse_feed};
use newsfold::ingest::normalize::normalize_items;
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use url::Url;

const MIN_DURATION: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let folder = arguments.iter().position(|argument| argument == "--folder").map(|at| Path::new(&arguments[at + 1]));
    let documents = match folder {
        Some(folder) => vec![("folder", read_documents(folder)?)],
        None => vec![
            ("20 items", (0..100).map(|feed| generated_feed::generate(feed, 20)).collect()),
            ("1,000 items", vec![generated_feed::generate(0, 1_000)]),
            ("5,000 items", vec![generated_feed::generate(0, 5_000)]),
        ],
    };
    println!("| documents | bytes per document | parser | parser and items | peak of the heap / document |");
    println!("|---|---|---|---|---|");
    for (name, documents) in documents {
        let bytes = documents.iter().map(String::len).sum::<usize>() / documents.len();
        let mut rates: [Vec<f64>; 2] = Default::default();
        for _ in 0..ROUNDS {
            rates[0].push(megabytes_per_second(&documents, |document| drop(black_box(parse(document)))));
            rates[1].push(megabytes_per_second(&documents, parse_into_items));
        }
        let [parser, chain] = rates.map(median);
        let memory = documents.iter().map(|document| memory_factor(document)).fold(0.0, f64::max);
        println!("| {name} | {bytes} | {parser:.0} MB/s | {chain:.0} MB/s | {memory:.1} |");
    }
    Ok(())
}

fn read_documents(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    paths.sort();
    Ok(paths.iter().map(std::fs::read_to_string).collect::<std::io::Result<_>>()?)
}

fn url() -> Url {
    Url::parse("https://outlet.example/feed").unwrap_or_else(|_| unreachable!("the URL is valid"))
}

fn parse(document: &str) -> Option<ParsedFeed> {
    let fetched = FetchedDocument { bytes: document.as_bytes(), content_type: None, url: &url() };
    parse_feed(&fetched, &Options::default()).ok().map(|(feed, _)| feed)
}

fn parse_into_items(document: &str) {
    let (url, mut problems) = (url(), Vec::new());
    if let Some(feed) = parse(document) {
        black_box(normalize_items(&feed, &url, &url, Timestamp::now(), &mut problems));
    }
}

/// Processes all documents until the minimum duration has passed. The rate refers to the CPU time of this thread.
fn megabytes_per_second(documents: &[String], process: impl Fn(&str)) -> f64 {
    let (start, cpu_start, mut bytes) = (Instant::now(), cpu_seconds(), 0);
    while start.elapsed() < MIN_DURATION {
        documents.iter().for_each(|document| process(document));
        bytes += documents.iter().map(String::len).sum::<usize>();
    }
    bytes as f64 / 1e6 / (cpu_seconds() - cpu_start)
}

/// The CPU time of this thread.
fn cpu_seconds() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    statistics.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(f64::NAN) / 1e9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The peak size of the heap, including the document, while the document is parsed into items, as a multiple of the
/// document's size.
fn memory_factor(document: &str) -> f64 {
    let before = ALLOCATED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    parse_into_items(document);
    let peak = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    (peak + document.len()) as f64 / document.len() as f64
}

/// The allocator of the system, which also counts the allocated bytes.
struct CountingAllocator;

unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let allocated = ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(allocated, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}
