//! Generates hostile documents that each repeat one expensive construct up to a given size.
//!
//! The name of a document describes the repeated construct.

/// A function that generates a document of approximately the given number of bytes.
pub type GenerateDocument = fn(usize) -> Vec<u8>;

/// All kinds of hostile documents, with their names.
pub const HOSTILE_DOCUMENTS: &[(&str, GenerateDocument)] = &[
    // Elements.
    ("deep elements", |n| rss("", "<a>", "", n)),
    ("deep elements of one item", |n| rss("<item><title>x</title>", "<b>", "", n)),
    ("deep markup in a description", |n| rss("<item><description>", "<div>", "</description></item>", n)),
    ("deep markup in a title", |n| rss("<item><title>", "<b>", "</title></item>", n)),
    ("deep channels", |n| rss("", "<channel>", "", n)),
    ("deep titles", |n| rss("<item>", "<title>", "", n)),
    ("deep groups", |n| rss("<item>", "<media:group>", "", n)),
    ("deep media", |n| rss("<item>", "<media:content url='/a'>", "", n)),
    ("closing tags only", |n| rss("", "</a>", "", n)),
    ("one endless name", |n| repeat(b"<rss><channel><item><", b"a", b"></item></channel></rss>", n)),
    ("tags that never end", |n| rss("<item><title>", "<a", "</title></item>", n)),
    ("brackets", |n| rss("<item><title>", "<", "</title></item>", n)),
    ("closing brackets", |n| rss("<item><title>", ">", "</title></item>", n)),
    ("slashes", |n| rss("<item><title>", "</", "</title></item>", n)),
    ("HTML in a description", |n| {
        rss("<item><description>", "<p class='x'>wet &amp; cold</p>", "</description></item>", n)
    }),
    ("HTML without a description", |n| rss("<item>", "<p>wet</p>", "</item>", n)),
    // Items.
    ("items", |n| rss("", "<item><title>Storm</title></item>", "", n)),
    ("items never closed", |n| rss("", "<item>", "", n)),
    ("items of nothing", |n| rss("", "<item/>", "", n)),
    ("entries", |n| repeat(b"<feed xmlns='http://www.w3.org/2005/Atom'>", b"<entry><id>1</id></entry>", b"</feed>", n)),
    ("enclosures", |n| items(100, "<enclosure url='/a'/>", n)),
    ("enclosures that differ", |n| numbered("<enclosure url='/", "'/>", n)),
    ("categories", |n| items(100, "<category>a</category>", n)),
    ("authors", |n| items(100, "<author>a</author>", n)),
    ("links", |n| items(100, "<link>/a</link>", n)),
    ("everything short", |n| items(1, "<title>a</title><link>/</link><guid>a</guid><description>b</description>", n)),
    ("titles", |n| rss("<item>", "<title>a</title>", "</item>", n)),
    ("hubs", |n| rss("", "<atom:link rel='hub' href='/'/>", "", n)),
    ("feed authors", |n| rss("", "<managingEditor>a</managingEditor>", "", n)),
    ("feed descriptions", |n| rss("", "<description>a</description>", "", n)),
    ("skipped hours", |n| rss("<skipHours>", "<hour>1</hour>", "</skipHours>", n)),
    ("long guids", |n| items(1, &format!("<guid>{}</guid>", "g".repeat(4000)), n)),
    ("long permalinks", |n| items(1, &format!("<guid>http://a/{}</guid>", "é".repeat(1300)), n)),
    ("long identities", |n| {
        items(1, &format!("<guid isPermaLink='false'>{}</guid><link>/{}</link>", "é".repeat(700), "é".repeat(700)), n)
    }),
    ("short links over a long base", |n| based("<link>a</link>", 1, n)),
    ("short enclosures over a long base", |n| based("<enclosure url='a'/>", 32, n)),
    ("links in every language", |n| items(1, "<link>/世界のニュース/今日の天気</link><title>世界</title>", n)),
    ("long links", |n| items(1, &format!("<link>/{}</link>", "é".repeat(1300)), n)),
    // Attributes.
    ("attributes of the root", |n| repeat(b"<rss ", b"a='b' ", b"><channel></channel></rss>", n)),
    ("attributes of items", |n| repeat(b"<rss><channel><item ", b"a ", b"></item></channel></rss>", n)),
    ("attributes of a text", |n| {
        repeat(b"<rss><channel><item><title ", b"a=b ", b">x</title></item></channel></rss>", n)
    }),
    ("one endless attribute", |n| repeat(b"<rss><channel><item><link href='", b"a", b"'/></item></channel></rss>", n)),
    ("quotes", |n| repeat(b"<rss><channel><item><link a=", b"\"' =", b"/></item></channel></rss>", n)),
    ("quotes never closed", |n| rss("<item>", "<a b=\"", "</item>", n)),
    ("blanks in tags", |n| repeat(b"<rss><channel><item><a b=", b" ", b"'></item></channel></rss>", n)),
    ("namespaces", |n| rss("<item>", "<a xmlns:b='urn:c'/>", "</item>", n)),
    ("namespaces of the root", |n| repeat(b"<rss ", b"xmlns:b='urn:c' ", b"><channel></channel></rss>", n)),
    ("bases", |n| rss("", "<channel xml:base='a/'>", "", n)),
    ("languages", |n| rss("<item>", "<title xml:lang='en'>a</title>", "</item>", n)),
    // Characters.
    ("references", |n| rss("<item><title>", "&amp;", "</title></item>", n)),
    ("references in a description", |n| rss("<item><description>", "&lt;", "</description></item>", n)),
    ("named references", |n| {
        rss("<item><description>", "&CounterClockwiseContourIntegral;", "</description></item>", n)
    }),
    ("numbers", |n| rss("<item><title>", "&#x41;", "</title></item>", n)),
    ("one endless number", |n| repeat(b"<rss><channel><item><title>&#", b"9", b";</title></item></channel></rss>", n)),
    ("numbers without an end", |n| rss("<item><title>", "&#", "</title></item>", n)),
    ("ampersands", |n| rss("<item><title>", "&", "</title></item>", n)),
    ("references twice and thrice", |n| rss("<item><title>", "&amp;amp;amp;lt;", "</title></item>", n)),
    ("a billion laughs", laughs),
    ("entities", |n| repeat(b"<!DOCTYPE rss [", b"<!ENTITY a 'b'>", b"]><rss><channel><item><title>&a;", n)),
    ("brackets of a declaration", |n| repeat(b"<!DOCTYPE rss ", b"[", b"]><rss><channel><item><title>a", n)),
    ("declarations", |n| rss("", "<!a>", "", n)),
    ("declarations never closed", |n| rss("", "<!a[", "", n)),
    ("apostrophes", |n| rss("<item><description>", "'", "</description></item>", n)),
    ("blanks", |n| rss("<item><title>", " ", "</title></item>", n)),
    ("only blanks", |n| repeat(b"", b" \n", b"", n)),
    ("addresses of people", |n| rss("<item><author>", "a@b ", "</author></item>", n)),
    ("people", |n| rss("<item><author>", "<name>a</name>", "</author></item>", n)),
    ("keywords", |n| rss("<item><itunes:keywords>", "a,", "</itunes:keywords></item>", n)),
    ("a date without end", |n| rss("<item><pubDate>", "1 Mar 2026 ", "</pubDate></item>", n)),
    ("dates", |n| rss("<item>", "<pubDate>x</pubDate>", "</item>", n)),
    ("base64", |n| repeat(b"<feed><entry><content mode='base64'>", b"UmFp", b"</content></entry></feed>", n)),
    // Sections.
    ("a section never closed", |n| rss("<item><description><![CDATA[", "a > b ", "", n)),
    ("sections", |n| rss("<item><title>", "<![CDATA[]]>", "</title></item>", n)),
    ("sections never closed", |n| rss("<item><title>", "<![CDATA[", "</title></item>", n)),
    ("ends of sections", |n| rss("<item><title>", "]]>", "</title></item>", n)),
    ("a comment never closed", |n| rss("<!--", "a > b ", "", n)),
    ("comments never closed", |n| rss("", "<!--", "", n)),
    ("comments", |n| rss("", "<!---->", "", n)),
    ("instructions", |n| rss("", "<?a ?>", "", n)),
    ("instructions never closed", |n| rss("", "<?", "", n)),
    ("full texts", |n| texts("<", n)),
    ("full texts of references", |n| texts("&", n)),
    ("full texts of quotes", |n| texts("\"", n)),
    ("full texts of frames", |n| texts("<iframe>", n)),
    ("full texts of letters", |n| texts("é", n)),
    // Bytes.
    ("bad bytes", |n| repeat(b"<rss><channel><item><title>", b"\xffa", b"</title></item></channel></rss>", n)),
    ("bad bytes among good", |n| {
        repeat(b"<rss><channel><item><description>", "éà\u{2019}".as_bytes(), b"\x92</description></item>", n)
    }),
    ("half characters", |n| repeat(b"<rss><channel><item><title>", b"\xe2\x82", b"</title></item></channel></rss>", n)),
    ("windows-1252", |n| {
        repeat(b"<rss><channel><item><description>", b"\x93caf\xe9\x94 ", b"</description></item>", n)
    }),
    ("Shift_JIS", |n| repeat(b"<?xml encoding='shift_jis'?><rss><channel><item><description>", b"\x82\xa0", b"", n)),
    ("ISO-2022-JP", |n| {
        repeat(b"<?xml encoding='iso-2022-jp'?><rss><channel><item><title>", b"\x1b$B$\x22\x1b(B", b"", n)
    }),
    ("UTF-16", |n| utf16(&rss("", "<item><title>Storm</title></item>", "", n / 2), false)),
    ("UTF-16 the other way", |n| utf16(&rss("<item><description>", "wet ", "", n / 2), true)),
    ("halves of surrogates", |n| repeat(b"\xff\xfe<\0r\0s\0s\0>\0", b"\x00\xd8", b"", n)),
    ("UTF-32", |n| utf32(&rss("<item><description>", "wet ", "", n / 4))),
    ("bytes of zero", |n| repeat(b"<rss><channel><item><title>", b"\0", b"</title></item></channel></rss>", n)),
    ("control characters", |n| {
        repeat(b"<rss><channel><item><title>", b"\x01\x1b", b"</title></item></channel></rss>", n)
    }),
    ("marks of byte order", |n| repeat(b"", b"\xef\xbb\xbf", b"<rss><channel><item><title>a", n)),
    ("noise", noise),
    ("a packed file of blanks", |n| packed(&rss("<item><title>", " ", "", n))),
    ("a packed file of items", |n| packed(&rss("", "<item><title>Storm</title></item>", "", n))),
    // JSON.
    ("JSON lists", |n| repeat(b"{\"items\":", b"[", b"", n)),
    ("JSON objects", |n| repeat(b"", b"{\"a\":", b"", n)),
    ("JSON items", |n| json("{\"id\":1,\"title\":\"a\"},", n)),
    ("JSON items of nothing", |n| json("{},", n)),
    ("JSON numbers", |n| json("1,", n)),
    ("JSON strings", |n| json("\"\",", n)),
    ("JSON members", |n| repeat(b"{\"items\":[{", b"\"a\":1,", b"\"id\":1}]}", n)),
    ("JSON tags", |n| repeat(b"{\"items\":[{\"id\":1,\"tags\":[", b"\"a\",", b"1]}]}", n)),
    ("JSON attachments", |n| repeat(b"{\"items\":[{\"id\":1,\"attachments\":[", b"{\"url\":\"/\"},", b"1]}]}", n)),
    ("JSON attachments of items", |n| {
        json(&format!("{{\"id\":1,\"attachments\":[{}1]}},", "{\"url\":\"a\"},".repeat(100)), n)
    }),
    ("JSON pictures", |n| json("{\"id\":1,\"url\":\"é\",\"image\":\"é\"},", n)),
    ("JSON commas", |n| json(",", n)),
    ("JSON blanks", |n| json(" ", n)),
    ("one JSON text", |n| repeat(b"{\"items\":[{\"id\":1,\"content_text\":\"", b"a", b"\"}]}", n)),
    ("one JSON text of apostrophes", |n| repeat(b"{\"items\":[{\"id\":1,\"content_text\":\"", b"'", b"\"}]}", n)),
    ("one JSON text of escapes", |n| repeat(b"{\"items\":[{\"id\":1,\"content_html\":\"", b"\\\"", b"\"}]}", n)),
    ("one JSON text of surrogates", |n| repeat(b"{\"items\":[{\"id\":1,\"title\":\"", b"\\ud800", b"\"}]}", n)),
    ("one JSON text of bad escapes", |n| repeat(b"{\"items\":[{\"id\":1,\"title\":\"", b"\\x", b"\"}]}", n)),
    ("one JSON text of lines", |n| repeat(b"{\"items\":[{\"id\":1,\"title\":\"", b"\n", b"\"}]}", n)),
    ("one JSON title of tags", |n| repeat(b"{\"items\":[{\"id\":1,\"title\":\"", b"<b>", b"\"}]}", n)),
    ("full JSON texts", |n| json(&format!("{{\"id\":1,\"content_text\":\"{}\"}},", "&".repeat(200_000)), n)),
    ("one JSON name", |n| repeat(b"{\"items\":[{\"", b"a", b"\":1}]}", n)),
    ("JSON brackets without an end", |n| repeat(b"{", b"\"a\":[{},", b"", n)),
    // Documents that are not feeds.
    ("a page of links", |n| repeat(b"<html><body>", b"<a href='/feed'>x</a>", b"", n)),
    ("a page of declared feeds", |n| {
        repeat(b"<html>", b"<link rel=alternate type='application/rss+xml' href='/f'>", b"", n)
    }),
    ("a page of scripts", |n| repeat(b"<html>", b"<script>", b"", n)),
    ("a page of scripts that end", |n| repeat(b"<html>", b"<script></script>", b"", n)),
    ("another XML", |n| repeat(b"<catalog>", b"<book/>", b"</catalog>", n)),
    ("words", |n| repeat(b"", b"wet and cold ", b"", n)),
    ("letters", |n| repeat(b"", b"a", b"", n)),
];

