//! Documents made to hurt: none makes newsfold panic, hang or use more memory than it may.
//!
//! Every day small ones are read in this process. The real measure is of 16 MiB, one process for each document, and
//! takes minutes: `cargo test --release --test documents hostile -- --ignored --nocapture`. Peak memory is Linux's `VmHWM`.

mod documents;

use documents::KINDS;
use newsfold::feed_parser::{FetchedDocument, NotAFeed, Options, parse_feed};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use url::Url;

const MIB: usize = 1024 * 1024;
/// The bars, for a document of [`Options::max_bytes`].
const LONGEST: Duration = Duration::from_secs(2);
const MOST_TIMES: usize = 12;

#[test]
fn no_small_document_makes_it_panic_or_grow_slower_than_its_size() {
    let url = Url::parse("https://feed.invalid/").unwrap();
    let read = |bytes: &[u8]| {
        let began = Instant::now();
        let _ = parse_feed(&FetchedDocument { bytes, content_type: None, url: &url }, &Options::default());
        began.elapsed()
    };
    for (name, generate) in KINDS {
        let took = read(&generate(64 * 1024));
        // Far above what a debug build on a busy machine needs, far below what anything quadratic takes.
        assert!(took < Duration::from_secs(10), "{name}: {took:?}");
    }
}

#[test]
#[ignore = "takes minutes, and means something in a release build only"]
fn no_document_of_16_mib_takes_2_s_or_12_times_its_size() {
    if cfg!(debug_assertions) || !Path::new("/proc/self/status").exists() {
        return crate::support::skipped("the figures are of a release build on Linux");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("document");
    let only = std::env::var("HOSTILE").unwrap_or_default();
    let mut over = Vec::new();
    for (name, generate) in KINDS.iter().filter(|(name, _)| name.contains(&only)) {
        std::fs::write(&file, generate(16 * MIB)).unwrap();
        let (took, peak) = check(&file);
        let times = peak as f64 / (16 * MIB) as f64;
        let is_over = took > LONGEST || peak > MOST_TIMES * 16 * MIB;
        println!("{:6.2} s {times:5.1}× {}{name}", took.as_secs_f64(), if is_over { "OVER " } else { "" });
        if is_over {
            over.push(*name);
        }
    }
    assert_eq!(over, Vec::<&str>::new());
}

/// Real documents with pseudo-random damage, the same in every run. `MUTATIONS` sets the number of variants of each.
#[test]
fn damaged_documents_cause_no_panic_and_no_failure_of_feed_rs() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if !corpus.exists() {
        return crate::support::skipped("there is no corpus beside this project");
    }
    let times = std::env::var("MUTATIONS").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    let url = Url::parse("https://feed.invalid/").unwrap();
    let (mut read, mut refused, mut failures) = (0, 0, Vec::new());
    let mut damage = Damage(0x9e37_79b9_7f4a_7c15);
    for folder in ["feed-rs/feed-rs/fixture", "rss-parser/test/input", "node-feedparser/test/feeds", "outlets-2020"] {
        for file in files(&corpus.join(folder)) {
            let bytes = std::fs::read(&file).unwrap();
            for _ in 0..times {
                let bytes = damage.to(&bytes[..bytes.len().min(32 * 1024)]);
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

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A source of damage (xorshift).
struct Damage(u64);

impl Damage {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn to(&mut self, document: &[u8]) -> Vec<u8> {
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

/// How long `newsfold check` is busy with a file, and the most memory it has at one time. Waiting for a processor that
/// others use does not count.
fn check(file: &Path) -> (Duration, usize) {
    let began = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_newsfold"));
    command.arg("check").arg(file).arg("--json").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || std::io::copy(&mut out.by_ref(), &mut std::io::sink()));
    let status = format!("/proc/{}/status", child.id());
    let stat = format!("/proc/{}/stat", child.id());
    let (mut peak, mut busy) = (0, Duration::ZERO);
    let exit = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        peak = peak.max(kib.unwrap_or_default() * 1024);
        let stat = std::fs::read_to_string(&stat).unwrap_or_default();
        // proc(5): the 14th and 15th field, in ticks of 10 ms; they stand behind a name in brackets.
        let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        busy = busy.max(Duration::from_millis(10 * ticks.filter_map(|n| n.parse::<u64>().ok()).sum::<u64>()));
        if let Some(exit) = child.try_wait().unwrap() {
            break exit;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "it hangs");
        std::thread::sleep(Duration::from_millis(1));
    };
    reader.join().unwrap().unwrap();
    // 0 is a feed, 1 is none; anything else is a panic or a signal.
    assert!(matches!(exit.code(), Some(0 | 1)), "{exit}");
    (busy, peak)
}
