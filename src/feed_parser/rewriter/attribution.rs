//! Writes the authors of an item or the feed, and keeps the publication from which an item was taken.

use super::super::element_map::FeedField;
use super::super::one_line_text::html_to_plain_text;
use super::FeedRewriter;
use super::byline::author_name;
use super::element_text::flatten_markup;
use super::rss_writer::push_element;
use crate::markup::tag::StartTag;

/// The maximum number of bytes that are read from the name of a publication.
const MAX_REPORTER_BYTES: usize = 400;

impl FeedRewriter<'_, '_> {
    pub fn write_author(&mut self, inner: &str, priority: u8) {
        if priority < self.current.priority(FeedField::Author) || !self.current.has_room_for_value() {
            return;
        }
        let Some(name) = author_name(inner) else { return };
        self.current.accepts(FeedField::Author, priority);
        if self.in_item() {
            push_element(&mut self.xml, "dc:creator", &name);
        } else {
            self.feed.authors.push(name);
        }
    }

    /// Keeps an author of the feed from which an entry was copied, for an entry without an author (RFC 4287 §4.2.1).
    fn add_source_author(&mut self, inner: &str) {
        if self.current.has_room_for_value() {
            self.current.source_authors.extend(author_name(inner));
        }
    }

    /// Keeps the publication from which an item was taken, in the RSS form.
    pub fn keep_reporter(&mut self, tag: StartTag, inner: &str) {
        self.keep_reporter_name(inner);
        if let Some(href) = tag.attribute("url") {
            self.keep_reporter_url(tag, &href);
        }
    }

    /// Keeps an element of Atom's `source`.
    pub fn keep_source_field(&mut self, tag: StartTag, field: FeedField, inner: &str) {
        match field {
            FeedField::Author => self.add_source_author(inner),
            FeedField::Title => self.keep_reporter_name(inner),
            FeedField::Link if tag.attribute("rel").is_none_or(|rel| rel.trim() == "alternate") => {
                self.keep_reporter_url(tag, &tag.attribute("href").unwrap_or_default());
            }
            _ => {}
        }
    }

    fn keep_reporter_name(&mut self, inner: &str) {
        let name = html_to_plain_text(&flatten_markup(inner, true, MAX_REPORTER_BYTES));
        if let Some(item) = self.open_item() {
            let reporter = item.reporter.get_or_insert_default();
            reporter.name = reporter.name.take().or(name);
        }
    }

    fn keep_reporter_url(&mut self, tag: StartTag, href: &str) {
        let url = self.resolve(tag, href);
        if let Some(item) = self.open_item() {
            let reporter = item.reporter.get_or_insert_default();
            reporter.url = reporter.url.take().or(url);
        }
    }
}
