//! Writes the rewritten document: RSS 2.0 with the modules `atom`, `content` and `dc`.

use quick_xml::escape::{escape, partial_escape};

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
"#;
const END: &str = "</channel></rss>\n";

/// The document written so far.
pub struct RssWriter {
    xml: String,
}

impl RssWriter {
    pub fn new(capacity: usize) -> Self {
        let mut xml = String::with_capacity(capacity);
        xml.push_str(HEAD);
        RssWriter { xml }
    }

    pub fn start_item(&mut self) {
        self.xml.push_str("<item>");
    }

    pub fn end_item(&mut self) {
        self.xml.push_str("</item>\n");
    }

    pub fn element(&mut self, name: &str, text: &str) {
        self.xml.push_str(&format!("<{name}>"));
        self.push_text(text);
        self.xml.push_str(&format!("</{name}>\n"));
    }

    pub fn annotation(&mut self, name: &str, text: &str) {
        self.xml.push_str(&format!("<category domain=\"{name}\">{}</category>\n", escape(text)));
    }

    pub fn atom_link(&mut self, relation: &str, url: &str) {
        self.xml.push_str(&format!("<atom:link rel=\"{relation}\" href=\"{}\"/>\n", escape(url)));
    }

    /// Omits an invalid media type, for which feed-rs refuses the whole feed, and an unknown length (0).
    pub fn enclosure(&mut self, url: &str, media_type: &str, length: u64) {
        self.xml.push_str(&format!("<enclosure url=\"{}\"", escape(url)));
        if media_type.contains('/') {
            self.xml.push_str(&format!(" type=\"{}\"", escape(media_type.trim())));
        }
        if length > 0 {
            self.xml.push_str(&format!(" length=\"{length}\""));
        }
        self.xml.push_str("/>\n");
    }

    pub fn finish(mut self) -> String {
        self.xml.push_str(END);
        self.xml.shrink_to_fit();
        self.xml
    }

    /// Writes text in the shorter of XML's two forms: as a CDATA section or with references. Markup as references is up
    /// to five times as long, and feed-rs reads each reference as an event of its own.
    fn push_text(&mut self, text: &str) {
        let references = text.bytes().filter(|b| matches!(b, b'<' | b'>' | b'&')).count();
        let section_ends = if references == 0 { 0 } else { text.matches("]]>").count() };
        if references == 0 {
            self.xml.push_str(text);
        } else if (section_ends + 1) * 12 < references * 3 {
            // An end of section within the text is split between two sections.
            self.xml.push_str("<![CDATA[");
            for (index, part) in text.split("]]>").enumerate() {
                if index > 0 {
                    self.xml.push_str("]]]]><![CDATA[>");
                }
                self.xml.push_str(part);
            }
            self.xml.push_str("]]>");
        } else {
            self.xml.push_str(&partial_escape(text));
        }
    }
}

/// The items and elements of a rewritten document, without the line feeds between them.
#[cfg(test)]
pub fn body(xml: &str) -> String {
    xml.strip_prefix(HEAD).unwrap().strip_suffix(END).unwrap().replace('\n', "")
}
