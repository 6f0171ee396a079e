//! Whole documents, from bytes to a parsed feed.

use super::*;
use jiff::civil::Weekday;

fn read(bytes: &[u8]) -> Result<(ParsedFeed, Vec<FeedProblem>), NotAFeed> {
    let url = Url::parse("https://news.example/world/feed").unwrap();
    parse_feed(&FetchedDocument { bytes, content_type: Some("text/html"), url: &url }, &Options::default())
}

#[test]
fn all_fields_of_an_rss_feed_are_read() {
    let (feed, problems) = read(
        br#"<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"
                xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
                xmlns:media="http://search.yahoo.com/mrss/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel><title>World &amp;amp; more</title>
                <link>https://news.example/</link><language>en-GB</language><ttl>15</ttl>
                <atom:link rel="self" href="https://news.example/world/feed"/><atom:link rel="hub" href="https://hub.example/"/>
                <skipHours><hour>24</hour><hour>3</hour></skipHours><skipDays><day>Sunday</day></skipDays>
                <sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>
                <lastBuildDate>Mon, 02 Mar 2026 15:00:00 GMT</lastBuildDate>
                <item><title><![CDATA[<b>Rain</b> & wind]]></title><link>/rain?a=1&amp;b=2</link>
                <guid isPermaLink="false"> rain-1 </guid><pubDate>Mon, 02 Mar 2026 14:05:09 EST</pubDate>
                <atom:updated>2026-03-02T20:00:00Z</atom:updated>
                <description>&lt;p&gt;Wet&lt;/p&gt;</description><content:encoded><![CDATA[<p>Very wet</p>]]></content:encoded>
                <dc:creator>Ann Author</dc:creator><author>bob@news.example (Bob)</author><category>weather</category>
                <enclosure url="https://news.example/a.mp3" length="12" type="audio/mpeg"/>
                <media:content url="https://news.example/p.jpg" medium="image"/></item></channel></rss>"#,
    )
    .unwrap();
    assert_eq!(problems, []);
    assert_eq!((feed.kind, feed.charset), (FeedKind::Rss, "UTF-8"));
    assert_eq!(feed.title.as_deref(), Some("World & more"));
    assert_eq!((feed.lang.as_deref(), feed.polling_hints.ttl_minutes), (Some("en-gb"), Some(15)));
    assert_eq!(feed.self_url.unwrap().as_str(), "https://news.example/world/feed");
    assert_eq!(feed.hubs, [Url::parse("https://hub.example/").unwrap()]);
    assert_eq!((feed.polling_hints.skip_hours, feed.polling_hints.skip_days), (vec![0, 3], vec![Weekday::Sunday]));
    assert_eq!(feed.polling_hints.period_minutes, Some(30));
    assert_eq!(feed.updated.unwrap().to_string(), "2026-03-02T15:00:00Z");
    let item = &feed.items[0];
    assert_eq!(item.title.as_deref(), Some("Rain & wind"));
    assert_eq!(item.link.as_ref().unwrap().as_str(), "https://news.example/rain?a=1&b=2");
    assert_eq!(item.guid.as_deref(), Some("rain-1"));
    assert_eq!(item.published.unwrap().to_string(), "2026-03-02T19:05:09Z");
    assert_eq!(item.updated.unwrap().to_string(), "2026-03-02T20:00:00Z");
    assert_eq!(item.summary_html.as_deref(), Some("<p>Wet</p>"));
    assert_eq!(item.content_html.as_deref(), Some("<p>Very wet</p>"));
    assert_eq!(item.authors, ["Ann Author", "Bob"]);
    assert_eq!(item.categories, ["weather"]);
    assert_eq!(item.enclosures[0].mime.as_deref(), Some("audio/mpeg"));
    assert_eq!(item.image.as_ref().unwrap().as_str(), "https://news.example/p.jpg");
}

