//! Tests the tokens of malformed XML and HTML.

use super::*;
use crate::markup::entities::decode_entities;

fn shown(text: &str) -> Vec<String> {
    show_tokens(Tokenizer::new(text))
}

fn shown_as_html(text: &str) -> Vec<String> {
    show_tokens(Tokenizer::html(text))
}

fn show_tokens(tokens: Tokenizer<'_>) -> Vec<String> {
    tokens
        .map(|token| match token {
            MarkupToken::Text(t) => format!("text {t}"),
            MarkupToken::CData(t) => format!("cdata {t}"),
            MarkupToken::Start(t) if t.self_closing => format!("empty {}", t.name),
            MarkupToken::Start(t) => format!("start {}", t.name),
            MarkupToken::End(n) => format!("end {n}"),
            MarkupToken::Other => "other".into(),
        })
        .collect()
}

#[test]
fn bare_angle_bracket_is_text() {
    assert_eq!(shown("<a>1 < 2 <3 << </ </a>"), ["start a", "text 1 < 2 <3 << </ ", "end a"]);
    assert_eq!(shown("<a>1 </ 2> </ b c></\n a >"), ["start a", "text 1 </ 2> </ b c>", "end a"]);
}

#[test]
fn tag_without_its_bracket_ends_where_the_next_tag_starts() {
    assert_eq!(shown("<a href='x' <b></a <c/>"), ["start a", "start b", "end a", "empty c"]);
}

#[test]
fn unclosed_section_reaches_to_the_end() {
    assert_eq!(shown("<![CDATA[a > b"), ["cdata a > b"]);
    assert_eq!(shown("<?a b"), ["other"]);
}

#[test]
fn unclosed_comment_ends_at_the_first_bracket() {
    assert_eq!(shown("a<!-- b > c --><!-->d<!-- e > f"), ["text a", "other", "other", "text d", "other", "text  f"]);
}

#[test]
fn doctype_with_entities_is_one_token() {
    assert_eq!(shown("<!DOCTYPE x [ <!ENTITY a \"b>\"> ]><x>&a;</x>"), ["other", "start x", "text &a;", "end x"]);
}

#[test]
fn instruction_without_its_question_mark_ends_at_the_bracket() {
    assert_eq!(shown("<?xml version='1.0'><a/><?b ?>"), ["other", "empty a", "other"]);
}

#[test]
fn html_comment_ends_as_in_a_browser() {
    assert_eq!(
        shown_as_html("<!-- > -->a<!-->b<!--->c<!--x--!>d"),
        ["other", "text a", "other", "text b", "other", "text c", "other", "text d"]
    );
    for unclosed in ["<!--!>", "<!---!>", "<!-- >"] {
        assert_eq!(shown_as_html(&format!("{unclosed}a-->b<!-- > c")), ["other", "text b", "other"]);
    }
}

#[test]
fn html_tag_ends_at_the_first_bracket_outside_quotes() {
    assert_eq!(shown_as_html("<a <b>1</a x='>'>2"), ["start a", "text 1", "end a", "text 2"]);
    assert_eq!(
        shown_as_html("<a b=/>1<i c='/'/>2<br/ >3"),
        ["start a", "text 1", "empty i", "text 2", "start br", "text 3"]
    );
    assert_eq!(shown_as_html("<a =>1<a ==>2<a b=>3"), ["start a", "text 1", "start a", "text 2", "start a", "text 3"]);
    assert_eq!(shown_as_html("1<a b='>"), ["text 1", "other"]);
}

#[test]
fn html_has_bogus_comments_and_no_sections() {
    assert_eq!(
        shown_as_html("<![CDATA[a > b]]></>c</ d>e<?f?>g"),
        ["other", "text  b]]>", "other", "text c", "other", "text e", "other", "text g"]
    );
    assert_eq!(shown_as_html("1 < 2 <3 <é"), ["text 1 < 2 <3 <é"]);
}

#[test]
fn hostile_repetition_takes_linear_time() {
    for piece in ["<", "<!--", "<![CDATA[", "<?", "<!", "<![", "<a b=\"", "<a b='", "</a", "&", "<a ", "&#"] {
        let text = piece.repeat(1 << 18);
        assert!(Tokenizer::new(&text).count() <= 1 << 18);
        assert!(Tokenizer::html(&text).count() <= 1 << 18);
        assert!(decode_entities(&text).len() <= text.len());
    }
}
