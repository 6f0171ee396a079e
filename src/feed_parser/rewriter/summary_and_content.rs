//! Writes summaries and contents as HTML with resolved links: escapes plain text (`type="text"`), decodes escaped HTML
//! (`type="html"`), and turns XHTML elements (`type="xhtml"`) into HTML (RFC 4287 §3.1).

use super::super::element_map::{ElementMapping, FeedField};
use super::super::escaped_noscript::with_decoded_noscript;
use super::super::mathml_fractions::with_fraction_slashes;
use super::super::one_line_text::truncate_text;
use super::super::parsed_feed::FeedKind;
use super::super::unclosed_embeds::without_unclosed_embeds;
use super::FeedRewriter;
use super::element_text::{flatten_markup, is_base64};
use super::rss_writer::push_element;
use super::type_attribute::{is_text_type, media_type};
use crate::domain::ProblemKind;
use crate::markup::entities::escape_html;
use crate::markup::tag::StartTag;

impl FeedRewriter<'_, '_> {
    /// Returns a summary or content as HTML; `None` if the value is not text.
    pub fn element_html(&self, tag: StartTag, inner: &str, has_elements: bool) -> Option<String> {
        let media_type = media_type(tag);
        if is_binary_type(&media_type) && !is_base64(tag) {
            return None;
        }
        let mut html = flatten_markup(inner, has_elements, self.options.max_text_bytes).trim().to_owned();
        // An Atom text construct without a type is plain text (RFC 4287 §3.1.1). End tags show that the author forgot
        // to declare it as HTML.
        let is_untyped_text = media_type.is_empty() && self.feed.kind == FeedKind::Atom && !html.contains("</");
        if has_elements {
            for prefix in self.namespaces.xhtml_prefixes().take(2) {
                html = html.replace(&format!("<{prefix}:"), "<").replace(&format!("</{prefix}:"), "</");
            }
        } else if is_text_type(&media_type) || is_untyped_text {
            html = escape_html(&html);
        } else {
            html = with_decoded_noscript(&html).unwrap_or(html);
        }
        let html = without_unclosed_embeds(&html).unwrap_or(html);
        Some(with_fraction_slashes(&html).unwrap_or(html))
    }

    pub fn write_html(&mut self, tag: StartTag, mapping: ElementMapping, mut html: String) {
        if html.is_empty() || !self.current.accepts(mapping.field, mapping.priority) {
            return;
        }
        if truncate_text(&mut html, self.options.max_text_bytes) {
            self.record(ProblemKind::TooLong, tag.name);
        }
        let base = self.urls.base_of_text(tag, &html);
        let html = self.urls.resolve_nested_links(base.as_ref(), &html).unwrap_or(html);
        let name = if mapping.field == FeedField::Content { "content:encoded" } else { "description" };
        push_element(&mut self.xml, name, &html);
        if let Some(item) = self.open_item() {
            match mapping.field {
                FeedField::Content => item.content_base = base,
                _ => item.summary_base = base,
            }
        }
    }
}

fn is_binary_type(media_type: &str) -> bool {
    const BINARY_TYPES: [&str; 5] = ["image/", "audio/", "video/", "application/octet", "application/pdf"];
    BINARY_TYPES.iter().any(|prefix| media_type.starts_with(prefix))
}
