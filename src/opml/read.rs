//! Reads subscription lists leniently and reports every fault.
//!
//! Most shared lists are not well-formed XML, because a URL contains a bare `&`. The reader accepts them, but reports
//! repairs and unusable outlines, so that a truncated file is not mistaken for a complete one.
//!
//! The reader does not check URLs: `source import` does.

use std::borrow::Cow;

use indexmap::IndexSet;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{FeedOutline, OpmlFault};
use crate::charset::decode_text;
use crate::domain::FeedProblem;
use crate::domain::display_text::one_line;
use crate::markup::entities::decode_entities;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::markup::whitespace::fold_non_blank;

/// The subscriptions of a list and the faults in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionList {
    pub outlines: Vec<FeedOutline>,
    /// Subscriptions that have no URL or that a truncated file leaves incomplete.
    pub unusable: Vec<OpmlFault>,
    /// The lines on which an unescaped `&` was read as a literal `&`.
    pub bare_ampersand_lines: Vec<usize>,
    /// The first place where the file is otherwise not well-formed XML. Outlines after it may be missing.
    pub fault: Option<OpmlFault>,
    /// The first limit of newsfold that the file exceeds. The rest is not read.
    pub exceeded_limit: Option<OpmlFault>,
    /// Whether the file is truncated.
    pub is_truncated: bool,
    /// Repairs that preceded the parsing of the markup, such as repairs of the character set.
    pub problems: Vec<FeedProblem>,
}

/// Why a file cannot be read as a subscription list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpmlError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is not OPML: {detail}")]
    NotOpml { detail: String },
}

/// The maximum number of bytes that are read from a file.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;
const MAX_OUTLINES: usize = 200_000;
/// The maximum number of categories of a subscription.
pub const MAX_CATEGORIES: usize = 64;
/// The maximum number of times that a value is decoded in addition to XML's own decoding.
const MAX_EXCESS_ESCAPES: usize = 3;
/// The maximum depth of nested folders.
const MAX_FOLDER_DEPTH: usize = 32;

/// Reads the subscriptions of a file in document order.
///
/// # Errors
///
/// Returns [`OpmlError`] if the file is empty or has neither an `opml` nor an `outline` element.
pub fn read_opml(bytes: &[u8]) -> Result<SubscriptionList, OpmlError> {
    let decoded = decode_text(&bytes[..bytes.len().min(MAX_BYTES)], None, None);
    let text = decoded.text;
    if text.trim().is_empty() {
        return Err(OpmlError::Empty);
    }
    let mut list = read_outlines(&text)
        .ok_or_else(|| OpmlError::NotOpml { detail: one_line(&text, FeedProblem::MAX_DETAIL_CHARS) })?;
    let limit = |message: String| Some(OpmlFault { line: 1, message });
    if bytes.len() > MAX_BYTES {
        // The file does not end where newsfold stops reading.
        list.is_truncated = false;
        list.unusable.retain(|fault| fault.message != TRUNCATED_OUTLINE);
        list.exceeded_limit = limit(format!("the file has more than {MAX_BYTES} bytes; the rest is not read"));
    } else {
        find_first_fault(&text, &mut list);
    }
    if list.outlines.len() > MAX_OUTLINES {
        list.outlines.truncate(MAX_OUTLINES);
        let message = format!("the file has more than {MAX_OUTLINES} subscriptions; the others are not read");
        list.exceeded_limit = limit(message);
    }
    list.bare_ampersand_lines = bare_ampersand_lines(&text);
    list.problems = decoded.problems;
    Ok(list)
}

/// Reads the outlines of a document; `None` if the document is not OPML.
fn read_outlines(text: &str) -> Option<SubscriptionList> {
    let mut reader = OutlineReader { text, ..OutlineReader::default() };
    let mut tokens = Tokenizer::new(text);
    let mut is_opml = false;
    loop {
        let start = tokens.offset();
        let Some(token) = tokens.next() else { break };
        match token {
            MarkupToken::Start(tag) if tag.name.eq_ignore_ascii_case("opml") => is_opml = true,
            MarkupToken::Start(tag) if tag.name.eq_ignore_ascii_case("outline") => {
                is_opml = true;
                reader.start_outline(tag, start, tokens.truncated);
            }
            MarkupToken::End(name) if name.eq_ignore_ascii_case("outline") => reader.end_outline(),
            MarkupToken::Text(part) => reader.read_split_outline(part, start),
            _ => {}
        }
        if reader.list.outlines.len() > MAX_OUTLINES {
            break;
        }
    }
    reader.list.is_truncated = tokens.truncated;
    is_opml.then_some(reader.list)
}

