//! Tests storylines with the real program: a big event that fifteen outlets report in several stories, among unrelated
//! items.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{DaemonProcess, database_path, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::shared_database::SharedDatabase;
use crate::support::{rss_at, wait_until};
use newsfold::domain::{NewSource, Timestamp};
use newsfold::store::{Store, sources};
use reqwest::redirect::Policy;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::OnceCell;

const OUTLETS: usize = 15;

/// Reports of one event. Three outlets publish each report.
const FERRY: [&str; 10] = [
    "Ferry Valderra capsizes off Norholm | The Valderra went down near Norholm with 200 aboard, the coast guard said.",
    "Divers reach wreck of Valderra | Rescue teams off Norholm have reached the ferry Valderra.",
    "Norholm mourns victims of ferry disaster | Hundreds gathered in Norholm for those lost on the Valderra.",
    "Owner of Valderra had ignored safety warnings | Inspectors warned of the ferry before it sank off Norholm.",
    "Prime minister visits Norholm after ferry sinks | She met survivors of the Valderra and promised an inquiry.",
    "Captain of Valderra questioned by police | Police in Norholm questioned the captain of the ferry.",
    "How the Valderra sank: a timeline | Minute by minute, from Norholm harbour to the last call.",
    "Survivors tell of panic aboard the Valderra | Passengers rescued near Norholm describe the night.",
    "Search for missing off Norholm enters second day | Forty people from the Valderra are still missing.",
    "Ferry traffic to Norholm suspended | All ships of the type of the Valderra stay in port.",
];

const UNRELATED: [&str; 10] = [
    "Central bank raises interest rates | The board voted for a quarter point.",
    "New species of frog found in Andes | Biologists describe a tiny amphibian.",
    "Striker signs for city rivals | The transfer ends months of rumours.",
    "Museum shows lost paintings | The exhibition opens on Friday.",
    "Heavy snow closes mountain passes | Drivers are told to carry chains.",
    "Chip maker reports record profit | Demand for servers lifted sales.",
    "Teachers begin three day strike | Schools in four districts are closed.",
    "Opera house appoints conductor | Her first season begins in autumn.",
    "Wheat harvest beats forecasts | Farmers had feared drought.",
    "Cyclist wins stage in sprint | The peloton caught the breakaway late.",
];

/// The date of all items. It is the same for all tests, because they share the database.
static TODAY: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);

/// The database after the first poll of the sources.
static POLLED: OnceCell<SharedDatabase> = OnceCell::const_new();

/// A database with fifteen sources on loopback.
struct Newsroom {
    cli: CliRunner,
    origin: OriginServer,
}

impl Newsroom {
    /// Returns a newsroom whose sources have been polled once.
    async fn polled() -> Newsroom {
        let newsroom = Newsroom::unpolled();
        let polled = POLLED.get_or_init(async || {
            let first = Newsroom::unpolled().await;
            for outlet in 0..OUTLETS {
                first.add_source(&format!("/feed{outlet}"), &format!("outlet{outlet}.example")).await;
            }
            first.poll_all();
            SharedDatabase::of(first.folder(), &first.origin)
        });
        let (newsroom, polled) = (newsroom.await, polled.await);
        polled.copy_to(newsroom.folder(), &newsroom.origin);
        newsroom
    }

    async fn unpolled() -> Newsroom {
        let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
        let config = "[serve]\nlisten = \"127.0.0.1:0\"\n[poll]\ninterval = \"1s\"\naverage_interval = \"1s\"\n\
                      [fetch]\nallowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n\
                      [publish]\ndelay = \"0s\"\n[cluster]\nrecluster_interval = \"0s\"\n[daemon]\nshutdown_grace = \"2s\"\n";
        cli.write_file("config.toml", config);
        let newsroom = Newsroom { cli, origin };
        (0..OUTLETS).for_each(|outlet| newsroom.serve(outlet, &[]));
        newsroom
    }

    /// Serves the feed of an outlet with further items.
    fn serve(&self, outlet: usize, more: &[&str]) {
        let ferry = (0..2 * OUTLETS).filter(|n| n % OUTLETS == outlet).map(|n| format!("f{n} | {}", FERRY[n % 10]));
        let unrelated = UNRELATED.iter().skip(outlet).take(1).map(|item| format!("u{outlet} | {item}"));
        let more = more.iter().map(|item| (*item).to_owned());
        let items: Vec<String> = ferry.chain(unrelated).chain(more).collect();
        let items: Vec<&str> = items.iter().map(String::as_str).collect();
        self.origin.serve(&format!("/feed{outlet}"), StubResponse::ok(rss_at(&items, *TODAY)));
    }

