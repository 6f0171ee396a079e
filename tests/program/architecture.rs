//! Compares `docs/ARCHITECTURE.md` with the code: the import table, the order of modules, the glossary, and every path
//! in a document or comment. Also limits the length of files.

mod glossary;
mod imports;

use imports::ImportGraph;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The imports of all files. A debug build takes seconds to parse the files, and several tests need them.
static IMPORTS: LazyLock<ImportGraph> = LazyLock::new(|| ImportGraph::read(&root().join("src")));

/// The directories that hold Rust code of this package.
const CODE_FOLDERS: [&str; 4] = ["src", "tests", "examples", "benches"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns all files with this extension below a directory, sorted.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|actual| actual == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, "rs")
}

/// Returns all Markdown documents of the repository.
fn documents() -> Vec<PathBuf> {
    let mut found = files(&root().join("docs"), "md");
    found.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "fuzz/README.md"].map(|name| root().join(name)));
    found
}

/// Returns the rows of the Markdown table under this heading row, as trimmed cells.
fn table(text: &str, heading: &str) -> Vec<Vec<String>> {
    let rows = text.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let rows: Vec<Vec<String>> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "no table begins with {heading}");
    rows
}

/// Returns the comma-separated names in a cell, without backticks. `nothing` means the empty list.
fn names(cell: &str) -> Vec<String> {
    let names = cell.split(',').map(|name| name.trim().trim_matches('`').to_owned());
    names.filter(|name| !matches!(name.as_str(), "" | "nothing")).collect()
}

/// Returns the import table: each module and the modules that it may import, in the order of the document.
fn import_table() -> Vec<(String, Vec<String>)> {
    let rows = table(&read("docs/ARCHITECTURE.md"), "| module | may import |");
    rows.into_iter().flat_map(|row| names(&row[0]).into_iter().map(move |name| (name, names(&row[1])))).collect()
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let table: BTreeMap<String, Vec<String>> = import_table().into_iter().collect();
    let mut wrong = Vec::new();
    for (module, imports) in IMPORTS.module_imports() {
        let allowed = table.get(&module).unwrap_or_else(|| panic!("{module} is not in the import table"));
        wrong
            .extend(imports.iter().filter(|name| !allowed.contains(name)).map(|name| format!("{module} names {name}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_import_table_allows_nothing_that_no_module_uses() {
    let imports = IMPORTS.module_imports();
    let mut unused = Vec::new();
    for (module, allowed) in import_table() {
        let used = imports.get(&module).cloned().unwrap_or_default();
        unused.extend(allowed.iter().filter(|name| !used.contains(*name)).map(|name| format!("{module}: {name}")));
    }
    assert_eq!(unused, Vec::<String>::new());
}

/// The order proves that the table has no cycle, because each module imports only modules above it.
#[test]
fn each_module_names_only_modules_above_it_in_the_documented_order() {
    let order: Vec<String> = import_table().into_iter().map(|(module, _)| module).collect();
    for (module, allowed) in import_table() {
        let position = |name: &String| order.iter().position(|one| one == name).unwrap_or_else(|| panic!("{name}?"));
        for name in &allowed {
            assert!(position(name) < position(&module), "{module} names {name}, which comes after it");
        }
    }
}

#[test]
fn lib_rs_and_both_tables_list_the_same_modules_in_the_same_order() {
    let lib = read("src/lib.rs");
    let declared: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let imports: Vec<String> = import_table().into_iter().map(|(module, _)| module).collect();
    let described = table(&read("docs/ARCHITECTURE.md"), "| module | purpose |");
    let described: Vec<String> = described.into_iter().flat_map(|row| names(&row[0])).collect();
    assert_eq!(declared, imports);
    assert_eq!(declared, described);
}

#[test]
fn no_files_import_each_other_in_a_cycle() {
    let imports = IMPORTS.file_imports();
    let mut search = CycleSearch { imports: &imports, path: Vec::new(), finished: BTreeSet::new(), cycles: Vec::new() };
    imports.keys().for_each(|file| search.visit(file));
    assert_eq!(search.cycles, Vec::<String>::new());
}

/// A depth-first search that records each import of a file on the current path.
struct CycleSearch<'g> {
    imports: &'g BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
    path: Vec<&'g Vec<String>>,
    finished: BTreeSet<&'g Vec<String>>,
    cycles: Vec<String>,
}

impl<'g> CycleSearch<'g> {
    fn visit(&mut self, file: &'g Vec<String>) {
        if let Some(start) = self.path.iter().position(|one| *one == file) {
            let cycle: Vec<String> = self.path[start..].iter().map(|file| file.join("::")).collect();
            self.cycles.push(cycle.join(" → "));
        } else if !self.finished.contains(file) {
            self.path.push(file);
            self.imports.get(file).into_iter().flatten().for_each(|next| self.visit(next));
            self.path.pop();
            self.finished.insert(file);
        }
    }
}

#[test]
fn no_module_re_exports_items_of_another_top_level_module() {
    assert_eq!(IMPORTS.foreign_exports(), Vec::<String>::new());
}

#[test]
fn every_file_begins_with_its_purpose() {
    for file in CODE_FOLDERS.iter().flat_map(|folder| rust_files(&root().join(folder))) {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} has no //! on its first line", file.display());
    }
}

/// Counts the lines before the test module of a file. Files that contain only tests may be longer.
#[test]
fn no_file_of_the_program_has_more_than_400_lines() {
    let mut long = Vec::new();
    for file in rust_files(&root().join("src")).into_iter().filter(|file| file.file_stem().unwrap() != "tests") {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split_once("\n#[cfg(test)]\nmod tests").map_or(text.as_str(), |(code, _)| code);
        let lines = code.lines().count();
        if lines > 400 {
            long.push(format!("{} has {lines} lines", shown(&file)));
        }
    }
    assert_eq!(long, Vec::<String>::new());
}

/// A symbolic link may lead out of the repository, to a file that other machines do not have.
#[test]
fn the_project_contains_no_symbolic_link() {
    assert_eq!(symbolic_links(root()), Vec::<PathBuf>::new());
}

/// Returns all symbolic links below a directory, excluding build outputs and git's own files.
fn symbolic_links(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            found.push(entry.path());
        } else if kind.is_dir() && entry.file_name() != "target" && entry.file_name() != ".git" {
            found.extend(symbolic_links(&entry.path()));
        }
    }
    found
}

