//! Parses a whole page into a tree, unless the tree would take too much time or memory.
//!
//! The limits are checked while the tree is built, because only the tree builder knows which tags it ignores and where
//! raw text ends. html5ever receives the page token by token. Its time is quadratic in the depth of elements and in the
//! number of attributes of one element.

use super::nesting_rules::contains_raw_text;
use crate::markup::tag::count_attributes;
use crate::markup::tokenizer::{MarkupToken, Tokenizer};
use dom_query::{Document, NodeData, NodeId, NodeRef};
use html5ever::buffer_queue::BufferQueue;
use html5ever::interface::TokenizerResult;
use html5ever::interface::tree_builder::Tracer;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{self, Token, TokenSink, TokenSinkResult, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use std::borrow::Cow;
use std::cell::Cell;

/// The maximum number of attributes of one element.
const MAX_ATTRIBUTES: usize = 256;
/// The maximum length of an attribute value in bytes on a page that is larger than [`MAX_MARKUP_BYTES`]. Longer values
/// and the attributes of vector graphics are dropped: `data:` images and graphics may have more than 1 MiB.
const MAX_VALUE_BYTES: usize = 1_024;
/// The maximum number of nodes of a page. An unclosed formatting element adds one node to every following block.
const MAX_NODES: usize = 200_000;
/// The maximum number of ampersands per text node or attribute value. Serialization time is quadratic in this number.
const MAX_TEXT_AMPERSANDS: usize = 1_000;
const MAX_ATTRIBUTE_AMPERSANDS: usize = 20_000;
/// The nodes that the tree builder always holds: the document, `html`, `head` and `body`.
const STRUCTURAL_NODES: usize = 4;

/// The size at which a page is truncated. Only tags and text count, not scripts, styles, comments and dropped attribute
/// values. Pages of large outlets start with more than 1 MiB of scripts and styles, which are parsed in linear time.
const MAX_MARKUP_BYTES: usize = 1 << 20;

/// Parses a page. Returns `None` if its tree exceeds a limit. A formatting element counts twice towards `max_depth`,
/// because the tree builder may reopen it.
pub(super) fn parse_page(html: &str, max_depth: usize) -> Option<Document> {
    let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let builder = TreeBuilder::new(Document::default(), options);
    let sink = PageTokenSink { builder, is_in_raw_text: Cell::new(false) };
    let parser = tokenizer::Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    let feed = |text: &str| {
        input.push_back(StrTendril::from(text));
        while !matches!(parser.feed(&input), TokenizerResult::Done) {}
    };
    let sink = &parser.sink;
    let mut tokens = Tokenizer::html(html);
    let mut last_start_tag = "";
    let (mut fed, mut markup_bytes) = (0, 0);
    while let Some(token) = tokens.next() {
        if let MarkupToken::Start(tag) = token {
            last_start_tag = tag.name;
        }
        let text = tokens.slice(fed, tokens.offset());
        let max_value_bytes = match html.len() {
            ..=MAX_MARKUP_BYTES => usize::MAX,
            _ if tokens.allows_cdata => 0,
            _ => MAX_VALUE_BYTES,
        };
        let fed_text = shorten_tag(token, text, max_value_bytes);
        markup_bytes += if matches!(token, MarkupToken::Other) { 0 } else { fed_text.len() };
        if markup_bytes > MAX_MARKUP_BYTES {
            break;
        }
        if text.starts_with('<') && !text.starts_with("<!") && count_attributes(text) > MAX_ATTRIBUTES {
            return None;
        }
        feed(&fed_text);
        fed = tokens.offset();
        if sink.is_in_raw_text.get() {
            tokens.skip_raw_text(last_start_tag);
            feed(tokens.slice(fed, tokens.offset()));
            fed = tokens.offset();
        }
        tokens.allows_cdata = sink.adjusted_current_node_present_but_not_in_html_namespace();
        // Counts open elements, and formatting elements that may be reopened.
        let held_nodes = HandleCounter::default();
        sink.builder.trace_handles(&held_nodes);
        if held_nodes.0.get() > max_depth + STRUCTURAL_NODES || sink.builder.sink.tree.len() > MAX_NODES {
            return None;
        }
    }
    if markup_bytes <= MAX_MARKUP_BYTES {
        feed(tokens.slice(fed, html.len()));
    }
    parser.end();
    let document = parser.sink.builder.sink;
    let exceeds_ampersands = document.root().descendants_it().any(|node| exceeds_ampersands(&node));
    (!exceeds_ampersands).then_some(document)
}

/// Returns the text of a token, without long attribute values if it is a tag.
fn shorten_tag<'a>(token: MarkupToken<'_>, text: &'a str, max_value_bytes: usize) -> Cow<'a, str> {
    let tag = match token {
        MarkupToken::Start(tag) if text.len() > max_value_bytes => tag,
        MarkupToken::End(name) if text.len() > max_value_bytes => return format!("</{name}>").into(),
        _ => return text.into(),
    };
    let mut out = format!("<{}", tag.name);
    for (name, value) in tag.attributes() {
        let quote = if value.contains('"') { '\'' } else { '"' };
        let is_plain = !name.contains(['"', '\'', '<', '>']) && !value.contains(quote);
        if is_plain && name.len() + value.len() <= max_value_bytes {
            out.push_str(&format!(" {name}={quote}{value}{quote}"));
        }
    }
    out.push_str(if tag.self_closing { "/>" } else { ">" });
    out.into()
}

/// A tree builder that tracks whether the tokenizer is inside raw text.
struct PageTokenSink {
    builder: TreeBuilder<NodeId, Document>,
    is_in_raw_text: Cell<bool>,
}

impl TokenSink for PageTokenSink {
    type Handle = NodeId;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<NodeId> {
        let is_tag = matches!(token, Token::TagToken(_));
        let result = self.builder.process_token(token, line);
        if is_tag {
            self.is_in_raw_text.set(matches!(result, TokenSinkResult::RawData(_) | TokenSinkResult::Plaintext));
        }
        result
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

#[derive(Default)]
struct HandleCounter(Cell<usize>);

impl Tracer for HandleCounter {
    type Handle = NodeId;

    fn trace_handle(&self, _: &NodeId) {
        self.0.update(|count| count + 1);
    }
}

fn exceeds_ampersands(node: &NodeRef<'_>) -> bool {
    let is_over = |text: &str, max: usize| text.bytes().filter(|byte| *byte == b'&').count() > max;
    let is_over_limit = node.query_or(false, |node| match &node.data {
        NodeData::Text { contents } => is_over(contents, MAX_TEXT_AMPERSANDS),
        NodeData::Element(element) => {
            element.attrs.iter().any(|attribute| is_over(&attribute.value, MAX_ATTRIBUTE_AMPERSANDS))
        }
        _ => false,
    });
    // Raw text is serialized unchanged.
    let is_in_raw_text =
        || node.parent().and_then(|parent| parent.node_name()).is_some_and(|name| contains_raw_text(&name));
    is_over_limit && !is_in_raw_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_parsed(page: &str) -> bool {
        parse_page(page, 20).is_some()
    }

    #[test]
    fn ordinary_page_is_parsed() {
        let ordinary =
            "<html><body><ul><li>1<li>2</ul><p>3<p>4<b>5</b><img src=x><table><tr><td>6</table></body></html>";
        assert!(is_parsed(&ordinary.repeat(500)));
        assert!(is_parsed(&format!("<svg>{}</svg>", "<path d=x />".repeat(500))));
        assert!(is_parsed(&format!("<script>{}</script>", "a && b; if (c < d) e('</div>');".repeat(2_000))));
    }

    #[test]
    fn scripts_and_comments_do_not_count_as_markup() {
        let script = format!("<script>{}</script>", "a('<div b=c>');".repeat(100_000));
        let text = |page: &str| parse_page(page, 20).unwrap().select("p").text().to_string();
        assert_eq!(text(&format!("{script}<!--{script}--><style>{script}</style><p>1</p>")), "1");
        assert_eq!(text(&format!("<div>{}</div><p>1</p>", "x ".repeat(600_000))), "", "cut");
    }

    #[test]
    fn long_attribute_values_do_not_count_as_markup() {
        let long = "x".repeat(1_200_000);
        let page = format!(
            "<img src=\"data:image/png;base64,{long}\" alt='a \"b\"'/><svg><path d='{long}'/>{}</svg></p a={long}>\
             <p class=c id=\"{long}\">1</p>",
            "<path d='M1 2 L3 4'/>".repeat(50_000)
        );
        let document = parse_page(&page, 20).unwrap();
        assert_eq!(document.select("img").attr("alt").as_deref(), Some("a \"b\""));
        assert_eq!(document.select("p.c").text().to_string(), "1");
        assert!(document.html().len() < 1_000_000);
        let link = format!("<a href=\"{}\">", "x".repeat(2_000));
        assert!(parse_page(&link, 20).unwrap().html().len() > 2_000);
        assert!(!is_parsed(&format!("<p a=\"{long}\" {}>", "b=c ".repeat(300))));
    }

    #[test]
    fn tree_is_as_parsed_in_one_piece() {
        for page in [
            "<!doctype html><title>a<b></title><p>1<p>2&amp;3\r\n4<table><tr>5<td>6</table><svg><![CDATA[a>b]]></svg>",
            "<script><!--<script></script>--></script><style></p></style><noscript><p>1</noscript><textarea>\n<p>",
            "<select><iframe><p></iframe></select><div>1</div><!--a--!>b<plaintext><p>",
            "<a b='",
        ] {
            assert_eq!(parse_page(page, 20).unwrap().html(), Document::from(page).html(), "{page}");
        }
    }

    #[test]
    fn deep_page_is_refused() {
        for nested in [
            "<div>",
            "<div/>",
            "<div></x>",
            "<div><!--</div>-->",
            "<div><script></div></script>",
            "<div><script><!--<script></script></div>--></script>",
            "<div><svg><![CDATA[></div>]]></svg>",
            "<div><noscript></noscript><xmp></div></xmp>",
            "<div><table><tr><td></div>",
        ] {
            assert!(!is_parsed(&nested.repeat(21)), "{nested}");
        }
        for start in ["<svg><title>", "<!----!>", "<svg><foreignObject><svg></svg><iframe></iframe>"] {
            assert!(!is_parsed(&format!("{start}{}", "<div>".repeat(21))), "{start}");
        }
        assert!(!is_parsed(&("<b>".repeat(19) + &"<p>x".repeat(10_000))));
    }

    #[test]
    fn page_with_too_many_attributes_or_ampersands_is_refused() {
        assert!(!is_parsed(&format!("<p {}>", "a=b ".repeat(300))));
        assert!(!is_parsed(&format!("</p {}>", "a=b ".repeat(300))));
        assert!(!is_parsed(&format!("<p {}", "a=b ".repeat(300))));
        assert!(!is_parsed(&format!("<svg><title><p {}>", "a=b ".repeat(300))));
        assert!(!is_parsed(&format!("<p>{}</p>", "& ".repeat(2_000))));
        assert!(!is_parsed(&"& ".repeat(2_000)));
    }
}
