//! Rewrites HTML to be well nested with only allowed elements and attributes, or extracts its text.
//!
//! The module is not a sanitizer: attribute values stay unchanged. It bounds the tree that the sanitizer builds.
//! html5ever takes time quadratic in the depth of elements and in the number of attributes of one element, and reopens
//! an unclosed `<b>` in every paragraph (WHATWG HTML, §13.2.4.3): 256 KiB of HTML grew to gigabytes. Counting tags is
//! insufficient, because a parser ignores some of them (`<div></x>`), so this module rewrites the HTML.
//!
//! The rewriter never recurses and reads every byte once.

use super::MAX_HTML_DEPTH;
use super::allow_list::{allowed_attribute, allowed_element, removed_with_content};
use super::nesting_rules::{
    closes_paragraph, contains_raw_text, is_formatting, is_heading, is_inline, is_scope_boundary, is_table_part,
    is_void, table_level,
};
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};

/// The maximum number of formatting elements that a tree parser may reopen in one document.
const MAX_REOPENED_ELEMENTS: usize = 128 * 1024;
/// The maximum total growth of all links in bytes, from `rel` attributes, end tags and the base of relative links.
const MAX_LINK_GROWTH_BYTES: usize = 512 * 1024;
/// The growth of a link in bytes: ` rel="noopener noreferrer nofollow"` and the end tag.
const LINK_GROWTH_BYTES: usize = 40;
/// The maximum length of a text node. html5ever takes time quadratic in the number of `&` in a text node or attribute.
const MAX_TEXT_NODE_BYTES: usize = 1024;
const MAX_ATTRIBUTE_VALUE_BYTES: usize = 8 * 1024;

/// Rewrites `html` with only the allowed elements. Returns `None` if the elements are nested too deeply. Resolving a
/// link adds `base_bytes` to its length.
pub(super) fn rebalance_html(html: &str, base_bytes: usize) -> Option<String> {
    Rebalancer { keeps_elements: true, base_bytes, ..Rebalancer::default() }.rewrite(html)
}

/// Returns the text of `html` as HTML without elements. `separator` precedes each tag that starts or ends a block.
pub(super) fn strip_elements(html: &str, separator: char) -> String {
    Rebalancer { block_separator: Some(separator), ..Rebalancer::default() }.rewrite(html).unwrap_or_default()
}

#[derive(Default)]
struct Rebalancer {
    out: String,
    keeps_elements: bool,
    block_separator: Option<char>,
    open: Vec<&'static str>,
    open_formatting: usize,
    reopened: usize,
    base_bytes: usize,
    link_growth: usize,
    /// The number of bytes of text since the last tag or comment in the output.
    text_node_bytes: usize,
    removed: Option<RemovedElement>,
}

/// An element that is being removed together with its content.
struct RemovedElement {
    name: &'static str,
    /// The number of open elements with this name.
    depth: usize,
}

impl Rebalancer {
    fn rewrite(mut self, html: &str) -> Option<String> {
        self.out.reserve(html.len() + html.len() / 8);
        let mut tokens = Tokenizer::html(html);
        while let Some(token) = tokens.next() {
            match token {
                MarkupToken::Text(text) | MarkupToken::CData(text) => self.write_text(text),
                MarkupToken::Start(tag) => {
                    let name = tag.name.to_ascii_lowercase();
                    self.start_element(&name, &tag);
                    if contains_raw_text(&name) && !(self.is_in_foreign_content() && tag.self_closing) {
                        tokens.skip_raw_text(&name);
                    }
                }
                MarkupToken::End(name) => self.end_element(&name.to_ascii_lowercase()),
                MarkupToken::Other => {}
            }
            if self.open.len() > MAX_HTML_DEPTH || self.reopened > MAX_REOPENED_ELEMENTS {
                return None;
            }
        }
        Some(self.out)
    }

    fn write_text(&mut self, text: &str) {
        if self.removed.is_some() {
            return;
        }
        if !text.bytes().all(|byte| byte.is_ascii_whitespace()) {
            self.open_table_cell();
        }
        self.reopened += self.open_formatting;
        if text.contains('<') { self.push_text(&text.replace('<', "&lt;")) } else { self.push_text(text) }
    }

    /// Writes text as nodes of limited length. Empty comments separate the nodes, and the sanitizer drops them.
    fn push_text(&mut self, text: &str) {
        let mut rest = text;
        while self.text_node_bytes + rest.len() > MAX_TEXT_NODE_BYTES {
            let (node, after) = rest.split_at(self.text_break(rest));
            self.out.push_str(node);
            self.out.push_str("<!---->");
            self.text_node_bytes = 0;
            rest = after;
        }
        self.out.push_str(rest);
        self.text_node_bytes += rest.len();
    }

