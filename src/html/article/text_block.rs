//! Splits the visible text of a tree into blocks with the properties that distinguish text from clutter.
//!
//! The module reads every node once, never recurses, and changes the tree only in [`remove_blocks`].

use super::super::nesting_rules::{is_heading, is_inline};
use crate::markup::whitespace::fold_whitespace;
use dom_query::{NodeId, NodeRef};

/// A run of text that is not interrupted by a block element or a line break.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextBlock {
    pub text: String,
    pub kind: BlockKind,
    /// The level of a heading, 1 to 6; otherwise 0.
    pub heading_level: u8,
    /// The number of characters of the text that are inside links.
    pub link_chars: usize,
    /// The URL of the last link, as it appears on the page.
    pub link: Option<String>,
    pub link_count: usize,
    /// The text outside links.
    pub unlinked_text: String,
    /// The text of a link at the end of the block.
    pub last_link_text: Option<String>,
    /// The end of the outermost box that starts with this block: the index after the box's last block. It is at most
    /// the next index if the block does not start a box.
    pub box_end: usize,
    nodes: Vec<NodeId>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BlockKind {
    #[default]
    Paragraph,
    Heading,
    ListItem,
    TableRow,
}

impl TextBlock {
    /// Creates a block from a line of plain text.
    pub fn from_line(text: String) -> TextBlock {
        TextBlock { text, ..TextBlock::default() }
    }

    /// Returns the first text node of the block in the tree of `root`.
    pub fn first_node<'t>(&self, root: &NodeRef<'t>) -> Option<NodeRef<'t>> {
        self.nodes.first().map(|id| NodeRef::new(*id, root.tree))
    }

    /// Returns whether nearly all of the text is inside links.
    pub fn is_link(&self) -> bool {
        self.link_chars > 0 && self.link_chars * 10 >= self.visible_chars() * 9
    }

    /// Returns whether at least half of the text is inside links.
    pub fn is_mostly_link(&self) -> bool {
        self.link_chars > 0 && self.link_chars * 2 >= self.visible_chars()
    }

    /// Returns whether the block consists of several links with short text and separators between them, such as tags.
    pub fn is_row_of_links(&self) -> bool {
        const MIN_LINKS: usize = 3;
        const MAX_LINK_WORDS: usize = 3;
        self.link_count >= MIN_LINKS
            && !self.unlinked_text.contains(char::is_alphanumeric)
            && self.text.split_whitespace().count() <= self.link_count * MAX_LINK_WORDS
    }

    fn visible_chars(&self) -> usize {
        self.text.chars().filter(|c| !c.is_whitespace()).count()
    }
}

/// Elements that contain the whole text and therefore do not count as boxes.
const TEXT_CONTAINERS: &[&str] = &["html", "body", "main", "article"];
/// Inline elements, in addition to the inline elements that item content may contain.
const OTHER_INLINE_ELEMENTS: &[&str] = &[
    "acronym", "bdi", "bdo", "big", "data", "del", "dfn", "ins", "kbd", "label", "nobr", "rb", "rp", "rt", "ruby",
    "samp", "strike", "time", "tt", "var",
];
/// Elements that display nothing, or nothing that belongs to the text.
const SILENT_ELEMENTS: &[&str] = &[
    "script",
    "style",
    "template",
    "noscript",
    "svg",
    "iframe",
    "object",
    "video",
    "audio",
    "annotation",
    "annotation-xml",
    "head",
    "title",
    "select",
    "textarea",
];

/// The maximum number of children that are examined to decide whether an element is empty. The limit bounds the time if
/// thousands of siblings are removed.
const MAX_EMPTY_CHILDREN: usize = 16;

