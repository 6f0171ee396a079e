//! The item filters of feeds. Many feeds share a filter, such as a mute rule, and each filter is applied once to a story.
//! All functions are pure.

use super::{CompiledFilter, FeedSelection, FilteredItem, ItemFilter};
use std::collections::BTreeMap;

/// The filters of feeds.
#[derive(Debug, Clone)]
pub struct FeedFilters {
    filters: Vec<CompiledFilter>,
    /// The filters of each feed, by position.
    feeds: Vec<FiltersOfFeed>,
}

#[derive(Debug, Clone)]
struct FiltersOfFeed {
    items: Option<usize>,
    excluded: Vec<usize>,
}

impl FeedFilters {
    /// Compiles the filters of feeds.
    ///
    /// # Errors
    /// Returns the key of an invalid expression and a message for the operator.
    pub fn new<'s>(
        selections: impl IntoIterator<Item = &'s FeedSelection>,
    ) -> Result<FeedFilters, (&'static str, String)> {
        let mut known: Vec<&ItemFilter> = Vec::new();
        let mut position = |filter| {
            known.iter().position(|other| *other == filter).unwrap_or_else(|| {
                known.push(filter);
                known.len() - 1
            })
        };
        let mut of_feeds = Vec::new();
        for selection in selections {
            let items = Some(&selection.items).filter(|filter| !filter.is_empty());
            let excluded = selection.excluded.iter().map(&mut position).collect();
            of_feeds.push(FiltersOfFeed { items: items.map(&mut position), excluded });
        }
        let filters = known.into_iter().map(ItemFilter::compile).collect::<Result<_, _>>()?;
        Ok(FeedFilters { filters, feeds: of_feeds })
    }

    /// Returns whether a feed has no filters.
    pub fn is_empty(&self, feed: usize) -> bool {
        let FiltersOfFeed { items, excluded } = &self.feeds[feed];
        items.is_none() && excluded.is_empty()
    }

    /// Returns whether an item of a story passes the filter of a feed, and whether an item passes an excluding filter.
    /// `results` are the results of the filters that have already been applied to the story.
    pub fn matches(&self, feed: usize, items: &[FilteredItem], results: &mut BTreeMap<usize, bool>) -> (bool, bool) {
        let FiltersOfFeed { items: own, excluded } = &self.feeds[feed];
        let mut matches = |filter: &usize| {
            let any = || items.iter().any(|item| self.filters[*filter].matches(item));
            *results.entry(*filter).or_insert_with(any)
        };
        (own.as_ref().is_none_or(&mut matches), excluded.iter().any(&mut matches))
    }
}
