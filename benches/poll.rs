//! Measures polls of many feeds by the real program, and the size of its database.
//!
//! `cargo bench --bench poll` serves 1,000 feeds of 20 items each, every feed on its own address, and runs `newsfold
//! source poll --all` twice: the first pass reads, stores and groups all items, and in the second pass all responses
//! are 304. It then publishes all stories (`newsfold export`) and prints the bytes per item. `-- --feeds N` changes the
//! number of feeds, and `-- --folder DIR` serves the `*.xml` files of a directory instead of generated text.

#[path = "support/generated_feed.rs"]
mod generated_feed;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;

const ITEMS_PER_FEED: usize = 20;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| &arguments[at + 1]);
    let count = value("--feeds").map_or(Ok(1000), |count| count.parse())?;
    let documents = match value("--folder") {
        Some(folder) => read_documents(Path::new(folder), count)?,
        None => (0..count).map(|feed| generated_feed::generate(feed, ITEMS_PER_FEED)).collect(),
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

/// Runs a command of the program and returns its duration in seconds.
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
