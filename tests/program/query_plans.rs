//! Tests that no statement in a hot path scans a table that grows. The statements are those that the daemon executes
//! while it polls, groups, publishes and serves. SQLite explains how it would execute each statement, without
//! statistics and with the statistics of large tables.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{DaemonProcess, database_path, start_daemon};
use crate::support::fake_hub::{FakeHub, signature};
use crate::support::fake_subscriber::FakeSubscriber;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, wait_until};
use jiff::Timestamp;
use newsfold::domain::{NewSource, StoryId, StorylineId};
use newsfold::store::{Store, WriteConnection, sources};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use std::collections::BTreeSet;
use std::path::Path;
use url::Url;
use url::form_urlencoded::Serializer;

/// The scans that are allowed: the step of the plan, a part of the statement, and the reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    // These tables do not grow with the work.
    ("SCAN publication", "", "has one row"),
    ("SCAN term_frequency_progress", "", "has one row"),
    ("SCAN encoder_model", "", "has a row for each encoder"),
    ("SCAN feed_selection", "", "has a row for each configured feed"),
    ("SCAN feed_token", "", "has a row for each private feed"),
    ("SCAN sqlite_schema", "", "has a row for each table, index and trigger"),
    ("SCAN lease", "", "has a row for each request in progress"),
    ("SCAN grouping_constraint", "", "has the decisions of the operator"),
    ("SCAN websub_subscriber_request", "count(*) AS total", "is limited by the rate limits of our hub"),
    // These tables are queues, whose rows are deleted once the work is done.
    ("SCAN storyline_review_queue", "", "is a queue"),
    ("SCAN revised_item", "", "is a queue"),
    ("SCAN story_with_new_edition", "", "has the stories of one job of the writer"),
    ("SCAN changed", "FROM story_with_new_edition AS changed", "has the stories of one job of the writer"),
    ("SCAN item USING INDEX item_full_text_pending", "", "the index is a queue"),
    // These scans read the results of subqueries.
    ("SCAN found", "story.id = found.id", "is limited by MAX_MATCHING_ITEMS"),
    ("SCAN outdated", "outdated AS (", "has the subscribers without the latest document"),
    // These scans end early.
    ("SCAN operator_event", "ORDER BY id DESC LIMIT", "reads the newest rows"),
    ("SCAN story USING INDEX story_published_by_update", "LIMIT 1 OFFSET", "reads MAX_CHECKED_STORIES rows"),
    // These scans occur at startup or at long intervals.
    ("SCAN origin_hold", "DELETE FROM origin_hold WHERE until", "runs at startup and when the clock was changed"),
    ("SCAN source", "last_outcome = 'offline'", "runs at startup"),
    ("SCAN websub_subscription", "WHERE source_id = source.id AND next_poll_at = deferred_until", "runs at startup"),
    ("SCAN source", "WHERE source_id = source.id AND next_poll_at = deferred_until", "runs at startup"),
    ("SCAN websub_subscription", "WHERE deferred_until IS NOT NULL", "runs at startup"),
    ("SCAN source", "count(*) FROM source WHERE state = 'active'", "runs every 15 minutes"),
    ("SCAN source", "SELECT update_rate, polling_hints FROM source", "runs every 15 minutes"),
    ("SCAN term_frequency", "", "is read and updated once an hour"),
    ("SCAN source_tag", "tag FROM source_tag JOIN source", "runs when tags or languages of sources have changed"),
    ("SCAN source", "coalesce(lang, feed_lang) AS language FROM source", "runs when these values have changed"),
];

const CONFIG: &str = r#"
[serve]
listen = "127.0.0.1:0"
[metrics]
enabled = false
[fetch]
allowed_networks = ["127.0.0.0/8"]
min_origin_delay = "0s"
[poll]
interval = "1s"
average_interval = "1s"
[cluster]
recluster_interval = "0s"
[publish]
delay = "0s"
min_update_interval = "0s"
base_url = "https://desk.example/"
own_hub = true
[[publish.mute]]
pattern = "horoscope"
[[publish.feeds]]
name = "selected"
tags = ["energy"]
outlets = ["a.example", "b.example"]
languages = ["en"]
query = "storm OR tanker"
exclude_query = "football"
exclude_pattern = "quiz"
min_outlets = 1
max_age = "7d"
limit = 2
[[publish.feeds]]
name = "archived"
limit = 1
[[publish.feeds]]
name = "hottest"
order = "hot"
fold = "stories"
[[publish.feeds]]
name = "members"
private = true
"#;

