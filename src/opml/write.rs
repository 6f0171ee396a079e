//! Writes subscription lists as well-formed OPML 2.0, with a folder for each first category.
//!
//! The writer does not validate outlines: it writes them unchanged.

use std::fmt::Write;

use super::FeedOutline;
use crate::markup::entities::is_xml_char;

/// The namespace of newsfold's attributes (OPML 2.0, "Extending OPML"). It is a name, not a fetchable address.
const NAMESPACE: &str = "urn:newsfold:opml";

/// Writes a list that every feed reader can import. Outlines without a category come first, followed by one folder for
/// each first category. Additional categories become the `category` attribute.
pub fn write_opml(title: &str, outlines: &[FeedOutline]) -> String {
    let has_extensions = outlines.iter().any(|outline| extensions(outline).any(|(_, value)| value.is_some()));
    let namespace = if has_extensions { format!(" xmlns:newsfold=\"{NAMESPACE}\"") } else { String::new() };
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\"{namespace}>\n  <head>\n    \
         <title>{}</title>\n    <docs>http://opml.org/spec2.opml</docs>\n  </head>\n  <body>\n",
        escaped(title)
    );
    for outline in outlines.iter().filter(|outline| outline.categories.is_empty()) {
        push_outline(&mut out, "    ", outline);
    }
    for (name, members) in folders(outlines) {
        let name = escaped(name);
        let _ = writeln!(out, "    <outline text=\"{name}\" title=\"{name}\">");
        for outline in members {
            push_outline(&mut out, "      ", outline);
        }
        out.push_str("    </outline>\n");
    }
    out.push_str("  </body>\n</opml>\n");
    out
}

/// Groups the outlines that have a category by their first category, in order of first appearance.
fn folders(outlines: &[FeedOutline]) -> Vec<(&str, Vec<&FeedOutline>)> {
    let mut folders: Vec<(&str, Vec<&FeedOutline>)> = Vec::new();
    let mut index_by_name = std::collections::HashMap::new();
    for outline in outlines {
        let Some(name) = outline.categories.first() else { continue };
        let index = *index_by_name.entry(name.as_str()).or_insert_with(|| {
            folders.push((name, Vec::new()));
            folders.len() - 1
        });
        folders[index].1.push(outline);
    }
    folders
}

fn push_outline(out: &mut String, indent: &str, outline: &FeedOutline) {
    let title = escaped(outline.title.as_deref().unwrap_or(&outline.xml_url));
    let xml_url = escaped(&outline.xml_url);
    let _ = write!(out, "{indent}<outline type=\"rss\" text=\"{title}\" title=\"{title}\" xmlUrl=\"{xml_url}\"");
    // Commas separate categories, so a category name must not contain one.
    let categories: Vec<String> = outline.categories.iter().skip(1).map(|name| name.replace(',', " ")).collect();
    let categories = Some(categories.join(",")).filter(|joined| !joined.is_empty());
    let standard = [("htmlUrl", &outline.html_url), ("category", &categories), ("language", &outline.language)];
    for (name, value) in standard.into_iter().chain(extensions(outline)) {
        if let Some(value) = value {
            let _ = write!(out, " {name}=\"{}\"", escaped(value));
        }
    }
    out.push_str("/>\n");
}

/// Returns the attributes that OPML does not define.
fn extensions(outline: &FeedOutline) -> impl Iterator<Item = (&'static str, &Option<String>)> {
    [
        ("newsfold:outlet", &outline.outlet),
        ("newsfold:priority", &outline.priority),
        ("newsfold:fullText", &outline.full_text),
        ("newsfold:aggregator", &outline.aggregator),
        ("newsfold:interval", &outline.interval),
        ("newsfold:grouped", &outline.grouped),
    ]
    .into_iter()
}

fn escaped(text: &str) -> String {
    let allowed: String = text.chars().filter(|c| is_xml_char(*c)).collect();
    quick_xml::escape::escape(allowed).into_owned()
}
