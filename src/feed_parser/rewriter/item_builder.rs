//! Collects what decides between several values of one field of an item, or of the feed.
//!
//! The URLs of an item are written when it ends, because the best may come last. All other values are written at once.

use url::Url;

use super::super::annotations;
use super::super::element_map::FeedField;
use super::super::url_budget::UrlBudget;
use super::rss_writer::RssWriter;
use crate::markup::tag::StartTag;

/// Authors, categories and annotations of one item; further ones are dropped.
const MAX_VALUES: usize = 100;
/// Enclosures of one item; further ones are dropped, since feed-rs uses a kilobyte for each.
const MAX_ENCLOSURES: usize = 32;

/// The values of one item, or of the feed.
#[derive(Default)]
pub struct ItemBuilder {
    /// The highest priority written so far, by field.
    priorities: [u8; FeedField::COUNT],
    value_count: usize,
    enclosure_count: usize,
    link: PrioritizedUrl,
    image: PrioritizedUrl,
    /// The guid, if it declares itself to be a URL.
    pub permalink: Option<String>,
    /// RSS 1.0's `rdf:about`: the item's identity where it has no guid.
    rdf_about: Option<String>,
}

/// The URL of highest priority; the first of equals.
#[derive(Default)]
struct PrioritizedUrl {
    priority: u8,
    url: Option<Url>,
}

impl PrioritizedUrl {
    fn offer(&mut self, url: Url, priority: u8) {
        if priority > self.priority {
            *self = PrioritizedUrl { priority, url: Some(url) };
        }
    }
}

impl ItemBuilder {
    pub fn for_item(tag: StartTag) -> Self {
        let about = tag.attribute("rdf:about").map(|about| about.trim().to_owned());
        ItemBuilder { rdf_about: about.filter(|about| !about.is_empty()), ..ItemBuilder::default() }
    }

    /// The highest priority of a field so far; 0 where it has no value.
    pub fn priority(&self, field: FeedField) -> u8 {
        self.priorities[field as usize]
    }

    /// Whether a value has a higher priority than all before it. If so, later ones have to exceed it.
    pub fn accepts(&mut self, field: FeedField, priority: u8) -> bool {
        let highest = &mut self.priorities[field as usize];
        let is_higher = priority > *highest;
        *highest = priority.max(*highest);
        is_higher
    }

    /// Whether one more author, category or annotation may be written.
    pub fn has_room_for_value(&mut self) -> bool {
        self.value_count += 1;
        self.value_count <= MAX_VALUES
    }

    pub fn has_room_for_enclosure(&mut self) -> bool {
        self.enclosure_count += 1;
        self.enclosure_count <= MAX_ENCLOSURES
    }

    /// Whether a link of this priority would replace the present one.
    pub fn wants_link(&self, priority: u8) -> bool {
        priority > self.link.priority
    }

    pub fn offer_link(&mut self, url: Url, priority: u8) {
        self.link.offer(url, priority);
    }

    /// Whether an image of this priority would replace the present one.
    pub fn wants_image(&self, priority: u8) -> bool {
        priority > self.image.priority
    }

    pub fn offer_image(&mut self, url: Url, priority: u8) {
        self.image.offer(url, priority);
    }

    /// Writes the guid from `rdf:about`, the link and the image.
    pub fn write_deferred(self, output: &mut RssWriter, budget: &mut UrlBudget) {
        let has_guid = self.priority(FeedField::Guid) > 0;
        if let Some(about) = self.rdf_about.as_ref().filter(|_| !has_guid) {
            output.element("guid", about);
        }
        let link = self.link.url.or_else(|| {
            // Only an absolute URL: a guid such as `4711` must not be resolved.
            let url = self.permalink.or(self.rdf_about).and_then(|identity| Url::parse(&identity).ok())?;
            // The document contains it once, the output twice.
            (matches!(url.scheme(), "http" | "https") && budget.try_spend("", url.as_str())).then_some(url)
        });
        if let Some(link) = link {
            output.element("link", link.as_str());
        }
        if let Some(image) = self.image.url {
            output.annotation(annotations::IMAGE, image.as_str());
        }
    }
}
