//! Runs the commands of the README and of `docs/operations.md`, and checks the configuration and the links in the README.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::rss_of_today;
use std::collections::{BTreeMap, BTreeSet};

const README: &str = include_str!("../../README.md");
const OPERATIONS: &str = include_str!("../../docs/operations.md");

/// The beginnings of the commands that this test does not run, each with the reason.
const NOT_RUN: [(&str, &str); 12] = [
    ("cargo build", "compiles the program for release"),
    ("cargo run -- demo", "compiles the program; tests/program/demo.rs runs the demo"),
    ("cargo test", "is this test"),
    ("cargo install", "compiles the program for release; contrib/debian/build does the same"),
    ("contrib/debian/", "needs root, a Debian mirror and a release build"),
    ("apt install", "needs root and the package"),
    ("install -m", "needs root"),
    ("systemctl ", "needs root and systemd"),
    ("newsfold storyline split", "needs a storyline that the grouping has made; tests/program/storylines.rs runs it"),
    ("newsfold serve", "runs until it is stopped; most other tests run it"),
    ("newsfold healthcheck", "needs a running daemon; tests/program/health.rs runs it"),
    ("newsfold check URL", "needs a public server"),
];

/// Returns the commands in blocks of shell code, and the `newsfold …` commands in the text.
fn documented_commands() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for document in [README, OPERATIONS] {
        for (index, part) in document.split("```").enumerate() {
            if index % 2 == 1 {
                let lines = part.strip_prefix("sh\n").unwrap_or_default().lines();
                found.extend(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned));
                continue;
            }
            let codes = part.split('`').skip(1).step_by(2);
            let codes = codes.map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "));
            found.extend(codes.filter(|code| code.starts_with("newsfold ") && code.len() > "newsfold ".len()));
        }
    }
    found
}

/// An installation with the sources, stories and files to which the documented commands refer.
struct Fixture {
    cli: CliRunner,
    /// The values that replace the sources, stories, files and servers in the documented commands.
    words: BTreeMap<&'static str, String>,
    _origin: OriginServer,
    _busy: OriginServer,
}

impl Fixture {
    async fn new() -> Fixture {
        let (cli, origin, busy) = (CliRunner::new(), OriginServer::start().await, OriginServer::start().await);
        let items = [
            "1 | Grid fails in the north | Power is out.",
            "2 | Zoo opens new house | Two pandas arrived.",
            "3 | Council votes on budget | It passed.",
        ];
        origin.serve("/one", StubResponse::ok(rss_of_today(&items)));
        origin.serve("/two", StubResponse::ok(rss_of_today(&items[..1])));
        for path in ["/three", "/four", "/five"] {
            origin.serve(path, StubResponse::ok(rss_of_today(&["4 | Ship sinks | All crew are safe."])));
        }
        origin.serve("/robots.txt", StubResponse::ok("User-agent: *\n"));
        busy.serve("/feed", StubResponse::status(429));
        let config = std::fs::read_to_string(cli.folder.path().join("config.toml")).unwrap();
        cli.write_file("config.toml", &format!("{config}[[publish.feeds]]\nname = \"desk\"\nprivate = true\n"));
        cli.run(&["source", "add", &origin.url("/one"), "--outlet", "a.example"]);
        cli.run(&["source", "add", &origin.url("/two"), "--outlet", "b.example"]);
        cli.assert_fails(&["source", "add", &busy.url("/feed")], "no feed found");
        // One story has two items, one from each source.
        let stories = cli.run_json(&["story", "list"]).as_array().unwrap().clone();
        let items_of = |story: &serde_json::Value| -> Vec<String> {
            story["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()).collect()
        };
        let (shared, single): (Vec<_>, Vec<_>) = stories.iter().partition(|story| items_of(story).len() == 2);
        let (common, one, other) = (items_of(shared[0]), items_of(single[0]), items_of(single[1]));
        cli.run(&["item", "separate", &one[0], &other[0]]);
        cli.run(&["item", "separate", &other[0], &common[1]]);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let file = |name: &str| cli.folder.path().join(name).to_str().unwrap().to_owned();
        cli.run(&["db", "backup", &file("newsfold.db")]);
        let list = cli.run(&["source", "export"]);
        let words = BTreeMap::from([
            ("7", "1".to_owned()),
            ("12", common[0].clone()),
            ("15", one[0].clone()),
            ("k3f", text(&shared[0]["id"])),
            ("9qa", text(&single[0]["id"])),
            ("7bd", text(&shared[0]["storyline"])),
            ("m2x", text(&single[0]["storyline"])),
            ("NAME", "desk".to_owned()),
            ("FILE", file("newsfold.db")),
            ("newsfold.db", file("newsfold.db")),
            ("DIR", file("folder")),
            ("feed.xml", cli.write_file("feed.xml", &rss_of_today(&items))),
            ("sources.opml", cli.write_file("sources.opml", &list)),
            ("subscriptions.opml", cli.write_file("subscriptions.opml", &list)),
            ("https://www.theguardian.com/world/rss", origin.url("/three")),
            ("https://www.example.org/feed", origin.url("/four")),
            ("example.org", origin.url("/five")),
            ("https://news.example", busy.url("").trim_end_matches('/').to_owned()),
        ]);
        Fixture { cli, words, _origin: origin, _busy: busy }
    }

    /// Runs a documented command on a copy of the database. Returns its output if it fails.
    fn run(&self, command: &str) -> Option<String> {
        let copy = tempfile::tempdir().unwrap();
        let database = copy.path().join("news.db");
        std::fs::copy(self.cli.folder.path().join("news.db"), &database).unwrap();
        let mut arguments: Vec<&str> = Vec::new();
        for word in shell_words(command).skip(1) {
            let word = self.words.get(word).map_or(word, String::as_str);
            arguments.push(word);
        }
        match arguments[..] {
            // Without a terminal, an option confirms the command.
            ["source", "remove", ..] | ["db", "restore", ..] => arguments.push("--yes"),
            ["db", "backup", ..] => arguments.push("--force"),
            _ => {}
        }
        let mut process = self.cli.command(&arguments);
        let output = process.env("NEWSFOLD_DATABASE", &database).current_dir(copy.path()).output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (!output.status.success()).then(|| format!("{command}: {:?}\n{text}", output.status))
    }
}

/// Splits a command at white space. Quotation marks enclose one word.
fn shell_words(command: &str) -> impl Iterator<Item = &str> {
    command.split('"').enumerate().flat_map(|(index, part)| match index % 2 {
        0 => part.split_whitespace().collect::<Vec<_>>(),
        _ => vec![part],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_in_the_documents_for_operators_runs() {
    let (fixture, commands) = (Fixture::new().await, documented_commands());
    let not_run = |command: &str| NOT_RUN.iter().position(|(beginning, _)| command.starts_with(beginning));
    let mut failed = Vec::new();
    let mut ran = 0;
    for command in commands.iter().filter(|command| not_run(command).is_none()) {
        if command.starts_with("newsfold ") {
            failed.extend(fixture.run(command));
            ran += 1;
        } else {
            failed.push(format!("{command}: neither a newsfold command nor listed in NOT_RUN"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(ran > 40, "only {ran} commands were found");
}

#[test]
fn the_configuration_in_the_readme_is_valid() {
    let block = README.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    let config: newsfold::config::Config = toml::from_str(block).unwrap();
    assert_eq!(config.publish.feeds[0].name, "energy");
}

#[test]
fn every_file_that_the_readme_names_exists() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for link in README.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(link.starts_with("https://") || root.join(link).exists(), "{link}");
    }
}