/// Checks whether a list is well-formed XML (XML 1.0, §2.1), except for bare ampersands. The reader may lose outlines
/// of a malformed list, so `source sync` must not remove the sources that are missing from it.
fn find_first_fault(text: &str, list: &mut SubscriptionList) {
    let mut reader = Reader::from_str(text);
    // A bare `&` causes no loss, and most shared lists contain one.
    reader.config_mut().allow_dangling_amp = true;
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<String> = Vec::new();
    let (position, message) = loop {
        let position = reader.buffer_position();
        match reader.read_event() {
            Err(error) => break (reader.error_position(), error.to_string()),
            Ok(Event::Start(tag)) => {
                if let Some(message) = fault_in_tag(&tag) {
                    break (position, message);
                }
                open.push(tag.name().as_ref().to_owned());
            }
            Ok(Event::End(_)) => drop(open.pop()),
            Ok(Event::Eof) => {
                let Some(name) = open.pop() else { return };
                list.is_truncated = true;
                break (text.trim_end().len() as u64, format!("the file ends before <{name}> is closed"));
            }
            Ok(_) => {}
        }
    };
    let position = usize::try_from(position).unwrap_or(text.len()).min(text.len());
    let line = 1 + text.as_bytes()[..position].iter().filter(|b| **b == b'\n').count();
    list.fault = Some(OpmlFault { line, message });
}

/// Returns the fault in a tag. A `<` in a value shows that a quote is missing and that the value extends too far.
fn fault_in_tag(tag: &BytesStart<'_>) -> Option<String> {
    tag.attributes().find_map(|attribute| match attribute {
        Err(error) => Some(error.to_string()),
        Ok(attribute) => attribute
            .value
            .contains('<')
            .then(|| format!("the value of {} contains <, so a quote may be missing", attribute.key.as_ref())),
    })
}

/// Returns the lines with an `&` that does not start a reference. HTML entities such as `&nbsp;` count as references.
fn bare_ampersand_lines(text: &str) -> Vec<usize> {
    let is_bare = |after: &str| {
        let name = after.split_once(';').map_or("", |(name, _)| name);
        let name = name.strip_prefix('#').unwrap_or(name);
        name.is_empty() || name.len() > 32 || !name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let has_bare = |line: &str| line.match_indices('&').any(|(at, _)| is_bare(&line[at + 1..]));
    text.lines().enumerate().filter(|(_, line)| has_bare(line)).map(|(index, _)| index + 1).collect()
}

#[derive(Default)]
struct OutlineReader<'a> {
    text: &'a str,
    /// The number of line feeds in the first `counted_bytes` of the text.
    line_feeds: usize,
    counted_bytes: usize,
    /// The open outlines: the name for a folder, `None` for a subscription or an unnamed folder.
    folders: Vec<Option<String>>,
    /// The number of open outlines beyond the depth limit.
    excess_depth: usize,
    list: SubscriptionList,
}