/// Returns the blocks of the text below `root`.
pub fn text_blocks_of(root: &NodeRef<'_>) -> Vec<TextBlock> {
    let mut collector = Collector::default();
    let mut next = root.first_child();
    while let Some(node) = next {
        let is_entered = collector.enter(&node);
        next = if is_entered { node.first_child() } else { None };
        let mut current = node;
        while next.is_none() && current.id != root.id {
            collector.leave(&current);
            next = current.next_sibling();
            match current.parent() {
                Some(parent) if next.is_none() => current = parent,
                _ => break,
            }
        }
    }
    collector.end_block();
    collector.blocks
}

/// Returns whether elements or line breaks divide the text below `root`.
pub fn has_block_elements(root: &NodeRef<'_>) -> bool {
    root.descendants_it().any(|node| node.has_name("br") || is_block(&node))
}

/// Removes the text of these blocks from their tree.
pub fn remove_blocks<'b>(root: &NodeRef<'_>, blocks: impl Iterator<Item = &'b TextBlock>) {
    for block in blocks {
        for id in &block.nodes {
            remove_with_empty_parents(NodeRef::new(*id, root.tree), root.id);
        }
    }
}

/// Removes the text of a block from its tree, except for the first `kept_bytes` bytes.
pub fn truncate_block(root: &NodeRef<'_>, block: &TextBlock, kept_bytes: usize) {
    let is_visible = |c: &char| !c.is_whitespace();
    let mut removed = block.text[kept_bytes..].chars().filter(is_visible).count();
    for id in block.nodes.iter().rev() {
        let node = NodeRef::new(*id, root.tree);
        let text = node.text();
        let visible = text.chars().filter(is_visible).count();
        if visible <= removed {
            remove_with_empty_parents(node, root.id);
            removed -= visible;
            continue;
        }
        let kept = text.char_indices().filter(|(_, c)| is_visible(c)).nth(visible - removed).map(|(at, _)| at);
        if let Some(kept) = kept.filter(|_| removed > 0) {
            node.set_text(text[..kept].trim_end());
        }
        return;
    }
}

/// Removes a node, and the ancestors that become empty.
fn remove_with_empty_parents(node: NodeRef<'_>, root: NodeId) {
    let mut node = node;
    while let Some(parent) = node.parent() {
        node.remove_from_parent();
        let is_shown = |child: NodeRef<'_>| child.is_element() || child.is_nonempty_text();
        let is_empty =
            !parent.children_it(false).enumerate().any(|(n, child)| n >= MAX_EMPTY_CHILDREN || is_shown(child));
        if !is_empty || parent.id == root {
            return;
        }
        node = parent;
    }
}

#[derive(Default)]
struct Collector {
    blocks: Vec<TextBlock>,
    text: String,
    link_chars: usize,
    nodes: Vec<NodeId>,
    open_links: usize,
    link_count: usize,
    unlinked_text: String,
    link: Option<String>,
    /// The offset of the last link in `text`.
    link_start: usize,
    last_link_text: Option<String>,
    kinds: Vec<BlockKind>,
    /// The level of the most recently entered heading.
    heading_level: u8,
    /// For each open element, the number of blocks before it.
    starts: Vec<usize>,
    /// The number of open table rows whose cells contain only short text.
    open_data_rows: usize,
}

impl Collector {
    /// Enters an element or adds the text of a text node. Returns false for a node whose children are not visited.
    fn enter(&mut self, node: &NodeRef<'_>) -> bool {
        let Some(name) = node.node_name().filter(|_| node.is_element()) else {
            if node.is_text() {
                self.add_text(node);
            }
            return false;
        };
        let name = name.as_ref();
        if SILENT_ELEMENTS.contains(&name) {
            return false;
        }
        if !is_inline_element(name) {
            self.separate(name);
        }
        if name == "a" {
            self.open_links += 1;
            self.link_count += 1;
            self.link = node.attr("href").map(|href| href.to_string());
            self.link_start = self.text.len();
        }
        self.open_data_rows += usize::from(is_data_row(node, name));
        self.kinds.extend(block_kind(name));
        self.heading_level = heading_level(name).unwrap_or(self.heading_level);
        self.starts.push(self.blocks.len());
        true
    }

