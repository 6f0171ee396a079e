//! Which element of a page holds the text of the article.
//!
//! Three answers are compared: the element that the page itself marks, what Mozilla's Readability finds, and the element
//! with most text directly inside. The mark is the most precise where it is true, but some pages mark a summary or a
//! hidden copy, and Readability takes a caption for the article where the article is short.

use super::clutter::{find_clutter, is_prose};
use super::text_block::{TextBlock, text_blocks_of};
use dom_query::{Document, NodeId, NodeRef};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// Elements that say that they hold the text of an article: schema.org, RDFa, hAtom, microformats, and the class names of
/// widespread content management systems.
const MARKED_BODIES: &str = "[itemprop~=articleBody], [property~=articleBody], .entry-content, .e-content, .articleBody, \
     .article-body, .article__body, .article-content, .story-body, .post-content";
/// The maximum number of marked elements of a page that are examined.
const MAX_MARKED_BODIES: usize = 8;
/// The text of Readability is replaced if the densest element has this many times as much.
const MIN_DENSITY_GAIN: usize = 4;

/// The text of an article, as one of the answers has it.
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

    /// The text of the element that the page marks; empty if it marks none.
    pub fn marked(document: &Document, headline: Option<&str>) -> BodyText {
        let bodies = document.select(MARKED_BODIES);
        let texts = bodies.nodes().iter().take(MAX_MARKED_BODIES).map(text_blocks_of);
        texts.map(|blocks| BodyText::new(blocks, headline)).max_by_key(|text| text.paragraphs).unwrap_or_default()
    }

    /// The text of the element with most text directly inside.
    pub fn densest(document: &Document, headline: Option<&str>) -> BodyText {
        let root = document.root();
        let densest = densest_element(&root, &text_blocks_of(&root)).map(|id| NodeRef::new(id, root.tree));
        densest.map(|element| BodyText::new(text_blocks_of(&element), headline)).unwrap_or_default()
    }

    /// Marks blocks that are clutter in the whole page. Readability moves blocks and drops labels and links.
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

    /// The best of the candidates. `whole` is the text of the whole page.
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

/// A text is this many levels below the element that contains its paragraph: `<div><p>text`.
const PARAGRAPH_LEVELS: usize = 2;

/// The element with most text in its own paragraphs, of the blocks below `root`.
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
