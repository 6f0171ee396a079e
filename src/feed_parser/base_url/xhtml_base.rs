//! Resolves the links of elements that set their own base (`xml:base`) inside the XHTML of an item.

use crate::markup::entities::escape_html;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use url::Url;

/// The attributes that contain one URL.
const LINK_ATTRIBUTES: [&str; 5] = ["href", "src", "data", "poster", "cite"];
/// The maximum number of open elements. Elements that are nested more deeply keep the base of their parent.
const MAX_DEPTH: usize = 100;

/// Makes the links in elements below the first one absolute if an element sets a base. Returns `None` if no element
/// sets a base. `outer` is the base of the first element. `resolve` returns the URL for a base and a link, or `None` to
/// keep the link.
pub fn with_resolved_links(
    html: &str,
    outer: &Url,
    base_within: impl Fn(&Url, StartTag) -> Option<Url>,
    mut resolve: impl FnMut(&Url, &str) -> Option<Url>,
) -> Option<String> {
    let mut tokens = Tokenizer::new(html);
    if !matches!(tokens.next(), Some(MarkupToken::Start(_))) {
        tokens = Tokenizer::new(html);
    }
    if !html[tokens.offset()..].contains("xml:base") {
        return None;
    }
    let mut start = tokens.offset();
    let mut out = html[..start].to_owned();
    // For each open element, its name, and its base unless the base is `outer`.
    let mut open: Vec<(&str, Option<Url>)> = Vec::new();
    while let Some(token) = tokens.next() {
        let source = tokens.slice(start, tokens.offset());
        start = tokens.offset();
        match token {
            MarkupToken::Start(tag) => {
                let inherited = open.last().and_then(|(_, base)| base.clone());
                let base = base_within(inherited.as_ref().unwrap_or(outer), tag).or(inherited);
                match &base {
                    Some(base) => push_tag(&mut out, tag, |link| resolve(base, link)),
                    None => out.push_str(source),
                }
                if !tag.self_closing && open.len() < MAX_DEPTH {
                    open.push((tag.name, base));
                }
            }
            MarkupToken::End(name) => {
                if let Some(at) = open.iter().rposition(|(open, _)| *open == name) {
                    open.truncate(at);
                }
                out.push_str(source);
            }
            _ => out.push_str(source),
        }
    }
    Some(out)
}

/// Writes a start tag with absolute links.
fn push_tag(out: &mut String, tag: StartTag<'_>, mut resolve: impl FnMut(&str) -> Option<Url>) {
    out.push_str(&format!("<{}", tag.name));
    for (name, value) in tag.attributes() {
        let link = LINK_ATTRIBUTES.contains(&name).then(|| tag.attribute(name)).flatten();
        match link.and_then(|link| resolve(&link)) {
            Some(url) => out.push_str(&format!(" {name}=\"{}\"", escape_html(url.as_str()))),
            None => out.push_str(&format!(" {name}=\"{}\"", value.replace('"', "&quot;"))),
        }
    }
    out.push_str(if tag.self_closing { "/>" } else { ">" });
}
