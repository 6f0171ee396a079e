//! Mute rules (`[[publish.mute]]`): filters that keep stories out of all feeds. Pages show muted stories.

use crate::domain::{ItemFilter, PublishedFeed};

/// Makes each feed exclude the stories with a report that matches a mute rule.
pub(super) fn add_mute_rules(rules: &[ItemFilter], feeds: &mut [PublishedFeed]) {
    feeds.iter_mut().for_each(|feed| feed.selection.excluded.extend(rules.iter().cloned()));
}
