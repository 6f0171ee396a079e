//! The values of an item or the feed so far, by which the rewriter chooses between elements with the same field.

use super::super::element_map::FeedField;
use crate::markup::tag::StartTag;
use url::Url;

/// The maximum number of authors, categories, hubs and skipped hours of an item or the feed. Others are dropped.
const MAX_VALUES: usize = 100;

/// The values of an item or the feed that later values of the same field may replace.
#[derive(Default)]
pub struct FieldState {
    /// The highest priority of each field so far.
    priorities: [u8; FeedField::COUNT],
    value_count: usize,
    pub enclosure_count: usize,
    /// The declared width of the kept image in pixels; 0 if it is unknown.
    pub image_size: u32,
    /// The `media:group` of the kept image.
    pub image_group: Option<usize>,
    pub media_group_count: usize,
    pub link: Option<Url>,
    /// The authors of the feed from which an Atom entry was copied (`atom:source`).
    pub source_authors: Vec<String>,
    /// The guid, if its attributes declare that it is a URL.
    pub permalink: Option<String>,
    /// RSS 1.0's `rdf:about`, which identifies an item without a guid.
    pub rdf_about: Option<String>,
}

impl FieldState {
    pub fn for_item(tag: StartTag) -> Self {
        let about = tag.attribute("rdf:about").map(|about| about.trim().to_owned());
        FieldState { rdf_about: about.filter(|about| !about.is_empty()), ..FieldState::default() }
    }

    /// Returns the highest priority of a field so far; 0 if the field has no value.
    pub fn priority(&self, field: FeedField) -> u8 {
        self.priorities[field as usize]
    }

    /// Returns whether a priority is higher than all previous priorities of the field. If it is, raises the field's
    /// priority to it.
    pub fn accepts(&mut self, field: FeedField, priority: u8) -> bool {
        let is_higher = priority > self.priority(field);
        self.priorities[field as usize] = priority.max(self.priority(field));
        is_higher
    }

    /// Counts a value of a repeatable field. Returns whether the value may be written.
    pub fn has_room_for_value(&mut self) -> bool {
        self.value_count += 1;
        self.value_count <= MAX_VALUES
    }
}
