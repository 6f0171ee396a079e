//! Where the text of an element ends, in a document that may have forgotten to say so.
//!
//! Never looks at a token twice: what ends a text without belonging to it is handed back to the rewrite.

use super::super::vocabulary::{Family, Field, of_feed, of_item};
use super::{Rewriter, lower};
use crate::domain::ProblemKind;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::MarkupToken;

impl<'a> Rewriter<'a, '_> {
    /// Finds where the text of an element ends and leaves the tokens there. Says also whether elements are in it.
    pub(super) fn extent(&mut self, tag: StartTag<'a>, field: Field) -> (&'a str, bool) {
        let start = self.tokens.position();
        let (mut depth, mut has_elements) = (0usize, false);
        if tag.self_closing {
            return ("", false);
        }
        loop {
            let end = self.tokens.position();
            let inner = &self.text[start..end];
            let Some(token) = self.tokens.next() else {
                return (inner, has_elements);
            };
            match token {
                MarkupToken::End(name) if name.eq_ignore_ascii_case(tag.name) => {
                    if depth == 0 {
                        return (inner, has_elements);
                    }
                    depth -= 1;
                }
                MarkupToken::End(name) if self.closes_parent(name) => {
                    self.note(ProblemKind::NotWellFormed, tag.name);
                    self.pending = Some(token);
                    return (inner, has_elements);
                }
                MarkupToken::Start(child) if self.cannot_stand_in(child, field) => {
                    self.note(ProblemKind::NotWellFormed, tag.name);
                    self.pending = Some(token);
                    return (inner, has_elements);
                }
                MarkupToken::Start(child) => {
                    has_elements = true;
                    let same = child.name.eq_ignore_ascii_case(tag.name);
                    depth += usize::from(same && !child.self_closing);
                }
                _ => {}
            }
        }
    }

    fn closes_parent(&self, name: &str) -> bool {
        // Only the innermost few are looked at: an item, its wrapper, the channel and the root.
        self.open.iter().rev().take(4).any(|open| open.name.eq_ignore_ascii_case(name))
    }

    /// Whether an element that begins within a text shows that the text was never closed.
    fn cannot_stand_in(&self, child: StartTag, field: Field) -> bool {
        let (prefix, local) = child.name.rsplit_once(':').unwrap_or(("", child.name));
        let local = lower(local);
        if self.is_item(child, prefix, &local) {
            return true;
        }
        let family = self.family(prefix);
        let known = if self.feed.is_some() { of_item(family, &local) } else { of_feed(family, &local) };
        match known {
            Some(_) if family == Family::Xhtml => false,
            // A feed's own description is short and plain, so any other element ends it.
            Some((inner, _)) if field.is_long() && self.feed.is_some() => {
                matches!(inner, Field::Guid | Field::Published | Field::Enclosure | Field::Origin)
            }
            known => known.is_some(),
        }
    }
}
