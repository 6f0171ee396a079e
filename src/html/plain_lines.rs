//! Splits plain text into lines and converts it to HTML with paragraphs.
//!
//! Some programs wrap long lines at a fixed width. A line break within a sentence is such a wrap and is removed.

use crate::markup::entities::escape_html;
use crate::markup::whitespace::fold_whitespace;

/// The minimum length of a wrapped line. A shorter line is a verse, an address or a list item.
const MIN_WRAPPED_CHARS: usize = 40;
/// The minimum length of a line of HTML that is wrapped because the next word does not fit.
const MIN_FULL_CHARS: usize = 60;

/// One line with folded white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlainLine {
    pub text: String,
    pub follows_blank_line: bool,
}

pub(super) fn plain_lines(text: &str) -> Vec<PlainLine> {
    let mut lines: Vec<PlainLine> = Vec::new();
    let mut follows_blank_line = false;
    for line in text.replace("\r\n", "\n").split(['\n', '\r', '\u{2028}', '\u{2029}']).map(fold_whitespace) {
        match lines.last_mut() {
            _ if line.is_empty() => follows_blank_line = true,
            Some(last) if !follows_blank_line && is_wrapped(&last.text, &line) => {
                last.text.push(' ');
                last.text.push_str(&line);
            }
            _ => lines.push(PlainLine { text: line, follows_blank_line: std::mem::take(&mut follows_blank_line) }),
        }
    }
    lines
}

fn is_wrapped(before: &str, after: &str) -> bool {
    ends_in_sentence(before) && after.starts_with(char::is_lowercase) && before.chars().nth(MIN_WRAPPED_CHARS).is_some()
}

/// Returns whether a line break within a sentence separates two lines of HTML, which editors wrap at any point.
pub(super) fn is_wrapped_html(before: &str, after: &str) -> bool {
    let is_full = || before.chars().nth(MIN_FULL_CHARS).is_some();
    ends_in_sentence(before) && (after.starts_with(char::is_lowercase) || is_full())
}

fn ends_in_sentence(line: &str) -> bool {
    line.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ',' | ')'))
}

/// Converts lines to HTML. Blank lines separate paragraphs. In text without blank lines, every line is a paragraph.
pub(super) fn paragraphs_html<'l>(lines: impl Iterator<Item = &'l PlainLine> + Clone) -> String {
    let has_blank_lines = lines.clone().skip(1).any(|line| line.follows_blank_line);
    let mut html = String::new();
    for line in lines {
        html.push_str(match html.is_empty() {
            true => "<p>",
            false if line.follows_blank_line || !has_blank_lines => "</p><p>",
            false => "<br>",
        });
        html.push_str(&escape_html(&line.text));
    }
    html.push_str("</p>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(paragraphs_html(plain_lines(text).iter()), expected, "{text}");
    }

    #[test]
    fn blank_line_separates_paragraphs() {
        check("One.\n\nTwo.\nThree.", "<p>One.</p><p>Two.<br>Three.</p>");
        check("\r\nOne & 2 < 3\r\n \t\r\n\r\nTwo.\r\n", "<p>One &amp; 2 &lt; 3</p><p>Two.</p>");
    }

    #[test]
    fn line_of_text_without_blank_lines_is_a_paragraph() {
        check("One.\nTwo.", "<p>One.</p><p>Two.</p>");
        check("一。\u{2028}二。", "<p>一。</p><p>二。</p>");
        check("One.", "<p>One.</p>");
    }

    #[test]
    fn break_in_the_middle_of_a_sentence_is_removed() {
        let wrapped = "The board of the harbour met on Monday and\n   decided to dredge the fairway.\nNobody objected.";
        check(
            wrapped,
            "<p>The board of the harbour met on Monday and decided to dredge the fairway.</p><p>Nobody objected.</p>",
        );
        check("waves of grey\nships of old", "<p>waves of grey</p><p>ships of old</p>");
    }
}
