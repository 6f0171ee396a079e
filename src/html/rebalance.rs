//! A stranger's HTML → HTML of one dialect: well nested, with nothing in it but the elements and attributes that are
//! kept, so that a tree parser after it finds no surprise.
//!
//! No sanitiser: values stay as they are. It is what bounds the sanitiser's tree, and it does so by writing the HTML
//! anew, because no scan that only counts sees what html5ever sees (`<div></x>`, `<div><!--</div>-->`). html5ever's time
//! is quadratic in the depth of elements and in the attributes of one, and it opens an unclosed `<b>` anew in every
//! paragraph (WHATWG HTML, section 13.2.4.3): from 256 KiB it made gigabytes.
//!
//! Never recurses and never reads a byte twice. Follows the tokenizer of WHATWG HTML, section 13.2.5.

use super::MAX_HTML_DEPTH;

/// Elements that a tree parser may have to open anew, over the whole document.
pub(super) const MAX_REOPENED: usize = 128 * 1024;
/// Bytes that links may add to a document: their `rel` and what makes them absolute.
const MAX_ADDED: usize = 512 * 1024;
/// Bytes of text in one piece, and of an attribute's value: html5ever's time to write either is quadratic in its `&`.
const MAX_PIECE: usize = 1024;
const MAX_VALUE: usize = 8 * 1024;
/// ` rel="noopener noreferrer nofollow"` and the end tag.
const ADDED_TO_LINK: usize = 40;

/// Elements whose inside is no markup; it ends at the first end tag of their name.
pub(super) const RAW: &[&str] = &["script", "style", "title", "textarea", "iframe"];
/// Elements that are left out with everything in them.
const DROPPED: &[&str] = &["noscript", "template", "object", "svg", "math", "form"];

/// `html` with the elements of `tags` alone; `None` where it is nested too deep for a tree. `added` is what making an
/// address absolute adds to it.
pub(super) fn rebalance(html: &str, tags: &'static [&'static str], added: usize) -> Option<String> {
    let out = String::with_capacity(html.len() + html.len() / 8);
    let mut rebalancer = Rebalancer {
        out,
        tags,
        open: Vec::new(),
        styles: 0,
        reopened: 0,
        added,
        room: MAX_ADDED,
        piece: 0,
        dropped: None,
    };
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rebalancer.text(&rest[..at]);
        rest = rebalancer.markup(&rest[at..]);
        if rebalancer.open.len() > MAX_HTML_DEPTH || rebalancer.reopened > MAX_REOPENED {
            return None;
        }
    }
    rebalancer.text(rest);
    Some(rebalancer.out)
}

struct Rebalancer {
    out: String,
    tags: &'static [&'static str],
    open: Vec<&'static str>,
    /// How many of the open elements are among those that a tree parser opens anew.
    styles: usize,
    reopened: usize,
    added: usize,
    room: usize,
    /// Bytes of text since the last tag or comment.
    piece: usize,
    /// The element that is left out with its inside, and how often it is open.
    dropped: Option<(&'static str, usize)>,
}

impl Rebalancer {
    fn text(&mut self, text: &str) {
        if self.dropped.is_none() && !text.is_empty() {
            if !text.bytes().all(|b| b.is_ascii_whitespace()) {
                self.open_cell();
            }
            self.reopened += self.styles;
            self.push_text(text);
        }
    }

    /// Writes text with a comment wherever a piece gets too long. The sanitiser drops comments, and the text stays in
    /// pieces.
    fn push_text(&mut self, text: &str) {
        let mut rest = text;
        while self.piece + rest.len() > MAX_PIECE {
            let (piece, after) = rest.split_at(break_before(rest, MAX_PIECE - self.piece));
            self.out.push_str(piece);
            self.out.push_str("<!---->");
            self.piece = 0;
            rest = after;
        }
        self.out.push_str(rest);
        self.piece += rest.len();
    }

