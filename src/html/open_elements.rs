//! Tracks the open elements of HTML, and whether readers see their content.
//!
//! The number of elements is limited, so each end tag takes bounded time.

use super::MAX_HTML_DEPTH;
use super::nesting_rules::is_inline;
use super::tracking_pixel::{ContentVisibility, content_visibility};
use crate::markup::tag::StartTag;

/// Elements without content and end tag.
const VOID_ELEMENTS: [&str; 12] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"];

#[derive(Default)]
pub(super) struct OpenElements {
    /// For each open element, its name, and whether readers see content at this point.
    open: Vec<(String, ContentVisibility)>,
}

impl OpenElements {
    pub(super) fn start(&mut self, name: &str, tag: &StartTag<'_>) {
        if VOID_ELEMENTS.contains(&name) {
            return;
        }
        self.close_implied(name);
        if self.open.len() < MAX_HTML_DEPTH {
            let visibility = self.visibility().max(content_visibility(tag));
            self.open.push((name.to_owned(), visibility));
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

    /// Returns whether readers see content at the current position.
    pub(super) fn visibility(&self) -> ContentVisibility {
        match self.open.last() {
            _ if self.open.len() >= MAX_HTML_DEPTH => ContentVisibility::Hidden,
            last => last.map_or_else(ContentVisibility::default, |(_, visibility)| *visibility),
        }
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