    /// Returns where to split text that exceeds its node: before white space, or else outside a character reference.
    fn text_break(&self, text: &str) -> usize {
        let start = &text[..text.floor_char_boundary(MAX_TEXT_NODE_BYTES - self.text_node_bytes)];
        let last = |is_break: fn(char) -> bool| start.rfind(is_break).filter(|at| *at > 0 || self.text_node_bytes > 0);
        last(|c| c.is_ascii_whitespace()).or_else(|| last(|c| c == '&')).unwrap_or(start.len())
    }

    fn start_element(&mut self, name: &str, tag: &StartTag<'_>) {
        self.separate_blocks(name);
        let is_foreign = self.is_in_foreign_content();
        if let Some(removed) = &mut self.removed {
            let is_nested = removed.name == name && !(is_foreign && tag.self_closing);
            removed.depth += usize::from(is_nested);
        } else if let Some(removed) = removed_with_content(name) {
            let is_empty = tag.self_closing && is_foreign_root(name);
            self.removed = (!is_empty).then_some(RemovedElement { name: removed, depth: 1 });
        } else if self.keeps_elements
            && let Some(allowed) = allowed_element(name)
        {
            self.write_element(allowed, tag);
        }
    }

    fn separate_blocks(&mut self, name: &str) {
        if let Some(separator) = self.block_separator
            && self.removed.is_none()
            && !is_inline(name)
        {
            self.push_text(separator.encode_utf8(&mut [0; 4]));
        }
    }

    fn is_in_foreign_content(&self) -> bool {
        self.removed.as_ref().is_some_and(|removed| is_foreign_root(removed.name))
    }

    fn write_element(&mut self, name: &'static str, tag: &StartTag<'_>) {
        if is_table_part(name) && !self.open.contains(&"table") {
            return;
        }
        let growth = match name {
            "a" => self.base_bytes + LINK_GROWTH_BYTES,
            "img" => self.base_bytes,
            _ => 0,
        };
        if self.link_growth + growth > MAX_LINK_GROWTH_BYTES {
            return;
        }
        self.link_growth += growth;
        self.close_implied(name);
        if !is_table_part(name) {
            self.open_table_cell();
        }
        self.reopened += self.open_formatting;
        self.text_node_bytes = 0;
        self.write_start_tag(name, tag);
        if !is_void(name) {
            self.open_formatting += usize::from(is_formatting(name));
            self.open.push(name);
        }
    }

    fn write_start_tag(&mut self, name: &str, tag: &StartTag<'_>) {
        let mut attributes: Vec<(&str, &str)> = Vec::new();
        for (attribute, value) in tag.attributes().filter(|(_, value)| value.len() <= MAX_ATTRIBUTE_VALUE_BYTES) {
            if let Some(allowed) = allowed_attribute(name, attribute)
                && attributes.iter().all(|(other, _)| *other != allowed)
            {
                attributes.push((allowed, value));
            }
        }
        // ammonia moves the last attribute to the place of a dropped attribute, and it drops only links. If the link
        // comes last, sanitizing twice yields the same HTML as sanitizing once.
        attributes.sort_by_key(|(attribute, _)| matches!(*attribute, "href" | "src"));
        self.out.push('<');
        self.out.push_str(name);
        for (attribute, value) in attributes {
            let value = value.replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
            self.out.push_str(&format!(" {attribute}=\"{value}\""));
        }
        self.out.push('>');
    }

    /// Opens a cell for content that is inside a table but outside a cell. A tree parser would move such content out of
    /// the table, into the element that is open there.
    fn open_table_cell(&mut self) {
        while let Some(&("table" | "tbody" | "thead" | "tfoot" | "tr")) = self.open.last() {
            let part = if self.open.last() == Some(&"tr") { "td" } else { "tr" };
            self.out.push_str(&format!("<{part}>"));
            self.open.push(part);
        }
    }

