//! The stored form of an item's content. Many feeds give the same text as summary and as content, so content that only
//! repeats the summary is replaced by a marker.

use std::borrow::Cow;

/// The content is the summary without markup.
const BARE_SUMMARY: &str = "";
/// The content is the summary in a paragraph.
const SUMMARY_PARAGRAPH: &str = "<p>";

/// Returns the stored form of sanitized HTML.
pub(super) fn stored_content<'c>(content: Option<&'c str>, summary: &str) -> Option<&'c str> {
    let content = content?;
    let paragraph = content.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    let marker = if paragraph.is_some() { SUMMARY_PARAGRAPH } else { BARE_SUMMARY };
    Some(if paragraph.unwrap_or(content) == serialized_text(summary) { marker } else { content })
}

/// Returns the content from its stored form.
pub(super) fn original_content<'c>(stored: &'c str, summary: &str) -> Cow<'c, str> {
    match stored {
        BARE_SUMMARY => serialized_text(summary).into(),
        SUMMARY_PARAGRAPH => format!("<p>{}</p>", serialized_text(summary)).into(),
        content => content.into(),
    }
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
    fn content_that_repeats_the_summary_is_replaced_by_a_marker() {
        for (content, stored) in [
            ("Rain &amp; 5 &lt; 6 in \"Nord\"", ""),
            ("<p>Rain &amp; 5 &lt; 6 in \"Nord\"</p>", "<p>"),
            ("<p>Rain &amp; 5 &lt; 6</p>", "<p>Rain &amp; 5 &lt; 6</p>"),
            ("<p><b>Rain &amp; 5 &lt; 6 in \"Nord\"</b></p>", "<p><b>Rain &amp; 5 &lt; 6 in \"Nord\"</b></p>"),
        ] {
            let summary = "Rain & 5 < 6 in \"Nord\"";
            assert_eq!(sanitize_html(content, None), content);
            assert_eq!(stored_content(Some(content), summary), Some(stored));
            assert_eq!(original_content(stored, summary), content);
        }
        assert_eq!(stored_content(None, ""), None);
    }
}
