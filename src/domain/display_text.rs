//! Makes untrusted text safe to show on one line of a table, a log or a terminal.

use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;

/// Folds white space and removes control and invisible format characters (terminal escapes, bidirectional overrides).
/// Truncates text longer than `max_chars` characters at a grapheme boundary and appends `…`.
pub fn one_line(text: &str, max_chars: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max_chars * 4));
    let mut length = 0;
    for word in text.split_whitespace() {
        // Most characters are printable ASCII. Each of them is visible and is a grapheme.
        let is_ascii = word.bytes().all(|byte| byte.is_ascii_graphic());
        let clean: Cow<'_, str> =
            if is_ascii { word.into() } else { word.chars().filter(|c| !is_invisible(*c)).collect() };
        if clean.is_empty() {
            continue;
        }
        if !out.is_empty() {
            if length + 1 >= max_chars {
                out.push('…');
                return out;
            }
            out.push(' ');
            length += 1;
        }
        if is_ascii {
            let kept = clean.len().min(max_chars - length);
            out.push_str(&clean[..kept]);
            length += kept;
            if kept < clean.len() {
                out.push('…');
                return out;
            }
            continue;
        }
        for grapheme in clean.graphemes(true) {
            let characters = grapheme.chars().count();
            if length + characters > max_chars {
                out.push('…');
                return out;
            }
            out.push_str(grapheme);
            length += characters;
        }
    }
    out
}

/// Returns whether a character is a control character or a format character that reorders or hides text (Unicode TR36,
/// TR39). Excludes joiners, because Persian, Indic scripts and emoji need them.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns whether a text contains letters of a right-to-left script: Hebrew, Arabic, Syriac, Thaana, N'Ko and others.
pub fn has_right_to_left(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escape_in_a_title_becomes_plain_text() {
        assert_eq!(one_line("\u{1b}[31mRed\u{202e} alert\n\tnow", 80), "[31mRed alert now");
    }

    #[test]
    fn cut_never_splits_a_grapheme() {
        assert_eq!(one_line("abcde\u{301}f", 5), "abcd…");
        assert_eq!(one_line("abcde\u{301}f", 7), "abcde\u{301}f");
        assert_eq!(one_line("abcde f", 5), "abcde…");
    }
}
