//! The fields of a feed or an item: how the text of each becomes an element of the rewritten feed.
//!
//! Never keeps what it has written: of two elements that say the same, the later may replace the earlier by standing
//! behind it, because both parsers believe the last.

use quick_xml::escape::{escape, partial_escape};

use super::super::vocabulary::{Family, Field, family_of_prefix};
use super::super::{FeedKind, dates, embeds, text};
use super::base64;
use super::{
    NOTE_AUTHOR, NOTE_ID, NOTE_LANGUAGE, NOTE_SKIP_DAY, NOTE_SKIP_HOUR, NOTE_UPDATE_FREQUENCY, NOTE_UPDATE_PERIOD,
    Rewriter,
};
use crate::domain::ProblemKind;
use crate::markup::entities::decode_entities;
use crate::markup::tag::StartTag;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::markup::whitespace::fold_non_blank;

impl<'a> Rewriter<'a, '_> {
    pub(super) fn field(&mut self, tag: StartTag<'a>, field: Field, rank: u8) {
        self.language_of(tag, field);
        let (inner, mut has_elements) = self.extent(tag, field);
        let unwrapped = base64::of(tag, inner);
        let inner = unwrapped.as_deref().unwrap_or(inner);
        has_elements &= unwrapped.is_none();
        if inner.contains('&') && has_bare_ampersand(inner) {
            self.note(ProblemKind::NotWellFormed, inner);
        }
        match field {
            Field::Link => self.link(tag, inner),
            Field::Enclosure => self.enclosure(tag),
            Field::Image => self.image(tag, inner, rank),
            Field::Author => self.author(inner, rank),
            Field::Category => self.category(tag, inner),
            Field::Keywords => self.keywords(inner),
            Field::Summary | Field::Content => self.long(tag, field, rank, inner, has_elements),
            _ => {
                let value = flat(inner, has_elements, self.options.max_text);
                self.short(tag, field, rank, &value);
            }
        }
    }

    fn short(&mut self, tag: StartTag, field: Field, rank: u8, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        match field {
            Field::Title => {
                // What says that it is text has no tags, only what looks like some; but many say so who do not know it.
                let is_text = says_text(&media_type(tag)) && !value.contains("</");
                let title = if is_text { fold_non_blank(&decode_entities(value)) } else { text::plain(value) };
                if let Some(mut title) = title.filter(|_| self.scope.wins(field, rank)) {
                    if text::cut(&mut title, self.options.max_text) {
                        self.note(ProblemKind::TooLong, tag.name);
                    }
                    self.element("title", &title);
                }
            }
            Field::Guid if self.scope.wins(field, rank) => {
                if self.feed.is_none() {
                    return self.remark(NOTE_ID, value);
                }
                let permalink = tag.attribute("isPermaLink").is_none_or(|v| !v.trim().eq_ignore_ascii_case("false"));
                self.scope.permalink = Some(value.to_owned()).filter(|_| permalink);
                self.element("guid", value);
            }
            Field::Published | Field::Updated => self.date(field, rank, value),
            Field::Language => self.language(rank, value),
            Field::Origin => self.offer_link(tag, value, 9),
            Field::Ttl => self.element("ttl", value),
            Field::SkipHour if self.scope.has_room() => self.remark(NOTE_SKIP_HOUR, value),
            Field::SkipDay if self.scope.has_room() => self.remark(NOTE_SKIP_DAY, value),
            Field::UpdatePeriod if self.scope.wins(field, rank) => self.remark(NOTE_UPDATE_PERIOD, value),
            Field::UpdateFrequency if self.scope.wins(field, rank) => self.remark(NOTE_UPDATE_FREQUENCY, value),
            _ => {}
        }
    }

    /// Writes an element with its text.
    pub(super) fn element(&mut self, name: &str, text: &str) {
        self.out.push_str(&format!("<{name}>"));
        self.push_text(text);
        self.out.push_str(&format!("</{name}>\n"));
    }

    /// Writes a text in the shorter of XML's two ways: as a CDATA section, or with references. Markup in references
    /// is up to five times as long, and feed-rs takes each of them for an event of its own.
    fn push_text(&mut self, text: &str) {
        let references = text.bytes().filter(|b| matches!(b, b'<' | b'>' | b'&')).count();
        let ends = if references == 0 { 0 } else { text.matches("]]>").count() };
        if references == 0 {
            self.out.push_str(text);
        } else if (ends + 1) * 12 < references * 3 {
            self.out.push_str("<![CDATA[");
            // An end of a section within the text is divided between two sections.
            for (nth, part) in text.split("]]>").enumerate() {
                if nth > 0 {
                    self.out.push_str("]]]]><![CDATA[>");
                }
                self.out.push_str(part);
            }
            self.out.push_str("]]>");
        } else {
            self.out.push_str(&partial_escape(text));
        }
    }

    fn remark(&mut self, domain: &str, text: &str) {
        self.out.push_str(&format!("<category domain=\"{domain}\">{}</category>\n", escape(text)));
    }

    pub(super) fn date(&mut self, field: Field, rank: u8, value: &str) {
        let Some(moment) = dates::parse(value) else {
            self.note(ProblemKind::BadDate, value);
            return;
        };
        if !self.scope.wins(field, rank) {
            return;
        }
        let name = match (field, self.feed.is_some()) {
            (Field::Published, _) => "pubDate",
            (_, true) => "atom:updated",
            (_, false) => "lastBuildDate",
        };
        self.element(name, &moment.to_string());
    }

    /// The language that an element of an item says it is in. The item has one, that of its longest text.
    fn language_of(&mut self, tag: StartTag, field: Field) {
        let rank = match field {
            Field::Title => 2,
            Field::Summary => 3,
            Field::Content => 4,
            _ => return,
        };
        if let Some(language) = tag.attribute("xml:lang").filter(|_| self.feed.is_some()) {
            self.language(rank, &language);
        }
    }

    pub(super) fn language(&mut self, rank: u8, value: &str) {
        let value = value.trim().replace('_', "-");
        if value.is_empty() || !self.scope.wins(Field::Language, rank) {
            return;
        }
        if self.feed.is_some() {
            self.remark(NOTE_LANGUAGE, &value);
        } else {
            self.element("language", &value);
        }
    }

    /// A summary or a content, as HTML.
    fn long(&mut self, tag: StartTag, field: Field, rank: u8, inner: &str, has_elements: bool) {
        let media_type = media_type(tag);
        if is_no_text(&media_type) && !base64::is_unwrapped(tag) {
            return;
        }
        let mut html = flat(inner, has_elements, self.options.max_text).trim().to_owned();
        // An Atom text without a type is plain by RFC 4287, and HTML where its author forgot the type.
        let means_text = media_type.is_empty() && self.kind == Some(FeedKind::Atom) && !html.contains("</");
        if !has_elements && (says_text(&media_type) || means_text) {
            html = escape(html.as_str()).into_owned();
        }
        if has_elements {
            html = self.without_prefixes(html);
        }
        if let Some(closed) = embeds::closed(&html) {
            html = closed;
        }
        if html.is_empty() || !self.scope.wins(field, rank) {
            return;
        }
        if text::cut(&mut html, self.options.max_text) {
            self.note(ProblemKind::TooLong, tag.name);
        }
        self.element(if field == Field::Content { "content:encoded" } else { "description" }, &html);
    }

    /// XHTML's names without the prefixes that the document gave them.
    fn without_prefixes(&self, mut html: String) -> String {
        for prefix in self.xhtml_prefixes().take(2) {
            html = html.replace(&format!("<{prefix}:"), "<").replace(&format!("</{prefix}:"), "</");
        }
        html
    }

    fn author(&mut self, inner: &str, rank: u8) {
        if rank < self.scope.rank(Field::Author) || !self.scope.has_room() {
            return;
        }
        if let Some(name) = person(inner) {
            self.scope.wins(Field::Author, rank);
            match self.feed {
                Some(_) => self.element("dc:creator", &name),
                None => self.remark(NOTE_AUTHOR, &name),
            }
        }
    }

    fn category(&mut self, tag: StartTag, inner: &str) {
        let attribute = ["label", "term", "text"].iter().find_map(|name| tag.attribute(name));
        let value = attribute.map(|value| value.into_owned()).unwrap_or_else(|| flat(inner, false, MAX_CATEGORY));
        let name = text::plain(&value).filter(|name| name.len() <= MAX_CATEGORY && self.scope.has_room());
        if let Some(name) = name {
            self.element("category", &name);
        }
    }

    /// `one, two` in a single element.
    fn keywords(&mut self, inner: &str) {
        let words = flat(inner, false, MAX_KEYWORDS);
        for word in words.split(',').filter_map(text::plain) {
            if word.len() <= MAX_CATEGORY && self.scope.has_room() {
                self.element("category", &word);
            }
        }
    }
}