/// Reports of the same events, by outlet: `guid | title | summary`.
const REPORTS: [[&str; 3]; 3] = [
    [
        "1 | Tanker Aurora runs aground off Cape Lorne with forty sailors | Tugs try to free the tanker Aurora off Cape Lorne",
        "2 | Storm Erwin closes the ports of Norland | Ferries stay in port while storm Erwin crosses Norland",
        "3 | Zoo of Belmont opens a panda house | Two pandas from Chengdu moved to the zoo of Belmont",
    ],
    [
        "1 | Forty sailors aboard tanker Aurora aground at Cape Lorne | The tanker Aurora struck the reef of Cape Lorne",
        "2 | Ports of Norland closed as storm Erwin arrives | Storm Erwin keeps ferries of Norland in port",
        "7 | Your horoscope for the week | Stars predict a fine week",
    ],
    [
        "1 | Tanker Aurora aground: forty sailors wait off Cape Lorne | Tugs reach the tanker Aurora at Cape Lorne",
        "2 | Storm Erwin keeps Norland ferries in port | All ports of Norland are closed by storm Erwin",
        "8 | Football quiz of the day | Who won the cup",
    ],
];

/// The paths that readers request, in addition to the story and storyline pages.
const PATHS: &[&str] = &[
    "/",
    "/?view=latest&page=2",
    "/?tag=energy&lang=en",
    "/?outlets=2",
    "/?q=storm",
    "/feeds",
    "/feeds.opml",
    "/feeds/selected",
    "/sources/1",
    "/healthz",
    "/readyz",
    "/search.atom?q=storm",
    "/feeds/all.atom",
    "/feeds/all.stable.rss",
    "/feeds/all.json",
    "/feeds/health.atom",
    "/feeds/selected.atom",
    "/feeds/selected.stable.json",
    "/feeds/archived.atom",
    "/feeds/archived.archive-1-1.atom",
    "/feeds/archived.stable.archive-1-2.rss",
    "/feeds/hottest.rss",
    "/feeds/hottest.stable.atom",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_in_a_hot_path_scans_a_table_that_grows() {
    let cli = CliRunner::new();
    let statements = executed_statements(&cli).await;
    let database = database_path(cli.folder.path());
    let mut explainer = Explainer::new(&database);
    assert_eq!(explainer.forbidden_scans(&statements), BTreeSet::new(), "without statistics");
    explainer.pretend_large_tables();
    assert_eq!(explainer.forbidden_scans(&statements), BTreeSet::new(), "with the statistics of large tables");
    let unused: Vec<_> = (0..ALLOWED.len()).filter(|n| !explainer.used.contains(n)).map(|n| ALLOWED[n]).collect();
    assert!(unused.is_empty(), "these scans do not occur: {unused:#?}");
    // Without an index, the test finds the statements that need it.
    for (index, scan) in
        [("item_by_story", "SCAN item"), ("source_by_next_poll", "SCAN source"), ("poll_by_source", "SCAN poll")]
    {
        explainer.db.execute_batch(&format!("DROP INDEX {index}")).unwrap();
        let found = explainer.forbidden_scans(&statements);
        assert!(found.iter().any(|(step, _)| step.starts_with(scan)), "{index}: {found:#?}");
    }
}

/// Runs the daemon while sources change, readers send requests, a hub pushes and the operator changes tags. Returns the
/// statements that the daemon has executed.
async fn executed_statements(cli: &CliRunner) -> BTreeSet<String> {
    let (origin, hub, subscriber) =
        (OriginServer::start().await, FakeHub::start().await, FakeSubscriber::start().await);
    cli.write_file("config.toml", CONFIG);
    let database = database_path(cli.folder.path());
    add_sources(&database, &origin).await;
    let daemon = start_daemon(cli.folder.path(), "export NEWSFOLD_LOG=newsfold=info,newsfold::store=trace;");
    until_published(&daemon, &["Aurora", "Erwin", "a panda house"]).await;
    subscribe(&daemon, &subscriber).await;
    read_everything(&daemon, &database).await;
    change_documents(&origin);
    until_published(&daemon, &["Bank of Norland", "second panda house"]).await;
    subscriber.delivery(1).await;
    push(&daemon, &origin, &hub).await;
    until_published(&daemon, &["Rocket Falke"]).await;
    cli.run(&["source", "edit", "1", "--tag", "energy", "--tag", "ports"]);
    let sqlite = Connection::open(&database).unwrap();
    let filled = "SELECT NOT EXISTS (SELECT 1 FROM feed_selection WHERE stale = 1)";
    wait_until("the feeds are filled again", async || sqlite.query_one(filled, [], |row| row.get(0)).unwrap()).await;
    read_everything(&daemon, &database).await;
    let statements = logged_statements(&daemon.log());
    for part in
        ["INTO poll", "INTO item", "INTO storyline", "INTO edition", "INTO feed_entry", "INTO websub_subscriber"]
    {
        assert!(statements.iter().any(|sql| sql.contains(part)), "no statement contains {part}");
    }
    statements
}

async fn add_sources(database: &Path, origin: &OriginServer) {
    let mut all = Vec::new();
    for (n, items) in REPORTS.iter().enumerate() {
        origin.serve(&format!("/{n}"), StubResponse::ok(rss_of_today(items)));
        let (url, outlet) = (origin.url(&format!("/{n}")), format!("{}.example", ["a", "b", "c"][n]));
        all.push(NewSource { url, outlet, tags: vec!["energy".into()], ..NewSource::default() });
    }
    let add = move |db: &WriteConnection| {
        let now = Timestamp::now();
        all.iter().try_for_each(|new| sources::add(db, new, now, now).map(|_| ()))
    };
    Store::open(database).unwrap().write(add).await.unwrap();
}

async fn until_published(daemon: &DaemonProcess, texts: &[&str]) {
    wait_until(&format!("{texts:?} are published"), async || {
        let feed = get(daemon, "/feeds/all.atom").await;
        texts.iter().all(|text| feed.contains(text))
    })
    .await;
}

/// Subscribes to a feed at the hub of the daemon.
async fn subscribe(daemon: &DaemonProcess, subscriber: &FakeSubscriber) {
    let (topic, callback) = ("https://desk.example/feeds/all.atom", subscriber.url("/push"));
    let fields = [("hub.mode", "subscribe"), ("hub.topic", topic), ("hub.callback", &callback)];
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = reqwest::Client::new().post(format!("{}/hub", daemon.base));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    assert_eq!(request.send().await.unwrap().status(), 202);
    subscriber.verification(1).await;
}

const CORRECTED: [&str; 2] = [
    "3 | Zoo of Belmont opens a second panda house | Two pandas from Chengdu moved to the zoo of Belmont",
    "4 | Bank of Norland lifts its rate to four percent | Markets of Norland were surprised",
];

/// Changes the documents: a correction, a report of a known event, a redirect, an unchanged document and an error.
fn change_documents(origin: &OriginServer) {
    origin.serve("/0", StubResponse::ok(rss_of_today(&CORRECTED)).header("etag", b"\"1\""));
    origin.serve("/1", StubResponse::redirect_with_status(301, &origin.url("/moved")));
    let moved = "5 | Bank of Norland lifts its rate | The bank surprised the markets of Norland";
    origin.serve("/moved", StubResponse::ok(rss_of_today(&[moved])));
    origin.serve("/2", StubResponse::status(500));
}

/// Pushes a document, as a hub to which the daemon has subscribed.
async fn push(daemon: &DaemonProcess, origin: &OriginServer, hub: &FakeHub) {
    let links = format!("<{}>; rel=\"hub\", <{}>; rel=\"self\"", hub.url(), origin.url("/0"));
    origin.serve("/0", StubResponse::ok(rss_of_today(&CORRECTED)).header("link", links.as_bytes()));
    let request = hub.request(1).await;
    let mut callback = Url::parse(&format!("{}/websub/{}", daemon.base, request.token())).unwrap();
    let pushed = rss_of_today(&["6 | Rocket Falke reaches its orbit | Engineers of the rocket Falke celebrate"]);
    let push = reqwest::Client::new().post(callback.clone()).header("content-type", "application/rss+xml");
    let push = push.header("x-hub-signature", signature(request.get("hub.secret"), pushed.as_bytes()));
    let topic = ("hub.topic", request.get("hub.topic"));
    let verification =
        [("hub.mode", "subscribe"), topic, ("hub.challenge", "a challenge"), ("hub.lease_seconds", "864000")];
    callback.query_pairs_mut().extend_pairs(verification);
    assert_eq!(reqwest::get(callback).await.unwrap().status(), 200);
    assert_eq!(push.body(pushed).send().await.unwrap().status(), 202);
}

async fn get(daemon: &DaemonProcess, path: &str) -> String {
    let response = reqwest::get(format!("{}{path}", daemon.base)).await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.text().await.unwrap()
}

async fn read_everything(daemon: &DaemonProcess, database: &Path) {
    let sqlite = Connection::open(database).unwrap();
    let newest = "SELECT story.id, storyline_id FROM story JOIN edition ON story_id = story.id ORDER BY made_at DESC";
    let (story, storyline) = sqlite.query_row(newest, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let (story, storyline) = (StoryId::from_row(story), StorylineId::from_row(storyline));
    let of_story =
        [format!("/stories/{story}"), format!("/stories/{story}.atom"), format!("/storylines/{storyline}.json")];
    for path in PATHS.iter().copied().chain(of_story.iter().map(String::as_str)) {
        get(daemon, path).await;
    }
}

/// Returns the distinct statements in a log.
fn logged_statements(log: &str) -> BTreeSet<String> {
    let statement = |line: &str| {
        let (_, sql) = line.split_once(" sql=")?;
        Some(serde_json::from_str(sql).unwrap_or_else(|error| panic!("{error} in {line}")))
    };
    log.lines().filter_map(statement).collect()
}

/// A connection that explains how SQLite executes statements.
struct Explainer {
    db: Connection,
    /// The entries of [`ALLOWED`] that were needed.
    used: BTreeSet<usize>,
}

impl Explainer {
    fn new(database: &Path) -> Explainer {
        let db = Connection::open(database).unwrap();
        // The program also sets this flag.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
        // Also explain the statements of triggers.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRIGGER_EQP, true).unwrap();
        Explainer { db, used: BTreeSet::new() }
    }

    /// Multiplies the number of rows in SQLite's statistics. The average number of rows with equal keys stays the same.
    fn pretend_large_tables(&self) {
        let multiply = "ANALYZE; DELETE FROM sqlite_stat4;
                        UPDATE sqlite_stat1 SET stat = concat_ws(' ', 100000 * CAST(stat AS INTEGER),
                            nullif(substr(stat, instr(stat || ' ', ' ') + 1), ''));
                        ANALYZE sqlite_schema";
        self.db.execute_batch(multiply).unwrap();
    }

    /// Returns the scans that are not allowed, with their statements.
    fn forbidden_scans<'s>(&mut self, statements: &'s BTreeSet<String>) -> BTreeSet<(String, &'s str)> {
        let mut forbidden = BTreeSet::new();
        for sql in statements {
            for step in self.plan(sql).into_iter().filter(|step| is_scan(step)) {
                let allows = |(allowed, part, _): &(&str, &str, &str)| {
                    let rest = step.strip_prefix(allowed);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) && sql.contains(part)
                };
                match ALLOWED.iter().position(allows) {
                    Some(position) => drop(self.used.insert(position)),
                    None => drop(forbidden.insert((step, sql.as_str()))),
                }
            }
        }
        forbidden
    }

    /// Returns the steps of the plan of a statement.
    fn plan(&self, sql: &str) -> Vec<String> {
        loop {
            let error = match self.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")) {
                Ok(mut statement) => {
                    return statement.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect();
                }
                Err(error) => error.to_string(),
            };
            // The plan does not depend on what the functions of the program return.
            let (_, name) = error.split_once("no such function: ").unwrap_or_else(|| panic!("{error}: {sql}"));
            let name = name.split_whitespace().next().unwrap();
            let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
            self.db.create_scalar_function(name, -1, flags, |_| Ok(None::<String>)).unwrap();
        }
    }
}

/// Returns whether a step of a plan reads all rows of a table or an index, or all results of a named subquery. A
/// virtual table with a constraint, such as a full-text query, has text after the number of its index.
fn is_scan(step: &str) -> bool {
    let is_constrained = step.split_once(" VIRTUAL TABLE INDEX ").is_some_and(|(_, index)| index != "0:");
    let is_of_rows = step.ends_with("CONSTANT ROW") || step.starts_with("SCAN (subquery");
    step.starts_with("SCAN ") && !is_constrained && !is_of_rows
}
