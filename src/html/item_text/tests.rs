//! Tests the extraction of item text that is surrounded by clutter.

use super::*;

const TITLE: &str = "Ferry to the islands sails again";

fn check(html: &str, expected: &[&str]) {
    let text = read_item_text(html, Some(TITLE), None);
    assert_eq!(text.paragraphs, expected, "{html}");
    if let Some(cleaned) = text.html {
        assert_eq!(text_blocks(&cleaned), expected, "{html}");
    }
}

fn check_lines(lines: &[&str], expected: &[&str]) {
    check(&lines.join("\n"), expected);
}

#[test]
fn teasers_and_buttons_are_removed_from_plain_text() {
    check_lines(
        &[
            "Share Tweet E-mail",
            "The pass was closed by rain on Sunday.",
            "Read also: Bank lifts its rates again",
            "Nobody was hurt.",
            "DON’T MISS",
            "Orchestra names a conductor",
            "Storm closes the ports",
            "Related articles:",
            "Bank lifts its rates again",
        ],
        &["The pass was closed by rain on Sunday.", "Nobody was hurt."],
    );
}

#[test]
fn text_continues_after_a_teaser_box() {
    check_lines(
        &[
            "It rained for days.",
            "Lesen Sie auch",
            "Sturm sperrt die Häfen",
            "The road will open on Friday, said the mayor.",
        ],
        &["It rained for days.", "The road will open on Friday, said the mayor."],
    );
}

#[test]
fn sentence_that_starts_like_a_heading_stays() {
    for line in ["Related: the mayor said on Friday that the road will stay closed.", "Recommended doses were raised"] {
        check_lines(&[line], &[line]);
    }
}

#[test]
fn digest_of_other_texts_stays() {
    let entry = |n: usize| {
        format!(
            "<h3><a href=/{n}>Report number {n} on the harbour</a></h3><p>The harbour board met for the time number {n} this year.</p>\
             <p><a href=/{n}>Read more</a></p><p><a href=/{n}#c>Comments</a></p>"
        )
    };
    let html = (1..=4).map(entry).collect::<String>();
    let expected: Vec<String> = (1..=4)
        .flat_map(|n| {
            [
                format!("Report number {n} on the harbour"),
                format!("The harbour board met for the time number {n} this year."),
            ]
        })
        .collect();
    assert_eq!(read_item_text(&html, None, None).paragraphs, expected);
}

#[test]
fn item_that_is_one_link_stays() {
    let html = "<p><a href=\"https://news.example/1\">Comments</a></p>";
    assert_eq!(read_item_text(html, None, None).html, None);
    let html =
        "<h3>Related articles</h3><ul><li><a href=/1>Ferry sails</a></li><li><a href=/2>Bank opens</a></li></ul>";
    assert_eq!(read_item_text(html, None, None).html, None);
    let excerpt =
        "<a href=/1>Ferry sails again from Monday on</a><p>The ferry to the islands sails again, said the...</p>";
    assert_eq!(read_item_text(excerpt, None, None).html, None);
}

#[test]
fn form_around_the_text_is_not_clutter() {
    let text = "The ferry to the islands sails again from Monday on, said the harbour board.";
    check(
        &format!("<form action=/><p>{text}</p></form><form><input><p>Your name</p><button>Send</button></form>"),
        &[text],
    );
}

#[test]
fn text_after_a_list_of_links_stays() {
    let text = ["The ferry to the islands sails again from Monday on, said the board.", "More on the strike tomorrow."];
    let after =
        "The board had met the crews on Sunday, and both sides were content with the night shifts that they found.";
    let html = format!(
        "<p>{}</p><p>{}</p><p><b>More on ferries</b></p><p><a href=/1>Crews walk out</a></p><p><a href=/2>Board meets</a></p><p>{after}</p>",
        text[0], text[1]
    );
    check(&html, &[text[0], text[1], after]);
}

#[test]
fn item_that_is_cut_itself_stays() {
    let html = "<p>The fair showed five new games on Wednesday, and here they are.</p>\
                <h2><a href=/1>A game of cats</a></h2><p>The cats come to the console in October, said the maker, and the...</p>";
    assert_eq!(read_item_text(html, None, None).html, None);
}

#[test]
fn text_after_one_linked_headline_stays() {
    let text = [
        "The ferry to the islands sails again from Monday on.",
        "The crews had walked out in March over long night shifts.",
    ];
    let html = format!("<p>{}</p><p>Read also</p><h2><a href=/1>Crews walk out</a></h2><p>{}</p>", text[0], text[1]);
    check(&html, &text);
}