fn repeat(before: &[u8], piece: &[u8], after: &[u8], size: usize) -> Vec<u8> {
    let count = size.saturating_sub(before.len() + after.len()) / piece.len();
    let mut document = Vec::with_capacity(size);
    document.extend_from_slice(before);
    document.extend(std::iter::repeat_n(piece, count).flatten());
    document.extend_from_slice(after);
    document
}

fn rss(before: &str, piece: &str, after: &str, size: usize) -> Vec<u8> {
    let (before, after) = (format!("<rss><channel>{before}"), format!("{after}</channel></rss>"));
    repeat(before.as_bytes(), piece.as_bytes(), after.as_bytes(), size)
}

/// Returns items that each repeat a fragment `times` times.
fn items(times: usize, piece: &str, size: usize) -> Vec<u8> {
    rss("", &format!("<item>{}</item>", piece.repeat(times)), "", size)
}

/// Returns items with URLs that are relative to a base of maximum length.
fn based(piece: &str, times: usize, size: usize) -> Vec<u8> {
    let base = format!("<rss xml:base='http://a/{}/'><channel>", "b".repeat(2000));
    let item = format!("<item>{}</item>", piece.repeat(times));
    repeat(base.as_bytes(), item.as_bytes(), b"</channel></rss>", size)
}

