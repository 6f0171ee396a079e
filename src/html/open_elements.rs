//! Tracks the open elements of HTML, and whether one of them hides its content.
//!
//! The number of elements is limited, so each end tag takes bounded time.

use super::MAX_HTML_DEPTH;
use super::elements::is_inline;
use super::tracking_pixel::hides_content;
use crate::markup::tag::StartTag;

/// Elements without content, other than those that become a link or an image.
const VOID_ELEMENTS: [&str; 12] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"];

#[derive(Default)]
pub(super) struct OpenElements {
    /// For each open element, its name, and whether it or an element around it hides its content.
    open: Vec<(String, bool)>,
}

impl OpenElements {
    pub(super) fn start(&mut self, name: &str, tag: &StartTag<'_>) {
        if VOID_ELEMENTS.contains(&name) {
            return;
        }
        self.close_implied(name);
        if self.open.len() < MAX_HTML_DEPTH {
            let is_hidden = self.hides_content() || hides_content(tag);
            self.open.push((name.to_owned(), is_hidden));
        }
    }

    pub(super) fn end(&mut self, name: &str) {
        if let Some(at) = self.open.iter().rposition(|(open, _)| open == name) {
            self.open.truncate(at);
        }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.open.iter().any(|(open, _)| open == name)
    }

    /// Returns whether readers cannot see an image at the current position.
    pub(super) fn hides_content(&self) -> bool {
        self.open.len() >= MAX_HTML_DEPTH || self.open.last().is_some_and(|(_, is_hidden)| *is_hidden)
    }

    /// Closes the elements whose end tags may be omitted before this start tag (WHATWG HTML, §13.1.2.4).
    fn close_implied(&mut self, name: &str) {
        let is_list_or_table = |open: &str| matches!(open, "ul" | "ol" | "dl" | "table");
        let closed = match name {
            "li" | "dt" | "dd" | "td" | "th" | "tr" => {
                let at = self.open.iter().rposition(|(open, _)| open == name || is_list_or_table(open));
                at.filter(|at| self.open[*at].0 == name)
            }
            _ => None,
        };
        let paragraph = || self.open.iter().rposition(|(open, _)| open == "p").filter(|_| !is_inline(name));
        if let Some(at) = closed.or_else(paragraph) {
            self.open.truncate(at);
        }
    }
}