/// What is beyond this in a list of keywords is not looked at.
const MAX_KEYWORDS: usize = 4 * 1024;
/// No byline is longer: what is beyond this is not looked at, because names are searched again and again.
const MAX_PERSON: usize = 4 * 1024;
/// A longer category is a text that strayed into the wrong element.
const MAX_CATEGORY: usize = 256;

fn media_type(tag: StartTag) -> String {
    tag.attribute("type").map(|said| said.trim().to_ascii_lowercase()).unwrap_or_default()
}

fn says_text(media_type: &str) -> bool {
    matches!(media_type, "text" | "text/plain" | "plain")
}

fn is_no_text(media_type: &str) -> bool {
    ["image/", "audio/", "video/", "application/octet", "application/pdf"]
        .iter()
        .any(|kind| media_type.starts_with(kind))
}

/// A name out of `Ann Author`, `ann@news.example (Ann Author)`, `<name>Ann Author</name>…`; an address where there is
/// no name.
fn person(inner: &str) -> Option<String> {
    let inner = &inner[..inner.floor_char_boundary(MAX_PERSON)];
    let (mut name, mut email, mut bare) = (None, None, String::new());
    let mut element = "";
    for token in Tokenizer::new(inner) {
        match token {
            MarkupToken::Start(tag) => element = tag.name.rsplit(':').next().unwrap_or_default(),
            MarkupToken::End(_) => element = "",
            MarkupToken::Text(text) | MarkupToken::CData(text) => match element {
                "name" | "Name" if name.is_none() => name = text::plain(text),
                "email" if email.is_none() => email = text::plain(text),
                "" | "p" | "span" | "b" | "i" | "strong" | "em" | "a" | "li" => bare.push_str(text),
                _ => {}
            },
            MarkupToken::Other => {}
        }
    }
    let bare = text::plain(&bare);
    let mut person = name.or(bare).or(email)?;
    // Each address costs a look at the whole text, and a text of addresses alone would take hours.
    text::cut(&mut person, 4 * MAX_CATEGORY);
    // Without its address a name is safe from feed-rs, which looks for one and cuts bytes around it.
    while let Some(at) = person.find('@') {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
        let start = person[..at].trim_end_matches(is_part).len();
        let end = person.len() - person[at + 1..].trim_start_matches(is_part).len();
        let rest = format!("{} {}", &person[..start], &person[end..]);
        let rest = rest.trim_matches(|c: char| c.is_whitespace() || "()<>[]\",–-".contains(c)).replace("mailto:", "");
        match fold_non_blank(&rest) {
            Some(rest) => person = rest,
            None => break,
        }
    }
    text::cut(&mut person, MAX_CATEGORY);
    Some(person)
}

