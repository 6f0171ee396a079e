//! Tests extraction on pages as news sites build them.

use super::*;
use crate::html::item_text::read_item_text;
use crate::html::plain_text::text_blocks;

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

const ONE_PARAGRAPH: &str = "The mountain pass above Veshna was closed on Sunday evening after two days of rain. Nobody \
                             was hurt, and the road is expected to open on Friday, the regional road office said.";

/// Returns a page with menus, share buttons, a comment form, and teasers of other articles, some of which occur twice.
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

/// A page with clutter around the article: a breadcrumb, a comment form, and two boxes of teasers of other articles.
struct TeaserPage {
    before: &'static str,
    after_text: &'static str,
    form: &'static str,
    box_start: &'static str,
    box_end: &'static str,
    teaser: fn(&str, &str) -> String,
}

const TEASERS: [(&str, &str); 4] = [
    (
        "Choir of the valley sings in the quarry",
        "Eighty voices and one organ filled the old quarry on Saturday, and those who had no ticket...",
    ),
    (
        "Bakery bakes by night again",
        "After two quiet years the ovens in the lower town are lit at three in the morning, since the...",
    ),
    (
        "Lynx seen twice near the cable car",
        "A ranger photographed the animal on Tuesday. It is the first one in this part of the range since…",
    ),
    (
        "School bus gets a second driver",
        "The council found the money at its last meeting of the year, to the surprise of parents who had...",
    ),
];

impl TeaserPage {
    fn body(&self, paragraphs: &[&str]) -> String {
        let text: String = paragraphs.iter().map(|text| format!("<p>{text}</p>")).collect();
        let boxes: String = [("Don't Miss", &TEASERS[..2]), ("Related Articles", &TEASERS[2..])]
            .map(|(label, teasers)| {
                let items: String = teasers.iter().map(|(title, excerpt)| (self.teaser)(title, excerpt)).collect();
                format!("{}<h3>{label}</h3>{items}{}", self.box_start, self.box_end)
            })
            .concat();
        let TeaserPage { before, after_text, form, .. } = self;
        format!("{before}<h1>Rain closes the mountain pass</h1>{text}{after_text}{form}{boxes}")
    }

    fn check(&self, paragraphs: &[&str]) {
        let article = read(&page(&self.body(paragraphs))).unwrap();
        assert_eq!(article.headline.as_deref(), Some("Rain closes the mountain pass"));
        assert_eq!(article.paragraphs, paragraphs);
        let item = read_item_text(&self.body(paragraphs), Some("Rain closes the mountain pass"), None);
        assert_eq!(item.paragraphs, paragraphs, "as the content of an item");
        assert_eq!(text_blocks(&item.html.unwrap()), paragraphs, "as the content of an item");
    }
}

const LINES_OF_A_FORM: &str = "<h4>Leave a comment</h4><p>Your email address will not be published.</p><p>Name *</p>\
                               <p>Email *</p><p>Post Comment</p>";

#[test]
fn teasers_and_form_in_named_boxes_are_removed() {
    let page = TeaserPage {
        before: "<div class=breadcrumb><a href=/>Home</a> &gt; <a href=/r>Region</a></div><main><article>",
        after_text: "</article></main>",
        form: "<section class=comments><h4>Leave a comment</h4><form><label>Name</label><input></form></section>",
        box_start: "<aside class=\"sidebar related-articles\">",
        box_end: "</aside>",
        teaser: |title, excerpt| format!("<div class=teaser><h4><a href=/x>{title}</a></h4><p>{excerpt}</p></div>"),
    };
    page.check(&PARAGRAPHS);
    page.check(&[ONE_PARAGRAPH]);
}

#[test]
fn teasers_and_form_in_boxes_without_descriptive_names_are_removed() {
    let page = TeaserPage {
        before: "<div class=k1>Home / Region / Roads</div><div class=k2><div class=k3>",
        after_text: "</div></div>",
        form: "<div class=k4><h4>Leave a Reply</h4><div>Name</div><div>Email</div><div>Submit</div></div>",
        box_start: "<div class=k5>",
        box_end: "</div>",
        teaser: |title, excerpt| format!("<div class=k6><div><a href=/x>{title}</a></div><div>{excerpt}</div></div>"),
    };
    page.check(&PARAGRAPHS);
    page.check(&[ONE_PARAGRAPH]);
}

#[test]
fn teasers_and_form_beside_the_paragraphs_are_removed() {
    let page = TeaserPage {
        before: "<p>Home &gt; Region &gt; Roads</p>",
        after_text: "",
        form: LINES_OF_A_FORM,
        box_start: "",
        box_end: "",
        teaser: |title, excerpt| format!("<h4>{title}</h4><p>{excerpt}</p>"),
    };
    page.check(&PARAGRAPHS);
    page.check(&[ONE_PARAGRAPH]);
}

#[test]
fn teasers_and_form_inside_the_article_are_removed() {
    let page = TeaserPage {
        before: "<article><ul><li><a href=/>Home</a></li><li><a href=/r>Region</a></li></ul>",
        after_text: "",
        form: LINES_OF_A_FORM,
        box_start: "<section>",
        box_end: "</section>",
        teaser: |title, excerpt| format!("<table><tr><td><a href=/x>{title}</a></td><td>{excerpt}</td></tr></table>"),
    };
    page.check(&PARAGRAPHS);
    page.check(&[ONE_PARAGRAPH]);
}

#[test]
fn form_around_the_page_does_not_hide_the_article() {
    let page = cluttered_page().replace("<main>", "<form method=post><main>").replace("</main>", "</main></form>");
    assert_eq!(read(&page).unwrap().paragraphs, PARAGRAPHS);
}

#[test]
fn layout_class_does_not_hide_the_article() {
    for class in ["sidebar-fixed", "has-menu comments", "ad-page"] {
        let page = cluttered_page().replace("<main>", &format!("<main><div class=\"{class}\">"));
        assert_eq!(read(&page).unwrap().paragraphs, PARAGRAPHS, "{class}");
    }
}

#[test]
fn scripts_before_the_article_do_not_hide_it() {
    let script = format!("<script type=text/template>{}</script>", "<div a=b c=d>&amp;</div>".repeat(100_000));
    assert_eq!(read(&cluttered_page().replace("<body", &format!("{script}<body"))).unwrap().paragraphs, PARAGRAPHS);
}

#[test]
fn long_article_stays_whole() {
    let parts = [
        ("p", PARAGRAPHS[0]),
        ("h2", "Related work"),
        (
            "p",
            "The road office had rebuilt the drains of the upper bends two years ago, and they held this time as well.",
        ),
        ("p", "Nobody knows yet what the lower bends will cost, and so the council waits, and waits…"),
        ("blockquote", PARAGRAPHS[2]),
        ("h3", "What drivers have to know"),
        ("li", "Lorries take the southern valley"),
        ("li", "Cars with chains may use the old road by day"),
        ("p", "Are there buses?"),
        ("p", "No."),
        ("p", PARAGRAPHS[3]),
        ("li", "A list may end the text"),
    ];
    let body: String = parts.map(|(element, text)| format!("<{element}>{text}</{element}>")).concat();
    let expected = parts.map(|(_, text)| text);
    let html = format!("<article><h1>Rain closes the mountain pass</h1>{body}</article>");
    assert_eq!(read(&page(&html)).unwrap().paragraphs, expected);
    assert_eq!(read_item_text(&body, None, None).paragraphs, expected);
    assert_eq!(read_item_text(&body, None, None).html, None, "unchanged");
}
