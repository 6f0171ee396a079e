//! A lenient tokenizer for XML and HTML as strangers write it: every input gives tokens, in linear time, without
//! recursion and without copying.
//!
//! It never fails, never builds a tree and never expands an entity that a document declares itself. quick-xml, which
//! reads what is rewritten here, stops at the first bare `<` or unclosed quote; so this one stands before it.
//! Rules follow the tokenizer of the HTML standard (§13.2.5) where XML 1.0 has none.

use super::tag::StartTag;

/// One piece of a document. All text is as it stands in the document, entities not decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MarkupToken<'a> {
    Text(&'a str),
    /// What stands in `<![CDATA[…]]>`: no entities in here.
    CData(&'a str),
    Start(StartTag<'a>),
    /// The name of a closing tag.
    End(&'a str),
    /// A comment, processing instruction or document type.
    Other,
}

/// The tokens of a document, one after the other.
pub struct Tokenizer<'a> {
    text: &'a str,
    position: usize,
    /// A comment, CDATA section or tag that the document's end cut off was seen.
    pub truncated: bool,
    /// A `<` or a quote that belongs to no markup was seen.
    pub malformed: bool,
    searches: [Search; 6],
}

/// The last search for one needle. Because an answer holds for every start before it, all searches together read the
/// document once, whatever a hostile document repeats.
#[derive(Clone, Copy, Default)]
struct Search {
    from: usize,
    found: Option<usize>,
    done: bool,
}

const NEEDLES: [&str; 6] = ["-->", "]]>", "?>", "\"", "'", ">"];
const COMMENT_END: usize = 0;
const CDATA_END: usize = 1;
const INSTRUCTION_END: usize = 2;
const DOUBLE_QUOTE: usize = 3;
const SINGLE_QUOTE: usize = 4;
const BRACKET: usize = 5;

impl<'a> Tokenizer<'a> {
    pub fn new(text: &'a str) -> Self {
        Tokenizer { text, position: 0, truncated: false, malformed: false, searches: Default::default() }
    }

    /// The byte position of the token that comes next.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Reads an HTML element whose text is not markup (`script`, `style`) up to its closing tag, which comes next.
    pub fn skip_raw_text(&mut self, name: &str) {
        let rest = &self.text[self.position..];
        let end = rest.match_indices("</").find(|(at, _)| {
            rest.as_bytes().get(at + 2..at + 2 + name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
        });
        self.position = end.map_or(self.text.len(), |(at, _)| self.position + at);
    }

    fn find(&mut self, needle: usize, from: usize) -> Option<usize> {
        let last = self.searches[needle];
        let known = last.done && last.from <= from && last.found.is_none_or(|found| found >= from);
        if known {
            return last.found;
        }
        let found = self.text[from..].find(NEEDLES[needle]).map(|at| from + at);
        self.searches[needle] = Search { from, found, done: true };
        found
    }

    /// Takes everything up to `needle`, or up to the document's end if the needle is missing.
    fn take_until(&mut self, needle: usize, from: usize) -> &'a str {
        let end = self.find(needle, from);
        self.truncated |= end.is_none();
        self.position = end.map_or(self.text.len(), |at| at + NEEDLES[needle].len());
        &self.text[from..end.unwrap_or(self.text.len())]
    }

    fn markup(&mut self) -> Option<MarkupToken<'a>> {
        let start = self.position;
        let rest = &self.text[start..];
        let bytes = rest.as_bytes();
        match bytes.get(1)? {
            b'!' if rest.starts_with("<!--") => {
                // A comment that nothing closes would swallow all the rest: it ends at the first bracket.
                let closed = self.find(COMMENT_END, start + 2).is_some();
                self.malformed |= !closed;
                self.take_until(if closed { COMMENT_END } else { BRACKET }, start + 2);
                Some(MarkupToken::Other)
            }
            b'!' if bytes.get(..9).is_some_and(|b| b.eq_ignore_ascii_case(b"<![CDATA[")) => {
                Some(MarkupToken::CData(self.take_until(CDATA_END, start + 9)))
            }
            b'!' => Some(self.declaration()),
            b'?' => {
                // `<?xml …>` without its question mark is common enough: the tag then ends at the first `>`.
                let proper = self.find(INSTRUCTION_END, start + 2).map(|at| at + 2);
                let proper = proper.filter(|end| !self.text[start + 1..*end].contains('<'));
                let end = proper.or_else(|| self.find(BRACKET, start).map(|at| at + 1));
                self.truncated |= end.is_none();
                self.position = end.unwrap_or(self.text.len());
                Some(MarkupToken::Other)
            }
            b'/' => {
                let name = name_at(&rest[2..]);
                if name.is_empty() {
                    return None;
                }
                // A closing tag has no attributes, so a `<` before its `>` means that the `>` was forgotten.
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
                if name.is_empty() { None } else { Some(self.tag(name)) }
            }
        }
    }

    /// `<!DOCTYPE …>`, with its internal subset in brackets. Nothing in it is read: entities that a document declares
    /// are how billions of laughs are made.
    fn declaration(&mut self) -> MarkupToken<'a> {
        let bytes = self.text.as_bytes();
        let mut at = self.position + 2;
        let mut brackets = 0usize;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'[' => brackets += 1,
                b']' => brackets = brackets.saturating_sub(1),
                b'>' if brackets == 0 => break,
                // A feed's root inside a declaration: its bracket was never closed.
                b'<' if is_root(&self.text[at..]) => {
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

    fn tag(&mut self, name: &'a str) -> MarkupToken<'a> {
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
                // A new tag begins: this one's `>` was forgotten.
                Some(b'<') => {
                    self.malformed = true;
                    break at;
                }
                Some(quote @ (b'"' | b'\'')) if follows_equals(&bytes[rest_start..at]) => {
                    let needle = if *quote == b'"' { DOUBLE_QUOTE } else { SINGLE_QUOTE };
                    match self.find(needle, at + 1) {
                        Some(close) if close - at <= MAX_VALUE => at = close + 1,
                        // A quote that nothing closes is a character like any other.
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
        let self_closing = rest.ends_with('/');
        MarkupToken::Start(StartTag { name, rest: rest.strip_suffix('/').unwrap_or(rest), self_closing })
    }
}

/// The longest attribute value in bytes: one that is longer is a quote that was forgotten.
const MAX_VALUE: usize = 64 * 1024;

impl<'a> Iterator for Tokenizer<'a> {
    type Item = MarkupToken<'a>;

    fn next(&mut self) -> Option<MarkupToken<'a>> {
        let start = self.position;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        if rest.starts_with('<')
            && let Some(token) = self.markup()
        {
            return Some(token);
        }
        // Text, and every `<` in it after which no markup can begin.
        let mut end = start;
        loop {
            if self.text[end..].starts_with('<') {
                self.malformed = true;
                end += 1;
            }
            match self.text[end..].find('<') {
                Some(at) if begins_markup(&self.text[end + at + 1..]) => {
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

fn begins_markup(after: &str) -> bool {
    match after.as_bytes().first() {
        Some(b'!' | b'?') => true,
        Some(b'/') => !name_at(&after[1..]).is_empty(),
        _ => !name_at(after).is_empty(),
    }
}

fn is_root(text: &str) -> bool {
    ["<rss", "<feed", "<rdf:RDF", "<channel", "<opml"].iter().any(|root| text.starts_with(root))
}

fn follows_equals(before: &[u8]) -> bool {
    before.iter().rev().find(|b| !b.is_ascii_whitespace()) == Some(&b'=')
}

/// The tag name at the start of a text; empty if none can begin here.
fn name_at(text: &str) -> &str {
    let starts = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if !starts {
        return "";
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '-' | '_' | '.'))).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::super::entities::decode_entities;
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        Tokenizer::new(text)
            .map(|token| match token {
                MarkupToken::Text(t) => format!("text {t}"),
                MarkupToken::CData(t) => format!("cdata {t}"),
                MarkupToken::Start(t) if t.self_closing => format!("empty {}", t.name),
                MarkupToken::Start(t) => format!("start {}", t.name),
                MarkupToken::End(n) => format!("end {n}"),
                MarkupToken::Other => "other".into(),
            })
            .collect()
    }

    #[test]
    fn a_bare_angle_bracket_is_text() {
        assert_eq!(shown("<a>1 < 2 <3 << </ </a>"), ["start a", "text 1 < 2 <3 << </ ", "end a"]);
    }

    #[test]
    fn a_tag_whose_bracket_was_forgotten_ends_where_the_next_begins() {
        assert_eq!(shown("<a href='x' <b></a <c/>"), ["start a", "start b", "end a", "empty c"]);
    }

    #[test]
    fn an_unclosed_section_reaches_to_the_end() {
        assert_eq!(shown("<![CDATA[a > b"), ["cdata a > b"]);
        assert_eq!(shown("<?a b"), ["other"]);
    }

    #[test]
    fn an_unclosed_comment_ends_at_the_first_bracket() {
        assert_eq!(
            shown("a<!-- b > c --><!-->d<!-- e > f"),
            ["text a", "other", "other", "text d", "other", "text  f"]
        );
    }

    #[test]
    fn a_doctype_with_its_own_entities_is_one_dropped_token() {
        assert_eq!(shown("<!DOCTYPE x [ <!ENTITY a \"b>\"> ]><x>&a;</x>"), ["other", "start x", "text &a;", "end x"]);
    }

    #[test]
    fn an_instruction_without_its_question_mark_ends_at_the_bracket() {
        assert_eq!(shown("<?xml version='1.0'><a/><?b ?>"), ["other", "empty a", "other"]);
    }

    #[test]
    fn hostile_repetition_takes_linear_time() {
        for piece in ["<", "<!--", "<![CDATA[", "<?", "<!", "<![", "<a b=\"", "<a b='", "</a", "&", "<a ", "&#"] {
            let text = piece.repeat(1 << 18);
            assert!(Tokenizer::new(&text).count() <= 1 << 18);
            assert!(decode_entities(&text).len() <= text.len());
        }
    }
}