    /// Closes the elements that the start tag of an element implicitly closes.
    fn close_implied(&mut self, name: &str) {
        let depth = match name {
            "li" => self.innermost(|open| open == "li", |open| matches!(open, "ul" | "ol") || is_scope_boundary(open)),
            "dt" | "dd" => {
                self.innermost(|open| matches!(open, "dt" | "dd"), |open| open == "dl" || is_scope_boundary(open))
            }
            "a" => self.innermost(|open| open == "a", is_scope_boundary),
            _ if is_table_part(name) => {
                let table = self.open.iter().rposition(|open| *open == "table").unwrap_or_default();
                let closes = |open: &&str| table_level(open) >= table_level(name) || *open == "caption";
                self.open[table..].iter().position(closes).map(|at| table + at)
            }
            _ if is_heading(name) => self.open.last().filter(|open| is_heading(open)).map(|_| self.open.len() - 1),
            _ => None,
        };
        self.close_to(depth.unwrap_or(self.open.len()));
        if closes_paragraph(name) {
            let paragraph = self.innermost(|open| open == "p", is_scope_boundary);
            self.close_to(paragraph.unwrap_or(self.open.len()));
        }
    }

    fn end_element(&mut self, name: &str) {
        self.separate_blocks(name);
        if let Some(removed) = &mut self.removed {
            removed.depth -= usize::from(removed.name == name);
            if removed.depth == 0 {
                self.removed = None;
            }
            return;
        }
        let leaves_cells = name == "table" || is_table_part(name);
        let stops = |open: &str| if leaves_cells { open == "table" } else { is_scope_boundary(open) };
        if let Some(depth) = self.innermost(|open| open == name, stops) {
            self.close_to(depth);
        } else if name == "br" && self.keeps_elements {
            self.out.push_str("<br>");
        }
    }

    /// Returns the index of the innermost open element that `is_wanted` accepts; `None` if `stops` accepts an element
    /// inside it.
    fn innermost(&self, is_wanted: impl Fn(&str) -> bool, stops: impl Fn(&str) -> bool) -> Option<usize> {
        let found = self.open.iter().rposition(|open| is_wanted(open) || stops(open))?;
        is_wanted(self.open[found]).then_some(found)
    }

    fn close_to(&mut self, depth: usize) {
        for name in self.open.drain(depth..).rev() {
            self.text_node_bytes = 0;
            self.open_formatting -= usize::from(is_formatting(name));
            self.out.push_str(&format!("</{name}>"));
        }
    }
}

/// Returns whether a removed element has foreign content. A slash closes such an element and any element in it.
fn is_foreign_root(name: &str) -> bool {
    matches!(name, "svg" | "annotation" | "annotation-xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(rebalance_html(html, 0).as_deref(), Some(expected), "from {html}");
    }

    #[test]
    fn elements_are_closed_in_reverse_order() {
        check("<b>1<i>2</b>3</i>", "<b>1<i>2</i></b>3");
        check("<p>1<p><b>2<p>3", "<p>1</p><p><b>2</b></p><p>3");
        check("<ul><li>1<li>2<ul><li>3</ul></ul>4", "<ul><li>1</li><li>2<ul><li>3</li></ul></li></ul>4");
        check(
            "<table><tr><td>1<td>2<tr><td>3</table>4",
            "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>4",
        );
        check("<table>1<tr><b>2", "<table><tr><td>1</td></tr><tr><td><b>2");
        check("<table><caption>1<td>2", "<table><caption>1</caption><td>2");
        check("<td>1</td><div>2</div></p></br>", "12<br>");
        check("<p><table><tr><td></p>1", "<p></p><table><tr><td>1");
    }

    #[test]
    fn removed_element_leaves_its_text_or_nothing() {
        check("<DIV Class=x>1</DIV><script>'</b>'</SCRIPT>2<!-- > <b> -->3<!-->4<?x?>5</>6", "123456");
        check("<svg><title>a<b></title><script/><svg></svg><b>x</b></svg>1<form>2<form>3</form>4", "1234");
        check("1 < 2 <3 <b", "1 &lt; 2 &lt;3 ");
    }

    #[test]
    fn attributes_are_allowed_unique_and_quoted() {
        check("<a HREF=x?a&b title='\"<1>' onclick=x() href=y =z/>1", "<a title=\"&quot;&lt;1&gt;\" href=\"x?a&b\">1");
        check("<img src = 'a>b'lang=de /alt>", "<img lang=\"de\" alt=\"\" src=\"a&gt;b\">");
    }

    #[test]
    fn html_that_would_grow_is_refused_or_loses_its_links() {
        let many: String = (0..200).map(|n| format!("<b lang={n}>")).collect();
        assert_eq!(rebalance_html(&format!("{many}{}", "<u></u>x".repeat(9_000)), 0), None);
        assert_eq!(rebalance_html(&"<em>".repeat(MAX_HTML_DEPTH + 1), 0), None);
        let links = rebalance_html(&"<a href=x>y</a>".repeat(1_000), 5_000).unwrap();
        assert!(links.matches("<a").count() < 110 && links.matches('y').count() == 1_000);
    }
}
