//! Finds the element of a page that contains the text of the article.
//!
//! Three candidates are compared: the element that the page marks, the element that Mozilla's Readability finds, and
//! the element with the most text directly inside it. The marked element is the most precise candidate, but some pages
//! mark a summary or a hidden copy. If the article is short, Readability may mistake a caption for it.

use super::clutter::{find_clutter, is_prose};
use super::text_block::{TextBlock, text_blocks_of};
use dom_query::{Document, NodeId, NodeRef};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// Elements that are marked as the text of an article by schema.org, RDFa, hAtom, microformats, or the class names of
/// widespread content management systems.
const MARKED_BODIES: &str = "[itemprop~=articleBody], [property~=articleBody], .entry-content, .e-content, .articleBody, \
     .article-body, .article__body, .article-content, .story-body, .post-content";
/// The maximum number of marked elements that are examined per page.
const MAX_MARKED_BODIES: usize = 8;
/// The factor by which the densest element must contain more text than Readability's element in order to be chosen.
const MIN_DENSITY_GAIN: usize = 4;

/// The text of an article according to one candidate.
#[derive(Default)]
pub struct BodyText {
    pub blocks: Vec<TextBlock>,
    pub is_clutter: Vec<bool>,
    paragraphs: usize,
    bytes: usize,
}

impl BodyText {
    pub fn new(blocks: Vec<TextBlock>, headline: Option<&str>) -> BodyText {
        let is_clutter = find_clutter(&blocks, headline);
        let kept = || blocks.iter().zip(&is_clutter).filter(|(block, is_clutter)| !**is_clutter && is_prose(block));
        let (paragraphs, bytes) = (kept().count(), kept().map(|(block, _)| block.text.len()).sum());
        BodyText { blocks, is_clutter, paragraphs, bytes }
    }

    /// Returns the text of the element that the page marks as the article body; empty if the page marks none.
    pub fn marked(document: &Document, headline: Option<&str>) -> BodyText {
        let bodies = document.select(MARKED_BODIES);
        let texts = bodies.nodes().iter().take(MAX_MARKED_BODIES).map(text_blocks_of);
        texts.map(|blocks| BodyText::new(blocks, headline)).max_by_key(|text| text.paragraphs).unwrap_or_default()
    }

    /// Returns the text of the element with the most text directly inside it.
    pub fn densest(document: &Document, headline: Option<&str>) -> BodyText {
        let root = document.root();
        let densest = densest_element(&root, &text_blocks_of(&root)).map(|id| NodeRef::new(id, root.tree));
        densest.map(|element| BodyText::new(text_blocks_of(&element), headline)).unwrap_or_default()
    }

    /// Marks blocks that are clutter in the whole page, because Readability moves blocks and drops labels and links.
    pub fn mark_clutter_of(&mut self, whole: &BodyText) {
        let texts = |is_clutter: bool| {
            let blocks = whole.blocks.iter().zip(&whole.is_clutter).filter(move |(_, is)| **is == is_clutter);
            blocks.map(|(block, _)| block.text.as_str()).collect::<HashSet<&str>>()
        };
        let (clutter, kept) = (texts(true), texts(false));
        for (block, is_clutter) in self.blocks.iter().zip(&mut self.is_clutter) {
            let text = block.text.as_str();
            *is_clutter |= clutter.contains(text) && !kept.contains(text);
        }
    }

    /// Returns the best of the candidates. `whole` is the text of the whole page.
    pub fn choose(marked: BodyText, readable: BodyText, densest: BodyText, whole: BodyText) -> BodyText {
        let has_most_of = |other: &BodyText| marked.bytes * 10 >= other.bytes * 7;
        let is_whole = has_most_of(&readable) && has_most_of(&densest) && marked.paragraphs * 2 >= readable.paragraphs;
        if marked.bytes > 0 && is_whole {
            marked
        } else if densest.bytes > readable.bytes * MIN_DENSITY_GAIN {
            densest
        } else if readable.bytes > 0 {
            readable
        } else {
            whole
        }
    }
}

/// The number of levels between a text node and the parent of its paragraph: `<div><p>text`.
const PARAGRAPH_LEVELS: usize = 2;

/// Returns the element below `root` with the most text in its own paragraphs.
pub fn densest_element(root: &NodeRef<'_>, blocks: &[TextBlock]) -> Option<NodeId> {
    let mut bytes = HashMap::<NodeId, usize>::new();
    for block in blocks.iter().filter(|block| is_prose(block)) {
        let ancestors = block.first_node(root).into_iter().flat_map(|node| node.ancestors(Some(PARAGRAPH_LEVELS)));
        for ancestor in ancestors {
            *bytes.entry(ancestor.id).or_default() += block.text.len();
        }
    }
    bytes.into_iter().max_by_key(|(id, bytes)| (*bytes, Reverse(*id))).map(|(id, _)| id)
}
