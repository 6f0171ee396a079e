//! The stored form of an item's content. Many feeds repeat the summary in the content, so the stored content contains a
//! placeholder in place of the summary.

use std::borrow::Cow;

/// The placeholder for the summary. This control character is not valid in HTML or XML (XML 1.0, section 2.2), so it can
/// be removed from content without loss.
const SUMMARY_PLACEHOLDER: &str = "\u{1}";
/// The minimum length of a summary to be replaced, in bytes.
const MIN_REPLACED_BYTES: usize = 16;

/// Returns the stored form of sanitized HTML.
pub(super) fn stored_content<'c>(content: Option<&'c str>, summary: &str) -> Option<Cow<'c, str>> {
    let content = content.map(without_placeholder)?;
    let text = serialized_text(summary);
    Some(match content.split_once(&text) {
        Some((before, after)) if text.len() >= MIN_REPLACED_BYTES => {
            [before, SUMMARY_PLACEHOLDER, after].concat().into()
        }
        _ => content,
    })
}

/// Returns the content from its stored form.
pub(super) fn original_content<'c>(stored: &'c str, summary: &str) -> Cow<'c, str> {
    match stored.split_once(SUMMARY_PLACEHOLDER) {
        Some((before, after)) => [before, &serialized_text(summary), after].concat().into(),
        None => stored.into(),
    }
}

fn without_placeholder(content: &str) -> Cow<'_, str> {
    if content.contains(SUMMARY_PLACEHOLDER) { content.replace(SUMMARY_PLACEHOLDER, "").into() } else { content.into() }
}

/// Serializes a text node (HTML, section 13.3), as the sanitizer does.
fn serialized_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('\u{a0}', "&nbsp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::sanitize::sanitize_html;

    #[test]
    fn summary_is_not_stored_again_in_the_content() {
        let summary = "Rain & 5 < 6 in \"Nord\"";
        for (content, stored) in [
            ("Rain &amp; 5 &lt; 6 in \"Nord\"", "\u{1}"),
            ("<p>Rain &amp; 5 &lt; 6 in \"Nord\"</p><p>More</p>", "<p>\u{1}</p><p>More</p>"),
            ("<p>Rain &amp; 5 &lt; 6</p>", "<p>Rain &amp; 5 &lt; 6</p>"),
        ] {
            assert_eq!(sanitize_html(content, None), content);
            assert_eq!(stored_content(Some(content), summary).unwrap(), stored);
            assert_eq!(original_content(stored, summary), content);
        }
        assert_eq!(stored_content(None, summary), None);
        assert_eq!(stored_content(Some("a\u{1}b"), summary).unwrap(), "ab", "a placeholder character in the source");
    }
}
