//! Distinguishes titles that mention HTML tags ("When to use `<b>`") from titles that contain HTML.

use super::one_line_text::{html_to_plain_text, is_html_element};
use crate::markup::entities::decode_entities;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use crate::markup::whitespace::fold_non_blank;

/// Elements whose end tag does not exist or is often omitted. A single tag of such an element is markup.
const LONE_ELEMENTS: [&str; 14] =
    ["p", "br", "hr", "img", "wbr", "li", "input", "meta", "link", "td", "tr", "div", "dt", "dd"];

/// Returns the plain text of a title that is text according to its format (Atom without a type, JSON Feed). Tags are
/// literal text, unless they form complete elements: many programs write HTML in such titles.
pub fn text_title(title: &str) -> Option<String> {
    if contains_elements(title) { html_to_plain_text(title) } else { fold_non_blank(&decode_entities(title)) }
}

/// Returns the plain text of a title that may be text or HTML (RSS). A tag is text only if it is used like a word.
pub fn untyped_title(title: &str) -> Option<String> {
    if mentions_tags(title) { fold_non_blank(&decode_entities(title)) } else { html_to_plain_text(title) }
}

/// Returns whether the tags are markup. They are markup if every start tag has an end tag after some text, if an image
/// or a tag directly before a word has attributes, or if a line break or comment is not used like a word. Tags with
/// white space on their inner sides (`<b> and </b>`) are literal text.
fn contains_elements(text: &str) -> bool {
    let mut open: Vec<(&str, usize)> = Vec::new();
    let (mut elements, mut lone_starts) = (0, 0);
    let mut tokens = Tokenizer::new(text);
    loop {
        let start = tokens.offset();
        match tokens.next() {
            None => return elements > 0 && open.is_empty(),
            Some(MarkupToken::Start(tag)) if is_html_element(tag.name) => {
                let after = &text[tokens.offset()..];
                let has_attributes = tag.attribute_text.contains('=');
                if has_attributes && (tag.name.eq_ignore_ascii_case("img") || after.starts_with(char::is_alphanumeric))
                {
                    return true;
                } else if tag.self_closing || is_lone_element(tag.name) {
                    let is_break = tag.self_closing && !is_about_html(text);
                    if is_break || !stands_alone(&text[..start], after) {
                        return true;
                    }
                    lone_starts += 1;
                } else {
                    open.push((tag.name, tokens.offset()));
                }
            }
            Some(MarkupToken::End(name)) if is_html_element(name) => {
                let is_element = if is_lone_element(name) {
                    lone_starts > 0
                } else {
                    open.pop().is_some_and(|(opened, from)| {
                        opened.eq_ignore_ascii_case(name) && is_content(&text[from..start])
                    })
                };
                if !is_element {
                    return false;
                }
                elements += 1;
            }
            Some(MarkupToken::Other) if !is_word_between_others(&text[..start], &text[tokens.offset()..]) => {
                return true;
            }
            Some(_) => {}
        }
    }
}

/// Returns whether white space or punctuation surrounds a tag.
fn stands_alone(before: &str, after: &str) -> bool {
    let is_boundary = |c: char| c.is_whitespace() || (!c.is_alphanumeric() && !matches!(c, '<' | '>'));
    before.chars().next_back().is_none_or(is_boundary) && after.chars().next().is_none_or(is_boundary)
}

/// Returns whether a tag or comment is used like a word in the middle of the text.
fn is_word_between_others(before: &str, after: &str) -> bool {
    stands_alone(before, after) && !before.trim().is_empty() && !after.trim().is_empty()
}

/// Returns whether the text between two tags is the content of an element.
fn is_content(text: &str) -> bool {
    let is_separate = text.starts_with(char::is_whitespace) && text.ends_with(char::is_whitespace);
    !text.is_empty() && !is_separate
}

/// Returns whether all tags in the text are comments and start tags without attributes, each surrounded by white space
/// or punctuation, and at least one of them follows other text. A tag such as `<br>` is a word only in a title about
/// HTML.
fn mentions_tags(text: &str) -> bool {
    let mut tokens = Tokenizer::new(text);
    let mut is_within_text = false;
    loop {
        let start = tokens.offset();
        match tokens.next() {
            None => return is_within_text,
            Some(MarkupToken::Start(tag)) if is_html_element(tag.name) => {
                let (before, after) = (&text[..start], &text[tokens.offset()..]);
                let is_break = is_lone_element(tag.name) && (tag.self_closing || !is_about_html(text));
                if !stands_alone(before, after) || !tag.attribute_text.is_empty() || is_break {
                    return false;
                }
                is_within_text |= !before.trim().is_empty();
            }
            Some(MarkupToken::Other) if is_word_between_others(&text[..start], &text[tokens.offset()..]) => {
                is_within_text = true;
            }
            Some(MarkupToken::End(_) | MarkupToken::Other) => return false,
            Some(_) => {}
        }
    }
}

/// Returns whether a title names HTML or its parts.
fn is_about_html(text: &str) -> bool {
    const WORDS: [&str; 9] = ["html", "html5", "css", "tag", "tags", "element", "elements", "markup", "xhtml"];
    text.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

fn is_lone_element(name: &str) -> bool {
    LONE_ELEMENTS.iter().any(|element| name.eq_ignore_ascii_case(element))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_in_a_text_are_words_unless_they_form_elements() {
        let check = |title: &str, expected: &str| assert_eq!(text_title(title).as_deref(), Some(expected));
        check("Why <table> and <center> came back", "Why <table> and <center> came back");
        check("What <br> does", "What <br> does");
        check("Close </p> or not", "Close </p> or not");
        check("Empty <b></b> elements", "Empty <b></b> elements");
        check("From <ol> to </ol> with <li>", "From <ol> to </ol> with <li>");
        check("Dates in <input type=\"month\"> fields", "Dates in <input type=\"month\"> fields");
        check("<a href='/7'>Ferry</a> returns", "Ferry returns");
        check("<span class=x>Ferry returns", "Ferry returns");
        check("<i>Harbour</i> sails &amp; sinks", "Harbour sails & sinks");
        check("Ship <img src='x.png'> ahoy", "Ship ahoy");
        check("Ferry sails<br>again", "Ferry sails again");
        check("Ferry sails<br/>", "Ferry sails");
        check("Ferry <br /> sails", "Ferry sails");
        check("Ferry<!-- more --> sails", "Ferry sails");
        check("<!-- x -->Ferry sails", "Ferry sails");
        check("How to write <!-- --> in a page", "How to write <!-- --> in a page");
    }

    #[test]
    fn tags_in_html_are_words_only_where_they_are_used_like_words() {
        let check = |title: &str, expected: &str| assert_eq!(untyped_title(title).as_deref(), Some(expected));
        check("Why <table> and <center> came back", "Why <table> and <center> came back");
        check("Rain <br> and <b>wind", "Rain and wind");
        check("<b>Rain</b> and wind", "Rain and wind");
        check("<b> Rain", "Rain");
        check("Rain <br> in the bay", "Rain in the bay");
        check("The <br> element in HTML", "The <br> element in HTML");
        check("How to write <!-- --> in a page", "How to write <!-- --> in a page");
        check("<!--:en-->Rain<!--:-->", "Rain");
    }
}
