//! Starts and ends items, even if an end tag is missing.

use url::Url;

use super::super::base_url::clean_href;
use super::super::element_map::FeedField;
use super::super::parsed_feed::ParsedItem;
use super::rss_writer::push_element;
use super::{ElementRole, FeedRewriter, FieldState};
use crate::domain::ProblemKind;
use crate::markup::tag::StartTag;

impl<'a> FeedRewriter<'a, '_> {
    /// Starts an item. Open elements other than the item's containers lack an end tag and are closed.
    pub fn start_item(&mut self, tag: StartTag<'a>) {
        self.excess_depth = 0;
        if let Some(index) = self.open.iter().position(|open| open.role == ElementRole::Item) {
            self.record(ProblemKind::NotWellFormed, tag.name);
            self.close_to(index);
        }
        while self.open.last().is_some_and(|open| open.role == ElementRole::Skipped) {
            self.record(ProblemKind::NotWellFormed, tag.name);
            self.open.pop();
        }
        if self.open.len() >= self.options.max_depth.max(1) {
            self.close_to(self.options.max_depth.min(1));
        }
        self.declare_namespaces(tag);
        if self.feed.items.len() >= self.options.max_items {
            self.record(ProblemKind::TooManyItems, "additional items were dropped");
            return self.push(tag, ElementRole::Skipped);
        }
        self.feed.items.push(ParsedItem::default());
        self.xml.push_str("<item>");
        self.outer = Some(std::mem::replace(&mut self.current, FieldState::for_item(tag)));
        self.write_attributes(tag);
        self.push(tag, ElementRole::Item);
        if tag.self_closing {
            self.end_item();
            self.namespaces.leave(self.open.len());
        }
    }

    /// Ends the open item, if there is one. The link is written last, because the best link may come last.
    pub fn end_item(&mut self) {
        let Some(feed) = self.outer.take() else { return };
        let item = std::mem::replace(&mut self.current, feed);
        if item.priority(FeedField::Author) == 0 {
            item.source_authors.iter().for_each(|name| push_element(&mut self.xml, "dc:creator", name));
        }
        if let Some(about) = item.rdf_about.as_ref().filter(|_| item.priority(FeedField::Guid) == 0) {
            push_element(&mut self.xml, "guid", about);
        }
        let link = item.link.or_else(|| {
            // Accepts only absolute URLs: a guid such as `4711` must not be resolved.
            let url = Url::parse(&clean_href(&item.permalink.or(item.rdf_about)?)).ok()?;
            // The document contains the URL once, but the output contains it twice.
            self.urls.accept(url, 0)
        });
        if let Some(link) = link {
            push_element(&mut self.xml, "link", link.as_str());
        }
        self.xml.push_str("</item>\n");
    }
}
