//! Tests that the lead of a story follows the preferred languages of the site, of a feed and of a search.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{DaemonProcess, start_daemon};
use crate::support::fake_subscriber::FakeSubscriber;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, wait_until};
use serde_json::Value;

const ENGLISH: &str = "Storm closes the northern ports";
const POLISH: &str = "Burza zamyka porty na północy";

/// Configures the daemon with a feed of Polish stories and these settings in `[publish]`.
fn configure(cli: &CliRunner, publish: &str) {
    configure_with(cli, publish, "[[publish.feeds]]\nname = \"polski\"\nlanguages = [\"pl\"]\n");
}

/// Configures the daemon with these settings in `[publish]`, and these feeds and webhooks.
fn configure_with(cli: &CliRunner, publish: &str, feeds: &str) {
    let config = format!(
        "[serve]\nlisten = \"127.0.0.1:0\"\n[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n\
         [cluster]\nrecluster_interval = \"0s\"\n[publish]\ndelay = \"0s\"\nmin_update_interval = \"0s\"\n{publish}\n{feeds}"
    );
    cli.write_file("config.toml", &config);
}

async fn add_reports(cli: &CliRunner, origin: &OriginServer) {
    for (code, title) in [("en", ENGLISH), ("pl", POLISH)] {
        add_report(cli, origin, (code, code, title));
    }
}

/// Adds a source with one report. The tuple contains the name of the source, the language, and the title of the report.
fn add_report(cli: &CliRunner, origin: &OriginServer, (name, code, title): (&str, &str, &str)) {
    let feed = rss_of_today(&[&format!("{name} | {title} | {title}.")]);
    let feed = feed.replace("<language>en<", &format!("<language>{code}<"));
    origin.serve(&format!("/{name}"), StubResponse::ok(feed));
    cli.run(&["source", "add", &origin.url(&format!("/{name}")), "--outlet", &format!("{name}.example")]);
}

