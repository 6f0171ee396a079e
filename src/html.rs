//! HTML from strangers: made harmless, or made into plain text. Used when items come in and again when they go out.
//!
//! It fetches nothing and never builds a tree over input that is not bounded first: html5ever's time is quadratic in
//! depth, so that size and depth are capped, and the nesting made plain, before ammonia sees a byte.

mod furniture;
mod tidy;

pub use furniture::{without_repeated, without_teasers};

use crate::domain::text::without_credentials;
use crate::markup::whitespace::fold_whitespace;
use ammonia::{Builder, UrlRelative};
use std::collections::HashSet;
use std::sync::LazyLock;
use url::Url;

/// Bytes of one item's HTML that are looked at.
pub const MAX_BYTES: usize = 256 * 1024;
/// Elements open at once beyond which only the text is kept.
pub const MAX_DEPTH: usize = 512;

const TAGS: &[&str] = &[
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
static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| sanitiser(None));

fn sanitiser(base: Option<Url>) -> Builder<'static> {
    let mut builder = allow(TAGS);
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
                Some(without_credentials(absolute.as_ref().map_or(value, Url::as_str)).into())
            }
            _ => Some(value.into()),
        });
    builder
}

static STRIPPER: LazyLock<Builder<'static>> = LazyLock::new(|| allow(&[]));

