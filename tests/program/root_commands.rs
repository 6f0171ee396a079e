//! Tests that root leaves polls to the daemon if the database belongs to another user, and that this user owns the files
//! that root creates.

use crate::support::cli_runner::CliRunner;
use crate::support::daemon_process::{DaemonProcess, database_path, start_daemon};
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::{rss_of_today, skipped};
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

const CONFIG: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n[metrics]\nenabled = false\n[fetch]\n\
                      allowed_networks = [\"127.0.0.0/8\"]\nmin_origin_delay = \"0s\"\n[publish]\ndelay = \"0s\"\n";
/// The user `nobody` on Debian. The database belongs to this user.
const OTHER_USER: u32 = 65534;
const PAGE: &str = "<!DOCTYPE html><html><head><title>News</title>\
                    <link rel=\"alternate\" type=\"application/rss+xml\" href=\"/feed\"></head><body>News</body></html>";

/// Starts a daemon whose database belongs to another user. Returns `None` if the tests do not run as root.
fn start_daemon_of_other_user(cli: &CliRunner) -> Option<DaemonProcess> {
    if !rustix::process::geteuid().is_root() {
        skipped("this test needs root");
        return None;
    }
    cli.write_file("config.toml", CONFIG);
    let daemon = start_daemon(cli.folder.path(), "");
    chown(database_path(cli.folder.path()), Some(OTHER_USER), None).unwrap();
    Some(daemon)
}

#[tokio::test(flavor = "multi_thread")]
async fn root_adds_a_source_through_the_daemon() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Grid fails | North", "2 | Grid works | South"])));
    origin.serve("/", StubResponse::ok(PAGE).header("content-type", b"text/html"));
    origin.serve("/page", StubResponse::ok("<!DOCTYPE html><html><body>No feed</body></html>"));
    let Some(daemon) = start_daemon_of_other_user(&cli) else { return };

    let added = cli.run_json(&["source", "add", &origin.url("/")]);
    assert_eq!(added["url"].as_str(), Some(origin.url("/feed").as_str()), "the daemon follows the link of the page");
    assert_eq!(cli.run_json(&["source", "show", "1"])["polls"][0]["new_items"], 2);
    assert_eq!((origin.request_count("/"), origin.request_count("/feed")), (1, 1));

    cli.assert_fails(&["source", "add", &origin.url("/page")], "no feed found at");
    assert_eq!(cli.source_urls(), [origin.url("/feed")], "a source without a feed is not kept");
    cli.assert_fails(&["source", "add", &origin.url("/")], "no feed found at");
    assert_eq!(cli.source_urls(), [origin.url("/feed")], "a page whose feed is known adds nothing");

    let polled = cli.run_json(&["source", "poll", "1", "--no-cache"]);
    assert_eq!((&polled[0]["source"], &polled[0]["poll"]["outcome"]), (&1.into(), &"read".into()));
    cli.assert_fails(&["check", &origin.url("/feed")], "run this command as an unprivileged user");
    assert_eq!(origin.request_count("/feed"), 2);
    let file = cli.write_file("feed.xml", &rss_of_today(&["1 | Grid fails | North"]));
    assert!(cli.run(&["check", &file]).contains("Grid fails"), "a file of the operator is read");

    drop(daemon);
    for arguments in [["source", "add", "https://b.example/"], ["source", "poll", "1"]] {
        cli.assert_fails(&arguments, "the daemon is not running, and newsfold does not fetch documents as root");
    }
    cli.run(&["source", "add", "https://b.example/feed", "--no-fetch"]);
}

