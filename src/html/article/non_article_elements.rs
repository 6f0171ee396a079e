//! Removes elements whose names or classes show that they are not part of the article: menus, forms, share bars,
//! teasers, comments.
//!
//! Names are unreliable: an element with a layout class such as `sidebar-fixed`, or a form, may contain the whole page.
//! An element that contains the headline or the area with the most text is therefore never removed.

use super::body_element::densest_element;
use super::clutter::is_prose;
use super::text_block::text_blocks_of;
use dom_query::{Document, NodeId, NodeRef};
use std::collections::HashSet;

/// Elements that are never part of an article's text.
const NON_ARTICLE_ELEMENTS: &str = "nav, aside, footer, button, label, input, textarea, dialog, template, iframe, svg, \
     script, style, noscript, select, figcaption, [role=navigation], [role=complementary], [role=banner], \
     [role=contentinfo], [role=dialog], [role=search], [aria-hidden=true], [hidden], form, [itemprop=caption]";
/// Elements that are removed regardless of how much text they contain.
const SILENT_ELEMENTS: &[&str] =
    &["script", "style", "noscript", "template", "iframe", "svg", "select", "textarea", "button", "input"];

/// Words that identify boxes in classes and IDs.
#[rustfmt::skip]
const BOX_WORDS: &[&str] = &[
    "share", "sharing", "social", "related", "teaser", "teasers", "recommended", "recommendation", "recommendations",
    "recirculation", "newsletter", "promo", "promos", "comment", "comments", "sidebar", "breadcrumb", "breadcrumbs",
    "menu", "trending", "mostread", "mostpopular", "popular", "dontmiss", "readmore", "readnext", "outbrain", "taboola",
    "cookie", "consent", "subscribe", "subscription", "advert", "advertisement", "ad", "ads", "sponsored", "toolbar",
    "popup", "modal", "signup", "byline", "tags", "disqus", "footer", "navigation", "navbar", "caption", "copyright",
];
/// Elements whose classes and IDs never cause their removal.
const UNNAMED_ELEMENTS: &[&str] = &["html", "body", "main", "h1", "p"];

/// Removes elements whose names or roles show that they are not part of the article.
pub fn remove_boxes(document: &Document, headline: Option<NodeId>) {
    let article = ArticlePlace::find(document, headline);
    for node in document.select(NON_ARTICLE_ELEMENTS).nodes() {
        let is_silent = node.node_name().is_some_and(|name| SILENT_ELEMENTS.contains(&name.as_ref()));
        if is_silent || !article.is_inside(node) {
            node.remove_from_parent();
        }
    }
    for node in document.select("[class], [id]").nodes() {
        let is_box = ["class", "id"].iter().any(|name| node.attr(name).is_some_and(|value| names_box(&value)));
        let is_named = |name: &str| UNNAMED_ELEMENTS.contains(&name) || (name == "article" && article.has_prose(node));
        let is_kept = node.node_name().is_some_and(|name| is_named(&name));
        if is_box && !is_kept && !article.is_inside(node) {
            node.remove_from_parent();
        }
    }
}

/// The location of the article on the page.
struct ArticlePlace {
    /// The ancestors of the headline and of the element with the most text.
    containers: HashSet<NodeId>,
    /// The elements that contain a paragraph.
    prose: HashSet<NodeId>,
}

impl ArticlePlace {
    fn find(document: &Document, headline: Option<NodeId>) -> ArticlePlace {
        let root = document.root();
        let blocks = text_blocks_of(&root);
        let mut prose = HashSet::new();
        for block in blocks.iter().filter(|block| is_prose(block)) {
            let ancestors = block.first_node(&root).into_iter().flat_map(|node| node.ancestors(None));
            prose.extend(ancestors.map(|ancestor| ancestor.id));
        }
        let mut containers = HashSet::new();
        for id in headline.into_iter().chain(densest_element(&root, &blocks)) {
            containers.insert(id);
            containers.extend(NodeRef::new(id, root.tree).ancestors_it(None).map(|ancestor| ancestor.id));
        }
        ArticlePlace { containers, prose }
    }

    fn is_inside(&self, node: &NodeRef<'_>) -> bool {
        self.containers.contains(&node.id)
    }

    fn has_prose(&self, node: &NodeRef<'_>) -> bool {
        self.prose.contains(&node.id)
    }
}

/// Returns whether a class attribute or an ID contains a box word, as in `share-bar`, or is a box word, as in
/// `most-read`.
fn names_box(value: &str) -> bool {
    value.split_whitespace().any(|class| {
        let lower = class.to_ascii_lowercase();
        let joined: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
        BOX_WORDS.contains(&joined.as_str()) || words.any(|word| BOX_WORDS.contains(&word))
    })
}