    /// Takes the markup at the start of a text, and returns what stands after it.
    fn markup<'a>(&mut self, text: &'a str) -> &'a str {
        let bytes = text.as_bytes();
        let is_letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
        match bytes.get(1) {
            Some(b'!') if text.starts_with("<!--") => after(&text[2..], "-->"),
            Some(b'/') if is_letter(2) => {
                let Some(tag) = Tag::read(&text[2..]) else { return "" };
                self.end(&tag.name);
                tag.rest
            }
            Some(b'!' | b'?' | b'/') => after(text, ">"),
            _ if is_letter(1) => {
                let Some(tag) = Tag::read(&text[1..]) else { return "" };
                self.start(&tag)
            }
            _ => {
                self.text("&lt;");
                &text[1..]
            }
        }
    }

    fn start<'a>(&mut self, tag: &Tag<'a>) -> &'a str {
        let name = tag.name.as_str();
        let is_foreign = matches!(self.dropped, Some(("svg" | "math", _)));
        if RAW.contains(&name) && !(is_foreign && tag.self_closing) {
            return raw_end(tag.rest, name);
        }
        if let Some((dropped, depth)) = &mut self.dropped {
            *depth += usize::from(*dropped == name && name != "form" && !(is_foreign && tag.self_closing));
        } else if let Some(dropped) = DROPPED.iter().find(|dropped| **dropped == name) {
            let is_empty = tag.self_closing && matches!(name, "svg" | "math");
            self.dropped = Some((*dropped, 1)).filter(|_| !is_empty);
        } else if let Some(known) = self.tags.iter().find(|known| **known == name) {
            self.keep(known, tag);
        }
        tag.rest
    }

    fn keep(&mut self, name: &'static str, tag: &Tag) {
        if is_table_part(name) && !self.open.contains(&"table") {
            return;
        }
        let added = match name {
            "a" => self.added + ADDED_TO_LINK,
            "img" => self.added,
            _ => 0,
        };
        let Some(room) = self.room.checked_sub(added) else { return };
        self.room = room;
        self.close_before(name);
        if !is_table_part(name) {
            self.open_cell();
        }
        self.reopened += self.styles;
        self.piece = 0;
        self.out.push('<');
        self.out.push_str(name);
        let mut kept: Vec<(&str, &str)> = Vec::new();
        for (attribute, value) in &tag.attributes {
            let known = kept_attribute(name, attribute).filter(|known| kept.iter().all(|(other, _)| other != known));
            if let Some(attribute) = known.filter(|_| value.len() <= MAX_VALUE) {
                kept.push((attribute, value));
            }
        }
        // Ammonia puts the last attribute in the place of one that it drops, and it drops links alone: with the link at
        // the end, what is cleaned twice is what was cleaned once.
        kept.sort_by_key(|(attribute, _)| matches!(*attribute, "href" | "src"));
        for (attribute, value) in kept {
            let value = value.replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
            self.out.push_str(&format!(" {attribute}=\"{value}\""));
        }
        self.out.push('>');
        if !matches!(name, "br" | "hr" | "img") {
            self.styles += usize::from(is_style(name));
            self.open.push(name);
        }
    }

    /// What stands in a table and in no cell gets a cell: a tree parser would put it before the table, into whatever is
    /// open there.
    fn open_cell(&mut self) {
        while let Some(&("table" | "tbody" | "thead" | "tfoot" | "tr")) = self.open.last() {
            let part = if self.open.last() == Some(&"tr") { "td" } else { "tr" };
            self.out.push_str(&format!("<{part}>"));
            self.open.push(part);
        }
    }

    /// Closes what ends by itself where an element begins.
    fn close_before(&mut self, name: &str) {
        let depth = match name {
            "li" => self.nearest(|open| open == "li", |open| matches!(open, "ul" | "ol") || is_cell(open)),
            "dt" | "dd" => self.nearest(|open| matches!(open, "dt" | "dd"), |open| open == "dl" || is_cell(open)),
            "a" => self.nearest(|open| open == "a", is_cell),
            _ if is_table_part(name) => {
                let table = self.open.iter().rposition(|open| *open == "table").unwrap_or_default();
                let ended = self.open[table..].iter().position(|open| level(open) >= level(name) || *open == "caption");
                ended.map(|at| table + at)
            }
            _ if is_heading(name) => self.open.last().filter(|open| is_heading(open)).map(|_| self.open.len() - 1),
            _ => None,
        };
        self.close_to(depth.unwrap_or(self.open.len()));
        if is_block(name) {
            let paragraph = self.nearest(|open| open == "p", is_cell);
            self.close_to(paragraph.unwrap_or(self.open.len()));
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((dropped, depth)) = &mut self.dropped {
            *depth -= usize::from(*dropped == name);
            if *depth == 0 {
                self.dropped = None;
            }
            return;
        }
        let ends_cells = name == "table" || is_table_part(name);
        let stop = |open: &str| if ends_cells { open == "table" } else { is_cell(open) };
        if let Some(depth) = self.nearest(|open| open == name, stop) {
            self.close_to(depth);
        } else if name == "br" && self.tags.contains(&"br") {
            self.out.push_str("<br>");
        }
    }

    /// The place of the innermost open element that is wanted, unless one that stops the search stands in it.
    fn nearest(&self, is_wanted: impl Fn(&str) -> bool, stops: impl Fn(&str) -> bool) -> Option<usize> {
        let found = self.open.iter().rposition(|open| is_wanted(open) || stops(open))?;
        is_wanted(self.open[found]).then_some(found)
    }

    fn close_to(&mut self, depth: usize) {
        for name in self.open.drain(depth..).rev() {
            self.piece = 0;
            self.styles -= usize::from(is_style(name));
            self.out.push_str(&format!("</{name}>"));
        }
    }
}

