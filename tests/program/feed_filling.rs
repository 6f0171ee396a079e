//! Tests that new feeds are filled in the background, even across crashes and shutdowns, and that a feed selects the
//! same stories when they are published and when the feed is added later.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{database_path, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::shared_database::SharedDatabase;
use crate::support::test_daemon::TestDaemon;
use crate::support::{rss, rss_at, rss_of_today, wait_until};
use jiff::SignedDuration;
use newsfold::domain::{ItemId, NewSource, Timestamp};
use newsfold::publish::FeedOptions;
use newsfold::store::{Store, WriteConnection, constraints, row_counts, sources, stories};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

const STORIES: usize = 1500;
const NEW_FEEDS: usize = 40;
const CONFIG: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n[metrics]\nenabled = false\n[fetch]\n\
                      allowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n[publish]\ndelay = \"0s\"\n\
                      min_update_interval = \"0s\"\n";

/// The date of the stories. It is the same for all tests, because they share the database.
static TODAY: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);

/// The database with the published stories.
static PUBLISHED: OnceCell<SharedDatabase> = OnceCell::const_new();

/// A database with published stories, and a configuration.
struct Site {
    cli: CliRunner,
    origin: OriginServer,
}

impl Site {
    /// Creates a site with published stories. Some storylines contain two stories.
    async fn with_published_stories() -> Site {
        let site = Site::empty().await;
        let published = PUBLISHED.get_or_init(async || {
            let first = Site::empty().await;
            first.publish_stories().await;
            SharedDatabase::of(first.cli.folder.path(), &first.origin)
        });
        published.await.copy_to(site.cli.folder.path(), &site.origin);
        site
    }

    async fn empty() -> Site {
        let site = Site { cli: CliRunner::new(), origin: OriginServer::start().await };
        site.cli.write_file("config.toml", CONFIG);
        for source in 0..STORIES / 250 {
            let items: Vec<String> = (0..250)
                .map(|n| format!("{source}-{n} | Headline {n} of {source} | Report {n} about place{source}x{n}"))
                .collect();
            let document = rss_at(&items.iter().map(String::as_str).collect::<Vec<_>>(), *TODAY);
            site.origin.serve(&format!("/{source}"), StubResponse::ok(document));
        }
        site
    }

    async fn publish_stories(&self) {
        let store = Store::open(&self.database()).unwrap();
        for source in 0..STORIES / 250 {
            let (url, outlet) = (self.origin.url(&format!("/{source}")), format!("{source}.example"));
            let new = NewSource { url, outlet, is_ungrouped: true, ..NewSource::default() };
            let now = Timestamp::now();
            store.write(move |db| sources::add(db, &new, now, now)).await.unwrap();
        }
        self.cli.run(&["source", "poll", "--all"]);
        let merge = |db: &WriteConnection| {
            for pair in 0..20 {
                let storyline = |item| {
                    let story = stories::story_of_item(db, ItemId(item))?.unwrap();
                    Ok::<_, newsfold::store::Error>(stories::get(db, story)?.unwrap().storyline)
                };
                let (first, second) = (storyline(2 * pair + 1)?, storyline(2 * pair + 2)?);
                let merged = newsfold::store::storylines::get(db, first)?.unwrap();
                let other = newsfold::store::storylines::get(db, second)?.unwrap();
                constraints::merge_storylines(db, &merged, &other, Timestamp::now())?.unwrap();
            }
            Ok(())
        };
        store.write(merge).await.unwrap();
    }

    fn database(&self) -> std::path::PathBuf {
        database_path(self.cli.folder.path())
    }

    /// Adds feeds to the configuration.
    fn configure_new_feeds(&self) {
        let feeds: String = (0..NEW_FEEDS)
            .map(|n| format!("[[publish.feeds]]\nname = \"new{n}\"\nexclude_query = \"place{}x{n}\"\n", n % 6))
            .collect();
        self.cli.write_file("config.toml", &format!("{CONFIG}{feeds}"));
    }

