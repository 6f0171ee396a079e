//! Writes the elements of the rewritten document: RSS 2.0 with the modules `atom`, `content` and `dc`.

use quick_xml::escape::{escape, partial_escape};

pub const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
"#;
pub const END: &str = "</channel></rss>\n";

/// Writes text in the shorter of two forms: as a CDATA section or with references. References make markup up to five
/// times as long, and feed-rs reads each reference as a separate event.
pub fn push_element(xml: &mut String, name: &str, text: &str) {
    let references = text.bytes().filter(|b| matches!(b, b'<' | b'>' | b'&')).count();
    let section_ends = text.matches("]]>").count();
    if (section_ends + 1) * 12 < references * 3 {
        // A `]]>` in the text is split across two CDATA sections.
        let sections = text.replace("]]>", "]]]]><![CDATA[>");
        xml.push_str(&format!("<{name}><![CDATA[{sections}]]></{name}>\n"));
    } else {
        xml.push_str(&format!("<{name}>{}</{name}>\n", partial_escape(text)));
    }
}

/// Writes an enclosure. Omits an unknown length (0), and an invalid media type, which makes feed-rs reject the feed.
pub fn push_enclosure(xml: &mut String, url: &str, media_type: &str, length: u64) {
    xml.push_str(&format!("<enclosure url=\"{}\"", escape(url)));
    if media_type.contains('/') {
        xml.push_str(&format!(" type=\"{}\"", escape(media_type.trim())));
    }
    if length > 0 {
        xml.push_str(&format!(" length=\"{length}\""));
    }
    xml.push_str("/>\n");
}
