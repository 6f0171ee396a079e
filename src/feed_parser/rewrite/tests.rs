//! What the rewrite makes of each kind of fault.

use super::*;

/// The items of a rewritten feed, without the white space between elements.
fn check(text: &str, expect: &str, problems: &[ProblemKind]) {
    let mut found = Vec::new();
    let base = Url::parse("https://news.example/").unwrap();
    let rewritten = rewrite(text, &base, &Options::default(), &mut found).unwrap();
    let body = rewritten.xml.strip_prefix(HEAD).unwrap().replace('\n', "");
    assert_eq!(body.strip_suffix("</channel></rss>").unwrap(), expect);
    assert_eq!(found.iter().map(|problem| problem.kind).collect::<Vec<_>>(), problems, "{text}");
}

use ProblemKind::*;

#[test]
fn a_healthy_feed_has_no_problems() {
    check(
        "<rss version='2.0'><channel><title>N</title><item><guid>a</guid></item></channel></rss>",
        "<title>N</title><item><guid>a</guid></item>",
        &[],
    );
}

#[test]
fn bare_ampersands_and_named_entities_are_text() {
    check(
        "<rss><channel><item><title>AT&T &eacute; &amp; more</title></item></channel></rss>",
        "<item><title>AT&amp;T é &amp; more</title></item>",
        &[NotWellFormed],
    );
}

#[test]
fn what_is_not_closed_ends_where_the_next_begins() {
    check(
        "<rss><channel><item><title>One<guid>a</guid><item><title>Two</item></channel></rss>",
        "<item><title>One</title><guid>a</guid></item><item><title>Two</title></item>",
        &[NotWellFormed],
    );
}

#[test]
fn a_feed_cut_in_its_middle_keeps_what_came_before() {
    check(
        "<rss><channel><item><title>One</title></item><item><title>Tw",
        "<item><title>One</title></item><item><title>Tw</title></item>",
        &[Truncated],
    );
}

#[test]
fn upper_case_and_undeclared_prefixes_are_known() {
    check(
        "<RSS><CHANNEL><ITEM><TITLE>One</TITLE><dc:creator>Ann</dc:creator></ITEM></CHANNEL></RSS>",
        "<item><title>One</title><dc:creator>Ann</dc:creator></item>",
        &[NotWellFormed],
    );
}

#[test]
fn junk_around_the_root_is_dropped() {
    check(
        "Notice: x<br><?xml version='1.0'?><rss><channel><item><guid>a</guid></item></channel></rss>bye",
        "<item><guid>a</guid></item>",
        &[Junk],
    );
}

#[test]
fn elements_in_a_text_are_its_html() {
    check(
        "<rss><channel><item><description>Big <b>red</b> &amp; <x:y/>fox</description></item></channel></rss>",
        "<item><description><![CDATA[Big <b>red</b> &amp; <x:y/>fox]]></description></item>",
        &[],
    );
}

#[test]
fn titles_of_pictures_and_sources_are_not_the_items() {
    check(
        "<rss><channel><image><title>logo</title></image><item><title>One</title><source><title>no</title></source>\
         <media:group><media:title>no</media:title></media:group></item></channel></rss>",
        "<item><title>One</title></item>",
        &[],
    );
}

#[test]
fn an_entry_may_declare_its_own_prefix() {
    check(
        "<feed xmlns='http://www.w3.org/2005/Atom'><p:entry xmlns:p='http://www.w3.org/2005/Atom'><p:id>a</p:id></p:entry></feed>",
        "<item><guid>a</guid></item>",
        &[],
    );
}

#[test]
fn a_feed_services_address_gives_way_to_the_articles() {
    check(
        "<rss><channel><item><link>https://feeds.example/~r/1</link><feedburner:origLink>https://news.example/1\
         </feedburner:origLink></item></channel></rss>",
        "<item><link>https://news.example/1</link></item>",
        &[],
    );
}

#[test]
fn only_the_web_is_linked_and_only_dates_are_dates() {
    check(
        "<rss><channel><item><link>javascript:alert(1)</link><pubDate>soon</pubDate></item></channel></rss>",
        "<item></item>",
        &[BadLink, BadDate],
    );
}

#[test]
fn no_entity_expands_and_no_depth_overflows() {
    let laughs = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><rss><channel><item><title>&b;</title></item></channel></rss>";
    check(laughs, "<item><title>&amp;b;</title></item>", &[NotWellFormed]);
    let deep = format!("<rss><channel><item>{}<guid>a</guid></item></channel></rss>", "<a>".repeat(100_000));
    assert!(rewrite(&deep, &Url::parse("https://a.example").unwrap(), &Options::default(), &mut Vec::new()).is_some());
}

#[test]
fn a_title_that_says_it_is_text_keeps_what_looks_like_a_tag() {
    check(
        "<feed><entry><title type='text'>The &lt;hr&gt; tag</title></entry>\
         <entry><title type='html'>The &lt;hr&gt; tag</title></entry></feed>",
        "<item><title>The &lt;hr&gt; tag</title></item><item><title>The tag</title></item>",
        &[],
    );
}

#[test]
fn xhtml_under_a_prefix_of_its_own_is_html() {
    check(
        "<feed xmlns:h='http://www.w3.org/1999/xhtml'><entry><content type='xhtml'><h:p>A <h:b>B</h:b></h:p></content></entry></feed>",
        "<item><content:encoded><![CDATA[<p>A <b>B</b></p>]]></content:encoded></item>",
        &[],
    );
}

#[test]
fn texts_in_base64_are_unwrapped_and_other_data_is_left_out() {
    check(
        "<feed><entry><title mode='base64'>UmFpbg==</title><content type='image/png'>UmFpbg==</content></entry></feed>",
        "<item><title>Rain</title></item>",
        &[],
    );
}

#[test]
fn markup_is_a_section_and_an_end_of_one_within_it_is_divided() {
    check(
        "<rss><item><description>&lt;p&gt;a&lt;br&gt;b]]&gt;&lt;br&gt;c&lt;br&gt;d&lt;br&gt;&lt;/p&gt;</description></item></rss>",
        "<item><description><![CDATA[<p>a<br>b]]]]><![CDATA[><br>c<br>d<br></p>]]></description></item>",
        &[],
    );
}

#[test]
fn a_feed_says_what_it_is() {
    check(
        "<feed><id>urn:x</id><subtitle>All weather</subtitle><author><name>Ann</name></author></feed>",
        "<category domain=\"newsfold:id\">urn:x</category><description>All weather</description>\
         <category domain=\"newsfold:author\">Ann</category>",
        &[],
    );
}