    /// Starts the daemon without waiting until it serves.
    fn start(&self) -> Daemon {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("newsfold"));
        command.args(["serve", "--config"]).arg(self.cli.folder.path().join("config.toml"));
        command.arg("--database").arg(self.database()).env("HOME", self.cli.folder.path());
        Daemon(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Waits until some of the new feeds are filled.
    async fn wait_until_some_are_filled(&self) {
        let db = open(&self.database());
        wait_until("a new feed is filled", async || count_filled(&db) > 0).await;
    }

    /// Waits until `newsfold status` reports that all feeds are filled and all stories are reviewed.
    async fn wait_until_all_are_filled(&self) {
        // This query takes much less time than the command.
        let db = open(&self.database());
        wait_until("all feeds are filled", async || count_filled(&db) == NEW_FEEDS).await;
        wait_until("all feeds are filled and all stories are reviewed", async || {
            let stored = &self.cli.run_json(&["status"])["stored"];
            stored["feeds_to_fill"] == 0 && stored["queues"]["stories_to_review"] == 0
        })
        .await;
    }
}

/// A daemon that is killed when the value is dropped.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn open(database: &Path) -> Connection {
    let db = Connection::open(database).unwrap();
    db.busy_timeout(Duration::from_secs(20)).unwrap();
    db
}

fn count(db: &Connection, sql: &str) -> usize {
    db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() as usize
}

fn count_filled(db: &Connection) -> usize {
    count(db, "SELECT count(*) FROM feed_selection WHERE feed LIKE 'new%'")
}