    fn leave(&mut self, node: &NodeRef<'_>) {
        let Some(name) = node.node_name().filter(|_| node.is_element()) else {
            return;
        };
        let name = name.as_ref();
        if SILENT_ELEMENTS.contains(&name) {
            return;
        }
        self.open_data_rows -= usize::from(is_data_row(node, name));
        if !is_inline_element(name) {
            self.separate(name);
        }
        if name == "a" {
            self.open_links -= 1;
            let text = self.text.get(self.link_start..).map(fold_whitespace);
            self.last_link_text = text.filter(|text| !text.is_empty()).or(self.last_link_text.take());
        }
        if block_kind(name).is_some() {
            self.kinds.pop();
        }
        let end = self.blocks.len();
        let start = self.starts.pop().unwrap_or(end);
        if start < end && !TEXT_CONTAINERS.contains(&name) {
            self.blocks[start].box_end = self.blocks[start].box_end.max(end);
        }
    }

    fn add_text(&mut self, node: &NodeRef<'_>) {
        let text = node.text();
        let visible = text.chars().filter(|c| !c.is_whitespace()).count();
        self.text.push_str(&text);
        if self.open_links == 0 {
            self.unlinked_text.push_str(&text);
        }
        if text.contains(char::is_alphanumeric) && self.open_links == 0 {
            self.last_link_text = None;
        }
        if visible > 0 {
            self.nodes.push(node.id);
            self.link_chars += if self.open_links > 0 { visible } else { 0 };
        }
    }

    /// Ends the block, or separates two cells of a row.
    fn separate(&mut self, name: &str) {
        if self.open_data_rows > 0 && matches!(name, "td" | "th") {
            self.text.push(' ');
        } else if name != "wbr" {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        let text = fold_whitespace(&self.text);
        self.text.clear();
        self.link_start = 0;
        let link_count = std::mem::take(&mut self.link_count);
        let unlinked_text = std::mem::take(&mut self.unlinked_text);
        let (link_chars, nodes) = (std::mem::take(&mut self.link_chars), std::mem::take(&mut self.nodes));
        if !text.is_empty() {
            let kind = self.kinds.last().copied().unwrap_or_default();
            let heading_level = if kind == BlockKind::Heading { self.heading_level } else { 0 };
            let link = self.link.clone().filter(|_| link_chars > 0);
            let last_link_text = self.last_link_text.take().filter(|_| link_chars > 0);
            self.blocks.push(TextBlock {
                text,
                kind,
                heading_level,
                link_chars,
                link,
                link_count,
                unlinked_text: fold_whitespace(&unlinked_text),
                last_link_text,
                box_end: 0,
                nodes,
            });
        }
    }
}

fn is_inline_element(name: &str) -> bool {
    is_inline(name) || OTHER_INLINE_ELEMENTS.contains(&name)
}

fn heading_level(name: &str) -> Option<u8> {
    name.strip_prefix('h').filter(|_| is_heading(name))?.parse().ok()
}

fn block_kind(name: &str) -> Option<BlockKind> {
    match name {
        _ if is_heading(name) => Some(BlockKind::Heading),
        "li" | "dd" | "dt" => Some(BlockKind::ListItem),
        "tr" => Some(BlockKind::TableRow),
        _ => None,
    }
}

/// Returns whether the element is a table row with several cells that contain no blocks. Layout tables have blocks in
/// their cells.
fn is_data_row(node: &NodeRef<'_>, name: &str) -> bool {
    name == "tr" && {
        let cells = || node.children_it(false).filter(|cell| cell.is_element());
        cells().count() > 1 && cells().all(|cell| cell.children_it(false).all(|child| !is_block(&child)))
    }
}

fn is_block(node: &NodeRef<'_>) -> bool {
    node.node_name()
        .filter(|_| node.is_element())
        .is_some_and(|name| name.as_ref() != "br" && !is_inline_element(&name))
}
