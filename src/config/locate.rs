//! The line of a setting in the configuration file.
//!
//! It uses the TOML parser, so a comment, the same key in another table, or a value that contains the key never matches.

use toml::de::{DeTable, DeValue};

/// The line, from 1, of the first of these keys that the file has. A number in a key is an array index.
pub(super) fn line_of(text: &str, keys: &[String]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let at = keys.iter().find_map(|key| position(document.get_ref(), key))?;
    Some(1 + text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count())
}

/// The byte offset of a key.
fn position(table: &DeTable<'_>, key: &str) -> Option<usize> {
    let (name, rest) = key.split_once('.').unwrap_or((key, ""));
    let (written, value) = table.iter().find(|(written, _)| written.get_ref() == name)?;
    if rest.is_empty() {
        return Some(written.span().start);
    }
    match value.get_ref() {
        DeValue::Table(inner) => position(inner, rest),
        DeValue::Array(list) => {
            let (place, rest) = rest.split_once('.')?;
            match list.get(place.parse::<usize>().ok()?)?.get_ref() {
                DeValue::Table(inner) => position(inner, rest),
                _ => None,
            }
        }
        _ => None,
    }
}
