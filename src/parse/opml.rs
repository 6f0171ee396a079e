//! OPML 2.0 (opml.org/spec2.opml): subscription lists, read as leniently as feeds and written strictly.
//!
//! Never checks an address: what is no feed is said when it is added. Most lists that people share are not well-formed
//! XML (bare `&` in addresses), and each must still give its subscriptions.

use super::decode;
use super::entities::is_xml;
use super::markup::{Tag, Token, Tokens};
use super::text::folded;
use crate::model::{Problem, ProblemKind};

/// One subscription.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    pub xml_url: String,
    pub title: Option<String>,
    pub html_url: Option<String>,
    /// The folders that it stands in, outermost first, then the `category` attribute.
    pub categories: Vec<String>,
    /// The line of the file, from 1.
    pub line: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpmlError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is no OPML: {detail}")]
    NotOpml { detail: String },
}

/// The bytes of a list that are read, the subscriptions that are kept, and the folders that may stand in each other.
const MAX_BYTES: usize = 64 * 1024 * 1024;
const MAX_OUTLINES: usize = 200_000;
const MAX_DEPTH: usize = 32;

/// The subscriptions of a list, in its order.
pub fn read(bytes: &[u8]) -> Result<(Vec<Outline>, Vec<Problem>), OpmlError> {
    let mut problems = Vec::new();
    if bytes.len() > MAX_BYTES {
        Problem::note(&mut problems, Problem::new(ProblemKind::Truncated, format!("more than {MAX_BYTES} bytes")));
    }
    let (text, _) = decode::decode(&bytes[..bytes.len().min(MAX_BYTES)], None, None, &mut problems);
    if text.trim().is_empty() {
        return Err(OpmlError::Empty);
    }
    let mut reader =
        Reader { text: &text, folders: Vec::new(), too_deep: 0, outlines: Vec::new(), line: 1, counted: 0 };
    let mut tokens = Tokens::new(&text);
    let mut is_opml = false;
    for token in tokens.by_ref() {
        match token {
            Token::Start(tag) if tag.name.eq_ignore_ascii_case("opml") => is_opml = true,
            Token::Start(tag) if tag.name.eq_ignore_ascii_case("outline") => {
                is_opml = true;
                reader.outline(tag);
            }
            Token::End(name) if name.eq_ignore_ascii_case("outline") => reader.end(),
            Token::Text(text) => reader.rest_of_outline(text),
            _ => {}
        }
        if reader.outlines.len() > MAX_OUTLINES {
            reader.outlines.truncate(MAX_OUTLINES);
            Problem::note(&mut problems, Problem::new(ProblemKind::TooManyItems, format!("more than {MAX_OUTLINES}")));
            break;
        }
    }
    if !is_opml {
        return Err(OpmlError::NotOpml { detail: crate::model::text::one_line(&text, Problem::MAX_DETAIL) });
    }
    if tokens.malformed {
        Problem::note(&mut problems, Problem::new(ProblemKind::NotWellFormed, "markup that is none"));
    }
    if tokens.truncated {
        Problem::note(&mut problems, Problem::new(ProblemKind::Truncated, "the file ends in a tag"));
    }
    Ok((reader.outlines, problems))
}

struct Reader<'a> {
    text: &'a str,
    /// The outlines that are open: a folder's name, or none for a subscription.
    folders: Vec<Option<String>>,
    too_deep: usize,
    outlines: Vec<Outline>,
    line: usize,
    counted: usize,
}

