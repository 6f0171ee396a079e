//! Reads the outlines of a list: folders, subscriptions, and outlines whose markup is damaged.

use std::borrow::Cow;

use indexmap::IndexSet;

use super::super::{FeedOutline, OpmlFault};
use super::{MAX_CATEGORIES, SubscriptionList, TRUNCATED_OUTLINE};
use crate::domain::display_text::one_line;
use crate::markup::entities::decode_entities;
use crate::markup::tag::StartTag;
use crate::markup::whitespace::fold_non_blank;

/// The maximum number of times that a value is decoded in addition to XML's own decoding.
const MAX_EXCESS_ESCAPES: usize = 3;
/// The maximum depth of nested folders.
const MAX_FOLDER_DEPTH: usize = 32;

/// The state of reading a document. It collects the subscriptions in document order.
#[derive(Default)]
pub struct OutlineReader<'a> {
    text: &'a str,
    /// The number of line feeds in the first `counted_bytes` of the text.
    line_feeds: usize,
    counted_bytes: usize,
    /// The open outlines: the name for a folder, `None` for a subscription or an unnamed folder.
    folders: Vec<Option<String>>,
    /// The number of open outlines beyond the depth limit.
    excess_depth: usize,
    pub list: SubscriptionList,
}

impl<'a> OutlineReader<'a> {
    pub fn new(text: &'a str) -> Self {
        OutlineReader { text, ..OutlineReader::default() }
    }

    pub fn start_outline(&mut self, tag: StartTag, position: usize, is_cut_off: bool) {
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

    pub fn end_outline(&mut self) {
        if self.excess_depth > 0 {
            self.excess_depth -= 1;
        } else {
            self.folders.pop();
        }
    }

    /// Returns the distinct names of the open folders, followed by the names in a `category` attribute
    /// (`/World/Asia,weather`).
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
    pub fn read_split_outline(&mut self, text: &str, position: usize) {
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
