//! Tests that new entries of feeds are announced to webhooks.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::start_daemon;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn new_entry_is_announced_once_and_a_failed_announcement_is_retried_later() {
    let (cli, origin, hook) = (CliRunner::new(), OriginServer::start().await, OriginServer::start().await);
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Grid \"fails\" | North"])));
    hook.serve("/good", StubResponse::ok(""));
    hook.serve("/bad", StubResponse::status(500));
    cli.write_file("url", &hook.url("/good"));
    let config = format!(
        "[serve]\nlisten = \"127.0.0.1:0\"\n[metrics]\nenabled = false\n[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\n\
         min_origin_delay = \"0s\"\n[publish]\ndelay = \"0s\"\n[daemon]\nshutdown_grace = \"2s\"\n\
         [[notify]]\nurl_file = \"{}/url\"\nfeed = \"all\"\ntemplate = '{{\"text\": \"{{title}} {{url}}\"}}'\n\
         [[notify]]\nurl = \"{}\"\nfeed = \"all\"\n[[notify]]\nurl = \"http://10.0.0.1/\"\nfeed = \"all\"\n",
        cli.folder.path().display(),
        hook.url("/bad")
    );
    cli.write_file("config.toml", &config);
    let daemon = start_daemon(cli.folder.path(), "");
    let count_webhooks = |condition: &str| {
        let db = rusqlite::Connection::open(cli.folder.path().join("news.db")).unwrap();
        let statement = format!("SELECT count(*) FROM webhook WHERE {condition}");
        db.query_row(&statement, [], |row| row.get::<_, i64>(0)).unwrap_or(0)
    };
    wait_until("the webhooks are known", async || count_webhooks("true") == 3).await;
    cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
    wait_until("both webhooks were called", async || {
        hook.request_count("/good") == 1 && hook.request_count("/bad") == 1
    })
    .await;
    wait_until("the failures are logged", async || daemon.log().matches("a webhook failed; retrying").count() == 2)
        .await;
    let log = daemon.log();
    assert!(log.contains("10.0.0.1 is not a public address") && !log.contains("/bad"), "{log}");
    // A daemon that is killed earlier announces the entry again.
    wait_until("the success is recorded", async || count_webhooks("last_sequence = 1") == 1).await;
    drop(daemon);
    let daemon = start_daemon(cli.folder.path(), "");
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Grid \"fails\" | North", "2 | Zoo opens | Pandas"])));
    cli.run(&["source", "poll", "1"]);
    wait_until("the second entry is announced", async || hook.request_count("/good") == 2).await;
    assert_eq!(hook.request_count("/bad"), 1, "the retry is not due yet");
    drop(daemon);
    cli.write_file("config.toml", "[[notify]]\nurl = \"https://a.example/\"\nfeed = \"nothere\"\n");
    cli.assert_fails(&["config", "check"], "no feed has this name");
}