/// Merges the two stories. The older story is kept.
fn merge_reports(cli: &CliRunner) -> String {
    let stories = cli.run_json(&["story", "list"]);
    let ids: Vec<&str> = stories.as_array().unwrap().iter().map(|story| story["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2, "newsfold does not group across languages without an encoder");
    cli.run(&["story", "merge", ids[0], ids[1]]);
    cli.run_json(&["story", "list"])[0]["id"].as_str().unwrap().to_owned()
}

async fn get(daemon: &DaemonProcess, path: &str) -> String {
    reqwest::get(format!("{}{path}", daemon.base)).await.unwrap().text().await.unwrap()
}

/// Returns the title, the URL and the language of an entry.
fn shown(entry: &Value) -> [&str; 3] {
    [&entry["title"], &entry["url"], &entry["language"]].map(|value| value.as_str().unwrap())
}

fn report_count(entry: &Value) -> usize {
    entry["_newsfold"]["reports"].as_array().map_or(0, Vec::len)
}

/// Returns the entry with the given ID.
async fn entry_of(daemon: &DaemonProcess, feed: &str, id: &Value) -> Option<Value> {
    entries(daemon, feed).await.into_iter().find(|entry| entry["id"] == *id)
}

/// Waits until a feed shows a single entry that meets a condition, and returns the entry.
async fn entry_with(daemon: &DaemonProcess, feed: &str, condition: impl Fn(&Value) -> bool) -> Value {
    let mut found = Value::Null;
    wait_until(&format!("{feed} has the expected entry"), async || match &entries(daemon, feed).await[..] {
        [entry] if condition(entry) => {
            found = entry.clone();
            true
        }
        _ => false,
    })
    .await;
    found
}

async fn entries(daemon: &DaemonProcess, feed: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(&get(daemon, &format!("/feeds/{feed}.json")).await).unwrap();
    document["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn feed_of_a_language_has_the_headline_and_the_link_in_this_language() {
    let (cli, origin, hook) = (CliRunner::new(), OriginServer::start().await, FakeSubscriber::start().await);
    let feeds = "[[publish.feeds]]\nname = \"polski\"\nlanguages = [\"de\", \"pl\"]\n";
    let notify = format!("[[notify]]\nurl = \"{}\"\nfeed = \"polski\"\n", hook.url("/polski"));
    configure_with(&cli, "", &format!("{feeds}{notify}"));
    // A webhook announces the entries that are added after its first start.
    let daemon = start_daemon(cli.folder.path(), "");
    wait_until("the webhook is known", async || {
        let db = rusqlite::Connection::open(cli.folder.path().join("news.db")).unwrap();
        db.query_row("SELECT count(*) FROM webhook", [], |row| row.get::<_, i64>(0)).unwrap_or(0) == 1
    })
    .await;
    drop(daemon);
    add_reports(&cli, &origin).await;
    let story = merge_reports(&cli);
    let daemon = start_daemon(cli.folder.path(), "");
    let all = entry_with(&daemon, "all", |entry| report_count(entry) == 2).await;
    let polish = entry_with(&daemon, "polski", |entry| report_count(entry) == 2).await;
    assert_eq!((&all["id"], &all["date_published"]), (&polish["id"], &polish["date_published"]));
    assert_eq!(shown(&all), [ENGLISH, "https://news.example/en", "en"]);
    assert_eq!(shown(&polish), [POLISH, "https://news.example/pl", "pl"]);
    assert_eq!(shown(&entry_of(&daemon, "polski.stable", &polish["id"]).await.unwrap()), shown(&polish));
    for format in ["atom", "rss"] {
        let document = get(&daemon, &format!("/feeds/polski.{format}")).await;
        assert!(document.contains(&format!(">{POLISH}</title>")) && document.contains("https://news.example/pl"));
    }
    // Each entry marks the report in the other language.
    let html = |entry: &Value| entry["content_html"].as_str().unwrap().to_owned();
    assert!(html(&all).contains(&format!("<span lang=\"pl\">{POLISH}</span>")) && html(&all).contains("(Polish)"));
    assert!(!html(&all).contains("(English)"), "{}", html(&all));
    assert!(html(&polish).contains("(English)") && !html(&polish).contains("(Polish)"), "{}", html(&polish));
    for (path, first, second) in [
        ("/", ENGLISH, POLISH),
        ("/?lang=pl", POLISH, ENGLISH),
        ("/?lang=pl&view=latest", POLISH, ENGLISH),
        ("/feeds/polski", POLISH, ENGLISH),
        ("/feeds/all", ENGLISH, POLISH),
    ] {
        let page = get(&daemon, path).await;
        let places = [first, second].map(|title| page.find(&format!(">{title}<")).expect("the headline is shown"));
        assert!(places[0] < places[1], "{path}: {page}");
    }
    let page = get(&daemon, &format!("/stories/{story}")).await;
    assert!(page.contains("<span class=\"language\">Polish</span>"), "{page}");
    let announced: Value = serde_json::from_str(&hook.delivery(1).await.body).unwrap();
    assert_eq!((&announced["title"], &announced["url"]), (&polish["title"], &polish["url"]));
    let folder = cli.folder.path().join("site");
    cli.run(&["export", folder.to_str().unwrap()]);
    let exported = std::fs::read_to_string(folder.join("current/feeds/polski.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&exported).unwrap()["items"][0], polish);
    let editions = cli.run(&["story", "show", &story]);
    assert!(editions.contains("for entries in Polish: first"), "{editions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn published_entries_stay_the_same_when_the_languages_of_feeds_and_sources_change() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let feeds = |polski: &str, mixed: &str, more: &str| {
        configure_with(
            &cli,
            "",
            &format!(
                "[[publish.feeds]]\nname = \"polski\"\nlanguages = [{polski}]\n\
                 [[publish.feeds]]\nname = \"mixed\"\nlanguages = [{mixed}]\n{more}"
            ),
        );
    };
    feeds("\"pl\"", "", "");
    add_reports(&cli, &origin).await;
    merge_reports(&cli);
    let daemon = start_daemon(cli.folder.path(), "");
    let published = async |daemon: &DaemonProcess| {
        let id = entry_with(daemon, "polski", |entry| report_count(entry) == 2).await["id"].clone();
        let mut all = Vec::new();
        for feed in ["polski", "polski.stable", "mixed", "mixed.stable"] {
            wait_until(&format!("{feed} has the story"), async || entry_of(daemon, feed, &id).await.is_some()).await;
            all.push(entry_of(daemon, feed, &id).await.unwrap());
        }
        all
    };
    let before = published(&daemon).await;
    let links: Vec<&str> = before.iter().map(|entry| shown(entry)[1]).collect();
    let [english, polish] = ["https://news.example/en", "https://news.example/pl"];
    assert_eq!(links, [polish, polish, english, english]);
    drop(daemon);
    cli.run(&["source", "edit", "2", "--lang", "de"]);
    let new = |name: &str, code: &str| format!("[[publish.feeds]]\nname = \"{name}\"\nlanguages = [\"{code}\"]\n");
    // Feeds are filled in the order of the configuration.
    feeds("\"en\", \"pl\"", "\"de\"", &format!("{}{}", new("deutsch", "de"), new("english", "en")));
    let daemon = start_daemon(cli.folder.path(), "");
    for (feed, link) in [("english", english), ("deutsch", polish)] {
        entry_with(&daemon, feed, |entry| shown(entry)[1] == link).await;
    }
    assert_eq!(published(&daemon).await, before);
    drop(daemon);
    // An entry that was removed has the same link when it is added again.
    feeds("\"fr\"", "\"fr\"", &new("new", "en"));
    let daemon = start_daemon(cli.folder.path(), "");
    entry_with(&daemon, "new", |_| true).await;
    assert_eq!([entries(&daemon, "polski").await, entries(&daemon, "mixed").await], [Vec::<Value>::new(), vec![]]);
    drop(daemon);
    feeds("\"en\"", "\"de\"", "");
    let daemon = start_daemon(cli.folder.path(), "");
    let after = published(&daemon).await;
    assert_eq!(after.iter().map(|entry| shown(entry)[1]).collect::<Vec<_>>(), links);
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_in_a_language_keeps_its_headline_when_the_site_prefers_another_language() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    configure(&cli, "languages = [\"en\"]");
    add_report(&cli, &origin, ("pl", "pl", POLISH));
    let daemon = start_daemon(cli.folder.path(), "");
    let polish = "https://news.example/pl";
    assert_eq!(shown(&entry_with(&daemon, "all", |_| true).await), [POLISH, polish, "pl"]);
    assert_eq!(shown(&entry_with(&daemon, "polski", |_| true).await), [POLISH, polish, "pl"]);
    let stable = get(&daemon, "/feeds/polski.stable.atom").await;
    add_report(&cli, &origin, ("en", "en", ENGLISH));
    wait_until("the report has a story", async || entries(&daemon, "all").await.len() == 2).await;
    merge_reports(&cli);
    // The site prefers English, so the story's headline changes. The headline in the Polish feed does not change.
    let all = entry_with(&daemon, "all", |entry| report_count(entry) == 2).await;
    assert_eq!(shown(&all), [ENGLISH, polish, "en"]);
    let entry = entry_with(&daemon, "polski", |entry| report_count(entry) == 2).await;
    assert_eq!(shown(&entry), [POLISH, polish, "pl"]);
    assert_eq!(get(&daemon, "/feeds/polski.stable.atom").await, stable);
}

#[tokio::test(flavor = "multi_thread")]
async fn link_of_an_entry_in_a_language_changes_when_its_report_leaves_the_story() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    configure(&cli, "");
    add_reports(&cli, &origin).await;
    merge_reports(&cli);
    let daemon = start_daemon(cli.folder.path(), "");
    let entry = entry_with(&daemon, "polski", |entry| report_count(entry) == 2).await;
    assert_eq!(shown(&entry), [POLISH, "https://news.example/pl", "pl"]);
    let stable = entry_of(&daemon, "polski.stable", &entry["id"]).await;
    // The Polish report returns to its own story.
    cli.run(&["story", "undo", "1"]);
    let mut changed = None;
    wait_until("the entry has changed", async || {
        changed = entry_of(&daemon, "polski", &entry["id"]).await;
        changed.as_ref().is_some_and(|changed| *changed != entry)
    })
    .await;
    let changed = changed.unwrap();
    assert_eq!(shown(&changed), [ENGLISH, "https://news.example/en", "en"]);
    assert_eq!(changed["date_published"], entry["date_published"]);
    assert_eq!(entry_of(&daemon, "polski.stable", &entry["id"]).await, stable);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_stories_of_a_storyline_are_listed_in_the_language_of_the_headline() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    configure(&cli, "");
    add_reports(&cli, &origin).await;
    let first = merge_reports(&cli);
    add_report(&cli, &origin, ("en2", "en", "Parliament debates the new budget"));
    add_report(&cli, &origin, ("pl2", "pl", "Sejm debatuje nad budżetem"));
    add_report(&cli, &origin, ("fr3", "fr", "Le musée ouvre une nouvelle aile"));
    let stories = cli.run_json(&["story", "list"]);
    let story = |item: u64| {
        let has_item = |story: &&Value| story["items"].as_array().unwrap().iter().any(|other| other["id"] == item);
        stories.as_array().unwrap().iter().find(has_item).unwrap().clone()
    };
    let id = |story: &Value, key: &str| story[key].as_str().unwrap().to_owned();
    cli.run(&["story", "merge", &id(&story(3), "id"), &id(&story(4), "id")]);
    cli.run(&["storyline", "merge", &id(&story(1), "storyline"), &id(&story(3), "storyline")]);
    cli.run(&["storyline", "merge", &id(&story(1), "storyline"), &id(&story(5), "storyline")]);
    let daemon = start_daemon(cli.folder.path(), "");
    for (feed, listed) in [("all", "Parliament debates the new budget"), ("polski", "Sejm debatuje nad budżetem")] {
        wait_until(&format!("{feed} lists the other stories"), async || {
            let entries = entries(&daemon, feed).await;
            let lists = |entry: &Value| {
                let html = entry["content_html"].as_str().unwrap();
                html.contains(listed) && html.contains("<span lang=\"fr\">") && html.contains("(French)")
            };
            entries.iter().any(lists)
        })
        .await;
    }
    let page = get(&daemon, &format!("/storylines/{}", id(&story(1), "storyline"))).await;
    assert!(page.contains("<span class=\"language\">French</span>"), "{page}");
    assert!(cli.run(&["story", "show", &first]).contains("for entries in Polish"));
}

#[tokio::test(flavor = "multi_thread")]
async fn preferred_language_of_the_site_determines_the_lead() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    configure(&cli, "languages = [\"pl\", \"en\"]");
    add_reports(&cli, &origin).await;
    merge_reports(&cli);
    let daemon = start_daemon(cli.folder.path(), "");
    wait_until(
        "the entry has the Polish headline",
        async || matches!(&entries(&daemon, "all").await[..], [entry] if entry["title"] == POLISH),
    )
    .await;
}

#[test]
fn unknown_preferred_language_is_rejected() {
    let cli = CliRunner::new();
    cli.write_file("config.toml", "[publish]\nlanguages = [\"english\"]\n");
    cli.assert_fails(&["config", "check"], "publish.languages contains \"english\", which is not an ISO 639 code");
}
