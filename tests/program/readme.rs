//! Compares the commands, the configuration and the links in the README with the program.

use assert_cmd::Command;

const README: &str = include_str!("../../README.md");
const OPERATIONS: &str = include_str!("../../docs/operations.md");

/// The arguments of every `newsfold …` command in the README and in `docs/operations.md`, from code blocks and tables.
fn commands() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for piece in README.split(['`', '\n']).chain(OPERATIONS.split(['`', '\n'])) {
        let piece = piece.trim();
        let piece = piece.rsplit_once(".db ").map_or(piece, |(_, rest)| rest);
        if let Some(arguments) = piece.strip_prefix("newsfold ")
            && arguments.starts_with(|c: char| c.is_ascii_lowercase())
        {
            found.push(arguments.split_whitespace().map(str::to_owned).collect());
        }
    }
    found
}

#[test]
fn every_command_in_the_documents_for_operators_exists() {
    let known = commands();
    assert!(known.len() > 12, "{known:?}");
    for arguments in known {
        if arguments[0].ends_with("polls") {
            continue;
        }
        // With a final `--help`, clap parses the command before it.
        let words: Vec<&String> = arguments.iter().take_while(|word| is_word(word)).collect();
        if words.is_empty() || !is_command(words[0]) {
            continue;
        }
        let flags = arguments.iter().filter(|word| word.starts_with("--"));
        let help = Command::cargo_bin("newsfold").unwrap().args(command_words(&words)).arg("--help").output().unwrap();
        assert!(help.status.success(), "{arguments:?}");
        let text = String::from_utf8(help.stdout).unwrap();
        for flag in flags {
            assert!(text.contains(flag.as_str()), "{flag} of {arguments:?} is not in its help");
        }
    }
}

fn is_word(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-')
}

fn is_command(word: &str) -> bool {
    [
        "source",
        "story",
        "storyline",
        "feed",
        "item",
        "origin",
        "db",
        "serve",
        "status",
        "doctor",
        "config",
        "demo",
        "check",
        "eval",
        "man",
        "completions",
    ]
    .contains(&word)
}

/// The command and its subcommand, excluding arguments that look like words.
fn command_words<'a>(words: &[&'a String]) -> Vec<&'a str> {
    let nested =
        ["source", "story", "storyline", "feed", "item", "origin", "db", "config"].contains(&words[0].as_str());
    words.iter().take(if nested { 2 } else { 1 }).map(|word| word.as_str()).collect()
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
    for link in README.split("](").skip(1) {
        let target = link.split(')').next().unwrap();
        assert!(root.join(target).exists(), "{target}");
    }
}