    async fn add_source(&self, path: &str, outlet: &str) {
        let store = Store::open(&database_path(self.folder())).unwrap();
        let new = NewSource { url: self.origin.url(path), outlet: outlet.into(), ..NewSource::default() };
        let now = Timestamp::now();
        store.write(move |db| sources::add(db, &new, now, now)).await.unwrap().unwrap();
    }

    /// Polls one source after the other, so that the items always have the same order.
    fn poll_all(&self) {
        (1..=OUTLETS).for_each(|id| {
            self.cli.run(&["source", "poll", &id.to_string()]);
        });
    }

    fn folder(&self) -> &Path {
        self.cli.folder.path()
    }

    fn start_daemon(&self) -> DaemonProcess {
        start_daemon(self.folder(), "")
    }

    /// Returns the IDs of the stories of each storyline.
    fn storylines(&self) -> BTreeMap<String, BTreeSet<String>> {
        let stories = self.cli.run_json(&["story", "list", "--limit", "1000"]);
        let mut storylines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for story in stories.as_array().unwrap() {
            storylines.entry(text(&story["storyline"])).or_default().insert(text(&story["id"]));
        }
        storylines
    }

    /// Waits until the running daemon has no more work, and returns the stories of each storyline.
    async fn settled_storylines(&self) -> BTreeMap<String, BTreeSet<String>> {
        let (mut storylines, mut unchanged) = (BTreeMap::new(), 0);
        wait_until("the storylines stay the same in four checks", async || {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let previous = std::mem::replace(&mut storylines, self.storylines());
            unchanged = if previous == storylines { unchanged + 1 } else { 0 };
            unchanged == 4
        })
        .await;
        storylines
    }

    fn stories_of(&self, storyline: &str) -> BTreeSet<String> {
        let shown = self.cli.run_json(&["storyline", "show", storyline]);
        shown["stories"].as_array().unwrap().iter().map(|story| text(&story["id"])).collect()
    }

    /// Returns the storyline of the ferry and its stories.
    fn ferry(&self) -> (String, Vec<String>) {
        let rows = self.cli.run_json(&["storyline", "list"]);
        assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
        let id = text(&rows[0]["id"]);
        let stories = self.stories_of(&id);
        assert!(stories.len() >= 5, "{rows}");
        (id, stories.into_iter().collect())
    }

    fn story(&self, title: &str) -> Value {
        let stories = self.cli.run_json(&["story", "list", "--limit", "1000"]);
        let is_wanted = |story: &&Value| story["items"][0]["title"].as_str().unwrap().starts_with(title);
        stories.as_array().unwrap().iter().find(is_wanted).unwrap_or_else(|| panic!("no story ‘{title}’")).clone()
    }

    fn story_id(&self, title: &str) -> String {
        text(&self.story(title)["id"])
    }