#[test]
fn files_that_root_creates_belong_to_the_owner_of_the_folder() {
    if !rustix::process::geteuid().is_root() {
        return skipped("this test needs root");
    }
    let cli = CliRunner::new();
    let state = cli.folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    chown(&state, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    let database = state.join("newsfold.db");
    let run = |arguments: &[&str]| {
        // Without permissions for others, the service could not even open a lock file of root.
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "umask 077; exec \"$0\" \"$@\""]).arg(assert_cmd::cargo::cargo_bin("newsfold"));
        command.arg("--database").arg(&database).args(arguments).env("HOME", cli.folder.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let assert_owner = |after: &str| {
        for file in std::fs::read_dir(&state).unwrap().map(Result::unwrap) {
            let found = file.metadata().unwrap();
            assert_eq!((found.uid(), found.gid()), (OTHER_USER, OTHER_USER), "{:?} after {after}", file.file_name());
        }
    };
    run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    assert_owner("the creation of the database");
    let backup = cli.folder.path().join("backup.db");
    let backup = backup.to_str().unwrap();
    run(&["db", "backup", backup]);
    std::fs::set_permissions(&database, Permissions::from_mode(0o640)).unwrap();
    run(&["db", "restore", backup, "--yes"]);
    assert_owner("the replacement of the database");
    assert_eq!(database.metadata().unwrap().mode() & 0o777, 0o640, "the permissions stay as they were");
    std::fs::remove_file(&database).unwrap();
    run(&["db", "restore", backup]);
    assert_owner("the restoration of a deleted database");
    assert_eq!(database.metadata().unwrap().mode() & 0o777, 0o600);
}

#[test]
fn root_starts_no_daemon_on_the_database_of_another_user() {
    if !rustix::process::geteuid().is_root() {
        return skipped("this test needs root");
    }
    let cli = CliRunner::new();
    cli.run(&["source", "add", "https://a.example/feed", "--no-fetch"]);
    let advice = "newsfold does not fetch documents as root; start the daemon as that user";
    chown(database_path(cli.folder.path()), Some(OTHER_USER), None).unwrap();
    cli.assert_fails(&["serve"], advice);
    std::fs::remove_file(database_path(cli.folder.path())).unwrap();
    chown(cli.folder.path(), Some(OTHER_USER), None).unwrap();
    cli.assert_fails(&["serve"], advice);
    assert!(!database_path(cli.folder.path()).exists(), "a new database would belong to that user");
}

#[test]
fn user_without_access_to_the_database_is_told_so_and_gets_no_other_database() {
    // A private mount hides the directories of this machine, so the database of the service exists only here.
    let script = "mount -t tmpfs none /var/lib && mkdir -m 700 /var/lib/newsfold && \
                  touch /var/lib/newsfold/newsfold.db && exec setpriv --reuid 65534 --clear-groups \"$0\" \"$@\"";
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
    let newsfold = assert_cmd::cargo::cargo_bin("newsfold");
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new("unshare");
        command.args(["-m", "sh", "-c", script]).arg(&newsfold).args(arguments).current_dir(home.path());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", home.path()).output().unwrap()
    };
    if !run(&["--version"]).status.success() {
        return skipped("this test needs root, and a program that other users can run");
    }
    let named = ["status", "--database", "/var/lib/newsfold/newsfold.db"];
    for arguments in [&["status"][..], &named, &["source", "add", "https://a.example/", "--no-fetch"], &["serve"]] {
        let output = run(arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        let expected =
            "permission denied: the current user cannot read the database /var/lib/newsfold/newsfold.db; run the";
        assert!(output.status.code() == Some(1) && message.contains(expected), "{arguments:?}: {message}");
    }
    assert!(std::fs::read_dir(home.path()).unwrap().next().is_none(), "no private database is created");
}

#[tokio::test(flavor = "multi_thread")]
async fn root_changes_a_url_through_the_daemon() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    origin.serve("/new", StubResponse::ok(rss_of_today(&["1 | Grid fails | North"])));
    let Some(_daemon) = start_daemon_of_other_user(&cli) else { return };
    cli.run(&["source", "add", &origin.url("/old"), "--no-fetch"]);
    cli.run(&["source", "edit", "1", "--url", &origin.url("/new")]);
    assert_eq!(cli.run_json(&["source", "show", "1"])["last_outcome"], "read");
    cli.assert_fails(&["source", "edit", "1", "--url", &origin.url("/missing")], "restores the old URL");
}