impl OutlineReader<'_> {
    fn start_outline(&mut self, tag: StartTag, position: usize, is_cut_off: bool) {
        let line = self.line_at(position);
        if is_cut_off {
            // A truncated URL is a different URL.
            return self.report_unusable(line, TRUNCATED_OUTLINE);
        }
        let value = |name: &str| tag.attribute(name).and_then(|value| fold_non_blank(&value));
        let words = |name: &str| tag.attribute(name).and_then(|value| fold_non_blank(&decode_again(&value)));
        let title = words("title").or_else(|| words("text"));
        let is_feed = value("type").is_some_and(|kind| matches!(kind.to_lowercase().as_str(), "rss" | "atom" | "feed"));
        let xml_url = value("xmlUrl").or_else(|| value("url").filter(|_| is_feed)).map(with_single_ampersands);
        let is_folder = xml_url.is_none();
        if let Some(xml_url) = xml_url {
            // Subscriptions are not nested, so an open subscription lacks its end tag.
            self.folders.pop_if(|folder| folder.is_none());
            let categories = self.categories(&words("category").unwrap_or_default(), line);
            self.list.outlines.push(FeedOutline {
                xml_url,
                title: title.clone(),
                html_url: value("htmlUrl").map(with_single_ampersands),
                categories,
                language: value("language"),
                outlet: value("newsfold:outlet"),
                priority: value("newsfold:priority"),
                full_text: value("newsfold:fullText"),
                aggregator: value("newsfold:aggregator"),
                interval: value("newsfold:interval"),
                grouped: value("newsfold:grouped"),
                line,
            });
        } else if is_feed || tag.attribute("xmlUrl").is_some() {
            let name = title.as_deref().map_or_else(|| "an outline".to_owned(), |t| format!("‘{}’", one_line(t, 80)));
            self.report_unusable(line, &format!("{name} has no address: its xmlUrl is missing or empty"));
        }
        if tag.self_closing {
            return;
        }
        if self.folders.len() >= MAX_FOLDER_DEPTH {
            self.excess_depth += 1;
        } else {
            self.folders.push(title.filter(|_| is_folder));
        }
    }

    fn end_outline(&mut self) {
        if self.excess_depth > 0 {
            self.excess_depth -= 1;
        } else {
            self.folders.pop();
        }
    }

    /// Returns the distinct names of the open folders, then of a `category` attribute (`/World/Asia,weather`).
    fn categories(&mut self, attribute: &str, line: usize) -> Vec<String> {
        let named = attribute.split(',').map(|path| path.trim().trim_matches('/').to_owned());
        let mut categories: IndexSet<String> = IndexSet::new();
        for category in self.folders.iter().flatten().cloned().chain(named).filter(|name| !name.is_empty()) {
            if categories.len() == MAX_CATEGORIES && !categories.contains(&category) {
                let message =
                    format!("the subscription has more than {MAX_CATEGORIES} categories; the others are not read");
                self.list.exceeded_limit.get_or_insert(OpmlFault { line, message });
                break;
            }
            categories.insert(category);
        }
        categories.into_iter().collect()
    }

    /// Reads an outline whose tag ended at an unescaped `>` in a description. Its URL is in the text after that `>`.
    fn read_split_outline(&mut self, text: &str, position: usize) {
        let Some(at) = text.find("xmlUrl=") else { return };
        let line = self.line_at(position + at);
        if position + text.len() == self.text.len() && !text[at..].contains('>') {
            return self.report_unusable(line, TRUNCATED_OUTLINE);
        }
        let rest = text[at..].split('>').next().unwrap_or_default();
        let tag = StartTag { name: "outline", attribute_text: rest.trim_end_matches('/'), self_closing: true };
        let Some(xml_url) = tag.attribute("xmlUrl").and_then(|url| fold_non_blank(&url)) else { return };
        let xml_url = with_single_ampersands(xml_url);
        // The first part of this outline was misread as a folder.
        let title = self.folders.pop().flatten();
        let categories = self.categories("", line);
        self.list.outlines.push(FeedOutline { xml_url, title, categories, line, ..FeedOutline::default() });
    }

    /// Returns the 1-based line number of a position. Positions must not decrease between calls.
    fn line_at(&mut self, position: usize) -> usize {
        let between = &self.text.as_bytes()[self.counted_bytes..position];
        self.line_feeds += between.iter().filter(|b| **b == b'\n').count();
        self.counted_bytes = position;
        self.line_feeds + 1
    }

    fn report_unusable(&mut self, line: usize, message: &str) {
        self.list.unusable.push(OpmlFault { line, message: message.to_owned() });
    }
}

/// Decodes references that remain in a value after XML's own decoding, because many programs escape titles twice.
fn decode_again(value: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(value);
    for _ in 0..MAX_EXCESS_ESCAPES {
        match decode_entities(&text) {
            Cow::Owned(decoded) if decoded != *text => text = decoded.into(),
            _ => break,
        }
    }
    text
}

/// Decodes double-escaped ampersands in a URL. Keeps other references, because `&lt=1` is a parameter.
fn with_single_ampersands(mut url: String) -> String {
    for _ in 0..MAX_EXCESS_ESCAPES {
        if !url.contains("&amp;") {
            break;
        }
        url = url.replace("&amp;", "&");
    }
    url
}

