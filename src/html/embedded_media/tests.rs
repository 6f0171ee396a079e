//! Tests images and players in sanitized HTML.

use super::player_links::MAX_MEDIA_LINKS;
use crate::html::sanitize::sanitize_html;

fn check(html: &str, expected: &str) {
    let clean = sanitize_html(html, Some(&url::Url::parse("https://a.example/n/").unwrap()));
    let text = clean.replace(" rel=\"noopener noreferrer nofollow\"", "").replace("https://a.example", "");
    assert_eq!(text.trim(), expected, "from {html}");
    assert_eq!(sanitize_html(&clean, None), clean, "sanitized twice, from {html}");
}

#[test]
fn lazy_image_is_shown_once() {
    let image = "<img src=\"/b.jpg\">";
    for html in [
        "<img src='data:image/gif;base64,AA' data-src=/b.jpg><noscript><img src=/b.jpg></noscript>",
        "<noscript><img src=/b.jpg></noscript><img src='data:image/gif;base64,AA' data-src=/b.jpg>",
        "<noscript><img src=/b.jpg></noscript>\n<img src='data:image/gif;base64,AA'>",
        "<img src=/spacer.gif> <noscript><img src=/b.jpg></noscript>",
        "<noscript>Turn scripts on<img src=/b.jpg></noscript>",
        "<div><img data-src=/b.jpg></div><div><noscript><img src=/b.jpg></noscript></div>",
        "<span><img data-src=/b.jpg></span><noscript><img src=/big.jpg></noscript>",
        "<picture><source srcset='/b.jpg 300w'><img></picture>",
        "<picture><source srcset=/b.jpg></picture>",
        "<picture><source data-srcset=/b.jpg><source srcset=/c.jpg><img src=data:,></picture>",
        "<picture><source srcset=/c.webp><img src=/b.jpg></picture>",
        "<amp-img src=/b.jpg><noscript><img src=/b.jpg></noscript></amp-img>",
        "<img src=/dot.gif width=1 height=1 data-lazy-src=/b.jpg>",
    ] {
        check(html, image);
    }
    check("<img data-src=/b.jpg>1<img data-src=/c.jpg>", "<img src=\"/b.jpg\">1<img src=\"/c.jpg\">");
    check(
        "<img data-src=/b.jpg alt='a &lt;\"' width=600 onerror=x()>",
        "<img alt=\"a &lt;&quot;\" width=\"600\" src=\"/b.jpg\">",
    );
}

#[test]
fn photo_for_readers_without_scripts_needs_no_extension() {
    for image in [
        "<noscript><img src=/p?id=7 alt='The old pier'></noscript>",
        "<noscript><img src=/p?id=7 width=600 height=400></noscript>",
        "<noscript><img src=/p?id=7 srcset='/p?id=8 2x'></noscript>",
        "<noscript><img src=/image/7></noscript>",
        "<figure><noscript><img src=/p?id=7></noscript></figure>",
    ] {
        let clean = sanitize_html(&format!("1{}", image.replace("=/", "=https://a.example/")), None);
        assert!(clean.contains("<img"), "{image}: {clean}");
    }
}

#[test]
fn tracking_pixel_for_readers_without_scripts_is_removed() {
    check("<noscript><img src='https://t.example/p?c1=2'></noscript>1", "1");
    check("<noscript><img height=1 width=1 src=/b.jpg></noscript>1", "1");
    check("<img src=/b.jpg><noscript><img src='https://t.example/p?c1=2'></noscript>", "<img src=\"/b.jpg\">");
    check("<noscript><iframe src=//t.example/ns.html height=0 width=0></iframe></noscript>1", "1");
    check("<svg><script/></svg><img src=/p.gif width=1 height=1>", "");
}

#[test]
fn image_in_an_element_that_hides_its_content_is_removed() {
    for start in [
        "<div style='display:none'>",
        "<p hidden>",
        "<span style='visibility: hidden'>",
        "<div style='position:absolute;left:-9999px'>",
        "<div style='width:1px;height:1px'>",
        "<div style='height:0;overflow:hidden'>",
        "<div style='max-height:1px; OVERFLOW-Y : HIDDEN'>",
        "<div hidden><a href=/x><span>",
        "<section style='opacity:0'><ul><li>1<li>",
        "<div style='display:none'><div></div>",
        "<div hidden></span></p>",
    ] {
        let clean = sanitize_html(&format!("{start}<img src=https://t.example/p.jpg>"), None);
        assert!(!clean.contains("<img"), "{start}: {clean}");
        let clean = sanitize_html(&format!("<noscript>{start}<img src=https://t.example/p.jpg></noscript>"), None);
        assert!(!clean.contains("<img"), "{start}: {clean}");
        for element in ["<iframe src=https://t.example/></iframe>", "<video src=https://t.example/v.mp4></video>"] {
            let clean = sanitize_html(&format!("{start}{element}"), None);
            assert!(!clean.contains("t.example"), "{start}: {clean}");
        }
    }
    check("<picture hidden><source srcset=/p.jpg><img src=/p.jpg></picture>1", "1");
}

