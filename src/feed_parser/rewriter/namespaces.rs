//! Resolves the names of elements (Namespaces in XML 1.0).

use super::super::element_map::{
    ElementMapping, FeedNamespace, element_mapping, namespace_of_prefix, namespace_of_uri,
};
use super::super::parsed_feed::FeedKind;
use crate::markup::entities::decode_entities;
use crate::markup::tag::StartTag;

/// The maximum number of prefix bindings in scope. Additional bindings are ignored.
const MAX_BINDINGS: usize = 64;

/// The prefix bindings in scope at the current element.
#[derive(Default)]
pub struct NamespaceScope<'a> {
    bindings: Vec<PrefixBinding<'a>>,
}

struct PrefixBinding<'a> {
    prefix: &'a str,
    namespace: FeedNamespace,
    /// The depth of the element that declares the binding.
    depth: usize,
}

/// The resolved name of an element.
pub struct ElementName {
    pub namespace: FeedNamespace,
    /// The local name in lowercase.
    pub local: String,
}

impl ElementName {
    /// Returns the meaning of the element inside or outside items.
    pub fn mapping(&self, in_item: bool) -> Option<ElementMapping> {
        element_mapping(self.namespace, &self.local, in_item)
    }
}

impl<'a> NamespaceScope<'a> {
    /// Adds the bindings that a tag declares.
    pub fn declare(&mut self, tag: StartTag<'a>, depth: usize) {
        if !tag.attribute_text.contains("xmlns") {
            return;
        }
        for (name, value) in tag.attributes() {
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(prefix) if prefix.starts_with(':') => &prefix[1..],
                _ => continue,
            };
            let mut namespace = namespace_of_uri(&decode_entities(value));
            // An unknown default namespace is a feed's own name for RSS.
            if prefix.is_empty() && namespace == FeedNamespace::Other {
                namespace = FeedNamespace::Core;
            }
            if self.bindings.len() < MAX_BINDINGS {
                self.bindings.push(PrefixBinding { prefix, namespace, depth });
            }
        }
    }

    /// Drops the bindings of elements deeper than `depth`.
    pub fn leave(&mut self, depth: usize) {
        self.bindings.retain(|binding| binding.depth <= depth);
    }

    pub fn resolve(&self, name: &str) -> ElementName {
        let (prefix, local) = split_name(name);
        ElementName { namespace: self.namespace_of(prefix), local: local.to_ascii_lowercase() }
    }

    /// Returns whether a tag starts an item: `item`, or `entry` in Atom.
    pub fn is_item(&self, tag: StartTag<'a>, kind: FeedKind) -> bool {
        let (prefix, local) = split_name(tag.name);
        let is_item_name =
            local.eq_ignore_ascii_case("item") || (kind == FeedKind::Atom && local.eq_ignore_ascii_case("entry"));
        if !is_item_name {
            return false;
        }
        // An entry may declare its own prefix.
        let declared = tag.attribute(&format!("xmlns:{prefix}")).map(|uri| namespace_of_uri(&uri));
        declared.unwrap_or_else(|| self.namespace_of(prefix)) == FeedNamespace::Core
    }

    /// Returns the prefixes bound to XHTML, innermost first, except those that conventionally mean XHTML.
    pub fn xhtml_prefixes(&self) -> impl Iterator<Item = &'a str> {
        let bound = self.bindings.iter().rev().filter(|binding| binding.namespace == FeedNamespace::Xhtml);
        bound
            .map(|binding| binding.prefix)
            .filter(|prefix| !prefix.is_empty() && namespace_of_prefix(prefix) != FeedNamespace::Xhtml)
    }

    fn namespace_of(&self, prefix: &str) -> FeedNamespace {
        let bound = self.bindings.iter().rev().find(|binding| binding.prefix == prefix);
        bound.map_or_else(|| namespace_of_prefix(prefix), |binding| binding.namespace)
    }
}

fn split_name(name: &str) -> (&str, &str) {
    name.rsplit_once(':').unwrap_or(("", name))
}
