//! Expands the internal entities that a DTD declares: `<!ENTITY paper "Harbour Ledger">` (XML 1.0 §4.4).
//!
//! The module never reads external entities. To prevent unbounded expansion ("billion laughs"), it limits the number of
//! entities, the length of each entity and the growth of the document. It drops references beyond the limits, so that
//! readers do not see them.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::domain::{FeedProblem, ProblemKind};
use crate::markup::entities::decode_entities;

const MAX_ENTITIES: usize = 256;
/// The maximum length of an entity in bytes, after expansion of all entities in it.
const MAX_ENTITY_BYTES: usize = 4 * 1024;
/// The maximum nesting depth of entities.
const MAX_DEPTH: usize = 8;
/// The maximum growth of a document in bytes.
const MAX_GROWTH_BYTES: usize = 1024 * 1024;
const MAX_NAME_BYTES: usize = 64;

/// The entities by name. The value is `None` if the entity is external, recursive or too long.
type Entities<'a> = HashMap<&'a str, Option<String>>;

/// Replaces references to internal entities. Returns a document without such entities unchanged.
pub fn include_entities(text: String, problems: &mut Vec<FeedProblem>) -> String {
    let Some((subset, body_start)) = internal_subset(&text) else { return text };
    let entities = declared_entities(subset);
    if entities.is_empty() {
        return text;
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), &text[body_start..]);
    let mut room = MAX_GROWTH_BYTES;
    // CDATA sections and comments contain no references.
    while let Some((before, literal, after)) = next_literal(rest) {
        push_expanded(before, &entities, &mut room, &mut out);
        out.push_str(literal);
        rest = after;
    }
    push_expanded(rest, &entities, &mut room, &mut out);
    if room == 0 || entities.values().any(Option::is_none) {
        FeedProblem::record(problems, ProblemKind::NotWellFormed, "an entity that is external, recursive or too long");
    }
    out
}

/// Returns the internal subset of the DTD, and the offset at which the document continues after it.
fn internal_subset(text: &str) -> Option<(&str, usize)> {
    // Only white space, comments and processing instructions may precede the document type declaration.
    let start = text.find("<!DOCTYPE").or_else(|| text.find("<!doctype")).filter(|start| {
        let before = &text[..*start];
        before.match_indices('<').all(|(at, _)| before[at + 1..].starts_with(['?', '!']))
    })?;
    let open = start + text[start..].find(['[', '>'])?;
    if !text[open..].starts_with('[') {
        return None;
    }
    let end = open + subset_length(&text[open..])?;
    let body_start = end + text[end..].find('>')? + 1;
    Some((&text[open + 1..end], body_start))
}

/// Returns the offset of the bracket that closes the subset. Ignores brackets in quoted values and comments.
fn subset_length(subset: &str) -> Option<usize> {
    let mut at = 1;
    loop {
        at += subset[at..].find([']', '"', '\'', '<'])?;
        at += match &subset[at..] {
            rest if rest.starts_with(']') => return Some(at),
            rest if rest.starts_with("<!--") => rest.find("-->")? + 3,
            rest if rest.starts_with('<') => 1,
            rest => rest[1..].find(&rest[..1])? + 2,
        };
    }
}

fn declared_entities(subset: &str) -> Entities<'_> {
    let mut literals: HashMap<&str, Option<Cow<str>>> = HashMap::new();
    for declaration in subset.split("<!ENTITY").skip(1).take(MAX_ENTITIES) {
        let declaration = declaration.trim_start();
        let Some((name, value)) = declaration.split_once(char::is_whitespace) else { continue };
        // Parameter entities apply only in the DTD, and XML's predefined entities cannot be redefined.
        let is_predefined = ["lt", "gt", "amp", "quot", "apos"].contains(&name);
        if name == "%" || name.len() > MAX_NAME_BYTES || is_predefined {
            continue;
        }
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let literal =
            quote.and_then(|quote| value[1..].split_once(quote)).map(|(literal, _)| decode_characters(literal));
        // The first declaration is binding (XML 1.0 §4.2).
        literals.entry(name).or_insert(literal.filter(|literal| literal.len() <= MAX_ENTITY_BYTES));
    }
    literals.keys().map(|name| (*name, expanded_entity(name, &literals))).collect()
}

