//! Tokenizes markup as a browser does (WHATWG HTML, §13.2.5), without the repairs that feeds need.
//!
//! The caller knows which elements contain raw text and calls [`Tokenizer::skip_raw_text`] for them.

use super::{MarkupToken, Tokenizer};
use crate::markup::tag::StartTag;

impl<'a> Tokenizer<'a> {
    /// Reads the markup at the current position. Returns `None` if the `<` at that position is text.
    pub(super) fn read_html_markup(&mut self) -> Option<MarkupToken<'a>> {
        let start = self.position;
        let rest = &self.text[start..];
        let starts_name = |at: usize| rest.as_bytes().get(at).is_some_and(u8::is_ascii_alphabetic);
        match rest.as_bytes().get(1)? {
            b'!' if rest.starts_with("<!--") => {
                self.skip_html_comment();
                Some(MarkupToken::Other)
            }
            b'!' if self.allows_cdata && rest.starts_with("<![CDATA[") => {
                Some(MarkupToken::CData(self.take_until("]]>", start + 9)))
            }
            b'/' if starts_name(2) => {
                Some(self.read_html_tag(start + 2).map_or(MarkupToken::Other, |tag| MarkupToken::End(tag.name)))
            }
            b'!' | b'?' | b'/' => {
                self.take_until(">", start + 1);
                Some(MarkupToken::Other)
            }
            _ if starts_name(1) => Some(self.read_html_tag(start + 1).map_or(MarkupToken::Other, MarkupToken::Start)),
            _ => None,
        }
    }

    /// Skips a comment, which ends at `-->` or `--!>`. `<!-->` and `<!--->` are complete comments.
    fn skip_html_comment(&mut self) {
        let regular = self.find("-->", self.position + 2).map(|at| at + 3);
        let with_bang = self.find("--!>", self.position + 4).map(|at| at + 4);
        let end = regular.into_iter().chain(with_bang).min();
        self.truncated |= end.is_none();
        self.position = end.unwrap_or(self.text.len());
    }

    /// Reads a tag, starting at its name. Returns `None` if the document ends within the tag.
    fn read_html_tag(&mut self, name_start: usize) -> Option<StartTag<'a>> {
        let name_end = self.offset_after(name_start, |byte| !ends_attribute_name(byte) || byte == b'=');
        let Some((end, self_closing)) = self.end_of_html_tag(name_end) else {
            self.truncated = true;
            self.position = self.text.len();
            return None;
        };
        self.position = end + 1;
        Some(StartTag {
            name: &self.text[name_start..name_end],
            attribute_text: &self.text[name_end..end - usize::from(self_closing)],
            self_closing,
        })
    }

    /// Returns the position of the `>` that ends a tag, and whether a slash directly before it closes the element.
    fn end_of_html_tag(&mut self, name_end: usize) -> Option<(usize, bool)> {
        let bytes = self.text.as_bytes();
        let mut at = name_end;
        loop {
            let name_start = self.offset_after(at, |byte| byte.is_ascii_whitespace() || byte == b'/');
            if *bytes.get(name_start)? == b'>' {
                return Some((name_start, name_start > at && bytes[name_start - 1] == b'/'));
            }
            // An attribute name may start with `=`.
            let name_end = self.offset_after(name_start + 1, |byte| !ends_attribute_name(byte));
            let equals = self.offset_after(name_end, |byte| byte.is_ascii_whitespace());
            if bytes.get(equals) != Some(&b'=') {
                at = name_end;
                continue;
            }
            let value = self.offset_after(equals + 1, |byte| byte.is_ascii_whitespace());
            at = match bytes.get(value)? {
                b'"' => self.find("\"", value + 1)? + 1,
                b'\'' => self.find("'", value + 1)? + 1,
                _ => self.offset_after(value, |byte| !byte.is_ascii_whitespace() && byte != b'>'),
            };
        }
    }

    /// Returns the offset of the first byte at or after `start` that is not skipped.
    fn offset_after(&self, start: usize, is_skipped: impl Fn(u8) -> bool) -> usize {
        let length = self.text.as_bytes()[start..].iter().take_while(|byte| is_skipped(**byte)).count();
        start + length
    }
}

fn ends_attribute_name(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'=')
}
