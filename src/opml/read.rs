//! OPML 2.0 (opml.org/spec2.opml): subscription lists, read as leniently as feeds and written strictly.
//!
//! Never checks an address: what is no feed is said when it is added. Most lists that people share are not well-formed
//! XML (bare `&` in addresses), and each must still give its subscriptions; but what was repaired, and what could not be
//! used, is said, so that nobody takes a file that was cut off for the whole of it.
//!
//! What OPML has no word for stands in attributes of ours, which other readers pass over: `newsfold:outlet`,
//! `newsfold:priority` and `newsfold:fullText`.

use super::FeedOutline;
use super::well_formed::{self, OpmlFault};
use crate::charset::decode_text;
use crate::domain::FeedProblem;
use crate::domain::text::one_line;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::markup::whitespace::fold_non_blank;

/// What a list holds, and how well it could be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionList {
    pub outlines: Vec<FeedOutline>,
    /// Subscriptions without an address, or cut off by the file's end.
    pub unusable: Vec<OpmlFault>,
    /// The lines on which a bare `&` was taken for itself.
    pub ampersands: Vec<usize>,
    /// The first thing besides those that is not as XML has it. Outlines may have been lost there.
    pub fault: Option<OpmlFault>,
    /// Whether that is because the file was cut off.
    pub ends_early: bool,
    /// What was repaired before the markup was looked at, such as the character set.
    pub problems: Vec<FeedProblem>,
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
pub fn read_opml(bytes: &[u8]) -> Result<SubscriptionList, OpmlError> {
    let decoded = decode_text(&bytes[..bytes.len().min(MAX_BYTES)], None, None);
    let text = decoded.text;
    if text.trim().is_empty() {
        return Err(OpmlError::Empty);
    }
    let mut reader = Reader {
        text: &text,
        folders: Vec::new(),
        too_deep: 0,
        list: SubscriptionList::default(),
        line: 1,
        counted: 0,
    };
    let mut tokens = Tokenizer::new(&text);
    let mut is_opml = false;
    while let Some(token) = tokens.next() {
        match token {
            MarkupToken::Start(tag) if tag.name.eq_ignore_ascii_case("opml") => is_opml = true,
            MarkupToken::Start(tag) if tag.name.eq_ignore_ascii_case("outline") => {
                is_opml = true;
                reader.outline(tag, tokens.truncated);
            }
            MarkupToken::End(name) if name.eq_ignore_ascii_case("outline") => reader.end(),
            MarkupToken::Text(text) => reader.rest_of_outline(text),
            _ => {}
        }
        if reader.list.outlines.len() > MAX_OUTLINES {
            break;
        }
    }
    if !is_opml {
        return Err(OpmlError::NotOpml { detail: one_line(&text, FeedProblem::MAX_DETAIL) });
    }
    let mut list = reader.list;
    let strictly = well_formed::first_fault(&text);
    list.ends_early = tokens.truncated || strictly.as_ref().is_some_and(|(_, is_end)| *is_end);
    list.fault = strictly.map(|(fault, _)| fault);
    if bytes.len() > MAX_BYTES {
        list.fault = Some(OpmlFault { line: 1, what: format!("the file has more than {MAX_BYTES} bytes") });
    }
    if list.outlines.len() > MAX_OUTLINES {
        list.outlines.truncate(MAX_OUTLINES);
        list.fault = Some(OpmlFault { line: 1, what: format!("the file has more than {MAX_OUTLINES} subscriptions") });
    }
    list.ampersands = bare_ampersands(&text);
    list.problems = decoded.problems;
    Ok(list)
}

/// The lines that hold an `&` which begins no reference. (What HTML names, such as `&nbsp;`, is read as HTML has it.)
fn bare_ampersands(text: &str) -> Vec<usize> {
    let is_bare = |after: &str| {
        let name = after.split_once(';').map_or("", |(name, _)| name);
        let name = name.strip_prefix('#').unwrap_or(name);
        name.is_empty() || name.len() > 32 || !name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| line.match_indices('&').any(|(at, _)| is_bare(&line[at + 1..])))
        .map(|(n, _)| n + 1)
        .collect()
}

struct Reader<'a> {
    text: &'a str,
    /// The outlines that are open: a folder's name, or none for a subscription.
    folders: Vec<Option<String>>,
    too_deep: usize,
    list: SubscriptionList,
    line: usize,
    counted: usize,
}

