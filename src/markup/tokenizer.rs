//! A lenient tokenizer for XML and HTML. It accepts every input, runs in linear time and copies no text.
//!
//! The tokenizer never fails, never recurses, builds no tree and expands no entities that a document declares. It
//! replaces quick-xml for documents from the web, because quick-xml stops at the first bare `<` or unclosed quote.
//! Where XML 1.0 has no rule, the tokenizer follows WHATWG HTML (§13.2.5).

mod html_rules;

use super::tag::StartTag;

/// One token of a document. Its entities are not decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MarkupToken<'a> {
    Text(&'a str),
    /// The content of `<![CDATA[…]]>`, in which entities are not recognized.
    CData(&'a str),
    Start(StartTag<'a>),
    /// The name of an end tag.
    End(&'a str),
    /// A comment, processing instruction or document type declaration.
    Other,
}

/// An iterator over the tokens of a document.
pub struct Tokenizer<'a> {
    text: &'a str,
    position: usize,
    /// Whether the document ends inside a comment, a CDATA section or a tag.
    pub truncated: bool,
    /// Whether the document contains a `<` or a quote that is not part of markup.
    pub malformed: bool,
    /// Whether `<![CDATA[` starts a section in HTML, which it does only in SVG and MathML. Feeds always allow sections.
    pub allows_cdata: bool,
    /// Whether to tokenize HTML as a browser does, rather than XML with embedded HTML and the typical errors of feeds.
    is_html: bool,
    searches: Vec<NeedleSearch>,
}

/// The last search for one markup terminator. Its result is valid for every start between `from` and `found`. All
/// searches together therefore read a document only once, even a hostile document that repeats the start of markup.
struct NeedleSearch {
    needle: &'static str,
    from: usize,
    found: Option<usize>,
}

impl<'a> Tokenizer<'a> {
    /// Tokenizes a feed or another XML document.
    pub fn new(text: &'a str) -> Self {
        Tokenizer {
            text,
            position: 0,
            truncated: false,
            malformed: false,
            allows_cdata: true,
            is_html: false,
            searches: Vec::new(),
        }
    }

    /// Tokenizes HTML as a browser does. A tag that is truncated by the end of the document becomes
    /// [`MarkupToken::Other`].
    pub fn html(text: &'a str) -> Self {
        Tokenizer { is_html: true, allows_cdata: false, ..Tokenizer::new(text) }
    }

    /// Returns the byte offset of the next token.
    pub fn offset(&self) -> usize {
        self.position
    }

    /// Returns the text of the document between the offsets of two tokens.
    pub fn slice(&self, start: usize, end: usize) -> &'a str {
        &self.text[start..end]
    }

    /// Skips the content of an HTML element that contains raw text (`script`, `style`), up to its end tag.
    pub fn skip_raw_text(&mut self, name: &str) {
        let rest = &self.text[self.position..];
        let end = rest.match_indices("</").find(|(at, _)| {
            rest.as_bytes().get(at + 2..at + 2 + name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
        });
        self.position = end.map_or(self.text.len(), |(at, _)| self.position + at);
    }

    fn find(&mut self, needle: &'static str, from: usize) -> Option<usize> {
        let last = self.searches.iter().find(|search| search.needle == needle && search.from <= from);
        if let Some(last) = last.filter(|last| last.found.is_none_or(|found| found >= from)) {
            return last.found;
        }
        let found = self.text[from..].find(needle).map(|at| from + at);
        self.searches.retain(|search| search.needle != needle);
        self.searches.push(NeedleSearch { needle, from, found });
        found
    }

    /// Reads up to `needle`, or to the end of the document if `needle` is missing.
    fn take_until(&mut self, needle: &'static str, from: usize) -> &'a str {
        let end = self.find(needle, from);
        self.truncated |= end.is_none();
        self.position = end.map_or(self.text.len(), |at| at + needle.len());
        &self.text[from..end.unwrap_or(self.text.len())]
    }

    fn read_markup(&mut self) -> Option<MarkupToken<'a>> {
        let start = self.position;
        let rest = &self.text[start..];
        let bytes = rest.as_bytes();
        match bytes.get(1)? {
            b'!' if rest.starts_with("<!--") => {
                // An unclosed comment would contain the rest of the document, so it ends at the first `>`.
                let is_closed = self.find("-->", start + 2).is_some();
                self.malformed |= !is_closed;
                self.take_until(if is_closed { "-->" } else { ">" }, start + 2);
                Some(MarkupToken::Other)
            }
            b'!' if bytes.get(..9).is_some_and(|b| b.eq_ignore_ascii_case(b"<![CDATA[")) => {
                Some(MarkupToken::CData(self.take_until("]]>", start + 9)))
            }
            b'!' => Some(self.read_declaration()),
            b'?' => {
                // `<?xml …>` often lacks its second question mark. It then ends at the first `>`.
                let regular = self.find("?>", start + 2).map(|at| at + 2);
                let regular = regular.filter(|end| !self.text[start + 1..*end].contains('<'));
                let end = regular.or_else(|| self.find(">", start).map(|at| at + 1));
                self.truncated |= end.is_none();
                self.position = end.unwrap_or(self.text.len());
                Some(MarkupToken::Other)
            }
            b'/' => {
                let name = end_tag_name(&rest[2..]);
                if name.is_empty() {
                    return None;
                }
                // An end tag has no attributes. A `<` before its `>` therefore shows that the `>` is missing.
                let end = rest[2..].find(['>', '<']).map(|at| at + 2);
                self.truncated |= end.is_none();
                self.position = match end {
                    Some(at) if bytes[at] == b'>' => start + at + 1,
                    Some(at) => start + at,
                    None => self.text.len(),
                };
                Some(MarkupToken::End(name))
            }
            _ => {
                let name = name_at(&rest[1..]);
                if name.is_empty() { None } else { Some(self.read_start_tag(name)) }
            }
        }
    }

    /// Skips `<!DOCTYPE …>` and its internal subset. Declared entities are not read, because their expansion has no
    /// bound ("billion laughs").
    fn read_declaration(&mut self) -> MarkupToken<'a> {
        let bytes = self.text.as_bytes();
        let mut at = self.position + 2;
        let mut brackets = 0usize;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'[' => brackets += 1,
                b']' => brackets = brackets.saturating_sub(1),
                b'>' if brackets == 0 => break,
                // A root element inside a declaration shows that the closing bracket of the declaration is missing.
                b'<' if is_root_element(&self.text[at..]) => {
                    self.malformed = true;
                    self.position = at;
                    return MarkupToken::Other;
                }
                _ => {}
            }
            at += 1;
        }
        self.truncated |= at >= bytes.len();
        self.position = (at + 1).min(bytes.len());
        MarkupToken::Other
    }

    fn read_start_tag(&mut self, name: &'a str) -> MarkupToken<'a> {
        let bytes = self.text.as_bytes();
        let rest_start = self.position + 1 + name.len();
        let mut at = rest_start;
        let end = loop {
            match bytes.get(at) {
                None => {
                    self.truncated = true;
                    break at;
                }
                Some(b'>') => break at,
                // Another tag starts, so the `>` of this tag is missing.
                Some(b'<') => {
                    self.malformed = true;
                    break at;
                }
                Some(quote @ (b'"' | b'\'')) if follows_equals(&bytes[rest_start..at]) => {
                    match self.find(if *quote == b'"' { "\"" } else { "'" }, at + 1) {
                        Some(close) if close - at <= MAX_VALUE_BYTES => at = close + 1,
                        // An unclosed quote is treated as an ordinary character.
                        _ => {
                            self.malformed = true;
                            at += 1;
                        }
                    }
                }
                Some(_) => at += 1,
            }
        };
        self.position = if bytes.get(end) == Some(&b'>') { end + 1 } else { end };
        let rest = &self.text[rest_start..end];
        let attribute_text = rest.strip_suffix('/');
        MarkupToken::Start(StartTag {
            name,
            attribute_text: attribute_text.unwrap_or(rest),
            self_closing: attribute_text.is_some(),
        })
    }

    /// Returns whether a `<` that is followed by `after` starts markup.
    fn starts_markup(&self, after: &str) -> bool {
        let starts_name = |text: &str| {
            if self.is_html { text.starts_with(|c: char| c.is_ascii_alphabetic()) } else { !name_at(text).is_empty() }
        };
        match after.as_bytes().first() {
            Some(b'!' | b'?') => true,
            Some(b'/') => self.is_html || !end_tag_name(&after[1..]).is_empty(),
            _ => starts_name(after),
        }
    }
}