impl Reader<'_> {
    fn outline(&mut self, tag: Tag) {
        let value = |name: &str| tag.attribute(name).and_then(|value| folded(&value));
        let title = value("title").or_else(|| value("text"));
        let is_feed = value("type").is_some_and(|kind| matches!(kind.to_lowercase().as_str(), "rss" | "atom" | "feed"));
        let xml_url = value("xmlUrl").or_else(|| value("url").filter(|_| is_feed));
        if let Some(xml_url) = xml_url.clone() {
            // Subscriptions do not stand in each other: one that is still open was never closed.
            if self.folders.last().is_some_and(Option::is_none) {
                self.folders.pop();
            }
            let named = value("category").unwrap_or_default();
            let named = named.split(',').map(|path| path.trim().trim_matches('/').to_owned());
            let mut categories: Vec<String> = Vec::new();
            for category in self.folders.iter().flatten().cloned().chain(named) {
                if !category.is_empty() && !categories.contains(&category) {
                    categories.push(category);
                }
            }
            let line = self.line_at(tag.name);
            self.outlines.push(Outline { xml_url, title: title.clone(), html_url: value("htmlUrl"), categories, line });
        }
        if tag.self_closing {
            return;
        }
        if self.folders.len() >= MAX_DEPTH {
            self.too_deep += 1;
        } else {
            self.folders.push(title.filter(|_| xml_url.is_none()));
        }
    }

    /// HTML in a description, unescaped, ends a tag in its middle; the address then stands in the text that follows.
    fn rest_of_outline(&mut self, text: &str) {
        let Some(at) = text.find("xmlUrl=") else { return };
        let rest = text[at..].split('>').next().unwrap_or_default();
        let tag = Tag { name: "outline", rest: rest.trim_end_matches('/'), self_closing: true };
        let Some(xml_url) = tag.attribute("xmlUrl").and_then(|url| folded(&url)) else {
            return;
        };
        // What looked like a folder was the beginning of this subscription.
        let title = self.folders.pop().flatten();
        let categories = self.folders.iter().flatten().cloned().collect();
        let line = self.line_at(text);
        self.outlines.push(Outline { xml_url, title, html_url: None, categories, line });
    }

    fn end(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else {
            self.folders.pop();
        }
    }

    /// The line on which a piece of the file begins.
    fn line_at(&mut self, piece: &str) -> usize {
        let at = piece.as_ptr() as usize - self.text.as_ptr() as usize;
        self.line += self.text[self.counted..at].bytes().filter(|b| *b == b'\n').count();
        self.counted = at;
        self.line
    }
}

/// A list that every reader imports: one folder for each first category, the others as attributes.
pub fn write(title: &str, outlines: &[Outline]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n  <head>\n");
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
    out.push_str("/>\n");
}

fn escaped(text: &str) -> String {
    let clean: String = text.chars().filter(|c| is_xml(*c)).collect();
    quick_xml::escape::escape(clean).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(outlines: &[Outline]) -> Vec<(&str, Vec<&str>)> {
        outlines.iter().map(|o| (o.xml_url.as_str(), o.categories.iter().map(String::as_str).collect())).collect()
    }

    #[test]
    fn bare_ampersands_and_missing_ends_lose_no_subscription() {
        let (found, _) = read(
            b"<opml><body>\n<outline text='World & Co'>\n<outline text='a' xmlUrl='https://a.example/?x=1&y=2'>\n\
              <outline text='b' XMLURL=\"https://b.example/\" category='/x/y,z' /></outline>",
        )
        .unwrap();
        assert_eq!(
            names(&found),
            [
                ("https://a.example/?x=1&y=2", vec!["World & Co"]),
                ("https://b.example/", vec!["World & Co", "x/y", "z"])
            ]
        );
        assert_eq!(found.iter().map(|o| o.line).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn quotes_and_tags_in_a_description_hide_no_address() {
        let words = "word ".repeat(200);
        let text = format!(
            "<opml><outline text='a' description=\"In \"{words}\" he's\" xmlUrl=\"https://a.example/\"/>\
             <outline text='B' description=\"By <a href=\"https://x.example\">X</a>, 1999.\" xmlUrl=\"https://b.example/\" />\
             <outline text='c' xmlUrl='https://c.example/'/>"
        );
        let (found, _) = read(text.as_bytes()).unwrap();
        let urls = ["https://a.example/", "https://b.example/", "https://c.example/"];
        assert_eq!(names(&found), urls.map(|url| (url, vec![])));
        assert_eq!(found[1].title.as_deref(), Some("B"));
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let one = Outline {
            xml_url: "https://a.example/?x=1&y=\"2\"".into(),
            title: Some("A <b> & \u{1}'c'".into()),
            html_url: Some("https://a.example/".into()),
            categories: vec!["News".into(), "World".into()],
            line: 7,
        };
        let two = Outline { xml_url: "https://b.example/".into(), ..Outline::default() };
        let (found, problems) = read(write("Mine & yours", &[one.clone(), two]).as_bytes()).unwrap();
        assert_eq!(problems, []);
        assert_eq!(found[0].title.as_deref(), Some("https://b.example/"));
        let expect = Outline { title: Some("A <b> & 'c'".into()), line: 9, ..one };
        assert_eq!(found[1], expect);
    }

    #[test]
    fn what_is_no_list_is_said() {
        assert_eq!(read(b" "), Err(OpmlError::Empty));
        assert!(matches!(read(b"<rss/>"), Err(OpmlError::NotOpml { .. })));
        assert_eq!(read(b"<opml><body/></opml>").unwrap().0, []);
    }
}
