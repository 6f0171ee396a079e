//! Tests the static export: it matches the HTTP responses, is always complete, and keeps unchanged files.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::{TestDaemon, run_next_poll, start_and_poll_once};
use crate::support::{rss, wait_until};
use jiff::SignedDuration;
use newsfold::daemon::{ExportReport, export};
use newsfold::store::{constraints, sources};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const NEWS: [&str; 2] =
    ["1 | Harvest is late this year | Farmers wait", "2 | Museum opens its doors | Paintings return"];

async fn exported(daemon: &TestDaemon, folder: &Path) -> ExportReport {
    export(&daemon.config, &daemon.store, &daemon.clock, folder).await.unwrap()
}

/// Returns all files below a directory, by relative path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Publishes a new item of the source.
async fn report(daemon: &TestDaemon, origin: &OriginServer, title: &str) {
    let new = format!("{title} | {title}");
    origin.serve("/feed", StubResponse::ok(rss(&[&[new.as_str()], &NEWS[..]].concat())));
    let id = daemon.store.read(|db| sources::list(db, &sources::SourceFilter::default())).await.unwrap()[0].id;
    run_next_poll(daemon, id).await;
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "compares every header and coding of one export")]
async fn exported_files_equal_the_served_bytes_in_every_coding() {
    let (mut daemon, _origin, _) = start_and_poll_once(StubResponse::ok(rss(&NEWS))).await;
    let stories = daemon.stories().await;
    let (one, other, now) = (stories[0].clone(), stories[1].clone(), daemon.now());
    daemon.store.write(move |db| constraints::merge_stories(db, &one, &other, now)).await.unwrap().unwrap();
    daemon.wait_until_idle().await;
    let folder = daemon.folder.path().join("public");
    let done = exported(&daemon, &folder).await;
    let files = files(&folder.join("current"));
    let manifest: Vec<serde_json::Value> = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!((manifest.len(), files.len()), (done.documents, done.documents * 3 + 1));
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for document in &manifest {
        let path = document["path"].as_str().unwrap();
        let asked = path.trim_end_matches("index.html").trim_end_matches('/');
        for (coding, suffix) in [("identity", ""), ("gzip", ".gz"), ("br", ".br")] {
            let file = &files[&format!("{path}{suffix}")];
            // Documents that are rendered per request are compressed less than files, or not at all.
            let kind = document["content_type"].as_str().unwrap();
            let is_rendered_per_request =
                kind.starts_with("text/html") || path == "feeds.opml" || path.starts_with("stories/");
            if is_rendered_per_request && coding != "identity" {
                continue;
            }
            let ask = async |path: &str| {
                let url = format!("{}/{path}", daemon.base);
                client.get(url).header("accept-encoding", coding).send().await.unwrap()
            };
            let mut answer = ask(asked).await;
            if let Some(to) = answer.headers().get("location") {
                answer = ask(to.to_str().unwrap().trim_start_matches(daemon.config.publish.base_url.as_str())).await;
            }
            for name in ["content-type", "cache-control"] {
                let expected = document[name.replace('-', "_")].as_str().unwrap();
                assert!(answer.headers()[name] == expected || path == "404.html", "{name} of {path}");
            }
            if let Some(date) = answer.headers().get("last-modified") {
                let at = std::fs::metadata(folder.join("current").join(format!("{path}{suffix}"))).unwrap().modified();
                assert_eq!(httpdate::fmt_http_date(at.unwrap()), date.to_str().unwrap(), "{path}");
            }
            let served = answer.bytes().await.unwrap();
            // The daemon may not be running while the files are read, so these parts are omitted.
            let served_only = match path {
                "index.html" | "sources/index.html" => "<form",
                "health" => "All tasks are running.",
                _ => "",
            };
            if !served_only.is_empty() {
                let (served, file) = (String::from_utf8_lossy(&served), String::from_utf8_lossy(file));
                assert!(served.contains(served_only) && !file.contains(served_only), "{path}");
                assert!(served.lines().next_back() == file.lines().next_back(), "{path}");
                continue;
            }
            assert!(served == file[..], "{path} in {coding}");
        }
    }
    let paths: Vec<&str> = manifest.iter().map(|document| document["path"].as_str().unwrap()).collect();
    for path in [
        "feeds/all.atom",
        "feeds/all.rss",
        "feeds/all.json",
        "feeds/health.atom",
        "index.html",
        "style.css",
        "sources/index.html",
        "sources/1",
        "feeds/index.html",
        "feeds/all",
        "feeds.opml",
        "health",
    ] {
        assert!(paths.contains(&path), "{path} is not in {paths:?}");
    }
    for story in &stories {
        assert!(paths.contains(&format!("stories/{}", story.id).as_str()), "the merged story has a file too");
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_files_are_kept_and_changed_ones_are_newer() {
    let (mut daemon, origin, _) = start_and_poll_once(StubResponse::ok(rss(&NEWS))).await;
    let folder = daemon.folder.path().join("public");
    let first = exported(&daemon, &folder).await;
    assert!(first.new);
    let again = exported(&daemon, &folder).await;
    assert!(!again.new && again.written == 0 && again.generation.ends_with("generation-00000001"));
    let about = |path: &str| std::fs::metadata(folder.join("current").join(path)).unwrap();
    let (style, feed) = (about("style.css"), about("feeds/all.atom"));
    let old = std::fs::File::open(folder.join("current/feeds/all.atom")).unwrap();

    report(&daemon, &origin, "Another").await;
    let second = exported(&daemon, &folder).await;
    assert!(second.new && second.written < first.written, "{second:?}");
    assert_eq!(about("style.css").ino(), style.ino());
    assert!(about("feeds/all.atom").modified().unwrap() > feed.modified().unwrap());
    assert!(std::fs::read_to_string(folder.join("current/feeds/all.atom")).unwrap().contains("Another"));
    // A reader that has the old file open still reads the old content.
    assert!(!std::io::read_to_string(old).unwrap().contains("Another"));

    report(&daemon, &origin, "A third").await;
    assert!(exported(&daemon, &folder).await.new);
    assert_eq!(names(&folder), [".lock", "current", "generation-00000002", "generation-00000003"]);
    assert_eq!(std::fs::read_link(folder.join("current")).unwrap(), PathBuf::from("generation-00000003"));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_export_keeps_the_last_generation_and_is_cleaned_up() {
    let (mut daemon, origin, _) = start_and_poll_once(StubResponse::ok(rss(&NEWS))).await;
    let folder = daemon.folder.path().join("public");
    exported(&daemon, &folder).await;
    let complete = files(&folder.join("current"));
    // Simulate a crash during an export and another crash before the link was renamed.
    std::fs::create_dir_all(folder.join("generation-00000002.tmp/feeds")).unwrap();
    std::fs::write(folder.join("generation-00000002.tmp/feeds/all.atom"), "half").unwrap();
    std::os::unix::fs::symlink("generation-00000002", folder.join("current.tmp")).unwrap();
    std::fs::write(folder.join("robots.txt"), "from the operator").unwrap();
    assert_eq!(files(&folder.join("current")), complete);
    report(&daemon, &origin, "Another").await;
    assert!(exported(&daemon, &folder).await.new);
    let expected = [".lock", "current", "generation-00000001", "generation-00000002", "robots.txt"];
    assert_eq!(names(&folder), expected);
    assert!(!files(&folder.join("current")).values().any(|bytes| bytes == b"half"));

    // A failed export leaves no files behind.
    let mut config = daemon.config.clone();
    config.publish.title = "Other".into();
    let taken = daemon.folder.path().join("a file");
    std::fs::write(&taken, "").unwrap();
    let error = export(&config, &daemon.store, &daemon.clock, &taken).await.unwrap_err();
    assert!(format!("{error:#}").contains("cannot export to"), "{error:#}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_never_see_an_incomplete_generation() {
    let (mut daemon, origin, _) = start_and_poll_once(StubResponse::ok(rss(&NEWS))).await;
    let folder = daemon.folder.path().join("public");
    exported(&daemon, &folder).await;
    let current = folder.join("current");
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (ended, path) = (done.clone(), current.clone());
    let reader = std::thread::spawn(move || {
        let mut seen = 0;
        while !ended.load(std::sync::atomic::Ordering::Relaxed) {
            let manifest = std::fs::read(path.join("manifest.json")).expect("there is always a generation");
            assert!(manifest.ends_with(b"]\n"));
            let feed = std::fs::read_to_string(path.join("feeds/all.atom")).expect("all files of the generation");
            assert!(feed.ends_with("</feed>\n"));
            seen += 1;
        }
        seen
    });
    for n in 0..20 {
        report(&daemon, &origin, &format!("Title {n}")).await;
        assert!(exported(&daemon, &folder).await.new);
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(reader.join().unwrap() > 20);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_keeps_the_export_up_to_date() {
    let mut daemon = TestDaemon::new();
    let folder = daemon.folder.path().join("public");
    daemon.config.publish.export_dir = Some(folder.clone());
    daemon.config.publish.feeds = vec![toml::from_str("name = \"one\"\nlimit = 1").unwrap()];
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&NEWS)));
    let id = daemon.add_source(&origin.url("/feed"), "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let same = async || {
        daemon.advance(SignedDuration::from_secs(61));
        let mut same = true;
        for path in ["feeds/all.atom", "feeds/top.atom", "feeds/one.rss", "feeds/one.archive-1-1.atom"] {
            let served = daemon.get(&format!("/{path}")).await;
            let written = std::fs::read_to_string(folder.join("current").join(path));
            same &= written.is_ok_and(|written| written == served);
        }
        same
    };
    wait_until("the first stories are exported", same).await;
    report(&daemon, &origin, "Another").await;
    wait_until("the change is exported", async || {
        same().await && std::fs::read_to_string(folder.join("current/feeds/all.rss")).unwrap().contains("Another")
    })
    .await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn export_command_works_without_a_daemon() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/feed", StubResponse::ok(rss(&NEWS)));
    cli.run(&["source", "add", &origin.url("/feed")]);
    let folder = cli.folder.path().join("public");
    let to = folder.to_str().unwrap();
    let done = cli.run_json(&["export", to]);
    assert_eq!((done["new"].as_bool(), done["documents"].as_u64() > Some(8)), (Some(true), true), "{done}");
    assert!(cli.run(&["export", to]).contains("nothing has changed"));
    let feed = std::fs::read_to_string(folder.join("current/feeds/all.atom")).unwrap();
    assert_eq!(feed.trim_end(), cli.run(&["feed", "preview", "all", "--format", "atom"]).trim_end());
    cli.assert_fails(&["export", cli.write_file("taken", "").as_str()], "cannot export to");
}