/// The maximum length of an attribute value. A longer value lacks its closing quote.
const MAX_VALUE_BYTES: usize = 64 * 1024;

impl<'a> Iterator for Tokenizer<'a> {
    type Item = MarkupToken<'a>;

    fn next(&mut self) -> Option<MarkupToken<'a>> {
        let start = self.position;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        if rest.starts_with('<')
            && let Some(token) = if self.is_html { self.read_html_markup() } else { self.read_markup() }
        {
            return Some(token);
        }
        // Reads text, including every `<` that does not start markup.
        let mut end = start;
        loop {
            if self.text[end..].starts_with('<') {
                self.malformed = true;
                end += 1;
            }
            match self.text[end..].find('<') {
                Some(at) if self.starts_markup(&self.text[end + at + 1..]) => {
                    end += at;
                    break;
                }
                Some(at) => end += at,
                None => {
                    end = self.text.len();
                    break;
                }
            }
        }
        self.position = end;
        Some(MarkupToken::Text(&self.text[start..end]))
    }
}

fn is_root_element(text: &str) -> bool {
    ["<rss", "<feed", "<rdf:RDF", "<channel", "<opml"].iter().any(|root| text.starts_with(root))
}

fn follows_equals(before: &[u8]) -> bool {
    before.iter().rev().find(|b| !b.is_ascii_whitespace()) == Some(&b'=')
}

/// Returns the name in an end tag after `</`; empty if there is none. White space may precede the name if the tag
/// contains nothing else: `</ link>`.
fn end_tag_name(text: &str) -> &str {
    let start = text.trim_start();
    let name = name_at(start);
    let is_tag = start.len() == text.len() || start[name.len()..].trim_start().starts_with('>');
    if is_tag { name } else { "" }
}

/// Returns the tag name at the start of the text; empty if there is none.
fn name_at(text: &str) -> &str {
    let is_name_start = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if !is_name_start {
        return "";
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '-' | '_' | '.'))).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests;
