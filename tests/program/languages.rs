//! Tests that the lead of a story follows the preferred languages of the site, of a feed and of a search.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{DaemonProcess, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, wait_until};

const ENGLISH: &str = "Storm closes the northern ports";
const POLISH: &str = "Burza zamyka porty na północy";

/// Configures the daemon with a feed of Polish stories and these settings in `[publish]`.
fn configure(cli: &CliRunner, publish: &str) {
    let config = format!(
        "[serve]\nlisten = \"127.0.0.1:0\"\n[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n\
         [cluster]\nrecluster_interval = \"0s\"\n[publish]\ndelay = \"0s\"\nmin_update_interval = \"0s\"\n{publish}\n\
         [[publish.feeds]]\nname = \"polski\"\nlanguages = [\"pl\"]\n"
    );
    cli.write_file("config.toml", &config);
}

async fn add_reports(cli: &CliRunner, origin: &OriginServer) {
    for (code, title) in [("en", ENGLISH), ("pl", POLISH)] {
        let feed = rss_of_today(&[&format!("{code} | {title} | {title}.")]);
        let feed = feed.replace("<language>en<", &format!("<language>{code}<"));
        origin.serve(&format!("/{code}"), StubResponse::ok(feed));
        cli.run(&["source", "add", &origin.url(&format!("/{code}")), "--outlet", &format!("{code}.example")]);
    }
}

/// Merges the two stories. The English report is older.
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

async fn entries(daemon: &DaemonProcess, feed: &str) -> Vec<serde_json::Value> {
    let document: serde_json::Value = serde_json::from_str(&get(daemon, &format!("/feeds/{feed}.json")).await).unwrap();
    document["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_in_other_languages_are_marked_and_a_page_in_a_language_shows_its_headlines() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    configure(&cli, "");
    add_reports(&cli, &origin).await;
    let story = merge_reports(&cli);
    let daemon = start_daemon(cli.folder.path(), "");
    wait_until("the feeds have the story with both reports", async || {
        let (all, polish) = (entries(&daemon, "all").await, entries(&daemon, "polski").await);
        [all, polish].iter().all(|feed| {
            matches!(&feed[..], [entry] if entry["_newsfold"]["reports"].as_array().is_some_and(|all| all.len() == 2))
        })
    })
    .await;
    let (all, polish) = (entries(&daemon, "all").await.remove(0), entries(&daemon, "polski").await.remove(0));
    assert_eq!(all, polish, "all feeds show the same entry");
    assert_eq!((all["title"].as_str(), all["language"].as_str()), (Some(ENGLISH), Some("en")));
    let html = all["content_html"].as_str().unwrap();
    assert!(html.contains(&format!("<span lang=\"pl\">{POLISH}</span>")) && html.contains("(Polish)"), "{html}");
    assert!(!html.contains("(English)"), "{html}");
    for (path, first, second) in [
        ("/", ENGLISH, POLISH),
        ("/?lang=pl", POLISH, ENGLISH),
        ("/?lang=pl&view=latest", POLISH, ENGLISH),
        ("/feeds/polski", ENGLISH, POLISH),
        ("/feeds/all", ENGLISH, POLISH),
    ] {
        let page = get(&daemon, path).await;
        let places = [first, second].map(|title| page.find(&format!(">{title}<")).expect("the headline is shown"));
        assert!(places[0] < places[1], "{path}: {page}");
    }
    let page = get(&daemon, &format!("/stories/{story}")).await;
    assert!(page.contains("<span class=\"language\">Polish</span>"), "{page}");
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