    fn storyline_of(&self, title: &str) -> String {
        text(&self.story(title)["storyline"])
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

/// Asserts that each story is still in the same storyline, unless a reclustering pass merged the story.
fn assert_unmoved(before: &BTreeMap<String, BTreeSet<String>>, after: &BTreeMap<String, BTreeSet<String>>) {
    let remaining: BTreeSet<&String> = after.values().flatten().collect();
    assert!(remaining.len() * 10 >= before.values().flatten().count() * 9, "most stories remain");
    for (id, stories) in before {
        let moved = stories
            .iter()
            .filter(|story| remaining.contains(story) && !after.get(id).is_some_and(|kept| kept.contains(*story)));
        assert_eq!(moved.collect::<Vec<_>>(), Vec::<&String>::new(), "stories left storyline {id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_show_and_explain_the_storyline_of_a_big_event() {
    let newsroom = Newsroom::polled().await;
    let cli = &newsroom.cli;
    let (storyline, stories) = newsroom.ferry();
    let row = &cli.run_json(&["storyline", "list"])[0];
    assert_eq!((row["stories"].as_u64(), row["items"].as_u64()), (Some(stories.len() as u64), Some(30)), "{row}");
    let unrelated = newsroom.storyline_of("Museum shows");
    assert_eq!(newsroom.stories_of(&unrelated).len(), 1);
    assert!(cli.run(&["storyline", "list", "--min-stories", "100"]).contains("no storyline has that many stories"));

    let shown = cli.run(&["storyline", "show", &storyline[..6]]);
    assert!(shown.contains(&format!("{} stories by ", stories.len())), "{shown}");
    assert!(
        shown.contains("why: this story and others in the storyline mention ‘")
            && shown.contains("times their usual rate"),
        "{shown}"
    );
    assert!(shown.contains("why: the storyline started with this story"), "{shown}");
    let explained = cli.run(&["storyline", "explain", &storyline]);
    assert!(explained.contains("probability that it belongs with the most similar story: 0."), "{explained}");
    assert!(explained.contains("times its usual rate"), "{explained}");
    let explained = cli.run_json(&["storyline", "explain", &storyline]);
    assert_eq!(explained["decisions"].to_string(), "[]");

    let shown = cli.run(&["story", "show", &stories[0]]);
    assert!(shown.contains(&format!("storyline: {storyline} ({} stories)", stories.len())), "{shown}");
    assert!(stories.iter().all(|story| shown.contains(story)), "{shown}");
    assert_eq!(
        cli.run_json(&["story", "show", &stories[0]])["storyline_stories"].as_array().unwrap().len(),
        stories.len() - 1
    );
    let alone = cli.run(&["story", "explain", &newsroom.story_id("Museum shows")]);
    assert!(alone.contains("(1 story): the only story of its storyline") && alone.contains("first report"), "{alone}");
    let explained = cli.run_json(&["story", "explain", &stories[0]]);
    assert_eq!(explained["storyline"]["id"], storyline);
    assert!(explained["items"][0]["why"].is_string() && explained["storyline"]["why"].is_string(), "{explained}");
    let items = [&stories[0], &stories[1]].map(|story| cli.run_json(&["story", "show", story])["lead"].to_string());
    let explained = cli.run(&["item", "explain", &items[0], &items[1]]);
    assert!(explained.contains(&format!("Both stories are in storyline {storyline}.")), "{explained}");
    assert_eq!(cli.run_json(&["item", "show", &items[0]])["storyline"], storyline);

    for command in ["show", "explain"] {
        cli.assert_fails(&["storyline", command, "zzzzzzzzzzzz"], "`newsfold storyline list` lists the latest");
        cli.assert_fails(&["storyline", command, "!"], "is not a storyline ID");
    }
    cli.assert_fails(&["storyline", "merge", &storyline, &storyline], "both IDs refer to storyline");
    cli.assert_fails(&["storyline", "split", &unrelated, &stories[0]], "is not in storyline");
    let all: Vec<&str> = stories.iter().map(String::as_str).collect();
    cli.assert_fails(&[&["storyline", "split", &storyline], &all[..]].concat(), "leave at least one");
    cli.assert_fails(&["story", "move", &stories[0], &storyline], "both IDs refer to storyline");
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_corrects_storylines_and_undoes_the_corrections() {
    let newsroom = Newsroom::polled().await;
    let cli = &newsroom.cli;
    let (storyline, stories) = newsroom.ferry();
    let (captain, survivors) = (newsroom.story_id("Captain of"), newsroom.story_id("Survivors tell"));
    let (museum, bank) = (newsroom.story_id("Museum shows"), newsroom.storyline_of("Central bank"));

    let split = cli.run(&["storyline", "split", &storyline, &captain, &survivors]);
    assert!(split.contains("`newsfold story undo 1` undoes it"), "{split}");
    let separate = newsroom.storyline_of("Captain of");
    assert_eq!(newsroom.stories_of(&separate), BTreeSet::from([captain.clone(), survivors.clone()]));
    let explained = cli.run(&["storyline", "explain", &separate]);
    assert_eq!(explained.matches("placed here by operator decision 1").count(), 2, "{explained}");
    assert!(explained.contains("decision 1: the stories of items"), "{explained}");
    cli.assert_fails(
        &["storyline", "merge", &separate, &storyline],
        "this conflicts with decision 1; undo that decision first",
    );

    // A move out of a storyline with other stories consists of two decisions. If one of them is refused, neither is
    // recorded.
    cli.assert_fails(&["story", "move", &captain, &storyline], "this conflicts with decision 1");
    assert_eq!(cli.run_json(&["story", "decisions"]).as_array().unwrap().len(), 1);
    let moved = cli.run(&["story", "move", &captain, &bank]);
    assert!(moved.contains("to undo: `newsfold story undo 3`, then `newsfold story undo 2`"), "{moved}");
    assert_eq!(newsroom.storyline_of("Captain of"), bank);
    assert!(cli.run(&["story", "show", &captain]).contains("placed here by operator decision 3"));
    cli.run(&["source", "poll", "1"]);
    assert_eq!(newsroom.storyline_of("Captain of"), bank);
    for decision in ["3", "2"] {
        assert!(cli.run(&["story", "undo", decision]).contains(": undone"));
    }
    assert_eq!(newsroom.storyline_of("Captain of"), separate);

    // While the merge is active, undoing the split leaves the story in place.
    cli.run(&["story", "move", &captain, &bank]);
    cli.run(&["story", "undo", "4"]);
    assert_eq!(newsroom.storyline_of("Captain of"), bank);
    cli.run(&["story", "undo", "5"]);
    assert_ne!(newsroom.storyline_of("Captain of"), bank);
    let moved = cli.run_json(&["story", "move", &museum, &bank]);
    assert_eq!((moved.as_array().unwrap().len(), moved[0]["kind"].as_str()), (1, Some("storyline-merge")));
    cli.run(&["story", "undo", "6"]);
    cli.run(&["story", "undo", "1"]);
    cli.run(&["source", "poll", "1"]);
    assert_eq!(newsroom.ferry(), (storyline.clone(), stories));

    // The older ID survives, and the other ID redirects.
    let merged = cli.run_json(&["storyline", "merge", &bank, &storyline]);
    assert_eq!((merged["id"].as_i64(), merged["kind"].as_str()), (Some(7), Some("storyline-merge")));
    let survivor = newsroom.storyline_of("Central bank");
    let other = if survivor == storyline { &bank } else { &storyline };
    assert!(cli.run(&["storyline", "show", other]).contains(&format!("merged into {survivor}")));
    cli.assert_fails(&["storyline", "merge", other, &bank], &format!("use {survivor} instead"));
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_and_ids_hold_after_later_polls_and_restarts_of_the_daemon() {
    let newsroom = Newsroom::polled().await;
    let cli = &newsroom.cli;
    let (storyline, _) = newsroom.ferry();
    let daemon = newsroom.start_daemon();
    let captain = newsroom.story_id("Captain of");
    cli.run(&["storyline", "split", &storyline, &captain]);
    cli.run(&["storyline", "merge", &newsroom.storyline_of("Wheat harvest"), &newsroom.storyline_of("Opera house")]);
    newsroom.serve(
        3,
        &["new | Divers reach wreck of ferry Valderra again | Rescue teams off Norholm have reached the Valderra."],
    );
    wait_until("the new report is in the storyline", async || {
        let stories = newsroom.stories_of(&storyline);
        stories.iter().any(|story| cli.run(&["story", "show", story]).contains("Valderra again"))
    })
    .await;
    let before = newsroom.settled_storylines().await;
    assert!(before[&storyline].len() > 2 && !before[&storyline].contains(&captain), "{before:?}");
    assert_eq!(newsroom.storyline_of("Wheat harvest"), newsroom.storyline_of("Opera house"));
    drop(daemon);

    let daemon = newsroom.start_daemon();
    newsroom.serve(4, &["late | Zoo welcomes its first panda cub | Keepers named the cub on Sunday."]);
    wait_until("a later item is grouped", async || {
        let stories = cli.run_json(&["story", "list", "--limit", "1000"]);
        stories.to_string().contains("panda cub")
    })
    .await;
    let after = newsroom.settled_storylines().await;
    assert_unmoved(&before, &after);
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_whose_text_becomes_a_report_of_the_event_joins_its_storyline() {
    let newsroom = Newsroom::polled().await;
    let (storyline, _) = newsroom.ferry();
    let daemon = newsroom.start_daemon();
    let snow = newsroom.story("Heavy snow")["lead"].to_string();
    let report = "u4 | Divers reach wreck of Valderra off Norholm | Rescue teams have reached the ferry Valderra.";
    newsroom.origin.serve("/feed4", StubResponse::ok(rss_at(&[report], *TODAY)));
    wait_until("the revised item is in the storyline", async || {
        newsroom.cli.run_json(&["item", "show", &snow])["storyline"] == storyline.as_str()
    })
    .await;
    drop(daemon);
}

/// Requests a path without following redirects.
async fn get(daemon: &DaemonProcess, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let mut request = client.get(format!("{}{path}", daemon.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn page_and_feeds_of_a_storyline_list_its_published_stories() {
    let newsroom = Newsroom::polled().await;
    let (storyline, stories) = newsroom.ferry();
    let daemon = newsroom.start_daemon();
    let page = get(&daemon, &format!("/storylines/{storyline}"), &[]).await.text().await.unwrap();
    for story in &stories {
        assert!(page.contains(&format!("href=\"/stories/{story}\"")), "{page}");
    }
    assert!(page.contains(&format!("{} stories by ", stories.len())), "{page}");
    assert!(page.contains("<p class=\"why\">this story and others in the storyline mention ‘"), "{page}");
    assert_eq!(
        page.matches("<strong><bdi class=\"outlet\">").count(),
        stories.len(),
        "each headline has an outlet: {page}"
    );
    let story = get(&daemon, &format!("/stories/{}", stories[0]), &[]).await.text().await.unwrap();
    assert!(story.contains(&format!("href=\"/storylines/{storyline}\"")), "{story}");
    let others = stories.iter().filter(|other| story.contains(&format!("href=\"/stories/{other}\""))).count();
    assert_eq!(others, 5.min(stories.len() - 1), "{story}");
    let alone = newsroom.storyline_of("Museum shows");
    let museum = get(&daemon, &format!("/stories/{}", newsroom.story_id("Museum shows")), &[]).await;
    assert!(!museum.text().await.unwrap().contains("/storylines/"));
    assert_eq!(get(&daemon, &format!("/storylines/{alone}"), &[]).await.status(), 200);
    for unknown in ["/storylines/zzzzzzzzzzzz", "/storylines/x.atom", "/storylines/zzzzzzzzzzzz.json"] {
        assert_eq!(get(&daemon, unknown, &[]).await.status(), 404);
    }

    for (format, entry) in [("atom", "<entry>"), ("rss", "<item>"), ("json", "\"date_published\"")] {
        let path = format!("/storylines/{storyline}.{format}");
        let feed = get(&daemon, &path, &[]).await;
        assert_eq!(feed.headers()["access-control-allow-origin"], "*");
        let etag = feed.headers()["etag"].to_str().unwrap().to_owned();
        let feed = feed.text().await.unwrap();
        assert_eq!(feed.matches(entry).count(), stories.len(), "{feed}");
        assert_eq!(get(&daemon, &path, &[("if-none-match", &etag)]).await.status(), 304);
        let one = get(&daemon, &format!("/storylines/{alone}.{format}"), &[]).await.text().await.unwrap();
        assert_eq!(one.matches(entry).count(), 1, "{one}");
    }
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_storyline_redirects_on_its_page_and_in_its_feeds() {
    let newsroom = Newsroom::polled().await;
    let (storyline, _) = newsroom.ferry();
    let (bank, frog) = (newsroom.storyline_of("Central bank"), newsroom.storyline_of("New species"));
    newsroom.cli.run(&["storyline", "merge", &bank, &frog]);
    newsroom.cli.run(&["storyline", "merge", &newsroom.storyline_of("Central bank"), &storyline]);
    let survivor = newsroom.storyline_of("Central bank");
    let daemon = newsroom.start_daemon();
    for id in [&bank, &frog, &storyline].into_iter().filter(|id| **id != survivor) {
        for suffix in ["", ".atom", ".rss", ".json"] {
            let merged = get(&daemon, &format!("/storylines/{id}{suffix}"), &[]).await;
            assert_eq!(merged.status(), 307);
            let to = merged.headers()["location"].to_str().unwrap().to_owned();
            assert!(to.ends_with(&format!("/storylines/{survivor}{suffix}")), "{to}");
        }
    }
    let target = get(&daemon, &format!("/storylines/{survivor}"), &[]).await.text().await.unwrap();
    assert!(target.contains("Central bank raises") && target.contains("Captain of"), "{target}");
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn export_contains_the_storylines_that_pages_link_to() {
    let newsroom = Newsroom::polled().await;
    let (storyline, _) = newsroom.ferry();
    let folder = newsroom.folder().join("public");
    newsroom.cli.run(&["export", folder.to_str().unwrap()]);
    let daemon = newsroom.start_daemon();
    for path in [format!("storylines/{storyline}"), format!("storylines/{storyline}.atom")] {
        let served = get(&daemon, &format!("/{path}"), &[("accept-encoding", "identity")]).await;
        let file = std::fs::read(folder.join("current").join(path)).unwrap();
        assert!(served.bytes().await.unwrap() == file);
    }
    drop(daemon);
    // The directory contains the page and the Atom feed of one storyline in three content codings. Storylines with a
    // single story are not exported.
    assert_eq!(std::fs::read_dir(folder.join("current/storylines")).unwrap().count(), 6);
}

/// Copies a database into a new database that has only the first version of the schema.
fn downgrade(from: &Path, to: &Path) {
    let (old, new) = (Connection::open(to).unwrap(), Connection::open(from).unwrap());
    // Triggers call these functions.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    for connection in [&old, &new] {
        for (name, arguments) in [("search_text", 1), ("original_content", 2)] {
            let first_argument = |call: &Context<'_>| call.get::<Option<String>>(0);
            connection.create_scalar_function(name, arguments, flags, first_argument).unwrap();
        }
    }
    // This statement gives each edition a copy of the text that it shares with an item.
    new.execute("UPDATE item SET title = title", []).unwrap();
    old.execute_batch(include_str!("../../migrations/V1__initial.sql")).unwrap();
    let application_id: i32 = new.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
    old.pragma_update(None, "application_id", application_id).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(new);
    old.execute("ATTACH ?1 AS new", [from.to_str().unwrap()]).unwrap();
    let names = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'";
    let tables: Vec<String> =
        old.prepare(names).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    old.execute_batch("PRAGMA foreign_keys = OFF; BEGIN").unwrap();
    for table in &tables {
        let columns: String =
            old.query_row("SELECT group_concat(name) FROM pragma_table_info(?1)", [table], |row| row.get(0)).unwrap();
        // The newer schema stores the guid of an item only with the item.
        let values = match table.as_str() {
            "item_guid" => columns.replace("guid,", "(SELECT item.guid FROM new.item WHERE id = item_id) AS guid,"),
            _ => columns.clone(),
        };
        old.execute_batch(&format!(
            "DELETE FROM main.{table}; INSERT INTO main.{table} ({columns}) SELECT {values} FROM new.{table}"
        ))
        .unwrap();
    }
    old.execute_batch("COMMIT").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stories_of_an_older_database_get_storylines_at_the_first_start() {
    let newsroom = Newsroom::polled().await;
    let daemon = newsroom.start_daemon();
    let expected = newsroom.settled_storylines().await;
    drop(daemon);
    let (database, newer) = (database_path(newsroom.folder()), newsroom.folder().join("newer.db"));
    // The last connection that closes writes the log into the database file.
    Connection::open(&database).unwrap().execute("VACUUM INTO ?1", [newer.to_str().unwrap()]).unwrap();
    std::fs::remove_file(&database).unwrap();
    downgrade(&newer, &database);
    let daemon = newsroom.start_daemon();
    wait_until("the stories of the ferry are in one storyline", async || {
        let found: BTreeSet<_> = newsroom.storylines().into_values().collect();
        found == expected.values().cloned().collect()
    })
    .await;
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_copied_headlines_of_one_outlet_change_no_storyline_of_others() {
    let newsroom = Newsroom::polled().await;
    let before = newsroom.storylines();
    let copied = FERRY.iter().chain(&UNRELATED).cycle().enumerate().take(2_000);
    // Every other copy differs from its original.
    let variant = |n: usize, item: &str| if n.is_multiple_of(2) { item.to_owned() } else { format!("{n}: {item} {n}") };
    let copied: Vec<String> = copied.map(|(n, item)| format!("copy{n} | {}", variant(n, item))).collect();
    let copied: Vec<&str> = copied.iter().map(String::as_str).collect();
    newsroom.origin.serve("/copies", StubResponse::ok(rss_at(&copied, *TODAY)));
    newsroom.add_source("/copies", "hostile.example").await;
    newsroom.cli.run(&["source", "poll", &(OUTLETS + 1).to_string()]);
    let after = newsroom.storylines();
    assert_unmoved(&before, &after);
}