/// Decodes numeric references, which XML expands in the entity declaration (XML 1.0 §4.4). Keeps `<` escaped.
fn decode_characters(literal: &str) -> Cow<'_, str> {
    if !literal.contains("&#") {
        return Cow::Borrowed(literal);
    }
    let mut out = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(start) = rest.find("&#") {
        let end = rest[start..].find(';').map_or(rest.len(), |at| start + at + 1);
        out.push_str(&rest[..start]);
        match &*decode_entities(&rest[start..end]) {
            // An escaped ampersand starts a reference in the entity's value.
            "&" => out.push('&'),
            "<" => out.push_str("&lt;"),
            decoded => out.push_str(decoded),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Returns the value of an entity after expansion; `None` if it is recursive or too long.
fn expanded_entity(name: &str, literals: &HashMap<&str, Option<Cow<str>>>) -> Option<String> {
    let mut value = literals.get(name)?.as_ref()?.clone().into_owned();
    for _ in 0..MAX_DEPTH {
        let (mut out, mut rest, mut is_final) = (String::new(), value.as_str(), true);
        while let Some((before, name, after)) = next_reference(rest) {
            out.push_str(before);
            match literals.get(name) {
                Some(literal) => {
                    out.push_str(literal.as_deref()?);
                    is_final = false;
                }
                None => out.push_str(&rest[before.len()..rest.len() - after.len()]),
            }
            if out.len() > MAX_ENTITY_BYTES {
                return None;
            }
            rest = after;
        }
        if is_final {
            // A quote would end the attribute that contains the reference.
            return Some(if value.contains('<') { value } else { value.replace('"', "&quot;") });
        }
        out.push_str(rest);
        value = out;
    }
    None
}

fn push_expanded(text: &str, entities: &Entities, room: &mut usize, out: &mut String) {
    let mut rest = text;
    while let Some((before, name, after)) = next_reference(rest) {
        out.push_str(before);
        match entities.get(name) {
            None => out.push_str(&rest[before.len()..rest.len() - after.len()]),
            Some(value) => {
                let value = value.as_deref().unwrap_or_default();
                let fits = value.len() <= *room;
                *room = if fits { *room - value.len() } else { 0 };
                out.push_str(if fits { value } else { "" });
            }
        }
        rest = after;
    }
    out.push_str(rest);
}

/// Returns the text before the first reference to a named entity, the name, and the text after the reference.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find('&')?;
        let name = &text[start + 1..];
        let is_name_char = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        let length = name.char_indices().take(MAX_NAME_BYTES + 1).find(|(_, c)| !is_name_char(*c)).map(|(at, _)| at);
        if let Some(length) = length.filter(|length| *length > 0 && name[*length..].starts_with(';')) {
            return Some((&text[..start], &name[..length], &name[length + 1..]));
        }
        from = start + 1;
    }
}

/// Returns the text before the first CDATA section or comment, that section or comment, and the text after it.
fn next_literal(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("<!")?;
        let rest = &text[start..];
        let end = match rest {
            _ if rest.starts_with("<![CDATA[") => rest.find("]]>"),
            _ if rest.starts_with("<!--") => rest.find("-->"),
            _ => {
                from = start + 2;
                continue;
            }
        };
        let (literal, after) = rest.split_at(end.map_or(rest.len(), |end| end + 3));
        return Some((&text[..start], literal, after));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &str, expected: &str) {
        assert_eq!(include_entities(document.to_owned(), &mut Vec::new()), expected);
    }

    #[test]
    fn internal_entities_are_included() {
        check(
            "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY town 'Port &amp; Bay'><!ENTITY site \"&town; [Post]\">]>\
             <rss>&site; &eacute; <![CDATA[&town;]]><!--&town;--></rss>",
            "<rss>Port &amp; Bay [Post] &eacute; <![CDATA[&town;]]><!--&town;--></rss>",
        );
        check("<!DOCTYPE rss [<!ENTITY c '&#169;&#38;amp;'>]><rss>&c;</rss>", "<rss>©&amp;</rss>");
        check("<!DOCTYPE rss [<!ENTITY q 'a \"b\"'>]><a href=\"&q;\"/>", "<a href=\"a &quot;b&quot;\"/>");
        check("<!DOCTYPE rss [<!-- ]> --><!ENTITY c \"]>\">]><rss>&c;</rss>", "<rss>]></rss>");
    }

    #[test]
    fn document_without_internal_entities_stays() {
        for document in
            ["<rss>&town;</rss>", "<!DOCTYPE rss SYSTEM 'x'><rss/>", "<!DOCTYPE rss []><rss/>", "<!DOCTYPE ["]
        {
            check(document, document);
        }
    }

    #[test]
    fn reference_to_an_external_or_recursive_entity_is_dropped() {
        check("<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><rss>a&x;b</rss>", "<rss>ab</rss>");
        check("<!DOCTYPE rss [<!ENTITY x 'x&y;'><!ENTITY y '&x;'>]><rss>a&x;b</rss>", "<rss>ab</rss>");
    }

    #[test]
    fn expansion_is_bounded() {
        let levels: String =
            (1..30).map(|n| format!("<!ENTITY e{n} '{}'>", format!("&e{};", n - 1).repeat(9))).collect();
        let bomb = format!("<!DOCTYPE rss [<!ENTITY e0 'boom'>{levels}]><rss>&e29;&e1;</rss>");
        check(&bomb, &format!("<rss>{}</rss>", "boom".repeat(9)));
        let wide = format!("<!DOCTYPE rss [<!ENTITY e '{}'>]><rss>{}</rss>", "e".repeat(4000), "&e;".repeat(100_000));
        assert!(include_entities(wide, &mut Vec::new()).len() <= MAX_GROWTH_BYTES + 100);
    }
}
