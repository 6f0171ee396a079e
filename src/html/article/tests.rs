//! Pages as news sites build them, and the articles on them.

use super::*;

fn page(body: &str) -> String {
    format!(
        "<!doctype html><html><head><title>Rain closes the pass | Mountain News</title>\
         <link rel=\"canonical\" href=\"/news/rain?utm_source=x\"></head><body class=\"has-sidebar with-comments\">{body}\
         </body></html>"
    )
}

fn read(html: &str) -> Result<ExtractedArticle, NoArticle> {
    extract_article(html, &Url::parse("https://mountain.example/news/rain?ref=feed").unwrap())
}

const PARAGRAPHS: [&str; 4] = [
    "The mountain pass above Veshna was closed on Sunday evening after two days of rain, the regional road office said.",
    "Mud and stones cover the road over a length of three hundred metres, and engineers expect the work to last until Friday.",
    "“Nobody was hurt, and that is what counts,” said the mayor, Ana Dorn, who had ordered the pass closed an hour before.",
    "Lorries are led over the southern valley, which takes four hours longer. Buses do not run for now.",
];

/// A page with menus, share buttons, a comment form, and teasers of other articles, some of them twice.
fn cluttered_page() -> String {
    let teasers = "<ul><li><a href=\"/bank\">Bank lifts its rates again as inflation stays high</a></li>\
                   <li><a href=\"/storm\">Storm closes the ports of the north for a third day</a></li>\
                   <li><a href=\"/train\">Marshal arrives in Veshna by armoured train for the parade</a></li></ul>";
    let share = "<div class=\"share-bar\"><a>Share</a> <a>Tweet</a> <a>WhatsApp</a> <a>E-mail</a></div>";
    page(&format!(
        "<header><nav><ul><li><a href=\"/\">Home</a></li><li><a href=\"/world\">World</a></li>\
         <li><a href=\"/sport\">Sport</a></li></ul></nav></header>\
         <div class=\"breadcrumbs\">Home &gt; Region &gt; Roads</div>\
         <main><article><h1>Rain closes the mountain pass above Veshna</h1>{share}\
         <p>{}</p><p>{}</p>\
         <div class=\"box\"><h3>Don’t miss</h3>{teasers}</div>\
         <p>{}</p><p><strong>Read also:</strong> <a href=\"/storm\">Storm closes the ports of the north</a></p>\
         <p>{}</p>{share}\
         <section><h2>Related articles</h2>{teasers}</section></article></main>\
         <aside class=\"sidebar\"><h2>Most read</h2>{teasers}</aside>\
         <section id=\"comments\"><h2>Comments</h2><form action=\"/c\"><textarea>Your comment</textarea>\
         <button>Send</button></form><p>Anonymous: This government closes everything, the bank too, and the ports!</p>\
         </section><div class=\"dont-miss\"><h2>Don’t miss</h2>{teasers}</div>\
         <footer><p>© Mountain News. Subscribe to our newsletter for the news of the day.</p></footer>",
        PARAGRAPHS[0], PARAGRAPHS[1], PARAGRAPHS[2], PARAGRAPHS[3]
    ))
}

#[test]
fn cluttered_page_yields_only_headline_and_paragraphs() {
    let article = read(&cluttered_page()).unwrap();
    assert_eq!(article.headline.as_deref(), Some("Rain closes the mountain pass above Veshna"));
    assert_eq!(article.paragraphs, PARAGRAPHS);
    assert_eq!(article.canonical_link.unwrap().as_str(), "https://mountain.example/news/rain?utm_source=x");
}

#[test]
fn page_of_plain_divisions_is_read() {
    let paragraphs = PARAGRAPHS.map(|text| format!("<div>{text}</div>")).concat();
    let article =
        read(&page(&format!("<div id=\"menu\">Home World</div><h1>Rain</h1><div>{paragraphs}</div>"))).unwrap();
    assert_eq!(article.paragraphs, PARAGRAPHS);
}

#[test]
fn page_without_article_is_refused() {
    assert_eq!(read(&page("<h1>Gone</h1><p>This page is no more.</p>")), Err(NoArticle::NoText));
    assert_eq!(read(""), Err(NoArticle::NoText));
    assert_eq!(read(&page(&"<div>".repeat(10_000))), Err(NoArticle::TooComplex));
}

#[test]
fn canonical_link_to_another_host_is_ignored() {
    let page = cluttered_page().replace("href=\"/news/rain?utm_source=x\"", "href=\"https://else.example/rain\"");
    assert_eq!(read(&page).unwrap().canonical_link, None);
}
