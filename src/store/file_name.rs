//! The names of the files next to a database.

use std::path::{Path, PathBuf};

/// Appends to the name of a file.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
