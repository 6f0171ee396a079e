//! Tests that hostile documents never make newsfold panic, hang or exceed its memory limit.
//!
//! Every test run parses small documents in this process. A separate test measures the limits with 16 MiB documents,
//! one process per document, which takes minutes: `cargo test --release --test documents of_16_mib -- --ignored
//! --nocapture`. Peak memory is Linux's `VmHWM`.

mod documents;

use documents::HOSTILE_DOCUMENTS;
use newsfold::feed_parser::{FetchedDocument, NotAFeed, Options, parse_feed};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use url::Url;

const MIB: usize = 1024 * 1024;
/// The time limit for a document of [`Options::max_bytes`].
const MAX_CPU_TIME: Duration = Duration::from_secs(2);
/// The maximum peak memory, as a multiple of the document's size.
const MAX_MEMORY_FACTOR: usize = 12;

#[test]
fn small_hostile_documents_are_parsed_without_a_panic_in_linear_time() {
    let url = Url::parse("https://feed.invalid/").unwrap();
    for (name, generate) in HOSTILE_DOCUMENTS {
        let bytes = generate(64 * 1024);
        let start = Instant::now();
        let _ = parse_feed(&FetchedDocument { bytes: &bytes, content_type: None, url: &url }, &Options::default());
        let elapsed = start.elapsed();
        // A debug build on a busy machine needs much less, and quadratic time would take much longer.
        assert!(elapsed < Duration::from_secs(10), "{name}: {elapsed:?}");
    }
}

#[test]
#[ignore = "takes minutes and needs a release build on Linux"]
fn hostile_documents_of_16_mib_take_at_most_2_s_and_12_times_their_size() {
    assert!(!cfg!(debug_assertions) && Path::new("/proc/self/status").exists(), "run this with --release on Linux");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("document");
    let name_filter = std::env::var("HOSTILE").unwrap_or_default();
    let mut exceeded = Vec::new();
    for (name, generate) in HOSTILE_DOCUMENTS.iter().filter(|(name, _)| name.contains(&name_filter)) {
        std::fs::write(&file, generate(16 * MIB)).unwrap();
        let usage = run_check(&file);
        let memory_factor = usage.peak_memory as f64 / (16 * MIB) as f64;
        let exceeds = usage.cpu_time > MAX_CPU_TIME || usage.peak_memory > MAX_MEMORY_FACTOR * 16 * MIB;
        let mark = if exceeds { "OVER " } else { "" };
        println!("{:6.2} s {memory_factor:5.1}× {mark}{name}", usage.cpu_time.as_secs_f64());
        if exceeds {
            exceeded.push(*name);
        }
    }
    assert_eq!(exceeded, Vec::<&str>::new());
}

/// Parses real documents with reproducible pseudo-random damage. `MUTATIONS` sets the number of variants per document.
#[test]
#[ignore = "needs ../shared"]
fn damaged_documents_cause_no_panic_and_no_failure_of_feed_rs() {
    let corpus = crate::shared_folder("corpus");
    let variants = std::env::var("MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(1);
    let url = Url::parse("https://feed.invalid/").unwrap();
    let (mut read, mut refused, mut failures) = (0, 0, Vec::new());
    let mut generator = DamageGenerator(0x9e37_79b9_7f4a_7c15);
    for folder in ["feed-rs/feed-rs/fixture", "rss-parser/test/input", "node-feedparser/test/feeds", "outlets-2020"] {
        for file in crate::files_under(&corpus.join(folder)) {
            let bytes = std::fs::read(&file).unwrap();
            for _ in 0..variants {
                let bytes = generator.damage(&bytes[..bytes.len().min(32 * 1024)]);
                let document = FetchedDocument { bytes: &bytes, content_type: None, url: &url };
                match parse_feed(&document, &Options::default()) {
                    Ok(_) => read += 1,
                    Err(NotAFeed::ParserFailed { message }) => {
                        failures.push(format!("{}: {message}", file.display()));
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    println!("{read} read, {refused} refused, {} failures of feed-rs", failures.len());
    assert_eq!(failures, Vec::<String>::new());
}

/// A pseudo-random generator of damaged documents (xorshift).
struct DamageGenerator(u64);

impl DamageGenerator {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn damage(&mut self, document: &[u8]) -> Vec<u8> {
        const PIECES: [&[u8]; 20] = [
            b"<",
            b">",
            b"&",
            b"\"",
            b"]]>",
            b"<![CDATA[",
            b"<!--",
            b"-->",
            b"</item>",
            b"<item>",
            b"<title>",
            b"/>",
            b"\0",
            b"\xff",
            b"&#x0;",
            b"@",
            b"<?",
            b"xmlns=''",
            b"<a:b c:d='e'/>",
            b"\xe2\x80\x8b",
        ];
        let mut damaged = document.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(damaged.len());
            let end = (at + self.below(40)).min(damaged.len());
            let piece = PIECES[self.below(PIECES.len())];
            match self.below(5) {
                0 => drop(damaged.drain(at..end)),
                1 => drop(damaged.splice(at..at, piece.iter().copied())),
                2 => drop(damaged.splice(at..end, piece.iter().copied())),
                3 => {
                    let copy = damaged[at..end].to_vec();
                    let to = self.below(damaged.len());
                    drop(damaged.splice(to..to, copy));
                }
                _ if self.below(4) == 0 => damaged.truncate(at),
                _ => {}
            }
        }
        damaged
    }
}

struct ResourceUsage {
    /// The CPU time, which excludes waiting for a processor.
    cpu_time: Duration,
    /// The peak memory, in bytes.
    peak_memory: usize,
}

/// Runs `newsfold check` on a file and measures its resource usage.
fn run_check(file: &Path) -> ResourceUsage {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_newsfold"));
    command.arg("check").arg(file).arg("--json").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || std::io::copy(&mut out.by_ref(), &mut std::io::sink()));
    let status = format!("/proc/{}/status", child.id());
    let stat = format!("/proc/{}/stat", child.id());
    let mut usage = ResourceUsage { cpu_time: Duration::ZERO, peak_memory: 0 };
    let exit = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        usage.peak_memory = usage.peak_memory.max(kib.unwrap_or_default() * 1024);
        let stat = std::fs::read_to_string(&stat).unwrap_or_default();
        // Fields 14 and 15 of proc(5), in ticks of 10 ms. The split skips the name in parentheses.
        let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        usage.cpu_time = usage.cpu_time.max(Duration::from_millis(10 * ticks));
        if let Some(exit) = child.try_wait().unwrap() {
            break exit;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "newsfold hangs");
        std::thread::sleep(Duration::from_millis(1));
    };
    reader.join().unwrap().unwrap();
    // 0 means that the file is a feed, and 1 means that it is not. Any other result is a panic or a signal.
    assert!(matches!(exit.code(), Some(0 | 1)), "{exit}");
    usage
}