#[test]
fn line_breaks_of_plain_text_become_paragraphs() {
    let check =
        |text: &str, expected: &str| assert_eq!(read_item_text(text, None, None).html.as_deref(), Some(expected));
    check(
        "The ferry sails.\n\nThe &lt;b&gt; pier\nis open.",
        "<p>The ferry sails.</p><p>The &lt;b&gt; pier<br>is open.</p>",
    );
    check("The ferry sails.\nI <3 the pier.", "<p>The ferry sails.</p><p>I &lt;3 the pier.</p>");
    check("The <b>ferry</b> sails.\n\nThe pier\nis open.", "<p>The <b>ferry</b> sails.</p><p>The pier\nis open.</p>");
    check(
        "The ferry sails.\n\nRead also: Bank lifts its rates again\nThe pier is open.",
        "<p>The ferry sails.</p><p>The pier is open.</p>",
    );
    check(
        "The <a href=\"/1\">ferry</a> sails.\nThe pier is open.\nSee <a href=\"/2\">the map</a>.",
        "<p>The <a href=\"/1\">ferry</a> sails.<br>The pier is open.<br>See <a href=\"/2\">the map</a>.</p>",
    );
    for text in ["The ferry sails.", "The <b>ferry</b> sails,\nthe pier is open."] {
        assert_eq!(read_item_text(text, None, None).html, None);
    }
}

#[test]
fn form_that_contains_the_whole_text_is_not_clutter() {
    check("<form><input type=search><p>Short.</p><p>新しい規則。</p></form>", &["Short.", "新しい規則。"]);
    check("<form><input type=hidden><p>Short.</p></form><p>More.</p>", &["Short.", "More."]);
    check("<form><input><p>Your name</p></form><p>More.</p>", &["More."]);
}

#[test]
fn text_inside_players_and_annotations_is_not_shown() {
    check("<p>One <math><mi>x</mi><annotation>y</annotation></math></p><video>Old browser</video>", &["One x"]);
}

#[test]
fn tail_of_a_paragraph_is_removed_with_its_link() {
    let html = |html: &str| read_item_text(html, None, None).html;
    let text = "The ferry to the islands sails again from Monday on.";
    for tail in [
        " <a href=/1>Continue reading</a>",
        " (<a href=/1>Read the full story at <i>Harbour Ledger</i> →</a>)",
        " <a href=/1>Seguir leyendo <span>Ferry sails</span> →</a>",
        " <a href=/1>#<span>ferry</span></a> <a href=/2>#<span>islands</span></a>",
    ] {
        let cleaned = html(&format!("<p>{text}{tail}</p><p>Share this: Facebook</p>")).unwrap();
        assert_eq!(cleaned.replace(" </p>", "</p>").replace(" </p>", "</p>"), format!("<p>{text}</p>"), "{tail}");
    }
    let linked = format!("<p>{text} The board will <a href=/1>read more proposals</a>.</p>");
    assert_eq!(html(&linked), None);
}

#[test]
fn lists_tables_and_headings_with_names_and_numbers_stay() {
    let text = "The ferry to the islands sails again from Monday on.";
    for html in [
        "<ul><li>3 - 0</li><li>1 - 2</li></ul>",
        "<table><tr><td>Reddit</td><td>2</td></tr><tr><td>Threads</td><td>3</td></tr></table>",
        "<h3>2</h3><p>The crews agreed.</p>",
        "<h2>Reddit</h2><h2>X</h2><p>The crews agreed.</p>",
        "<h2>Google and Reddit</h2><p>The crews agreed.</p>",
        "<h2>Reddit</h2>",
        "<p>The crews may no longer use:</p><ul><li>TikTok</li><li>Threads</li></ul>",
        "<p>The crews may no longer use:</p><ul><li><a href=/1>TikTok</a></li></ul>",
        "<p>The crews may no longer use:</p><p>TikTok</p>",
        "<ul><li><a href=/1>Reddit</a></li><li><a href=/2>The crews</a></li></ul>",
        "<h3>How the crews write to each other</h3><ul><li>Facebook</li><li>Email</li></ul>",
        "<h3>Share this</h3><p>The crews share the catch that they land on Sundays.</p>",
        "<h3>Become a member</h3><p>The crews pay ten crowns a year for the club.</p>",
        "<p>Become a member</p><p>The crews pay ten crowns a year for the club.</p>",
    ] {
        assert_eq!(read_item_text(&format!("<p>{text}</p>{html}"), None, None).html, None, "{html}");
    }
    for html in [
        "<ul><li><a href=/1>Facebook</a></li><li><a href=/2>Reddit</a></li><li><a href=/3>Copy link</a></li></ul>",
        "<h3>Share this</h3><p>Facebook Reddit</p>",
        "<ul><li>Facebook</li><li>Reddit</li><li>Email</li></ul>",
        "<h3>Become a member</h3>",
        "<p>Share this:</p><ul><li><a href=/1>Facebook</a></li></ul>",
    ] {
        check(&format!("<p>{text}</p>{html}"), &[text]);
    }
}

#[test]
fn author_box_is_removed_only_at_the_end() {
    let text = "The ferry to the islands sails again from Monday on.";
    let author = "The author of the pilot book, Ines Holm, was born on the islands in 1948.";
    let html = format!("<p>{text}</p><h3>About the author</h3><p>{author}</p>");
    check(&html, &[text]);
    let after = "Her book describes each of the harbours and has sold well for years.";
    assert_eq!(read_item_text(&format!("{html}<p>{after}</p>"), None, None).html, None);
    check(&format!("{html}<h3>Leave a comment</h3><p>{after}</p>"), &[text]);
}
