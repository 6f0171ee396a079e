//! The sources whose items are grouped. An item of another source is a separate story.

use crate::domain::SourceId;
use crate::store::{self, ReadConnection, sources};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A cache that states whether the items of each source are grouped. It lives for the duration of one pass.
pub(super) struct GroupedSources<'a> {
    /// The tags of grouped sources (`cluster.tags`).
    tags: &'a [String],
    known: HashMap<SourceId, bool>,
}

impl GroupedSources<'_> {
    pub(super) fn new(tags: &[String]) -> GroupedSources<'_> {
        GroupedSources { tags, known: HashMap::new() }
    }

    /// Returns the `values` that belong to grouped sources.
    pub(super) fn retain<T>(
        &mut self,
        db: &ReadConnection,
        values: Vec<T>,
        source_of: impl Fn(&T) -> SourceId,
    ) -> store::Result<Vec<T>> {
        let mut retained = Vec::with_capacity(values.len());
        for value in values {
            if self.contains(db, source_of(&value))? {
                retained.push(value);
            }
        }
        Ok(retained)
    }

    pub(super) fn contains(&mut self, db: &ReadConnection, source: SourceId) -> store::Result<bool> {
        match self.known.entry(source) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(unknown) => Ok(*unknown.insert(sources::is_grouped(db, source, self.tags)?)),
        }
    }
}