/// A start or end tag.
pub(super) struct Tag<'a> {
    /// In small letters.
    pub(super) name: String,
    /// Names and values as they stand there.
    pub(super) attributes: Vec<(&'a str, &'a str)>,
    pub(super) self_closing: bool,
    pub(super) rest: &'a str,
}

impl<'a> Tag<'a> {
    /// Reads a tag from its name on; `None` where the text ends in its middle.
    pub(super) fn read(text: &'a str) -> Option<Tag<'a>> {
        let space = |c: char| c.is_ascii_whitespace();
        let (name, mut rest) = text.split_at(text.find(|c| space(c) || matches!(c, '/' | '>'))?);
        let name = name.to_ascii_lowercase();
        let mut attributes = Vec::new();
        loop {
            let next = rest.trim_start_matches(|c| space(c) || c == '/');
            let self_closing = rest[..rest.len() - next.len()].ends_with('/');
            if let Some(rest) = next.strip_prefix('>') {
                return Some(Tag { name, attributes, self_closing, rest });
            }
            // A name may begin with `=`.
            let first = next.chars().next()?.len_utf8();
            let end = first + next[first..].find(|c| space(c) || matches!(c, '/' | '>' | '='))?;
            let (attribute, after) = next.split_at(end);
            let Some(value) = after.trim_start_matches(space).strip_prefix('=') else {
                attributes.push((attribute, ""));
                rest = after;
                continue;
            };
            let value = value.trim_start_matches(space);
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (value, after) = match quote {
                Some(quote) => value[1..].split_once(quote)?,
                None => value.split_at(value.find(|c| space(c) || c == '>')?),
            };
            attributes.push((attribute, value));
            rest = after;
        }
    }
}

pub(super) fn after<'a>(text: &'a str, needle: &str) -> &'a str {
    text.split_once(needle).map_or("", |(_, after)| after)
}

/// The text from the end tag on that ends an element whose inside is no markup.
pub(super) fn raw_end<'a>(text: &'a str, name: &str) -> &'a str {
    let is_end = |at: &usize| {
        text.as_bytes().get(at + 2..at + 2 + name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
    };
    text.match_indices("</").map(|(at, _)| at).find(is_end).map_or("", |at| &text[at..])
}

/// Where a text of more than `max` bytes is broken: before white space, or else where no reference is cut.
fn break_before(text: &str, max: usize) -> usize {
    let start = &text[..text.floor_char_boundary(max)];
    let before = |sign: fn(char) -> bool| start.rfind(sign).filter(|at| *at > 0);
    before(|c| c.is_ascii_whitespace()).or_else(|| before(|c| c == '&')).unwrap_or(start.len())
}

