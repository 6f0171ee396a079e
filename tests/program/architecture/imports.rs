//! The import graph of `src/`: which files use items of which other files, based on the syntax tree of each file.
//!
//! Test code (`#[cfg(test)]` and `tests.rs`) is excluded. Paths are resolved through re-exports to the file that
//! defines the item, so re-exports do not hide imports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::visit::Visit;
use syn::{Item, UseTree};

/// A module path relative to the crate root: `["store", "items"]`.
type ModulePath = Vec<String>;

/// All modules of the crate with their imports and re-exports.
pub struct ImportGraph {
    modules: BTreeMap<ModulePath, ModuleFacts>,
}

/// The declarations and references of one file.
#[derive(Default)]
struct ModuleFacts {
    /// The absolute paths, from the crate root, that the file refers to.
    named: BTreeSet<Vec<String>>,
    /// The names that the file re-exports, with their absolute paths.
    exports: BTreeMap<String, Vec<String>>,
}

impl ImportGraph {
    /// Reads every file of `src`.
    pub fn read(src: &Path) -> ImportGraph {
        let mut modules = BTreeMap::new();
        let files: Vec<(ModulePath, PathBuf)> = super::rust_files(src)
            .into_iter()
            .filter(|file| !matches!(file.file_stem().unwrap().to_str().unwrap(), "main" | "tests"))
            .map(|file| (module_path(src, &file), file))
            .collect();
        let known: BTreeSet<ModulePath> = files.iter().map(|(path, _)| path.clone()).collect();
        for (path, file) in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let mut reader = FileReader { path: &path, known: &known, facts: ModuleFacts::default() };
            reader.visit_file(&syntax);
            let facts = reader.facts;
            modules.insert(path, facts);
        }
        ImportGraph { modules }
    }

    /// Returns the files whose items each file uses. Items of parent modules are omitted, because a parent's file
    /// contains the items that its children share.
    pub fn file_imports(&self) -> BTreeMap<ModulePath, BTreeSet<ModulePath>> {
        let mut imports = BTreeMap::new();
        for (path, facts) in &self.modules {
            let targets = facts.named.iter().map(|named| self.defining_module(named));
            let targets: BTreeSet<ModulePath> = targets.filter(|target| !path.starts_with(target)).collect();
            imports.insert(path.clone(), targets);
        }
        imports
    }

    /// Returns the top-level modules that each top-level module refers to directly, ignoring re-exports.
    pub fn module_imports(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (path, facts) in &self.modules {
            let Some(module) = path.first() else { continue };
            let named = facts.named.iter().filter_map(|named| named.first()).filter(|name| *name != module);
            imports.entry(module.clone()).or_default().extend(named.cloned());
        }
        imports
    }

    /// Returns the re-exports of items of other top-level modules, as `module re-exports path`.
    pub fn foreign_exports(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, facts) in &self.modules {
            let foreign = facts.exports.values().filter(|target| target.first() != path.first());
            found.extend(foreign.map(|target| format!("{} re-exports {}", path.join("::"), target.join("::"))));
        }
        found
    }

    /// Returns the module whose file defines the item with an absolute path.
    fn defining_module(&self, named: &[String]) -> ModulePath {
        let mut path = named.to_vec();
        // A re-export may refer to another re-export, but such chains are short.
        for _ in 0..8 {
            let depth = (0..=path.len()).rev().find(|n| self.modules.contains_key(&path[..*n])).unwrap_or(0);
            let (module, rest) = path.split_at(depth);
            let Some(target) = rest.first().and_then(|name| self.modules[module].exports.get(name)) else {
                return module.to_vec();
            };
            path = target.iter().chain(&rest[1..]).cloned().collect();
        }
        panic!("re-exports of {} form a cycle", named.join("::"));
    }
}

/// Converts `src/store/items.rs` to `["store", "items"]`; `src/lib.rs` is the root.
fn module_path(src: &Path, file: &Path) -> ModulePath {
    let inside = file.strip_prefix(src).unwrap().with_extension("");
    let parts: Vec<String> = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if parts == ["lib"] { Vec::new() } else { parts }
}

/// A visitor that collects the references of one file.
struct FileReader<'a> {
    path: &'a ModulePath,
    known: &'a BTreeSet<ModulePath>,
    facts: ModuleFacts,
}

impl FileReader<'_> {
    /// Returns the absolute form of a path that begins with `crate`, `super`, `self` or a child module; `None` for
    /// other paths.
    fn absolute(&self, segments: &[String]) -> Option<Vec<String>> {
        let (first, rest) = segments.split_first()?;
        let base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.path.clone(),
            "super" => self.path[..self.path.len().checked_sub(1)?].to_vec(),
            child => {
                let child: ModulePath = self.path.iter().cloned().chain([child.to_owned()]).collect();
                return self.known.contains(&child).then(|| child.iter().chain(rest).cloned().collect());
            }
        };
        let mut absolute = base;
        for segment in rest {
            if segment == "super" {
                absolute.pop();
            } else {
                absolute.push(segment.clone());
            }
        }
        Some(absolute)
    }

    fn note(&mut self, segments: &[String]) {
        if let Some(absolute) = self.absolute(segments) {
            self.facts.named.insert(absolute);
        }
    }
}

impl<'ast> Visit<'ast> for FileReader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test_code(item) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_public = !matches!(item.vis, syn::Visibility::Inherited);
        for (segments, name) in leaves(&item.tree, Vec::new()) {
            self.note(&segments);
            if is_public && let Some(absolute) = self.absolute(&segments) {
                self.facts.exports.insert(name, absolute);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.note(&segments);
        }
        syn::visit::visit_path(self, path);
    }

    /// Extracts the paths in the arguments of a macro from their text, because the arguments are tokens without syntax.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let text = call.tokens.to_string().replace(" :: ", "::");
        for word in text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
            let segments: Vec<String> = word.split("::").map(str::to_owned).collect();
            if segments.len() > 1 && matches!(segments[0].as_str(), "crate" | "super" | "self") {
                self.note(&segments);
            }
        }
    }
}

/// Returns each name that a `use` imports, with its full path.
fn leaves(tree: &UseTree, prefix: Vec<String>) -> Vec<(Vec<String>, String)> {
    let with = |name: &syn::Ident| prefix.iter().cloned().chain([name.to_string()]).collect::<Vec<String>>();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, with(&path.ident)),
        UseTree::Name(name) if name.ident == "self" => {
            let last = prefix.last().cloned().unwrap_or_default();
            vec![(prefix, last)]
        }
        UseTree::Name(name) => vec![(with(&name.ident), name.ident.to_string())],
        UseTree::Rename(rename) => vec![(with(&rename.ident), rename.rename.to_string())],
        UseTree::Glob(_) => vec![(prefix, "*".to_owned())],
        UseTree::Group(group) => group.items.iter().flat_map(|tree| leaves(tree, prefix.clone())).collect(),
    }
}

fn is_test_code(item: &Item) -> bool {
    let attributes = match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => attribute.path().is_ident("test"),
    })
}
