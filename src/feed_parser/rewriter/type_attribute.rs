//! The attribute `type`, by which an element declares the type of its text or media: `text`, `html` or `image/png`.

use crate::markup::tag::StartTag;

pub fn media_type(tag: StartTag) -> String {
    tag.attribute("type").map(|media_type| media_type.trim().to_ascii_lowercase()).unwrap_or_default()
}

pub fn is_text_type(media_type: &str) -> bool {
    matches!(media_type, "text" | "text/plain" | "plain")
}
