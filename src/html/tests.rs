//! Tests sanitizing and plain text of ordinary and hostile HTML.

use super::MAX_HTML_BYTES;
use super::plain_text::{html_to_text, text_blocks};
use super::sanitize::sanitize_html;
use url::Url;

fn check(html: &str, expected: &str) {
    assert_eq!(sanitize_html(html, Some(&Url::parse("https://a.example/news/1").unwrap())), expected, "from {html}");
}

#[test]
fn scripts_styles_and_frames_are_removed() {
    check("<p onclick=\"x()\" style=\"color:red\" class=\"c\">a</p><script>alert(1)</script>", "<p>a</p>");
    check("<iframe srcdoc=\"<b>x</b>\">in</iframe><style>p{}</style>b", "b");
    check("<svg><script>1</script></svg>c<form><input name=q></form>", "c");
    check("<img src=x onerror=alert(1)>", "<img src=\"https://a.example/news/x\">");
    check("<!-- note -->d", "d");
}

#[test]
fn links_are_absolute_http_links() {
    let rel = "rel=\"noopener noreferrer nofollow\"";
    check("<a href=\"../b\">x</a>", &format!("<a href=\"https://a.example/b\" {rel}>x</a>"));
    check("<a href=\"javascript:alert(1)\">x</a>", &format!("<a {rel}>x</a>"));
    check("<a href=\" jAva\tscript:alert(1)\">x</a>", &format!("<a {rel}>x</a>"));
    check("<img src=\"data:image/png;base64,AAAA\" alt=\"a\">", "");
}

#[test]
fn tracking_pixel_is_removed() {
    check("x<img src=\"https://t.example/p.gif\" width=\"1\" height=\"1\">", "x");
    check("<img src=\"https://t.example/p.jpg\" width=\"100\">", "<img width=\"100\" src=\"https://t.example/p.jpg\">");
}

#[test]
fn credentials_are_removed() {
    check(
        "<img src=\"https://user:secret@t.example/p.jpg\" width=\"100\">",
        "<img width=\"100\" src=\"https://t.example/p.jpg\">",
    );
}

#[test]
fn sanitizing_again_changes_nothing_after_a_link_was_removed() {
    for html in [
        "<a href=javascript:x title=t>a</a>",
        "<a title=t href=/x lang=en>a</a>",
        "<img alt=a src=data:x dir=rtl>",
        "<img src=//a@b.example/x>",
        "<a href='/x@y'>a</a>",
    ] {
        let clean = sanitize_html(html, Some(&Url::parse("https://a.example/").unwrap()));
        assert_eq!(sanitize_html(&clean, None), clean, "from {html}");
    }
}

#[test]
fn text_is_the_visible_text() {
    assert_eq!(html_to_text("<p>One</p><p>t<b>w</b>o &amp; three&nbsp;&lt;3</p>"), "One two & three <3");
    assert_eq!(html_to_text("AT&T &eacute;t&eacute;"), "AT&T été");
    assert_eq!(html_to_text("a<script>var x</script> b"), "a b");
    assert_eq!(html_to_text("plain\n  text"), "plain text");
}

#[test]
fn long_text_keeps_its_character_references() {
    for length in 1_000..1_050 {
        let (words, letters) = ("x".repeat(length), "&amp;&#119;".repeat(200));
        assert_eq!(html_to_text(&format!("{words}{letters}")), format!("{words}{}", "&w".repeat(200)));
    }
}

#[test]
fn text_with_a_bare_angle_bracket_is_one_block() {
    assert_eq!(text_blocks("I <3 you & me"), ["I <3 you & me"]);
}

#[test]
fn depth_and_size_are_limited_before_a_tree_is_built() {
    for nested in ["<div>", "<em>", "<b></x>", "<div><!--</div>-->", "<svg></svg><q>", "<i title='</i>'>"] {
        let deep = nested.repeat(10_000) + "core";
        assert_eq!(html_to_text(&deep), "core", "{nested}");
        assert_eq!(sanitize_html(&deep, None), "core", "{nested}");
    }
    let long = "<b>x</b>".repeat(100_000);
    assert!(sanitize_html(&long, None).len() <= MAX_HTML_BYTES + 16);
}

#[test]
fn sanitizing_again_changes_nothing() {
    for html in [
        "<pre>\n\n1</pre>",
        "<pre>&#10;&#13;1</pre>",
        "<b><p>1<table><b>2<tr><td>3</b></table>4",
        "<a href=x><p>1<a href=y>2</p></a>3",
    ] {
        let clean = sanitize_html(html, Some(&Url::parse("https://a.example/").unwrap()));
        assert_eq!(sanitize_html(&clean, None), clean, "from {html}");
    }
}

#[test]
fn small_html_does_not_become_large() {
    let base = Url::parse(&format!("https://a.example/{}", "x/".repeat(2_000))).unwrap();
    let styles: String = (0..100).map(|n| format!("<b lang={n}>")).collect();
    for html in ["<a href=x>y</a>".repeat(10_000), format!("<p>{styles}{}", "<p>x".repeat(10_000))] {
        assert!(sanitize_html(&html, Some(&base)).len() < 8 * MAX_HTML_BYTES);
    }
    let attributes: String = (0..30_000).map(|n| format!(" a{n}")).collect();
    assert_eq!(sanitize_html(&format!("<i{attributes}>x</i>"), None), "<i>x</i>");
    let signs = "&".repeat(MAX_HTML_BYTES);
    assert_eq!(html_to_text(&signs), signs);
    assert_eq!(sanitize_html(&signs, None).len(), MAX_HTML_BYTES * 5);
    assert_eq!(sanitize_html(&format!("<img src='https://a.example/' alt='{signs}"), None), "");
}
