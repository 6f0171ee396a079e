//! Tests the parsing of whole documents, from bytes to a parsed feed.

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
fn byline_with_many_addresses_takes_linear_time() {
    let text = format!("<rss><channel><item><author>{}</author></item></channel></rss>", "a@b ".repeat(1 << 18));
    assert!(read(text.as_bytes()).is_ok());
}

#[test]
fn document_that_is_not_a_feed_is_refused_with_the_reason() {
    assert_eq!(read(b" \n"), Err(NotAFeed::Empty));
    assert!(matches!(read(b"<html><body>Sorry"), Err(NotAFeed::Html { feeds, .. }) if feeds.is_empty()));
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

#[test]
fn titles_that_mention_tags_keep_them() {
    let titles = |text: &str| -> Vec<String> {
        read(text.as_bytes()).unwrap().0.items.into_iter().filter_map(|item| item.title).collect()
    };
    let spoken = "Why &lt;table&gt; and &lt;marquee&gt; came back";
    let word = "Why <table> and <marquee> came back";
    let atom = |title: &str| format!("<feed xmlns='http://www.w3.org/2005/Atom'><entry>{title}</entry></feed>");
    assert_eq!(titles(&atom(&format!("<title>{spoken}</title>"))), [word]);
    assert_eq!(titles(&atom(&format!("<title type='text'>{spoken}</title>"))), [word]);
    let escaped = spoken.replace('&', "&amp;");
    assert_eq!(titles(&atom(&format!("<title type='html'>{escaped}</title>"))), [word]);
    let xhtml = format!("<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>{spoken}</div></title>");
    assert_eq!(titles(&atom(&xhtml)), [word]);
    assert_eq!(titles(&atom("<title>&lt;i&gt;Harbour&lt;/i&gt; sails</title>")), ["Harbour sails"]);
    assert_eq!(titles(&format!("<rss><channel><item><title>{spoken}</title></item></channel></rss>")), [word]);
    assert_eq!(titles(&format!(r#"{{"items":[{{"title":"{word}"}}]}}"#)), [word]);
}

#[test]
fn authors_of_the_feed_reach_items_without_one() {
    let authors = |text: &str| -> Vec<Vec<String>> {
        read(text.as_bytes()).unwrap().0.items.into_iter().map(|item| item.authors).collect()
    };
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>a</title></entry>\
        <entry><author><name>Bo</name></author><title>b</title><source><author><name>Cy</name></author></source></entry>\
        <entry><title>c</title><source><title>S</title><id>s</id><author><name>Cy</name></author></source></entry>\
        <author><name>Ann</name></author></feed>";
    assert_eq!(authors(atom), [["Ann"], ["Bo"], ["Cy"]]);
    let source = &read(atom.as_bytes()).unwrap().0.items[2];
    assert_eq!((source.title.as_deref(), source.guid.as_deref()), (Some("c"), None));
    let json = r#"{"authors":{"name":"Ann"},"items":[{"id":"1"},{"id":"2","authors":[{"name":"Bo"}]},{"id":"3","author":"Cy"},
        {"id":"4","authors":{"0":{"name":"Di"}}}]}"#;
    assert_eq!(authors(json), [["Ann"], ["Bo"], ["Cy"], ["Di"]]);
    let blogger = "<feed><entry><author><name>Ann</name><gd:image src='/a.gif'/><image>/b.gif</image><uri>u</uri></author>\
        </entry></feed>";
    assert_eq!(authors(blogger), [["Ann"]]);
    let (feed, problems) = read(blogger.as_bytes()).unwrap();
    assert_eq!((&feed.items[0].image, problems[0].kind), (&None, ProblemKind::NoGuid));
    let rss = "<rss><channel><managingEditor>ed@news.example (Ed)</managingEditor><item><title>a</title></item></channel></rss>";
    assert_eq!(authors(rss), [Vec::<String>::new()]);
}

#[test]
fn misspelled_end_tags_end_short_values() {
    let (feed, problems) = read(
        b"<rss><channel><title>N</title><link>https://news.example/</lnik><language>en-GB</langauge>\
          <item><title>Rain</tilte><link>https://news.example/rain</lnk><guid isPermaLink='false'>r-7</giud>\
          <pubDate>Mon, 02 Mar 2026 14:05:09 GMT</pubdat><description>It &lt;b&gt;rained.</descripton>\
          <author>Ann</author></item></channel></rss>",
    )
    .unwrap();
    assert_eq!(problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(), [ProblemKind::NotWellFormed]);
    assert_eq!((feed.site_url.unwrap().as_str(), feed.lang.as_deref()), ("https://news.example/", Some("en-gb")));
    let item = &feed.items[0];
    assert_eq!((item.title.as_deref(), item.guid.as_deref()), (Some("Rain"), Some("r-7")));
    assert_eq!(item.link.as_ref().unwrap().as_str(), "https://news.example/rain");
    assert_eq!(item.summary_html.as_deref(), Some("It <b>rained."));
    assert!(item.published.is_some());
    assert_eq!(item.authors, ["Ann"]);
}

#[test]
fn image_of_an_item_has_many_forms() {
    for form in [
        "<media:thumbnail url='/p.jpg'/>",
        "<media:content url='/p.jpg' medium='image'/>",
        "<media:group><media:content url='/p.jpg' type='image/jpeg'/></media:group>",
        "<itunes:image href='/p.jpg'/>",
        "<googleplay:image href='/p.jpg'/>",
        "<image><url>/p.jpg</url><title>Pier</title></image>",
        "<image>https://news.example/p.jpg</image>",
        "<image rdf:resource='/p.jpg'/>",
        "<thumbnail>/p.jpg</thumbnail>",
        "<image>&lt;img src=\"/p.jpg\"&gt;</image>",
        "<enclosure url='/p.jpg' length='0' type='image/jpeg'/>",
        "<enclosure url='/p.jpg' length='0'/>",
        "<link rel='enclosure' type='image/jpeg' href='/p.jpg'/>",
        "<webfeeds:featuredImage url='/p.jpg'/>",
        "<featured_image>https://news.example/p.jpg</featured_image>",
        "<thumbnail-url>/p.jpg</thumbnail-url>",
        "<og:image>https://news.example/p.jpg</og:image>",
        "<image:image><image:loc>/p.jpg</image:loc></image:image>",
        "<media:content url='/p.jpg' medium='Image'/>",
        "<enclosure url='/p.jpg' length='0' type='IMAGE/JPEG'/>",
        "<enclosure url='/p.jpg' length='0' type='image'/>",
    ] {
        let text = format!("<rss><channel><item><title>Pier</title>{form}</item></channel></rss>");
        let (feed, _) = read(text.as_bytes()).unwrap();
        let image = feed.items[0].image.as_ref().map(Url::as_str);
        assert_eq!(
            (image, feed.items[0].title.as_deref()),
            (Some("https://news.example/p.jpg"), Some("Pier")),
            "{form}"
        );
    }
    for form in [
        r#""image":"/p.jpg""#,
        r#""image":{"url":"/p.jpg"}"#,
        r#""banner_image":["/p.jpg"]"#,
        r#""image":{"href":"/p.jpg"}"#,
        r#""thumbnail_url":"/p.jpg""#,
        r#""attachments":{"url":"/p.jpg","mime_type":"image/jpeg"}"#,
        r#""attachments":[{"url":"/t.mp3"},{"url":"/p.jpg"}]"#,
    ] {
        let (feed, _) = read(format!(r#"{{"items":[{{"id":"1",{form}}}]}}"#).as_bytes()).unwrap();
        assert_eq!(feed.items[0].image.as_ref().map(Url::as_str), Some("https://news.example/p.jpg"), "{form}");
    }
}

#[test]
fn largest_version_is_the_image_of_an_item() {
    let image = |name: &str, width: &str| format!("<media:content url='/{name}.jpg' medium='image' width='{width}'/>");
    let group = |images: &str| format!("<media:group>{images}</media:group>");
    let (small, large) = (image("p", "150"), image("q", "1500"));
    for (form, expected) in [
        (group(&format!("{small}{large}")), "q"),
        (group(&format!("{large}{small}")), "q"),
        (format!("{small}{large}"), "q"),
        (format!("{}{large}", image("p", "800")), "p"),
        (format!("{}{}", group(&image("p", "800")), group(&large)), "p"),
        (group("<media:thumbnail url='/p.jpg' width='90px'/><media:thumbnail url='/q.jpg' width='480'/>"), "q"),
        (format!("{}{large}", image("p", "")), "p"),
    ] {
        let text = format!("<rss><channel><item><title>Pier</title>{form}</item></channel></rss>");
        let (feed, _) = read(text.as_bytes()).unwrap();
        let image = feed.items[0].image.as_ref().map(Url::as_str);
        assert_eq!(image, Some(format!("https://news.example/{expected}.jpg").as_str()), "{form}");
    }
}

#[test]
fn author_has_no_markup() {
    for author in [
        "&lt;span lang=\"\"&gt;Ann Holm&lt;/span&gt;",
        "<![CDATA[<a href='/ann'>Ann Holm</a>]]>",
        "<b>Ann</b> Holm",
        "Ann Holm &lt;ann@news.example&gt;",
    ] {
        let text =
            format!("<rss><channel><item><title>Pier</title><dc:creator>{author}</dc:creator></item></channel></rss>");
        assert_eq!(read(text.as_bytes()).unwrap().0.items[0].authors, ["Ann Holm"], "{author}");
    }
}

#[test]
fn links_below_a_nested_base_are_resolved_against_it() {
    let content = "<p><a href='1'>1</a></p><blockquote xml:base='sub/'><img src='2.jpg'/><br/>\
                   <q xml:base='https://bay.example/' cite='3'>3</q></blockquote><a href='4'>4</a>";
    let text = format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry xml:base='https://news.example/x/'><title>Pier</title>\
         <content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>{content}</div></content></entry></feed>"
    );
    let html = read(text.as_bytes()).unwrap().0.items.remove(0).content_html.unwrap();
    for link in ["'1'", "\"https://news.example/x/sub/2.jpg\"", "\"https://bay.example/3\"", "'4'"] {
        assert!(html.contains(link), "{link} in {html}");
    }
}

#[test]
fn tracking_pixel_is_not_the_image_of_an_item() {
    let pixel = "<media:content url='/count.gif' medium='image' width='1' height='1'/>";
    for (form, expected) in [
        (pixel.to_owned(), None),
        (format!("{pixel}<media:thumbnail url='/p.jpg' width='0' height='0'/>"), Some("https://news.example/p.jpg")),
    ] {
        let text = format!("<rss><channel><item><title>Pier</title>{form}</item></channel></rss>");
        let (feed, _) = read(text.as_bytes()).unwrap();
        assert_eq!(feed.items[0].image.as_ref().map(Url::as_str), expected, "{form}");
    }
}

#[test]
fn enclosure_of_an_item_has_many_forms() {
    for form in [
        "<enclosure url='/t.mp3' length='9' type='audio/mpeg'/>",
        "<enclosure>https://news.example/t.mp3</enclosure>",
        "<media:content url='/t.mp3' fileSize='9' type='audio/mpeg'/>",
        "<media:group><media:content url='/t.mp3' medium='audio'/></media:group>",
        "<atom:link rel='enclosure' href='/t.mp3' type='audio/mpeg'/>",
        "<enc:enclosure rdf:resource='/t.mp3' enc:type='audio/mpeg' enc:length='9'/>",
    ] {
        let text = format!("<rss><channel><item><title>Tide</title>{form}</item></channel></rss>");
        let (feed, _) = read(text.as_bytes()).unwrap();
        let urls: Vec<&str> = feed.items[0].enclosures.iter().map(|enclosure| enclosure.url.as_str()).collect();
        assert_eq!(urls, ["https://news.example/t.mp3"], "{form}");
    }
}

#[test]
fn only_an_absolute_original_link_replaces_the_link() {
    for (original, link) in [
        ("https://news.example/own", "https://news.example/own"),
        ("none", "https://hub.example/7"),
        ("/own", "https://hub.example/7"),
        ("http://", "https://hub.example/7"),
        ("http://null", "https://hub.example/7"),
        ("https://news..example/own", "https://hub.example/7"),
        ("javascript:void(0)", "https://hub.example/7"),
    ] {
        let text = format!(
            "<rss><channel><item><link>https://hub.example/7</link>\
             <feedburner:origLink>{original}</feedburner:origLink></item></channel></rss>"
        );
        assert_eq!(read(text.as_bytes()).unwrap().0.items[0].link.as_ref().unwrap().as_str(), link, "{original}");
    }
}

#[test]
fn relative_links_of_a_hosted_feed_belong_to_the_website() {
    let link = |text: &str| read(text.as_bytes()).unwrap().0.items[0].link.as_ref().unwrap().to_string();
    let (site, item) = ("<link>https://harbour.example/</link>", "<item><link>/a/7</link></item>");
    assert_eq!(link(&format!("<rss><channel>{site}{item}</channel></rss>")), "https://harbour.example/a/7");
    assert_eq!(link(&format!("<rss><channel>{item}{site}</channel></rss>")), "https://harbour.example/a/7");
    assert_eq!(
        link(&format!("<rss xml:base='https://b.example/'><channel>{site}{item}</channel></rss>")),
        "https://b.example/a/7"
    );
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><link href='https://harbour.example/'/><entry><link href='/a/7'/></entry></feed>";
    assert_eq!(link(atom), "https://harbour.example/a/7");
    assert_eq!(
        link(r#"{"home_page_url":"https://harbour.example/","items":[{"url":"/a/7"}]}"#),
        "https://harbour.example/a/7"
    );
    assert_eq!(
        link(&format!("<rss><channel><link>https://news.example/</link>{item}</channel></rss>")),
        "https://news.example/a/7"
    );
}

#[test]
fn all_dates_of_a_document_show_their_order() {
    let days = |text: &str| -> Vec<String> {
        let items = read(text.as_bytes()).unwrap().0.items;
        items.into_iter().map(|item| item.published.unwrap().strftime("%F").to_string()).collect()
    };
    let item = |date: &str| format!("<item><pubDate>{date}</pubDate></item>");
    let rss = format!("<rss><channel>{}{}</channel></rss>", item("04/05/2026 10:00"), item("29/04/2026 10:00"));
    assert_eq!(days(&rss), ["2026-05-04", "2026-04-29"]);
    let german = format!("<rss><channel><language>de</language>{}</channel></rss>", item("04/05/2026"));
    assert_eq!(days(&german), ["2026-05-04"]);
    let json = r#"{"items":[{"date_published":"04/05/2026"},{"date_published":"29/04/2026"}]}"#;
    assert_eq!(days(json), ["2026-05-04", "2026-04-29"]);
}

#[test]
fn language_that_does_not_exist_is_ignored_and_reported() {
    for text in [
        "<rss><channel><language>zz</language><item><dc:language>english</dc:language></item></channel></rss>",
        "<feed xml:lang='zz'><entry><title xml:lang='xx-XX'>Rain</title></entry></feed>",
        r#"{"language":"zz","items":[{"id":"1","language":"q"}]}"#,
    ] {
        let (feed, problems) = read(text.as_bytes()).unwrap();
        assert_eq!((&feed.lang, &feed.items[0].lang), (&None, &None), "{text}");
        assert_eq!((problems[0].kind, problems[0].count), (ProblemKind::BadLanguage, 2), "{text}");
    }
    let text = "<rss><channel><dc:language>zz</dc:language><language>pt_BR</language><item></item></channel></rss>";
    assert_eq!(read(text.as_bytes()).unwrap().0.lang.as_deref(), Some("pt-br"));
}

#[test]
fn base_of_a_text_is_the_innermost_one() {
    let (feed, _) = read(
        b"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://a.example/'><entry xml:base='e/'>\
          <summary type='html'>s</summary><content type='html' xml:base='c/'>c</content></entry></feed>",
    )
    .unwrap();
    let base = |url: &Option<Url>| url.as_ref().unwrap().to_string();
    assert_eq!(base(&feed.items[0].summary_base), "https://a.example/e/");
    assert_eq!(base(&feed.items[0].content_base), "https://a.example/e/c/");
    let (feed, _) = read(
        b"<feed xml:base='https://a.example/'><entry><content type='xhtml' xml:base='c/'>\
          <div xmlns='http://www.w3.org/1999/xhtml' xml:base='d/'><p>c</p></div></content></entry></feed>",
    )
    .unwrap();
    assert_eq!(base(&feed.items[0].content_base), "https://a.example/c/d/");
}

#[test]
fn item_in_which_the_document_ends_is_incomplete() {
    let incomplete = |text: &str| -> Vec<bool> {
        read(text.as_bytes()).unwrap().0.items.iter().map(|item| item.is_incomplete).collect()
    };
    assert_eq!(incomplete("<rss><channel><item><title>a</title></item><item><title>b"), [false, true]);
    assert_eq!(incomplete("<rss><channel><item><title>a</title></item><item><title>b</title></item>"), [false, false]);
    assert_eq!(incomplete("<rss><channel><item><title>a<item><title>b</channel></rss>"), [false, false]);
    assert_eq!(
        incomplete(r#"{"items": [{"id": "a", "title": "A"}, {"id": "b", "title": "B", "content_"#),
        [false, true]
    );
    assert_eq!(incomplete(r#"{"items": [{"id": "a", "title": "A"}, {"id": "b"#), [false]);
    assert_eq!(incomplete(r#"{"items": [{"id": "a", "title": "A"}], "authors": [{"name": "n", "url"#), [false]);
}