#[test]
fn image_outside_of_hidden_elements_stays() {
    for start in [
        "<div style='display:none'>x</div>",
        "<p hidden>x<p>",
        "<p hidden>x<div>",
        "<div><span hidden></div>",
        "<ul><li hidden><ul><li>1</ul><li>",
        "<br hidden>",
        "<img hidden src=/p.gif>",
        "<div style='height:1px'>",
        "<div style='width:100%;overflow:hidden'>",
        "<div style='max-width:0.5em'>",
        "<table width=1><tr><td>",
        "<iframe style='display:none' src=https://v.example/1>",
        "<div style='opacity:0'><img width=600 src=https://a.example/b.jpg>",
    ] {
        let clean = sanitize_html(&format!("{start}<img src=https://a.example/b.jpg>"), None);
        assert!(clean.contains("<img"), "{start}: {clean}");
    }
    let deep = "<div>".repeat(super::super::MAX_HTML_DEPTH);
    assert!(!sanitize_html(&format!("{deep}<div hidden><img src=https://t.example/p.jpg>"), None).contains("<img"));
}

#[test]
fn player_becomes_a_link() {
    check("<iframe src='//v.example/1' title='The film'></iframe>", "<a href=\"https://v.example/1\">The film</a>");
    check("<video>Old browser<source src=/1.mp4></video>", "<a href=\"/1.mp4\">a.example</a>");
    check("<VIDEO src=/1.mp4 poster=/b.jpg></VIDEO>", "<a href=\"/1.mp4\">a.example</a>");
    check("<audio controls src=/1.mp3 />1", "<a href=\"/1.mp3\">a.example</a> 1");
    check("<embed src=/1.swf>1", "<a href=\"/1.swf\">a.example</a> 1");
    check("<iframe src=about:blank data-src=//v.example/1></iframe>", "<a href=\"https://v.example/1\">v.example</a>");
    for player in [
        "<amp-iframe src=//v.example/1></amp-iframe>",
        "<iframe data-src-cmplz=//v.example/1 src=about:blank></iframe>",
        "<iframe data-cookieblock-src=//v.example/1></iframe>",
        "<iframe src=/consent.html uc-src=//v.example/1></iframe>",
        "<iframe suppressedsrc=//v.example/1 data-thumb-src=/b></iframe>",
        "<video data-poster-src=/b src=//v.example/1></video>",
        "<youtube-video src=//v.example/1></youtube-video>",
    ] {
        check(player, "<a href=\"https://v.example/1\">v.example</a>");
    }
    check(
        "<noscript><iframe src=//v.example/1></iframe></noscript><iframe data-src=//v.example/1></iframe>",
        "<a href=\"https://v.example/1\">v.example</a>",
    );
}

#[test]
fn player_element_becomes_a_link_to_its_video() {
    let link = "<a href=\"https://www.youtube.com/watch?v=aB3-_9\">www.youtube.com</a> 1";
    for player in [
        "<lite-youtube videoid=aB3-_9></lite-youtube>",
        "<amp-youtube data-videoid=aB3-_9 layout=responsive></amp-youtube>",
        "<div class=youtube_player videoID=aB3-_9></div>",
        "<div class='video lazy' data-youtube-id=aB3-_9></div>",
        "<embetty-video type=youtube video-id=aB3-_9></embetty-video>",
        "<amp-youtube data-videoid=aB3-_9><noscript><iframe src=//v.example/aB3-_9></iframe></noscript></amp-youtube>",
        "<iframe data-url='https://www.youtube.com/watch?v=aB3-_9'></iframe>",
    ] {
        check(&format!("{player}1"), link);
    }
    check("<lite-vimeo videoid=7 title='The film'></lite-vimeo>", "<a href=\"https://vimeo.com/7\">The film</a>");
    check("<lite-youtube videoid='\"><b>x'>1</lite-youtube><div data-videoid=7>2</div>", "12");
    check("<amp-youtube data-videoid=a hidden></amp-youtube>1", "1");
}

#[test]
fn object_becomes_a_link_to_its_innermost_address() {
    let link = "<a href=\"/1.swf\">a.example</a> 1";
    for html in [
        "<object data=/1.swf>Old</object>1",
        "<object><param name=movie value=/1.swf>Old</object>1",
        "<object><embed src=/1.swf></object>1",
        "<object><object data=/1.swf>Old</object>Older</object>1",
        "<object data=/1.swf><object data=/2.swf>Old</object>1",
    ] {
        check(html, link);
    }
}

#[test]
fn player_without_an_address_or_end_tag_costs_no_text() {
    check("<audio src='javascript:x'>Old</audio>1", "1");
    check("<iframe srcdoc='<b>x</b>'></iframe>1", "1");
    check("<video>The rest", "The rest");
    check("<iframe src=//v.example/1>The rest", "<a href=\"https://v.example/1\">v.example</a> The rest");
    check("<noscript>The rest", "The rest");
    let many = "<iframe src=//v.example/1></iframe><iframe src=//v.example/2></iframe>".repeat(100);
    assert_eq!(sanitize_html(&many, None).matches("<a ").count(), 0, "relative without a base");
    let many = many.replace("//", "https://");
    assert_eq!(sanitize_html(&many, None).matches("<a ").count(), MAX_MEDIA_LINKS);
}

#[test]
fn formula_keeps_its_text() {
    let formula = "<math><semantics><mi>x</mi><mo>=</mo><annotation/><annotation>y</annotation></semantics></math>";
    check(&format!("<p>a {formula} b</p>"), "<p>a x= b</p>");
}
