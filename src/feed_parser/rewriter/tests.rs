//! Tests how the rewriter handles each kind of error.

use super::*;

fn rewritten_feed(text: &str, expected: &str) -> ParsedFeed {
    rewrite(text, expected, &[])
}

fn check(text: &str, expected: &str, problems: &[ProblemKind]) {
    rewrite(text, expected, problems);
}

fn rewrite(text: &str, expected: &str, problems: &[ProblemKind]) -> ParsedFeed {
    let mut found = Vec::new();
    let base = Url::parse("https://news.example/").unwrap();
    let rewritten = rewrite_feed(text, &base, &Options::default(), &mut found).unwrap();
    let body = rewritten.xml.strip_prefix(HEAD).unwrap().strip_suffix(END).unwrap();
    assert_eq!(body.replace('\n', ""), expected);
    assert_eq!(found.iter().map(|problem| problem.kind).collect::<Vec<_>>(), problems, "{text}");
    rewritten.feed
}

use ProblemKind::*;

#[test]
fn valid_feed_has_no_problems() {
    check(
        "<rss version='2.0'><channel><title>N</title><item><guid>a</guid></item></channel></rss>",
        "<title>N</title><item><guid>a</guid></item>",
        &[],
    );
}

#[test]
fn bare_ampersands_and_named_entities_are_read() {
    check(
        "<rss><channel><item><title>AT&T &eacute; &amp; more</title></item></channel></rss>",
        "<item><title>AT&amp;T é &amp; more</title></item>",
        &[NotWellFormed],
    );
}

#[test]
fn element_without_an_end_tag_ends_where_the_next_starts() {
    check(
        "<rss><channel><item><title>One<guid>a</guid><item><title>Two</item></channel></rss>",
        "<item><title>One</title><guid>a</guid></item><item><title>Two</title></item>",
        &[NotWellFormed],
    );
}

#[test]
fn truncated_feed_keeps_the_text_before_the_cut() {
    check(
        "<rss><channel><item><title>One</title></item><item><title>Tw",
        "<item><title>One</title></item><item><title>Tw</title></item>",
        &[Truncated],
    );
}

#[test]
fn upper_case_names_and_undeclared_prefixes_are_read() {
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
fn elements_inside_a_text_become_its_html() {
    check(
        "<rss><channel><item><description>Big <b>red</b> &amp; <x:y/>fox</description></item></channel></rss>",
        "<item><description><![CDATA[Big <b>red</b> &amp; <x:y/>fox]]></description></item>",
        &[],
    );
}

#[test]
fn title_of_an_image_or_a_source_is_not_the_title_of_the_item() {
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
fn original_link_replaces_the_link_of_a_feed_service() {
    check(
        "<rss><channel><item><link>https://feeds.example/~r/1</link><feedburner:origLink>https://news.example/1\
         </feedburner:origLink></item></channel></rss>",
        "<item><link>https://news.example/1</link></item>",
        &[],
    );
}

#[test]
fn links_of_other_schemes_and_unreadable_dates_are_dropped() {
    check(
        "<rss><channel><item><link>javascript:alert(1)</link><pubDate>soon</pubDate></item></channel></rss>",
        "<item></item>",
        &[BadLink, BadDate],
    );
}

#[test]
fn declared_entities_do_not_expand_and_deep_elements_do_not_overflow() {
    let laughs = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><rss><channel><item><title>&b;</title></item></channel></rss>";
    check(laughs, "<item><title>&amp;b;</title></item>", &[NotWellFormed]);
    let deep = format!("<rss><channel><item>{}<guid>a</guid></item></channel></rss>", "<a>".repeat(100_000));
    assert!(
        rewrite_feed(&deep, &Url::parse("https://a.example").unwrap(), &Options::default(), &mut Vec::new()).is_some()
    );
}

#[test]
fn title_of_type_text_keeps_its_angle_brackets() {
    check(
        "<feed><entry><title type='text'>The &lt;hr&gt; tag</title></entry>\
         <entry><title type='html'>The &lt;hr&gt; tag</title></entry></feed>",
        "<item><title>The &lt;hr&gt; tag</title></item><item><title>The tag</title></item>",
        &[],
    );
}

#[test]
fn xhtml_with_its_own_prefix_becomes_html() {
    check(
        "<feed xmlns:h='http://www.w3.org/1999/xhtml'><entry><content type='xhtml'><h:p>A <h:b>B</h:b></h:p></content></entry></feed>",
        "<item><content:encoded><![CDATA[<p>A <b>B</b></p>]]></content:encoded></item>",
        &[],
    );
}

#[test]
fn text_in_base64_is_decoded_and_binary_content_is_dropped() {
    check(
        "<feed><entry><title mode='base64'>UmFpbg==</title><content type='image/png'>UmFpbg==</content></entry></feed>",
        "<item><title>Rain</title></item>",
        &[],
    );
}

#[test]
fn markup_becomes_a_cdata_section_and_a_section_end_inside_it_is_split() {
    check(
        "<rss><item><description>&lt;p&gt;a&lt;br&gt;b]]&gt;&lt;br&gt;c&lt;br&gt;d&lt;br&gt;&lt;/p&gt;</description></item></rss>",
        "<item><description><![CDATA[<p>a<br>b]]]]><![CDATA[><br>c<br>d<br></p>]]></description></item>",
        &[],
    );
}

#[test]
fn id_description_and_author_of_the_feed_are_kept() {
    let feed = rewritten_feed(
        "<feed><id>urn:x</id><subtitle>All weather</subtitle><author><name>Ann</name></author></feed>",
        "<description>All weather</description>",
    );
    assert_eq!((feed.id.as_deref(), feed.authors.as_slice()), (Some("urn:x"), &["Ann".to_owned()][..]));
}

#[test]
fn update_period_is_divided_by_its_frequency() {
    let check = |period: &str, frequency: &str, expected: Option<u32>| {
        let period = format!("<sy:updatePeriod>{period}</sy:updatePeriod>");
        let text = format!("<rss><channel>{frequency}{period}</channel></rss>");
        assert_eq!(rewritten_feed(&text, "").polling_hints.period_minutes, expected);
    };
    check(" Hourly ", "", Some(60));
    check("daily", "<sy:updateFrequency> 4</sy:updateFrequency>", Some(360));
    check("hourly", "<sy:updateFrequency>0</sy:updateFrequency>", Some(60));
    check("often", "<sy:updateFrequency>4</sy:updateFrequency>", None);
    check("", "<sy:updateFrequency>4</sy:updateFrequency>", None);
}