/// Returns items of a hundred pieces, each with a different number.
fn numbered(before: &str, after: &str, size: usize) -> Vec<u8> {
    let mut text = String::from("<rss><channel>");
    for number in 0usize.. {
        if number.is_multiple_of(100) {
            text.push_str("<item>");
        }
        text.push_str(&format!("{before}{number}{after}"));
        if text.len() >= size {
            break;
        }
    }
    text.into_bytes()
}

/// Returns items with text of maximum length.
fn texts(piece: &str, size: usize) -> Vec<u8> {
    let text = piece.repeat(250_000 / piece.len());
    items(1, &format!("<description><![CDATA[{text}]]></description>"), size)
}

fn json(piece: &str, size: usize) -> Vec<u8> {
    repeat(b"{\"items\":[", piece.as_bytes(), b"{}]}", size)
}

fn laughs(size: usize) -> Vec<u8> {
    let mut document = String::from("<!DOCTYPE rss [<!ENTITY a0 'ha'>");
    for level in 1..20 {
        document.push_str(&format!("<!ENTITY a{level} '{}'>", format!("&a{};", level - 1).repeat(10)));
    }
    document.push_str("]><rss><channel><item><title>");
    repeat(document.as_bytes(), b"&a19;", b"</title></item></channel></rss>", size)
}

fn utf16(text: &[u8], big: bool) -> Vec<u8> {
    let mark: &[u8] = if big { b"\xfe\xff" } else { b"\xff\xfe" };
    let pairs = text.iter().flat_map(|byte| if big { [0, *byte] } else { [*byte, 0] });
    mark.iter().copied().chain(pairs).collect()
}

fn utf32(text: &[u8]) -> Vec<u8> {
    b"\xff\xfe\0\0".iter().copied().chain(text.iter().flat_map(|byte| [*byte, 0, 0, 0])).collect()
}

const NOISE_BYTES: &[u8] = b"<>/!?-[]&;#x\"'= \nrsitemal\x80\xc3\xe2\xff";

/// Returns pseudo-random noise (xorshift), which is the same in every run.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        NOISE_BYTES[(state % NOISE_BYTES.len() as u64) as usize]
    });
    b"<rss><channel><item>".iter().copied().chain(next.take(size)).collect()
}

fn packed(document: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(document).unwrap();
    packer.finish().unwrap()
}