fn allow(tags: &[&'static str]) -> Builder<'static> {
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
pub fn sanitise(html: &str, base: Option<&Url>) -> String {
    let added = base.map_or(0, |base| base.as_str().len());
    let Some(html) = tidy::tidy(cut(html), TAGS, added) else {
        return escape(&to_text(html));
    };
    let cleaned = match base {
        None => SANITISER.clean(&html).to_string(),
        Some(base) => {
            let mut relative = sanitiser(Some(base.clone()));
            relative.url_relative(UrlRelative::RewriteWithBase(base.clone()));
            relative.clean(&html).to_string()
        }
    };
    without_first_lines(without_pixels(cleaned))
}

/// What a reader sees of the HTML, white space folded.
pub fn to_text(html: &str) -> String {
    blocks(html).join(" ")
}

/// Between two blocks, where the text is still HTML; it is no part of any text (Unicode, section 5.8).
const BLOCK: char = '\u{2029}';

/// What a reader sees of the HTML, paragraph by paragraph, white space folded. In a text without any mark-up a line is
/// a paragraph.
pub fn blocks(html: &str) -> Vec<String> {
    if !html.contains(['<', '&']) {
        return folded(html.split('\n'));
    }
    blocks_of_page(cut(html))
}

/// The same for a page, whose size was bounded by whoever calls.
pub fn blocks_of_page(html: &str) -> Vec<String> {
    // Where no element is kept nothing can be nested too deep.
    let text = STRIPPER.clean(&tidy::tidy(&parted(html), &[], 0).unwrap_or_default()).to_string();
    // The stripper writes exactly these references (WHATWG HTML, section 13.3).
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
    // Without a block in it, it is a plain text with a few references.
    if text.contains(BLOCK) { folded(text.split(BLOCK)) } else { folded(text.split('\n')) }
}

/// Whether the tree of a whole page would be nested no deeper than `limit`, and no part of it out of proportion.
pub fn is_tame(html: &str, limit: usize) -> bool {
    tidy::is_tame(html, limit)
}

fn folded<'a>(blocks: impl Iterator<Item = &'a str>) -> Vec<String> {
    blocks.map(fold_whitespace).filter(|block| !block.is_empty()).collect()
}

/// The text with HTML's own characters written as references.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn cut(html: &str) -> &str {
    &html[..html.floor_char_boundary(MAX_BYTES)]
}

/// A mark before every tag that begins or ends a block, so that two paragraphs do not run together.
fn parted(html: &str) -> String {
    const INLINE: &[&str] = &[
        "a", "abbr", "b", "cite", "code", "em", "i", "q", "s", "small", "span", "strong", "sub", "sup", "u", "font",
        "mark", "wbr",
    ];
    let mut out = String::with_capacity(html.len() + html.len() / 16);
    let mut done = 0;
    for (at, _) in html.match_indices('<') {
        let tag = html[at + 1..].trim_start_matches('/');
        let name_end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let name = &tag[..name_end];
        if !name.is_empty() && !INLINE.iter().any(|inline| name.eq_ignore_ascii_case(inline)) {
            out.push_str(&html[done..at]);
            out.push(BLOCK);
            done = at;
        }
    }
    out.push_str(&html[done..]);
    out
}

/// Drops images that are declared one or two pixels wide or high: counters, not pictures.
fn without_pixels(html: String) -> String {
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
fn without_first_lines(html: String) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(sanitise(html, Some(&Url::parse("https://a.example/news/1").unwrap())), expected, "from {html}");
    }

    #[test]
    fn nothing_that_runs_styles_or_frames_survives() {
        check("<p onclick=\"x()\" style=\"color:red\" class=\"c\">a</p><script>alert(1)</script>", "<p>a</p>");
        check("<iframe src=\"https://x.example\">in</iframe><style>p{}</style>b", "b");
        check("<svg><script>1</script></svg>c<form><input name=q></form>", "c");
        check("<img src=x onerror=alert(1)>", "<img src=\"https://a.example/news/x\">");
        check("<!-- note -->d", "d");
    }

    #[test]
    fn links_are_absolute_and_of_the_web() {
        let rel = "rel=\"noopener noreferrer nofollow\"";
        check("<a href=\"../b\">x</a>", &format!("<a href=\"https://a.example/b\" {rel}>x</a>"));
        check("<a href=\"javascript:alert(1)\">x</a>", &format!("<a {rel}>x</a>"));
        check("<a href=\" jAva\tscript:alert(1)\">x</a>", &format!("<a {rel}>x</a>"));
        check("<img src=\"data:image/png;base64,AAAA\" alt=\"a\">", "");
    }

    #[test]
    fn a_tracking_pixel_is_no_picture() {
        check("x<img src=\"https://t.example/p.gif\" width=\"1\" height=\"1\">", "x");
        check(
            "<img src=\"https://t.example/p.jpg\" width=\"100\">",
            "<img width=\"100\" src=\"https://t.example/p.jpg\">",
        );
    }

    #[test]
    fn credentials_do_not_go_out() {
        check(
            "<img src=\"https://user:secret@t.example/p.jpg\" width=\"100\">",
            "<img width=\"100\" src=\"https://t.example/p.jpg\">",
        );
    }

    #[test]
    fn what_is_clean_stays_as_it_is_also_where_a_link_went() {
        for html in [
            "<a href=javascript:x title=t>a</a>",
            "<a title=t href=/x lang=en>a</a>",
            "<img alt=a src=data:x dir=rtl>",
            "<img src=//a@b.example/x>",
            "<a href='/x@y'>a</a>",
        ] {
            let clean = sanitise(html, Some(&Url::parse("https://a.example/").unwrap()));
            assert_eq!(sanitise(&clean, None), clean, "from {html}");
        }
    }

    #[test]
    fn text_is_what_a_reader_sees() {
        assert_eq!(to_text("<p>One</p><p>t<b>w</b>o &amp; three&nbsp;&lt;3</p>"), "One two & three <3");
        assert_eq!(to_text("AT&T &eacute;t&eacute;"), "AT&T été");
        assert_eq!(to_text("a<script>var x</script> b"), "a b");
        assert_eq!(to_text("plain\n  text"), "plain text");
    }

    #[test]
    fn depth_and_size_are_bounded_before_a_tree_is_built() {
        for nested in ["<div>", "<em>", "<b></x>", "<div><!--</div>-->", "<svg></svg><q>", "<i title='</i>'>"] {
            let deep = nested.repeat(10_000) + "core";
            assert_eq!(to_text(&deep), "core", "{nested}");
            assert_eq!(sanitise(&deep, None), "core", "{nested}");
        }
        let long = "<b>x</b>".repeat(100_000);
        assert!(sanitise(&long, None).len() <= MAX_BYTES + 16);
    }

    #[test]
    fn what_is_clean_stays_as_it_is() {
        for html in [
            "<pre>\n\n1</pre>",
            "<pre>&#10;&#13;1</pre>",
            "<b><p>1<table><b>2<tr><td>3</b></table>4",
            "<a href=x><p>1<a href=y>2</p></a>3",
        ] {
            let clean = sanitise(html, Some(&Url::parse("https://a.example/").unwrap()));
            assert_eq!(sanitise(&clean, None), clean, "from {html}");
        }
    }

    #[test]
    fn what_is_small_does_not_become_large() {
        let base = Url::parse(&format!("https://a.example/{}", "x/".repeat(2_000))).unwrap();
        let styles: String = (0..100).map(|n| format!("<b lang={n}>")).collect();
        for html in ["<a href=x>y</a>".repeat(10_000), format!("<p>{styles}{}", "<p>x".repeat(10_000))] {
            assert!(sanitise(&html, Some(&base)).len() < 8 * MAX_BYTES);
        }
        let attributes: String = (0..30_000).map(|n| format!(" a{n}")).collect();
        assert_eq!(sanitise(&format!("<i{attributes}>x</i>"), None), "<i>x</i>");
        let signs = "&".repeat(MAX_BYTES);
        assert_eq!(to_text(&signs), signs);
        assert_eq!(sanitise(&signs, None).len(), MAX_BYTES * 5);
        assert_eq!(sanitise(&format!("<img src='https://a.example/' alt='{signs}"), None), "");
    }
}