const TRUNCATED_OUTLINE: &str = "the file ends in the middle of this outline";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opml::write::write_opml;

    fn names(outlines: &[FeedOutline]) -> Vec<(&str, Vec<&str>)> {
        outlines.iter().map(|o| (o.xml_url.as_str(), o.categories.iter().map(String::as_str).collect())).collect()
    }

    #[test]
    fn bare_ampersands_and_missing_end_tags_lose_no_subscription() {
        let SubscriptionList { outlines: found, fault, bare_ampersand_lines, .. } = read_opml(
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
        assert_eq!(bare_ampersand_lines, [2, 3]);
        let fault = fault.unwrap();
        assert_eq!((fault.line, fault.message.as_str()), (4, "the file ends before <outline> is closed"));
    }

    #[test]
    fn quotes_and_tags_in_a_description_hide_no_url() {
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
    fn written_list_reads_the_same() {
        let one = FeedOutline {
            xml_url: "https://a.example/?x=1&y=\"2\"".into(),
            title: Some("A <b> & \u{1}'c'".into()),
            html_url: Some("https://a.example/".into()),
            categories: vec!["News".into(), "World".into()],
            language: Some("en".into()),
            outlet: Some("a.example".into()),
            priority: Some("-3".into()),
            full_text: Some("group".into()),
            aggregator: Some("true".into()),
            interval: Some("1h".into()),
            grouped: Some("false".into()),
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
        let expected = FeedOutline { title: Some("A <b> & 'c'".into()), line: 10, ..one };
        assert_eq!(found[1], expected);
    }

    #[test]
    fn values_that_were_escaped_twice_are_decoded_twice() {
        let list = read_opml(
            b"<opml><outline text='Food &amp;amp; Drink'><outline text='Ben &amp;amp;amp; Jo&amp;#8217;s caf&amp;eacute;' \
              xmlUrl='https://a.example/?x=1&amp;amp;y=2&amp;lt=3' category='A&amp;amp;B'/></outline>\
              <outline text='AT&amp;T &amp; co' xmlUrl='https://b.example/?x=1&amp;y=2'/></opml>",
        );
        let found = list.unwrap().outlines;
        let expected =
            [("https://a.example/?x=1&y=2&lt=3", vec!["Food & Drink", "A&B"]), ("https://b.example/?x=1&y=2", vec![])];
        assert_eq!(names(&found), expected);
        let titles: Vec<_> = found.iter().map(|outline| outline.title.as_deref().unwrap_or_default()).collect();
        assert_eq!(titles, ["Ben & Jo’s café", "AT&T & co"]);
    }

    #[test]
    fn limit_that_a_file_exceeds_is_named_and_is_not_called_the_end_of_the_file() {
        let outline = "<outline xmlUrl='https://a.example/'/>";
        let limit = |text: &str| {
            let list = read_opml(text.as_bytes()).unwrap();
            assert!(!list.is_truncated && list.fault.is_none() && list.unusable.is_empty());
            (list.outlines.len(), list.exceeded_limit.map(|fault| fault.message).unwrap_or_default())
        };
        let (count, message) = limit(&format!("<opml>{}</opml>", outline.repeat(MAX_OUTLINES + 1)));
        assert!(count == MAX_OUTLINES && message.contains("more than 200000 subscriptions"), "{message}");
        let padded = format!("<opml>{outline}<outline text='{}'/>{outline}</opml>", "x".repeat(MAX_BYTES));
        let (count, message) = limit(&padded);
        assert!(count == 1 && message.contains("more than 67108864 bytes"), "{message}");
        let many: Vec<String> = (0..2_000_000).map(|n| n.to_string()).collect();
        let text = format!("<opml><outline xmlUrl='https://a.example/' category='{}'/></opml>", many.join(","));
        let (count, message) = limit(&text);
        assert!(count == 1 && message.contains("more than 64 categories"), "{message}");
        assert_eq!(read_opml(text.as_bytes()).unwrap().outlines[0].categories.len(), MAX_CATEGORIES);
    }

    #[test]
    fn file_that_is_not_opml_is_refused() {
        assert_eq!(read_opml(b" "), Err(OpmlError::Empty));
        assert!(matches!(read_opml(b"<rss/>"), Err(OpmlError::NotOpml { .. })));
        assert_eq!(read_opml(b"<opml><body/></opml>").unwrap(), SubscriptionList::default());
    }

    #[test]
    fn truncated_url_is_not_read() {
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
    fn place_where_outlines_may_be_missing_is_reported_with_its_line() {
        let fault = |text: &str| read_opml(text.as_bytes()).unwrap().fault.map(|fault| fault.line);
        assert_eq!(fault("<opml>\n<outline xmlUrl='https://a.example/?x=1&y=2'/>\n</opml>"), None);
        assert_eq!(fault("<opml>\n<outline xmlUrl=\"https://a.example/>\n<outline xmlUrl=\"x\"/></opml>"), Some(2));
        assert_eq!(fault("<opml>\n<body>\n<outline text='a'>\n</body></opml>"), Some(4));
        assert_eq!(fault("<opml><outline text='a' <outline xmlUrl='https://a.example/'/></opml>"), Some(1));
    }

    #[test]
    fn subscription_without_a_url_is_reported() {
        let list = read_opml(b"<opml>\n<outline text='A' xmlUrl=''/>\n<outline text='B' type='rss'/></opml>").unwrap();
        assert_eq!(list.unusable.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 3]);
        assert!(list.unusable[0].message.contains("‘A’ has no address"));
    }
}
