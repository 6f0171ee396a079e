//! Tests which subscriptions are read from a file and which problems are reported.

use super::*;
use crate::opml::write::write_opml;

fn names(outlines: &[FeedOutline]) -> Vec<(&str, Vec<&str>)> {
    outlines.iter().map(|o| (o.xml_url.as_str(), o.categories.iter().map(String::as_str).collect())).collect()
}

#[test]
fn bare_ampersands_and_missing_end_tags_lose_no_subscription() {
    let SubscriptionList { outlines: found, fault, bare_ampersand_lines, .. } = read_opml(
        b"<opml><body>\n<outline text='World & Co'>\n<outline text='a' xmlUrl='https://a.example/?x=1&y=2'>\n\
          <outline text='b' XMLURL=\"https://b.example/\" category='/x/y,z' /></outline>",
    )
    .unwrap();
    assert_eq!(
        names(&found),
        [("https://a.example/?x=1&y=2", vec!["World & Co"]), ("https://b.example/", vec!["World & Co", "x/y", "z"])]
    );
    assert_eq!(found.iter().map(|o| o.line).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(bare_ampersand_lines, [2, 3]);
    let fault = fault.unwrap();
    assert_eq!((fault.line, fault.message.as_str()), (4, "the file ends before <outline> is closed"));
}

#[test]
fn quotes_and_tags_in_a_description_hide_no_url() {
    let words = "word ".repeat(200);
    let text = format!(
        "<opml><outline text='a' description=\"In \"{words}\" he's\" xmlUrl=\"https://a.example/\"/>\
         <outline text='B' description=\"By <a href=\"https://x.example\">X</a>, 1999.\" xmlUrl=\"https://b.example/\" />\
         <outline text='c' xmlUrl='https://c.example/'/>"
    );
    let found = read_opml(text.as_bytes()).unwrap().outlines;
    let urls = ["https://a.example/", "https://b.example/", "https://c.example/"];
    assert_eq!(names(&found), urls.map(|url| (url, vec![])));
    assert_eq!(found[1].title.as_deref(), Some("B"));
}

#[test]
fn written_list_reads_the_same() {
    let one = FeedOutline {
        xml_url: "https://a.example/?x=1&y=\"2\"".into(),
        title: Some("A <b> & \u{1}'c'".into()),
        html_url: Some("https://a.example/".into()),
        categories: vec!["News".into(), "World".into()],
        language: Some("en".into()),
        outlet: Some("a.example".into()),
        priority: Some("-3".into()),
        full_text: Some("group".into()),
        aggregator: Some("true".into()),
        interval: Some("1h".into()),
        grouped: Some("false".into()),
        line: 7,
    };
    let two = FeedOutline { xml_url: "https://b.example/".into(), ..FeedOutline::default() };
    let list = read_opml(write_opml("Mine & yours", &[one.clone(), two]).as_bytes()).unwrap();
    let found = list.outlines.clone();
    assert_eq!(list, SubscriptionList { outlines: found.clone(), ..SubscriptionList::default() }, "nothing to repair");
    assert_eq!(found[0].title.as_deref(), Some("https://b.example/"));
    let expected = FeedOutline { title: Some("A <b> & 'c'".into()), line: 10, ..one };
    assert_eq!(found[1], expected);
}

#[test]
fn values_that_were_escaped_twice_are_decoded_twice() {
    let list = read_opml(
        b"<opml><outline text='Food &amp;amp; Drink'><outline text='Ben &amp;amp;amp; Jo&amp;#8217;s caf&amp;eacute;' \
          xmlUrl='https://a.example/?x=1&amp;amp;y=2&amp;lt=3' category='A&amp;amp;B'/></outline>\
          <outline text='AT&amp;T &amp; co' xmlUrl='https://b.example/?x=1&amp;y=2'/></opml>",
    );
    let found = list.unwrap().outlines;
    let expected =
        [("https://a.example/?x=1&y=2&lt=3", vec!["Food & Drink", "A&B"]), ("https://b.example/?x=1&y=2", vec![])];
    assert_eq!(names(&found), expected);
    let titles: Vec<_> = found.iter().map(|outline| outline.title.as_deref().unwrap_or_default()).collect();
    assert_eq!(titles, ["Ben & Jo’s café", "AT&T & co"]);
}

#[test]
fn limit_that_a_file_exceeds_is_named_and_is_not_called_the_end_of_the_file() {
    let outline = "<outline xmlUrl='https://a.example/'/>";
    let limit = |text: &str| {
        let list = read_opml(text.as_bytes()).unwrap();
        assert!(!list.is_truncated && list.fault.is_none() && list.unusable.is_empty());
        (list.outlines.len(), list.exceeded_limit.map(|fault| fault.message).unwrap_or_default())
    };
    let (count, message) = limit(&format!("<opml>{}</opml>", outline.repeat(MAX_OUTLINES + 1)));
    assert!(count == MAX_OUTLINES && message.contains("more than 200000 subscriptions"), "{message}");
    let padded = format!("<opml>{outline}<outline text='{}'/>{outline}</opml>", "x".repeat(MAX_BYTES));
    let (count, message) = limit(&padded);
    assert!(count == 1 && message.contains("more than 67108864 bytes"), "{message}");
    let many: Vec<String> = (0..2_000_000).map(|n| n.to_string()).collect();
    let text = format!("<opml><outline xmlUrl='https://a.example/' category='{}'/></opml>", many.join(","));
    let (count, message) = limit(&text);
    assert!(count == 1 && message.contains("more than 64 categories"), "{message}");
    assert_eq!(read_opml(text.as_bytes()).unwrap().outlines[0].categories.len(), MAX_CATEGORIES);
}

#[test]
fn file_that_is_not_opml_is_refused() {
    assert_eq!(read_opml(b" "), Err(OpmlError::Empty));
    assert!(matches!(read_opml(b"<rss/>"), Err(OpmlError::NotOpml { .. })));
    assert_eq!(read_opml(b"<opml><body/></opml>").unwrap(), SubscriptionList::default());
}

#[test]
fn truncated_url_is_not_read() {
    let whole = write_opml(
        "t",
        &["https://a.example/feed", "https://b.example/feed"]
            .map(|url| FeedOutline { xml_url: url.into(), ..FeedOutline::default() }),
    );
    for cut in 1..whole.trim_end().len() {
        let Ok(list) = read_opml(&whole.as_bytes()[..cut]) else { continue };
        assert!(list.fault.is_some(), "cut at {cut}: {}", &whole[..cut]);
        for found in &list.outlines {
            assert!(found.xml_url.ends_with("/feed"), "{} after a cut at {cut}", found.xml_url);
        }
    }
}

#[test]
fn place_where_outlines_may_be_missing_is_reported_with_its_line() {
    let fault = |text: &str| read_opml(text.as_bytes()).unwrap().fault.map(|fault| fault.line);
    assert_eq!(fault("<opml>\n<outline xmlUrl='https://a.example/?x=1&y=2'/>\n</opml>"), None);
    assert_eq!(fault("<opml>\n<outline xmlUrl=\"https://a.example/>\n<outline xmlUrl=\"x\"/></opml>"), Some(2));
    assert_eq!(fault("<opml>\n<body>\n<outline text='a'>\n</body></opml>"), Some(4));
    assert_eq!(fault("<opml><outline text='a' <outline xmlUrl='https://a.example/'/></opml>"), Some(1));
}

#[test]
fn subscription_without_a_url_is_reported() {
    let list = read_opml(b"<opml>\n<outline text='A' xmlUrl=''/>\n<outline text='B' type='rss'/></opml>").unwrap();
    assert_eq!(list.unusable.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 3]);
    assert!(list.unusable[0].message.contains("‘A’ has no address"));
}