/// Returns the entries of all feeds and the latest editions of all stories, as text.
fn published(database: &Path) -> (Vec<String>, Vec<String>) {
    let db = open(database);
    let read = |sql: &str| -> Vec<String> {
        db.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    (
        read(
            "SELECT concat_ws(' ', feed, sequence, story_id, variants, edition_number) FROM feed_entry ORDER BY feed, sequence",
        ),
        read(
            "SELECT concat_ws(' ', story_id, outlet_count, text) FROM edition AS e
             WHERE number = (SELECT max(number) FROM edition WHERE story_id = e.story_id) ORDER BY story_id",
        ),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_have_the_same_entries_if_the_daemon_is_killed_while_it_fills_them() {
    let site = Site::with_published_stories().await;
    site.configure_new_feeds();
    let untouched = site.cli.folder.path().join("untouched.db");
    std::fs::copy(site.database(), &untouched).unwrap();
    let status = site.cli.run(&["status"]);
    assert!(status.contains(&format!("{NEW_FEEDS} feeds to fill")), "{status}");

    let mut daemon = site.start();
    site.wait_until_some_are_filled().await;
    daemon.0.kill().unwrap();
    daemon.0.wait().unwrap();
    let filled = count_filled(&open(&site.database()));
    assert!((1..NEW_FEEDS).contains(&filled), "{filled} feeds were filled before the daemon was killed");
    let postponed = count(&open(&site.database()), "SELECT count(*) FROM storyline_review_queue");
    assert_eq!(postponed, 20, "the storylines with two stories await their review");
    let status = site.cli.run_json(&["status"]);
    assert_eq!(status["stored"]["feeds_to_fill"], NEW_FEEDS - filled);

    let daemon = site.start();
    site.wait_until_all_are_filled().await;
    drop(daemon);
    assert_eq!(count(&open(&site.database()), "SELECT count(*) FROM storyline_review_queue"), 0);
    let after_kill = published(&site.database());
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", site.database().display()));
    }
    std::fs::copy(&untouched, site.database()).unwrap();
    let daemon = site.start();
    site.wait_until_all_are_filled().await;
    drop(daemon);
    let without_kill = published(&site.database());
    assert!(without_kill.0.iter().filter(|entry| entry.starts_with("new")).count() > NEW_FEEDS * STORIES * 9 / 10);
    assert!(after_kill == without_kill, "the entries or the editions differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_while_feeds_are_filled_ends_the_daemon_within_a_second() {
    let site = Site::with_published_stories().await;
    site.configure_new_feeds();
    let mut daemon = site.start();
    site.wait_until_some_are_filled().await;
    let start = Instant::now();
    let terminated = Command::new("kill").args(["-TERM", &daemon.0.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    wait_until("the daemon has ended", async || daemon.0.try_wait().unwrap().is_some()).await;
    let (elapsed, filled) = (start.elapsed(), count_filled(&open(&site.database())));
    assert!(daemon.0.wait().unwrap().success());
    assert!(elapsed < Duration::from_secs(1), "the daemon ended after {elapsed:?}");
    assert!(filled < NEW_FEEDS, "all feeds were filled before the signal");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_served_and_new_stories_are_published_while_feeds_are_filled() {
    let site = Site::with_published_stories().await;
    site.configure_new_feeds();
    let daemon = start_daemon(site.cli.folder.path(), "");
    let filled = count_filled(&open(&site.database()));
    assert!(filled < NEW_FEEDS, "all feeds were filled before the server started");
    let all = async || reqwest::get(format!("{}/feeds/all.atom", daemon.base)).await.unwrap().text().await.unwrap();
    assert!(all().await.contains("Headline"));
    let document = rss_of_today(&["late | Storm closes all ports | Ferries stay in port"]);
    site.origin.serve("/late", StubResponse::ok(document));
    site.cli.run(&["source", "add", &site.origin.url("/late")]);
    wait_until("the new story is published", async || all().await.contains("Storm closes all ports")).await;
    site.wait_until_all_are_filled().await;
    let db = open(&site.database());
    let of_story =
        "SELECT count(*) FROM feed_entry JOIN item USING (story_id) WHERE title LIKE 'Storm%' AND feed LIKE 'new%'";
    assert_eq!(count(&db, of_story), NEW_FEEDS, "the story is in every new feed once");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_of_a_new_feed_announces_only_stories_that_enter_after_it_was_filled() {
    let (site, hook) = (Site::with_published_stories().await, OriginServer::start().await);
    site.configure_new_feeds();
    hook.serve("/hook", StubResponse::ok(""));
    let config = std::fs::read_to_string(site.cli.folder.path().join("config.toml")).unwrap();
    // This feed is the last to be filled.
    let feed = format!("new{}", NEW_FEEDS - 1);
    site.cli.write_file(
        "config.toml",
        &format!("{config}[[notify]]\nurl = \"{}\"\nfeed = \"{feed}\"\n", hook.url("/hook")),
    );
    let daemon = start_daemon(site.cli.folder.path(), "");
    let db = open(&site.database());
    assert!(count_filled(&db) < NEW_FEEDS, "all feeds were filled before the webhooks started");
    site.wait_until_all_are_filled().await;
    wait_until("the webhook is known", async || count(&db, "SELECT count(*) FROM webhook") == 1).await;
    site.origin.serve("/late", StubResponse::ok(rss_of_today(&["late | Storm closes all ports | Ferries"])));
    site.cli.run(&["source", "add", &site.origin.url("/late")]);
    wait_until("the new story is announced", async || hook.request_count("/hook") > 0).await;
    let announced = "SELECT count(*) FROM webhook JOIN feed_entry USING (feed) JOIN item USING (story_id)
                     WHERE sequence = last_sequence AND title LIKE 'Storm%'";
    wait_until("the announcement is recorded", async || count(&db, announced) == 1).await;
    assert_eq!(hook.request_count("/hook"), 1);
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn tag_that_a_source_gets_while_a_feed_is_filled_is_not_lost() {
    let (mut daemon, origin) = (TestDaemon::new(), OriginServer::start().await);
    daemon.start().await;
    let mut ids = Vec::new();
    for (n, title) in ["Storm closes all ports", "Zoo opens a panda house"].into_iter().enumerate() {
        let (path, tags) = (format!("/{n}"), if n == 0 { vec!["energy".into()] } else { Vec::new() });
        origin.serve(&path, StubResponse::ok(rss(&[&format!("{n} | {title}")])));
        let (url, outlet) = (origin.url(&path), format!("{n}.example"));
        ids.push(daemon.add_known_source(NewSource { url, outlet, tags, ..NewSource::default() }).await);
    }
    for id in &ids {
        daemon.wait_for_polls(*id, 1).await;
    }
    daemon.stop().await;
    // The second source gets its tag after the daemon has decided on the entries of the feed.
    let db = open(daemon.store.path());
    let add_tag = format!(
        "CREATE TRIGGER tag_source AFTER INSERT ON feed_entry WHEN new.feed = 'tagged'
         BEGIN INSERT OR IGNORE INTO source_tag (source_id, tag) VALUES ({}, 'energy'); END",
        ids[1].0
    );
    db.execute_batch(&add_tag).unwrap();
    daemon.config.publish.feeds = vec![toml::from_str("name = 'tagged'\ntags = ['energy']").unwrap()];
    daemon.start().await;
    daemon.wait_until_idle().await;
    daemon.stop().await;
    assert_eq!(count(&db, "SELECT count(*) FROM feed_entry WHERE feed = 'tagged'"), 2);
}

/// A sequence of numbers that is the same in every run.
struct Numbers(u64);

impl Numbers {
    /// Returns the next number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    /// Returns a condition for about one in `rarity` feeds, and otherwise an empty string.
    fn condition(&mut self, rarity: usize, key: &str, values: &[&str]) -> String {
        let value = values[self.below(values.len())];
        if self.below(rarity) == 0 { format!("{key} = {value}\n") } else { String::new() }
    }

    fn feed(&mut self, name: &str) -> String {
        let conditions = [
            self.condition(4, "tags", &["['energy']", "['sport', 'culture']", "['none']", "['folder/energy']"]),
            self.condition(4, "outlets", &["['0.example']", "['1.example', '2.example']", "['reporter.example']"]),
            self.condition(4, "languages", &["['en']", "['de', 'ja']", "['fr']"]),
            self.condition(
                2,
                "query",
                &[
                    "'tanker'",
                    "'storm OR zoo'",
                    "'\"sailors wait\"'",
                    "'地震'",
                    "'Munchen'",
                    "'title : straße'",
                    "'tank*'",
                ],
            ),
            self.condition(4, "exclude_query", &["'fog'", "'panda AND zoo'", "'東京'"]),
            self.condition(5, "authors", &["['jane']", "['ROE', 'desk']"]),
            self.condition(5, "categories", &["['Energy']", "['fun', 'culture']"]),
            self.condition(5, "url_pattern", &["'/energy/'", "'[02468]$'"]),
            self.condition(5, "pattern", &["'(tanker|zoo) '", "'^Storm'", "'straße|地震'"]),
            self.condition(5, "exclude_pattern", &["'panda'", "'reef'"]),
            self.condition(4, "min_outlets", &["2", "3"]),
            self.condition(2, "fold", &["'stories'"]),
        ];
        format!("name = '{name}'\nlimit = 1000\n{}", conditions.concat())
    }

    /// Returns a document whose items report events. Outlets report the same event in other words.
    fn document(&mut self, language: &str, source: usize) -> String {
        const EVENTS: [[&str; 3]; 5] = [
            [
                "Tanker NAME runs aground off Cape NAME with forty sailors | Tugs try to free tanker NAME off Cape NAME",
                "Forty sailors aboard tanker NAME aground at Cape NAME | Tanker NAME struck the reef of Cape NAME in fog",
                "Tanker NAME aground: forty sailors wait off Cape NAME | Helicopters stand by, tugs reach the Cape NAME reef",
            ],
            [
                "Zoo of NAME opens a panda house | Two pandas moved to the zoo of NAME",
                "Pandas arrive at NAME zoo | The zoo of NAME shows two pandas in a new panda house",
                "NAME zoo opens panda house | Visitors queue for the pandas of NAME",
            ],
            [
                "Storm over NAME closes ports | Ferries stay in the port of NAME during the storm",
                "Ports of NAME closed in storm | The storm over NAME keeps ferries in port",
                "Storm keeps NAME ferries in port | All ports of NAME are closed by the storm",
            ],
            [
                "地震 東京 NAME で強い揺れ | 東京の NAME で地震がありました",
                "東京 NAME で地震 | NAME では強い揺れ 地震",
                "NAME 地震 東京 強い揺れ | 地震の揺れ NAME 東京",
            ],
            [
                "Straße in München NAME gesperrt | Die Straße NAME in München ist gesperrt",
                "München sperrt Straße NAME | Gesperrt ist in München die Straße NAME",
                "Gesperrte Straße NAME in München | Die Polizei sperrt die Straße NAME",
            ],
        ];
        let date = "Sun, 01 Mar 2026 11:00:00 GMT";
        let mut items = String::new();
        // The first three outlets report the same few events. The other outlets report different events.
        for number in if source < 3 { source..5 } else { source * 20..source * 20 + 20 } {
            let (title, text) = EVENTS[number % 5][source % 3].split_once(" | ").unwrap();
            let name: Vec<String> = (0..4).map(|place| place_name(4 * number + place)).collect();
            let (title, text) =
                (title.replace("NAME", &name[..2].join(" ")), text.replace("NAME", &name[1..].join(" ")));
            let category = ["energy", "culture", "fun"][self.below(3)];
            let author = ["Jane Doe", "John Roe", "Horoscope desk"][self.below(3)];
            items += &format!(
                "<item><guid>{number}</guid><link>https://{source}.example/{category}/{number}</link><title>{title}</title>\
                 <description>{text}</description><author>{author}</author><category>{category}</category>\
                 <pubDate>{date}</pubDate></item>"
            );
        }
        format!("<rss version=\"2.0\"><channel><title>N</title><language>{language}</language>{items}</channel></rss>")
    }
}

/// Returns a word of four syllables. Different numbers below 10,000 result in different words.
fn place_name(number: usize) -> String {
    const SYLLABLES: [&str; 10] = ["ka", "ro", "mi", "ze", "lu", "dov", "gar", "ny", "pel", "sho"];
    let digits = [number % 10, number / 10 % 10, (number + 7) % 10, number / 100 % 10];
    digits.iter().map(|digit| SYLLABLES[*digit]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn feed_selects_the_same_stories_when_they_are_published_and_when_it_is_added_later() {
    const FEEDS: usize = 300;
    let mut daemon = TestDaemon::new();
    daemon.config.publish.delay = SignedDuration::from_mins(10);
    daemon.config.publish.probation = SignedDuration::ZERO;
    daemon.config.publish.mute = vec![toml::from_str("pattern = '^tanker ka'").unwrap()];
    let mut numbers = Numbers(22);
    let selections: Vec<String> = (0..FEEDS).map(|n| numbers.feed(&format!("early{n}"))).collect();
    let feeds = |prefix: &str| -> Vec<FeedOptions> {
        selections.iter().map(|text| toml::from_str(&text.replacen("early", prefix, 1)).unwrap()).collect()
    };
    daemon.config.publish.feeds = feeds("early");
    let origin = OriginServer::start().await;
    daemon.start().await;
    let tags = [vec!["energy".to_owned()], vec!["sport".into(), "folder/energy".into()], vec!["culture".into()]];
    for source in 0..6 {
        let path = format!("/{source}");
        origin.serve(&path, StubResponse::ok(numbers.document(["en", "en", "en", "en", "de", "ja"][source], source)));
        let new = NewSource {
            url: origin.url(&path),
            outlet: format!("{source}.example"),
            tags: tags[source % 3].clone(),
            lang: (source == 4).then(|| "fr".into()),
            is_ungrouped: source >= 3,
            ..NewSource::default()
        };
        let id = daemon.add_known_source(new).await;
        wait_until("the source is polled", async || !daemon.polls(id).await.is_empty()).await;
    }
    wait_until("all items have stories", async || daemon.store.read(row_counts::count).await.unwrap().unassigned == 0)
        .await;
    daemon.advance(SignedDuration::from_mins(11));
    daemon.wait_until_idle().await;
    daemon.stop().await;
    daemon.config.publish.feeds.extend(feeds("late"));
    daemon.start().await;
    daemon.wait_until_idle().await;
    daemon.stop().await;
    let db = open(daemon.store.path());
    let entries = |feed: &str| -> Vec<String> {
        let sql =
            "SELECT concat_ws(' ', story_id, variants) FROM feed_entry WHERE feed = ?1 ORDER BY story_id, variants";
        db.prepare(sql).unwrap().query_map([feed], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let mut sizes = BTreeMap::new();
    for (n, selection) in selections.iter().enumerate() {
        let (early, late) = (entries(&format!("early{n}")), entries(&format!("late{n}")));
        assert_eq!(early, late, "{selection}");
        *sizes.entry(early.len()).or_insert(0) += 1;
    }
    // Many feeds have entries, and their numbers differ.
    assert!(sizes.len() > 10 && sizes.get(&0).copied().unwrap_or(0) < FEEDS / 2, "{sizes:?}");
    let stories = daemon.stories().await;
    assert!(stories.iter().any(|story| story.outlet_count() >= 3), "no story has three outlets");
}