impl Reader<'_> {
    fn outline(&mut self, tag: StartTag, is_cut_off: bool) {
        let line = self.line_at(tag.name);
        if is_cut_off {
            // Half an address is an address of something else.
            return self.unusable(line, "the file ends in the middle of this outline");
        }
        let value = |name: &str| tag.attribute(name).and_then(|value| fold_non_blank(&value));
        let title = value("title").or_else(|| value("text"));
        let is_feed = value("type").is_some_and(|kind| matches!(kind.to_lowercase().as_str(), "rss" | "atom" | "feed"));
        let xml_url = value("xmlUrl").or_else(|| value("url").filter(|_| is_feed));
        if xml_url.is_none() && (is_feed || tag.attribute("xmlUrl").is_some()) {
            let name = title.as_deref().map_or_else(|| "an outline".to_owned(), |t| format!("‘{}’", one_line(t, 80)));
            self.unusable(line, &format!("{name} has no address: its xmlUrl is missing or empty"));
        }
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
            self.list.outlines.push(FeedOutline {
                xml_url,
                title: title.clone(),
                html_url: value("htmlUrl"),
                categories,
                language: value("language"),
                outlet: value("newsfold:outlet"),
                priority: value("newsfold:priority"),
                full_text: value("newsfold:fullText"),
                line,
            });
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
        let line = self.line_at(text) + text[..at].matches('\n').count();
        let reaches_the_end = text.as_ptr() as usize + text.len() == self.text.as_ptr() as usize + self.text.len();
        if reaches_the_end && !text[at..].contains('>') {
            return self.unusable(line, "the file ends in the middle of this outline");
        }
        let rest = text[at..].split('>').next().unwrap_or_default();
        let tag = StartTag { name: "outline", rest: rest.trim_end_matches('/'), self_closing: true };
        let Some(xml_url) = tag.attribute("xmlUrl").and_then(|url| fold_non_blank(&url)) else {
            return;
        };
        // What looked like a folder was the beginning of this subscription.
        let title = self.folders.pop().flatten();
        let categories = self.folders.iter().flatten().cloned().collect();
        self.list.outlines.push(FeedOutline { xml_url, title, categories, line, ..FeedOutline::default() });
    }

    fn unusable(&mut self, line: usize, what: &str) {
        self.list.unusable.push(OpmlFault { line, what: what.to_owned() });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opml::write::write_opml;

    fn names(outlines: &[FeedOutline]) -> Vec<(&str, Vec<&str>)> {
        outlines.iter().map(|o| (o.xml_url.as_str(), o.categories.iter().map(String::as_str).collect())).collect()
    }

    #[test]
    fn bare_ampersands_and_missing_ends_lose_no_subscription() {
        let SubscriptionList { outlines: found, fault, ampersands, .. } = read_opml(
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
        assert_eq!(ampersands, [2, 3]);
        let fault = fault.unwrap();
        assert_eq!((fault.line, fault.what.as_str()), (4, "the file ends before <outline> is closed"));
    }

    #[test]
    fn quotes_and_tags_in_a_description_hide_no_address() {
        let words = "word ".repeat(200);
        let text = format!(
            "<opml><outline text='a' description=\"In \"{words}\" he's\" xmlUrl=\"https://a.example/\"/>\
             <outline text='B' description=\"By <a href=\"https://x.example\">X</a>, 1999.\" xmlUrl=\"https://b.example/\" />\
             <outline text='c' xmlUrl='https://c.example/'/>"
        );
        let found = read_opml(text.as_bytes()).unwrap().outlines;
        let urls = ["https://a.example/", "https://b.example/", "https://c.example/"];
        assert_eq!(names(&found), urls.map(|url| (url, vec![])));
        assert_eq!(found[1].title.as_deref(), Some("B"));
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let one = FeedOutline {
            xml_url: "https://a.example/?x=1&y=\"2\"".into(),
            title: Some("A <b> & \u{1}'c'".into()),
            html_url: Some("https://a.example/".into()),
            categories: vec!["News".into(), "World".into()],
            language: Some("en".into()),
            outlet: Some("a.example".into()),
            priority: Some("-3".into()),
            full_text: Some("group".into()),
            line: 7,
        };
        let two = FeedOutline { xml_url: "https://b.example/".into(), ..FeedOutline::default() };
        let list = read_opml(write_opml("Mine & yours", &[one.clone(), two]).as_bytes()).unwrap();
        let found = list.outlines.clone();
        assert_eq!(
            list,
            SubscriptionList { outlines: found.clone(), ..SubscriptionList::default() },
            "nothing to repair"
        );
        assert_eq!(found[0].title.as_deref(), Some("https://b.example/"));
        let expect = FeedOutline { title: Some("A <b> & 'c'".into()), line: 9, ..one };
        assert_eq!(found[1], expect);
    }

    #[test]
    fn what_is_no_list_is_said() {
        assert_eq!(read_opml(b" "), Err(OpmlError::Empty));
        assert!(matches!(read_opml(b"<rss/>"), Err(OpmlError::NotOpml { .. })));
        assert_eq!(read_opml(b"<opml><body/></opml>").unwrap(), SubscriptionList::default());
    }

    #[test]
    fn half_an_address_at_the_cut_is_not_taken() {
        let whole = write_opml(
            "t",
            &["https://a.example/feed", "https://b.example/feed"]
                .map(|url| FeedOutline { xml_url: url.into(), ..FeedOutline::default() }),
        );
        for cut in 1..whole.trim_end().len() {
            let Ok(list) = read_opml(&whole.as_bytes()[..cut]) else { continue };
            assert!(list.fault.is_some(), "cut at {cut}: {}", &whole[..cut]);
            for found in &list.outlines {
                assert!(found.xml_url.ends_with("/feed"), "{} after a cut at {cut}", found.xml_url);
            }
        }
    }

    #[test]
    fn what_may_have_lost_an_outline_is_a_fault_with_its_line() {
        let fault = |text: &str| read_opml(text.as_bytes()).unwrap().fault.map(|fault| fault.line);
        assert_eq!(fault("<opml>\n<outline xmlUrl='https://a.example/?x=1&y=2'/>\n</opml>"), None);
        assert_eq!(fault("<opml>\n<outline xmlUrl=\"https://a.example/>\n<outline xmlUrl=\"x\"/></opml>"), Some(2));
        assert_eq!(fault("<opml>\n<body>\n<outline text='a'>\n</body></opml>"), Some(4));
        assert_eq!(fault("<opml><outline text='a' <outline xmlUrl='https://a.example/'/></opml>"), Some(1));
    }

    #[test]
    fn a_subscription_without_an_address_is_counted() {
        let list = read_opml(b"<opml>\n<outline text='A' xmlUrl=''/>\n<outline text='B' type='rss'/></opml>").unwrap();
        assert_eq!(list.unusable.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 3]);
        assert!(list.unusable[0].what.contains("‘A’ has no address"));
    }
}