/// An element's inside as text: decoded where it is text, as markup where elements stand in it. Never much longer than
/// `max`, but longer where anything was left out, so that the cut is seen and noted.
pub(super) fn flat(inner: &str, has_elements: bool, max: usize) -> String {
    let mut out = String::new();
    for token in Tokenizer::new(inner) {
        let room = (max + 4).saturating_sub(out.len());
        if room == 0 {
            break;
        }
        match token {
            MarkupToken::Text(text) if !has_elements => {
                // A reference is longer than its character, by so much at most in any text that means something.
                let text = cut(text, room.saturating_mul(8));
                out.push_str(cut(&decode_entities(text), room));
            }
            MarkupToken::Text(text) | MarkupToken::CData(text) => out.push_str(cut(text, room)),
            MarkupToken::Start(tag) if tag.rest.len() < room => {
                out.push('<');
                out.push_str(local_html(tag.name));
                out.push_str(tag.rest);
                out.push_str(if tag.self_closing { "/>" } else { ">" });
            }
            MarkupToken::End(name) if name.len() < room => {
                out.push_str("</");
                out.push_str(local_html(name));
                out.push('>');
            }
            MarkupToken::Start(_) | MarkupToken::End(_) | MarkupToken::Other => {}
        }
    }
    out
}

fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// XHTML's names without the prefix that a feed gave them.
fn local_html(name: &str) -> &str {
    match name.split_once(':') {
        Some((prefix, local)) if family_of_prefix(prefix) == Family::Xhtml => local,
        _ => name,
    }
}

/// Whether an `&` stands here that XML's own references do not explain.
fn has_bare_ampersand(text: &str) -> bool {
    text.match_indices('&').take(1000).any(|(at, _)| {
        let after = &text[at + 1..];
        !["#", "amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|known| after.starts_with(known))
    }) && !text.contains("<![CDATA[")
}
