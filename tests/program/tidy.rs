//! Holds the import table of `docs/ARCHITECTURE.md` against the code, and a `//!` on the first line of every file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The table, read from the document: module → what it may name.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| module | may name |")).skip(2);
    let mut table = BTreeMap::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let names = |cell: &str| -> Vec<String> {
            cell.split(',').map(str::trim).filter(|n| *n != "nothing").map(str::to_owned).collect()
        };
        for module in names(cells[0]) {
            table.insert(module, names(cells[1]).into_iter().collect());
        }
    }
    assert!(table.len() > 10, "the table was not found");
    table
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The top-level module that a file of `src` belongs to.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The modules of this crate that a file names, in `use` lines and in paths.
fn named(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            if let Some(group) = rest.strip_prefix('{') {
                let mut depth = 0;
                let mut word = String::new();
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            names.insert(first_word(&word));
                            word.clear();
                            continue;
                        }
                        _ => {}
                    }
                    word.push(c);
                }
                names.insert(first_word(&word));
            } else {
                names.insert(first_word(rest));
            }
        }
    }
    names.remove("");
    names
}

fn first_word(text: &str) -> String {
    text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn modules_name_only_what_the_table_allows() {
    let table = table();
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("src")) {
        let module = module_of(&file);
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let allowed = table.get(&module).unwrap_or_else(|| panic!("{module} is not in the table"));
        for name in named(&std::fs::read_to_string(&file).unwrap()) {
            if name != module && !allowed.contains(&name) {
                wrong.push(format!("{} names {name}", file.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_table_has_no_cycle() {
    let table = table();
    fn reaches(table: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str, seen: &mut BTreeSet<String>) -> bool {
        table.get(from).is_some_and(|names| {
            names.iter().any(|n| n == to || (seen.insert(n.clone()) && reaches(table, n, to, seen)))
        })
    }
    for module in table.keys() {
        assert!(!reaches(&table, module, module, &mut BTreeSet::new()), "{module} reaches itself");
    }
}

#[test]
fn every_module_of_the_table_exists_and_is_declared() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for module in table().keys() {
        assert!(lib.contains(&format!("pub mod {module};")), "{module} is not in lib.rs");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for folder in ["src", "tests", "examples"] {
        for file in rust_files(&root().join(folder)) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//! "), "{} has no //! on its first line", file.display());
        }
    }
}

#[test]
fn the_name_of_no_machine_stands_in_the_project() {
    let mut files = rust_files(&root().join("src"));
    files
        .extend(["README.md", "Cargo.toml", "config.example.toml", "systemd/newsfold.service"].map(|f| root().join(f)));
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in ["/work/", "/root/", "index.crates.io"] {
            assert!(!text.contains(word), "{} contains {word}", file.display());
        }
    }
}

#[test]
fn every_test_that_the_page_on_etiquette_names_exists() {
    let page = std::fs::read_to_string(root().join("docs/etiquette.md")).unwrap();
    let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let named: BTreeSet<(&str, &str)> = words.filter_map(|word| word.split_once("::")).collect();
    assert!(named.len() > 50, "{named:?}");
    for (place, test) in named {
        let of_tests = rust_files(&root().join("tests")).into_iter().filter(|file| file.file_stem().unwrap() == place);
        let mut at: Vec<PathBuf> = of_tests.collect();
        if at.is_empty() {
            at = rust_files(&root().join("src")).into_iter().filter(|file| module_of(file) == place).collect();
        }
        at.retain(|file| std::fs::read_to_string(file).unwrap().contains(&format!("fn {test}(")));
        assert!(!at.is_empty(), "{place}::{test} is nowhere");
    }
}
