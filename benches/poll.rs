//! Measures polls of many feeds by the real program, and the size of its database.
//!
//! `cargo bench --bench poll` serves 1,000 feeds of 20 items each, every feed on its own address, and runs
//! `newsfold source poll --all` twice: the first pass reads, stores and groups all items, and in the second pass all
//! responses are 304. It then publishes all stories (`newsfold export`) and prints the bytes per item. `-- --feeds N`
//! changes the number of feeds, and `-- --folder DIR` serves the `*.xml` files of a folder instead of generated text.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;

const ITEMS_PER_FEED: usize = 20;
/// The words of the generated text are random combinations of these syllables.
const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "xi", "yo",
    "zu", "an", "er", "in", "st",
];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| &arguments[at + 1]);
    let count = value("--feeds").map_or(Ok(1000), |count| count.parse())?;
    let documents = match value("--folder") {
        Some(folder) => read_documents(Path::new(folder), count)?,
        None => (0..count).map(generate_document).collect(),
    };
    let received: usize = documents.iter().map(String::len).sum();
    let items = documents.iter().map(|document| document.matches("<item").count()).sum::<usize>();
    println!("{} feeds, {items} items, {} bytes per item", documents.len(), received / items.max(1));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let port = runtime.block_on(serve(documents.clone()))?;

    let folder = tempfile::tempdir()?;
    let config =
        "[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n[publish]\ndelay = \"0s\"\n";
    std::fs::write(folder.path().join("config.toml"), config)?;
    let mut outlines = String::new();
    for n in 0..documents.len() {
        writeln!(outlines, "<outline type=\"rss\" xmlUrl=\"http://{}:{port}/{n}\"/>", address_of(n))?;
    }
    let opml = format!("<opml version=\"2.0\"><head/><body>{outlines}</body></opml>");
    std::fs::write(folder.path().join("feeds.opml"), opml)?;

    run(folder.path(), &["source", "import", "feeds.opml"])?;
    let first = run(folder.path(), &["source", "poll", "--all"])?;
    let second = run(folder.path(), &["source", "poll", "--all"])?;
    let export = run(folder.path(), &["export", "public"])?;
    let size = std::fs::metadata(folder.path().join("newsfold.db"))?.len() as usize;
    println!("first pass, stored and grouped: {first:.1} s");
    println!("second pass, all 304:           {second:.1} s");
    println!("publication and export:         {export:.1} s");
    println!(
        "database: {} bytes per item, {:.2} times the documents",
        size / items.max(1),
        size as f64 / received as f64
    );
    Ok(())
}

/// Runs a command of the program, and returns its duration in seconds.
fn run(folder: &Path, arguments: &[&str]) -> anyhow::Result<f64> {
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_newsfold"))
        .current_dir(folder)
        .env("NEWSFOLD_CONFIG", "config.toml")
        .env("NEWSFOLD_DATABASE", "newsfold.db")
        .args(arguments)
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "newsfold {}: {errors}", arguments.join(" "));
    Ok(start.elapsed().as_secs_f64())
}

/// The address of feed `n`. Each feed has its own address, because a server gets one request at a time.
fn address_of(n: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + n as u32)
}

/// Serves document `n` at `/n` on all loopback addresses, with validators. Returns the port.
async fn serve(documents: Vec<String>) -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    let port = listener.local_addr()?.port();
    let router = Router::new().fallback(respond).with_state(Arc::new(documents));
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(port)
}

async fn respond(State(documents): State<Arc<Vec<String>>>, uri: Uri, headers: HeaderMap) -> Response {
    let number = uri.path()[1..].parse::<usize>().ok();
    let Some(document) = number.and_then(|number| documents.get(number)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if headers.contains_key(header::IF_NONE_MATCH) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let fields = [(header::CONTENT_TYPE, "application/rss+xml"), (header::ETAG, "\"1\"")];
    (fields, document.clone()).into_response()
}

fn read_documents(folder: &Path, max: usize) -> anyhow::Result<Vec<String>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    paths.sort();
    Ok(paths.iter().take(max).map(std::fs::read_to_string).collect::<std::io::Result<_>>()?)
}

/// Generates a feed with reports of the last two days: a headline of ten words, and a text of 40 to 100 words as summary
/// and as content.
fn generate_document(feed: usize) -> String {
    let mut random = Random(feed as u64 + 1);
    let mut items = String::new();
    for n in 0..ITEMS_PER_FEED {
        let length = 40 + random.below(61);
        let (title, text) = (sentence(&mut random, 10), sentence(&mut random, length));
        let at = Timestamp::now() - SignedDuration::from_secs(random.below(48 * 3600) as i64);
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT");
        let link = format!("https://{feed}.example/news/{}/{n}.html", title.replace(' ', "-"));
        let _ = write!(
            items,
            "<item><title>{title}</title><link>{link}</link><guid>{link}</guid><pubDate>{date}</pubDate>\
             <description>{text}</description></item>"
        );
    }
    format!("<rss version=\"2.0\"><channel><title>Outlet {feed}</title><language>en</language>{items}</channel></rss>")
}

fn sentence(random: &mut Random, words: usize) -> String {
    let word = |random: &mut Random| -> String {
        (0..2 + random.below(3)).map(|_| SYLLABLES[random.below(SYLLABLES.len())]).collect()
    };
    (0..words).map(|_| word(random)).collect::<Vec<_>>().join(" ")
}

/// A linear congruential generator (Knuth, MMIX), so that each run has the same text.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}