#[test]
fn all_fields_of_an_atom_feed_are_read() {
    let (feed, problems) = read(
        br#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de" xml:base="https://news.example/de/"><title>Welt</title>
                <link rel="self" href="feed"/><link href="."/><updated>2026-03-02T15:00:00Z</updated>
                <entry xml:base="wetter/"><id>urn:x:1</id><title type="html">Regen &amp;amp; Wind</title>
                <link rel="alternate" type="application/pdf" href="1.pdf"/><link rel="alternate" type="text/html" href="1"/>
                <link rel="enclosure" href="1.mp3" type="audio/mpeg" length="9"/>
                <published>2026-03-02T14:05:09+01:00</published><updated>2026-03-02T15:00:00Z</updated>
                <author><name>Anna</name><email>anna@news.example</email></author><category term="w" label="Wetter"/>
                <summary>1 &lt; 2</summary>
                <content type="xhtml" xml:lang="de-AT"><div xmlns="http://www.w3.org/1999/xhtml"><p>Na&#223; &amp; kalt</p></div></content>
                </entry></feed>"#,
    )
    .unwrap();
    assert_eq!(problems, []);
    assert_eq!((feed.kind, feed.lang.as_deref()), (FeedKind::Atom, Some("de")));
    assert_eq!(feed.site_url.unwrap().as_str(), "https://news.example/de/");
    let item = &feed.items[0];
    assert_eq!(item.guid.as_deref(), Some("urn:x:1"));
    assert_eq!(item.link.as_ref().unwrap().as_str(), "https://news.example/de/wetter/1");
    assert_eq!(item.title.as_deref(), Some("Regen & Wind"));
    assert_eq!(item.summary_html.as_deref(), Some("1 &lt; 2"));
    assert!(item.content_html.as_deref().unwrap().contains("<p>Na&#223; &amp; kalt</p>"));
    assert_eq!((item.authors.as_slice(), item.categories.as_slice()), (&["Anna".into()][..], &["Wetter".into()][..]));
    assert_eq!(item.lang.as_deref(), Some("de-AT"));
    assert_eq!(item.published.unwrap().to_string(), "2026-03-02T13:05:09Z");
    assert_eq!(item.enclosures.len(), 1);
}

#[test]
fn items_of_an_rdf_feed_are_read_beside_the_channel() {
    let (feed, _) = read(
        br#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
                xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>News</title><items><rdf:Seq/></items></channel>
                <image><title>logo</title><url>https://news.example/l.png</url></image>
                <item rdf:about="https://news.example/1"><title>Rain</title><dc:date>2026-03-02</dc:date></item></rdf:RDF>"#,
    )
    .unwrap();
    assert_eq!((feed.kind, feed.title.as_deref()), (FeedKind::Rdf, Some("News")));
    assert_eq!(feed.items[0].guid.as_deref(), Some("https://news.example/1"));
    assert_eq!(feed.items[0].link.as_ref().unwrap().as_str(), "https://news.example/1");
    assert_eq!(feed.items[0].published.unwrap().to_string(), "2026-03-02T00:00:00Z");
}

#[test]
fn guid_is_never_invented_and_becomes_the_link_only_if_it_is_a_permalink() {
    let (feed, problems) = read(
        b"<rss><channel><item><title>no guid</title></item>\
          <item><guid>https://news.example/1</guid></item>\
          <item><guid isPermaLink='false'>https://news.example/2</guid></item></channel></rss>",
    )
    .unwrap();
    let found: Vec<_> = feed.items.iter().map(|i| (i.guid.as_deref(), i.link.as_ref().map(Url::as_str))).collect();
    let url = "https://news.example/1";
    assert_eq!(found, [(None, None), (Some(url), Some(url)), (Some("https://news.example/2"), None)]);
    assert_eq!(problems[0].kind, ProblemKind::NoGuid);
}

#[test]
fn gzip_file_is_unpacked() {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(b"<rss><channel><item><title>x</title></item></channel></rss>").unwrap();
    assert_eq!(read(&packer.finish().unwrap()).unwrap().0.items.len(), 1);
}

#[test]
fn author_of_many_addresses_takes_linear_time() {
    let text = format!("<rss><channel><item><author>{}</author></item></channel></rss>", "a@b ".repeat(1 << 18));
    assert!(read(text.as_bytes()).is_ok());
}

#[test]
fn document_that_is_not_a_feed_is_refused_with_the_reason() {
    assert_eq!(read(b" \n"), Err(NotAFeed::Empty));
    assert!(matches!(read(b"<html><body>Sorry"), Err(NotAFeed::Html { feeds }) if feeds.is_empty()));
    assert!(matches!(read(b"<catalog><book/></catalog>"), Err(NotAFeed::Unreadable { .. })));
}

#[test]
fn limits_are_applied_and_reported() {
    let options = Options { max_items: 2, max_text_bytes: 10, max_bytes: 1000, max_depth: 5 };
    let item = "<item><title>a title that is long</title><a><b><c><d><e/></d></c></b></a></item>";
    let text = format!("<rss><channel>{}", item.repeat(20));
    let url = Url::parse("https://news.example/").unwrap();
    let document = FetchedDocument { bytes: text.as_bytes(), content_type: None, url: &url };
    let (feed, problems) = parse_feed(&document, &options).unwrap();
    assert_eq!(feed.items.len(), 2);
    assert_eq!(feed.items[0].title.as_deref(), Some("a title th"));
    let kinds: Vec<_> = problems.iter().map(|problem| problem.kind).collect();
    for kind in [ProblemKind::Truncated, ProblemKind::TooManyItems, ProblemKind::TooLong, ProblemKind::TooDeep] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
}
