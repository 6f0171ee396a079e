//! A list as OPML 2.0, written strictly.
//!
//! It judges nothing: what it is given is what it writes.

use super::Outline;
use crate::feed_parser::entities::is_xml;

/// Names our own attributes (OPML 2.0, "Extending OPML"); nothing is there to be fetched.
const NAMESPACE: &str = "urn:newsfold:opml";

/// A list that every reader imports: one folder for each first category, the others as attributes.
pub fn write(title: &str, outlines: &[Outline]) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\" xmlns:newsfold=\"{NAMESPACE}\">\n  <head>\n"
    );
    out.push_str(&format!("    <title>{}</title>\n  </head>\n  <body>\n", escaped(title)));
    for outline in outlines.iter().filter(|outline| outline.categories.is_empty()) {
        push_outline(&mut out, "    ", outline, &[]);
    }
    let mut folders: Vec<(&str, Vec<&Outline>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for outline in outlines {
        let Some(first) = outline.categories.first() else {
            continue;
        };
        let place = *places.entry(first.as_str()).or_insert_with(|| {
            folders.push((first, Vec::new()));
            folders.len() - 1
        });
        folders[place].1.push(outline);
    }
    for (name, members) in folders {
        out.push_str(&format!("    <outline text=\"{0}\" title=\"{0}\">\n", escaped(name)));
        for outline in members {
            push_outline(&mut out, "      ", outline, &outline.categories[1..]);
        }
        out.push_str("    </outline>\n");
    }
    out.push_str("  </body>\n</opml>\n");
    out
}

fn push_outline(out: &mut String, indent: &str, outline: &Outline, categories: &[String]) {
    let title = outline.title.as_deref().unwrap_or(&outline.xml_url);
    out.push_str(&format!("{indent}<outline type=\"rss\" text=\"{0}\" title=\"{0}\"", escaped(title)));
    out.push_str(&format!(" xmlUrl=\"{}\"", escaped(&outline.xml_url)));
    if let Some(html_url) = &outline.html_url {
        out.push_str(&format!(" htmlUrl=\"{}\"", escaped(html_url)));
    }
    if !categories.is_empty() {
        // A comma separates categories, so one that has a comma cannot keep it.
        let names: Vec<String> = categories.iter().map(|name| name.replace(',', " ")).collect();
        out.push_str(&format!(" category=\"{}\"", escaped(&names.join(","))));
    }
    let own = [
        ("language", &outline.language),
        ("newsfold:outlet", &outline.outlet),
        ("newsfold:priority", &outline.priority),
        ("newsfold:fullText", &outline.full_text),
    ];
    for (name, value) in own {
        if let Some(value) = value {
            out.push_str(&format!(" {name}=\"{}\"", escaped(value)));
        }
    }
    out.push_str("/>\n");
}

fn escaped(text: &str) -> String {
    let clean: String = text.chars().filter(|c| is_xml(*c)).collect();
    quick_xml::escape::escape(clean).into_owned()
}
