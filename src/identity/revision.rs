//! Decides whether a source has edited an item: whether its document has a new version of the stored item, and what has
//! changed.

use crate::domain::volatile_text::equals_but_for_volatile_parts;
use crate::domain::{NewItem, Timestamp};

/// The maximum size of content, in bytes. Earlier versions of larger content are not kept. The limit exists because a
/// live blog changes with every poll.
const MAX_KEPT_BYTES: usize = 16 * 1024;

/// The fields of an item that a revision can change.
#[derive(Debug, Clone, Copy)]
pub struct ItemVersion<'a> {
    pub title: &'a str,
    pub summary: &'a str,
    pub content: Option<&'a str>,
    pub published_at: Option<Timestamp>,
}

impl<'a> From<&'a NewItem> for ItemVersion<'a> {
    fn from(item: &'a NewItem) -> Self {
        let NewItem { title, summary, content, published_at, .. } = item;
        ItemVersion { title, summary, content: content.as_deref(), published_at: *published_at }
    }
}

/// The differences between the stored version of an item and the version in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    pub title_changed: bool,
    /// Whether the title or the summary changed.
    pub text_changed: bool,
    /// Whether the item counts as changed. A revision of only the content is stored, but it does not count.
    pub is_reported: bool,
}

/// Returns what the source has changed; `None` if the new version is not a revision. Changes of volatile parts, such as
/// the number of comments, are not revisions.
pub fn find_revision(old: ItemVersion<'_>, new: ItemVersion<'_>) -> Option<Revision> {
    let title_changed = old.title != new.title;
    let text_changed = title_changed || !equals_but_for_volatile_parts(old.summary, new.summary);
    let is_reported = text_changed || old.published_at != new.published_at;
    let is_revision = is_reported || !is_same_content(old.content, new.content);
    is_revision.then_some(Revision { title_changed, text_changed, is_reported })
}

/// Returns whether two versions of the content differ only in volatile parts. Long content must be identical, because
/// comparing words is slower than comparing bytes.
fn is_same_content(old: Option<&str>, new: Option<&str>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) if old.len().max(new.len()) <= MAX_KEPT_BYTES => equals_but_for_volatile_parts(old, new),
        _ => old == new,
    }
}

/// Returns the replaced content if the revision keeps it: if it changed and is not too long.
pub fn kept_content(old: Option<String>, new: Option<&str>) -> Option<String> {
    old.filter(|content| Some(content.as_str()) != new && content.len() <= MAX_KEPT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: ItemVersion<'static> = ItemVersion {
        title: "Ferry ran aground",
        summary: "The crew is safe.",
        content: Some("<p>The crew is safe.</p>"),
        published_at: Some(Timestamp::UNIX_EPOCH),
    };

    #[test]
    fn new_title_summary_or_date_is_a_reported_revision() {
        let reported = |title_changed, text_changed| Some(Revision { title_changed, text_changed, is_reported: true });
        assert_eq!(find_revision(OLD, ItemVersion { title: "Ferry sank", ..OLD }), reported(true, true));
        assert_eq!(find_revision(OLD, ItemVersion { summary: "Two are missing.", ..OLD }), reported(false, true));
        assert_eq!(find_revision(OLD, ItemVersion { published_at: None, ..OLD }), reported(false, false));
    }

    #[test]
    fn new_content_alone_is_a_revision_that_is_not_reported() {
        let revision = Revision { title_changed: false, text_changed: false, is_reported: false };
        let new = ItemVersion { content: Some("<p>Two are missing.</p>"), ..OLD };
        assert_eq!(find_revision(OLD, new), Some(revision));
        assert_eq!(find_revision(OLD, OLD), None);
    }

    #[test]
    fn only_changed_content_of_limited_length_is_kept() {
        let long = "x".repeat(MAX_KEPT_BYTES + 1);
        assert_eq!(kept_content(Some("old".into()), Some("new")), Some("old".into()));
        assert_eq!(kept_content(Some("old".into()), Some("old")), None);
        assert_eq!(kept_content(Some(long), Some("new")), None);
    }
}
