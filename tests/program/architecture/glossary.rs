//! Compares the glossary of `docs/ARCHITECTURE.md` with the names in the code. Every domain type, database table and
//! command must have a term, and every name in the glossary must exist.

use super::{contains_word, names, read, root, rust_files, table};
use std::collections::BTreeSet;
use std::process::Command;

/// A row of the glossary: a term and the names under which it appears.
struct GlossaryRow {
    types: Vec<String>,
    tables: Vec<String>,
    commands: Vec<String>,
}

fn glossary() -> Vec<GlossaryRow> {
    let rows = table(&read("docs/ARCHITECTURE.md"), "| term | meaning | types | tables | commands |");
    rows.iter()
        .map(|row| GlossaryRow { types: names(&row[2]), tables: names(&row[3]), commands: names(&row[4]) })
        .collect()
}

/// Returns the names that the glossary lists more than once, or that only the glossary or only the code contains.
fn differences(listed: Vec<String>, actual: BTreeSet<String>) -> Vec<String> {
    let unique: BTreeSet<String> = listed.iter().cloned().collect();
    let mut wrong: Vec<String> = unique.difference(&actual).map(|name| format!("{name} does not exist")).collect();
    wrong.extend(actual.difference(&unique).map(|name| format!("{name} is not in the glossary")));
    if unique.len() < listed.len() {
        wrong.push("a name has two rows".to_owned());
    }
    wrong
}

#[test]
fn the_glossary_lists_every_public_type_of_the_domain() {
    let mut types = BTreeSet::new();
    for file in rust_files(&root().join("src/domain")) {
        let text = std::fs::read_to_string(file).unwrap();
        for line in text.lines() {
            let name = ["pub struct ", "pub enum "].iter().find_map(|start| line.strip_prefix(start));
            types.extend(name.map(|name| name.chars().take_while(|c| c.is_alphanumeric()).collect::<String>()));
        }
    }
    let listed = glossary().into_iter().flat_map(|row| row.types).filter(|name| types.contains(name)).collect();
    assert_eq!(differences(listed, types), Vec::<String>::new());
}

#[test]
fn every_type_in_the_glossary_exists() {
    let code: String =
        rust_files(&root().join("src")).iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let definitions: Vec<&str> = code.lines().filter(|line| line.trim_start().starts_with("pub")).collect();
    let missing: Vec<String> = glossary()
        .into_iter()
        .flat_map(|row| row.types)
        .filter(|name| !definitions.iter().any(|line| contains_word(line, name)))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_glossary_lists_every_table_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("news.db");
    drop(newsfold::store::Store::open(&path).unwrap());
    let database = rusqlite::Connection::open(&path).unwrap();
    // `pragma_table_list` marks the tables that implement a virtual table as shadow tables.
    let sql = "SELECT name FROM pragma_table_list WHERE type IN ('table', 'virtual') AND schema = 'main'
               AND name NOT LIKE 'sqlite_%'";
    let mut tables = database.prepare(sql).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>("name")).unwrap().map(Result::unwrap);
    let listed = glossary().into_iter().flat_map(|row| row.tables).collect();
    assert_eq!(differences(listed, tables.collect()), Vec::<String>::new());
}

#[test]
fn the_glossary_lists_every_command_group() {
    let help = Command::new(env!("CARGO_BIN_EXE_newsfold")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: BTreeSet<String> =
        commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned)).collect();
    let commands = commands.into_iter().filter(|name| !name.is_empty() && name != "help").collect();
    let listed = glossary().into_iter().flat_map(|row| row.commands).collect();
    assert_eq!(differences(listed, commands), Vec::<String>::new());
}
