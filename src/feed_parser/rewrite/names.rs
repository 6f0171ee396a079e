//! What a name means where it stands: prefixes and `xml:base` (Namespaces in XML 1.0, XML Base).
//!
//! Never resolves against anything but http and https.

use url::Url;

use super::super::vocabulary::{Family, family_of_prefix, family_of_uri};
use super::{FeedKind, Rewriter};
use crate::domain::ProblemKind;
use crate::markup::entities::decode_entities;
use crate::markup::tag::StartTag;

/// Bindings of prefixes in force at one time; more are not looked at.
const MAX_PREFIXES: usize = 64;
/// Longer addresses are dropped: no browser opens them.
pub(super) const MAX_URL: usize = 8 * 1024;
/// A longer `xml:base` would grow with every level that adds to it.
const MAX_BASE: usize = 2 * 1024;

pub(super) struct Prefix<'a> {
    name: &'a str,
    family: Family,
    pub(super) depth: usize,
}

impl<'a> Rewriter<'a, '_> {
    pub(super) fn is_item(&self, tag: StartTag, prefix: &str, local: &str) -> bool {
        if !matches!((self.kind, local), (Some(FeedKind::Atom), "entry") | (Some(_), "item")) {
            return false;
        }
        // An entry may declare the prefix that it bears.
        let own = tag.attribute(&format!("xmlns:{prefix}")).map(|uri| family_of_uri(&uri));
        own.unwrap_or_else(|| self.family(prefix)) == Family::Core
    }

    /// Remembers the prefixes that a tag declares.
    pub(super) fn declare(&mut self, tag: StartTag<'a>) {
        if !tag.rest.contains("xmlns") {
            return;
        }
        for (name, value) in tag.attributes() {
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(prefix) if prefix.starts_with(':') => &prefix[1..],
                _ => continue,
            };
            let mut family = family_of_uri(&decode_entities(value));
            // A default namespace that nobody knows is a feed's own way to say RSS.
            if prefix.is_empty() && family == Family::Other {
                family = Family::Core;
            }
            if self.prefixes.len() < MAX_PREFIXES {
                // A self-closing tag's bindings end with it, and so with the next element that closes at this depth.
                self.prefixes.push(Prefix { name: prefix, family, depth: self.open.len() + 1 });
            }
        }
    }

    pub(super) fn family(&self, prefix: &str) -> Family {
        let declared = self.prefixes.iter().rev().find(|known| known.name == prefix).map(|known| known.family);
        declared.unwrap_or_else(|| family_of_prefix(prefix))
    }

    /// The prefixes, innermost first, that mean XHTML here and do not say so by their name.
    pub(super) fn xhtml_prefixes(&self) -> impl Iterator<Item = &'a str> {
        let declared = self.prefixes.iter().rev().filter(|known| known.family == Family::Xhtml);
        declared.map(|known| known.name).filter(|name| !name.is_empty() && family_of_prefix(name) != Family::Xhtml)
    }

    /// The base that a tag sets for what is in it, if it sets one.
    pub(super) fn base_of(&self, tag: StartTag) -> Option<Url> {
        let declared = tag.rest.contains("xml:base").then(|| tag.attribute("xml:base")).flatten()?;
        let base = self.current_base().join(declared.trim()).ok()?;
        Some(base).filter(|base| matches!(base.scheme(), "http" | "https") && base.as_str().len() <= MAX_BASE)
    }

    pub(super) fn current_base(&self) -> &Url {
        self.open.iter().rev().find_map(|open| open.base.as_ref()).unwrap_or(self.base)
    }

    /// An absolute address of the web, or none, with a problem noted.
    pub(super) fn address(&mut self, tag: StartTag, href: &str) -> Option<Url> {
        let href = href.trim();
        if href.is_empty() {
            return None;
        }
        let base = self.base_of(tag);
        let url = base.as_ref().unwrap_or(self.current_base()).join(href).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_URL);
        let url = url.filter(|url| self.growth.allows(href, url.as_str()));
        if url.is_none() {
            self.note(ProblemKind::BadLink, href);
        }
        url
    }
}