#[test]
fn no_machine_path_and_no_registry_host_appears_in_the_project() {
    let mut checked = rust_files(&root().join("src"));
    checked.extend(documents());
    checked.extend(["Cargo.toml", "config.example.toml", "systemd/newsfold.service"].map(|name| root().join(name)));
    for file in checked {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in ["/work/", "/root/", "index.crates.io"] {
            assert!(!text.contains(word), "{} contains {word}", file.display());
        }
    }
}

/// Returns all comments and documents, each with its text.
fn prose() -> Vec<(PathBuf, String)> {
    let code = CODE_FOLDERS.iter().flat_map(|folder| rust_files(&root().join(folder))).map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        let comments = text.lines().filter(|line| line.trim_start().starts_with("//"));
        (file, comments.collect::<Vec<&str>>().join("\n"))
    });
    let documents = documents().into_iter().map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file, text)
    });
    code.chain(documents).collect()
}

#[test]
fn every_path_that_prose_names_exists() {
    const FOLDERS: [&str; 10] =
        ["src/", "tests/", "docs/", "migrations/", "examples/", "benches/", "fuzz/", "systemd/", "demo/", ".ci/"];
    let mut missing = Vec::new();
    for (file, text) in prose() {
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-./".contains(c))) {
            let path = word.trim_end_matches(['.', '/', '-']);
            if FOLDERS.iter().any(|folder| word.starts_with(folder)) && !root().join(path).exists() {
                missing.push(format!("{} names {path}", shown(&file)));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// Checks code spans such as `crawl::poll_source`. `cargo doc` in `.ci/run` checks rustdoc links.
#[test]
fn every_item_path_that_prose_names_is_defined() {
    let modules: BTreeSet<String> = import_table().into_iter().map(|(module, _)| module).collect();
    let mut missing = Vec::new();
    for (file, text) in prose() {
        for span in text.split('`').skip(1).step_by(2) {
            let path = span.trim_start_matches("crate::").trim_end_matches("()");
            let segments: Vec<&str> = path.split("::").collect();
            let is_path = segments.iter().all(|s| !s.is_empty() && s.chars().all(|c| c.is_alphanumeric() || c == '_'));
            if is_path && segments.len() > 1 && modules.contains(segments[0]) && !is_defined(&segments) {
                missing.push(format!("{} names {path}", shown(&file)));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// Returns whether the code below the module in the path defines the last segment.
fn is_defined(segments: &[&str]) -> bool {
    let mut module = root().join("src");
    let mut rest = segments;
    while let Some((first, tail)) = rest.split_first()
        && (module.join(first).is_dir() || module.join(format!("{first}.rs")).exists())
    {
        module.push(first);
        rest = tail;
    }
    let Some(name) = rest.last() else { return true };
    let mut code = std::fs::read_to_string(module.with_extension("rs")).unwrap_or_default();
    if module.is_dir() {
        code.extend(rust_files(&module).iter().map(|file| std::fs::read_to_string(file).unwrap()));
    }
    code.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| contains_word(line, name))
}

/// Returns the path of a file relative to the repository root.
fn shown(file: &Path) -> std::path::Display<'_> {
    file.strip_prefix(root()).unwrap().display()
}

fn contains_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|one| one == word)
}

#[test]
fn every_test_that_the_etiquette_page_names_exists() {
    let page = read("docs/etiquette.md");
    let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let named: BTreeSet<(&str, &str)> = words.filter_map(|word| word.split_once("::")).collect();
    assert!(named.len() > 50, "{named:?}");
    let mut missing = Vec::new();
    for (place, test) in named {
        let in_tests = rust_files(&root().join("tests")).into_iter().filter(|file| file.file_stem().unwrap() == place);
        let in_module = rust_files(&root().join("src")).into_iter().filter(|file| is_part_of(file, place));
        let candidates = in_tests.chain(in_module).map(|file| std::fs::read_to_string(file).unwrap());
        if !candidates.into_iter().any(|code| code.contains(&format!("fn {test}("))) {
            missing.push(format!("{place}::{test}"));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// Returns whether a file in `src` belongs to this top-level module.
fn is_part_of(file: &Path, module: &str) -> bool {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    inside.iter().next().is_some_and(|part| Path::new(part).file_stem().unwrap() == module)
}
