//! HTML from strangers → HTML that is safe to show: an allow-list of elements and attributes, absolute links.
//!
//! It fetches nothing. Input is cut to [`super::MAX_HTML_BYTES`] and rebalanced before ammonia builds a tree of it.

use super::plain_text::html_to_text;
use super::rebalance::rebalance;
use super::truncate_html;
use crate::markup::entities::escape_html;
use crate::urls::redact::strip_credentials;
use ammonia::{Builder, UrlRelative};
use std::collections::HashSet;
use std::sync::LazyLock;
use url::Url;

pub(super) const ALLOWED_TAGS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "small",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// Elements whose text is not for reading.
const DROPPED_WITH_TEXT: &[&str] = &[
    "script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "math", "form", "title", "textarea",
];

/// For HTML whose links are absolute already.
static SANITIZER: LazyLock<Builder<'static>> = LazyLock::new(|| sanitizer(None));

fn sanitizer(base: Option<Url>) -> Builder<'static> {
    let mut builder = allow(ALLOWED_TAGS);
    builder
        .generic_attributes(HashSet::from(["lang", "dir"]))
        .tag_attributes(
            [
                ("a", HashSet::from(["href", "title"])),
                ("img", HashSet::from(["src", "alt", "title", "width", "height"])),
                ("td", HashSet::from(["colspan", "rowspan"])),
                ("th", HashSet::from(["colspan", "rowspan"])),
            ]
            .into_iter()
            .collect(),
        )
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(move |_, attribute, value| match attribute {
            // Credentials are between the outlet and whoever has them, also where the link is relative: Ammonia makes
            // links absolute only after this.
            "href" | "src" if value.contains('@') => {
                let base = base.as_ref().filter(|_| Url::parse(value).is_err());
                let absolute = base.and_then(|base| base.join(value).ok());
                Some(strip_credentials(absolute.as_ref().map_or(value, Url::as_str)).into())
            }
            _ => Some(value.into()),
        });
    builder
}

pub(super) fn allow(tags: &[&'static str]) -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .tags(tags.iter().copied().collect())
        .clean_content_tags(DROPPED_WITH_TEXT.iter().copied().collect())
        .url_schemes(HashSet::from(["http", "https"]))
        .url_relative(UrlRelative::Deny)
        .strip_comments(true);
    builder
}

/// The HTML with nothing left in it that runs, styles, frames or tracks. Links are made absolute against `base`;
/// those that are not http or https go, and so do images of one or two pixels.
pub fn sanitize_html(html: &str, base: Option<&Url>) -> String {
    let added = base.map_or(0, |base| base.as_str().len());
    let Some(html) = rebalance(truncate_html(html), ALLOWED_TAGS, added) else {
        return escape_html(&html_to_text(html));
    };
    let cleaned = match base {
        None => SANITIZER.clean(&html).to_string(),
        Some(base) => {
            let mut relative = sanitizer(Some(base.clone()));
            relative.url_relative(UrlRelative::RewriteWithBase(base.clone()));
            relative.clean(&html).to_string()
        }
    };
    strip_leading_newlines_in_pre(remove_tracking_pixels(cleaned))
}

/// Drops images that are declared one or two pixels wide or high: counters, not pictures.
fn remove_tracking_pixels(html: String) -> String {
    if !html.contains("<img") {
        return html;
    }
    let mut out = String::with_capacity(html.len());
    let mut rest = html.as_str();
    while let Some(at) = rest.find("<img") {
        // Ammonia has escaped every `>` inside attribute values.
        let Some(end) = rest[at..].find('>').map(|e| at + e + 1) else {
            break;
        };
        let tag = &rest[at..end];
        out.push_str(&rest[..at]);
        let tiny = ["width", "height"]
            .iter()
            .any(|side| ["0", "1", "2"].iter().any(|n| tag.contains(&format!(" {side}=\"{n}\""))));
        if !tiny && tag.contains(" src=") {
            out.push_str(tag);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Drops the line feeds at the beginning of `<pre>`: a parser drops the first of them each time that it reads.
fn strip_leading_newlines_in_pre(html: String) -> String {
    let html = if html.contains('\r') { html.replace("\r\n", "\n").replace('\r', "\n") } else { html };
    if !html.contains("<pre") {
        return html;
    }
    let mut out = String::with_capacity(html.len());
    let mut rest = html.as_str();
    while let Some(at) = rest.find("<pre") {
        let end = rest[at..].find('>').map_or(rest.len(), |end| at + end + 1);
        out.push_str(&rest[..end]);
        rest = rest[end..].trim_start_matches('\n');
    }
    out.push_str(rest);
    out
}