fn kept_attribute(tag: &str, name: &str) -> Option<&'static str> {
    let own: &[&str] = match tag {
        "a" => &["href", "title"],
        "img" => &["src", "alt", "title", "width", "height"],
        "td" | "th" => &["colspan", "rowspan"],
        _ => &[],
    };
    own.iter().chain(&["lang", "dir"]).find(|known| name.eq_ignore_ascii_case(known)).copied()
}

/// What a tree parser opens anew.
pub(super) fn is_style(name: &str) -> bool {
    matches!(name, "a" | "b" | "code" | "em" | "i" | "s" | "small" | "strong" | "u")
}

/// What an end tag of an element outside does not reach into.
fn is_cell(name: &str) -> bool {
    matches!(name, "table" | "td" | "th" | "caption")
}

fn is_table_part(name: &str) -> bool {
    level(name) > 0
}

/// How far within a table an element stands: each ends those that stand as far in or further.
fn level(name: &str) -> u8 {
    match name {
        "tbody" | "thead" | "tfoot" | "caption" => 1,
        "tr" => 2,
        "td" | "th" => 3,
        _ => 0,
    }
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// What ends a paragraph.
fn is_block(name: &str) -> bool {
    const BLOCKS: &[&str] =
        &["blockquote", "dd", "dl", "dt", "figcaption", "figure", "hr", "li", "ol", "p", "pre", "table", "ul"];
    is_heading(name) || BLOCKS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::super::sanitize::ALLOWED_TAGS;
    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(rebalance(html, ALLOWED_TAGS, 0).as_deref(), Some(expected), "from {html}");
    }

    #[test]
    fn elements_end_in_the_order_in_which_they_began() {
        check("<b>1<i>2</b>3</i>", "<b>1<i>2</i></b>3");
        check("<p>1<p><b>2<p>3", "<p>1</p><p><b>2</b></p><p>3");
        check("<ul><li>1<li>2<ul><li>3</ul></ul>4", "<ul><li>1</li><li>2<ul><li>3</li></ul></li></ul>4");
        check(
            "<table><tr><td>1<td>2<tr><td>3</table>4",
            "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>4",
        );
        check("<table>1<tr><b>2", "<table><tr><td>1</td></tr><tr><td><b>2");
        check("<table><caption>1<td>2", "<table><caption>1</caption><td>2");
        check("<td>1</td><div>2</div></p></br>", "12<br>");
        check("<p><table><tr><td></p>1", "<p></p><table><tr><td>1");
    }

    #[test]
    fn what_is_not_kept_leaves_its_text_or_nothing() {
        check("<DIV Class=x>1</DIV><script>'</b>'</SCRIPT>2<!-- > <b> -->3<!-->4<?x?>5</>6", "123456");
        check("<svg><title>a<b></title><script/><svg></svg><b>x</b></svg>1<form>2<form>3</form>4", "14");
        check("1 < 2 <3 <b", "1 &lt; 2 &lt;3 ");
    }

    #[test]
    fn attributes_are_those_of_the_list_once_and_quoted() {
        check("<a HREF=x?a&b title='\"<1>' onclick=x() href=y =z/>1", "<a title=\"&quot;&lt;1&gt;\" href=\"x?a&b\">1");
        check("<img src = 'a>b'lang=de /alt>", "<img lang=\"de\" alt=\"\" src=\"a&gt;b\">");
    }

    #[test]
    fn what_would_grow_is_refused_or_stays_without_links() {
        let many: String = (0..200).map(|n| format!("<b lang={n}>")).collect();
        assert_eq!(rebalance(&format!("{many}{}", "<u></u>x".repeat(9_000)), ALLOWED_TAGS, 0), None);
        assert_eq!(rebalance(&"<em>".repeat(MAX_HTML_DEPTH + 1), ALLOWED_TAGS, 0), None);
        let links = rebalance(&"<a href=x>y</a>".repeat(1_000), ALLOWED_TAGS, 5_000).unwrap();
        assert!(links.matches("<a").count() < 110 && links.matches('y').count() == 1_000);
    }
}
