//! JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), and what people take for it.
//!
//! Never insists on `version`, on types (ids are numbers often) or on any member. Depth is serde_json's 128; the number
//! of values is bounded here, because a document of 16 MiB can hold eight million of them.

mod loose;
mod mend;

use url::Url;

use self::loose::Loose;
use super::growth::Growth;
use super::{Enclosure, FeedKind, NotAFeed, Options, ParsedFeed, ParsedItem, dates, text};
use crate::domain::{FeedProblem, PollingHints, ProblemKind};

pub fn read(
    text: String,
    url: &Url,
    options: &Options,
    problems: &mut Vec<FeedProblem>,
) -> Result<ParsedFeed, NotAFeed> {
    let mut root = tree(&text, problems)?;
    let growth = Growth::of(&text);
    // A document may be large, and everything that is kept of it is in the tree.
    drop(text);
    let Some(Loose::List(items)) = root.take("items") else {
        return Err(NotAFeed::Unreadable { detail: "JSON without a list of items".to_owned() });
    };
    if items.len() > options.max_items {
        let detail = format!("{} items", items.len());
        FeedProblem::note(problems, FeedProblem::new(ProblemKind::TooManyItems, detail));
    }
    let mut reader = Reader { base: url, growth, options, problems };
    let (title, authors) = (root.text("title"), reader.authors(&root));
    let hubs = root.list("hubs").iter().filter_map(|hub| reader.url(hub.get("url")));
    Ok(ParsedFeed {
        kind: FeedKind::Json,
        charset: "",
        hubs: hubs.take(MAX_MANY).collect(),
        id: None,
        title: title.as_deref().and_then(text::plain),
        summary_html: reader.escaped(root.text("description")),
        authors,
        site_url: reader.url(root.get("home_page_url")),
        self_url: reader.url(root.get("feed_url")),
        lang: root.text("language"),
        wishes: PollingHints::default(),
        published: None,
        updated: None,
        items: items.into_iter().take(options.max_items).map(|item| reader.item(&item)).collect(),
    })
}

/// Whether a text is JSON, be it behind a comment or in a call (`callback({…});`).
pub fn is_json(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(200)];
    // What follows tells an object from a style sheet.
    let opens = |at: usize| head[at + 1..].trim_start().starts_with(['"', '}']);
    head.starts_with('{') || head.find('{').is_some_and(|at| !head[..at].contains('<') && opens(at))
}

fn tree(text: &str, problems: &mut Vec<FeedProblem>) -> Result<Loose, NotAFeed> {
    let (before, text) = text.split_at(text.find('{').unwrap_or_default());
    if !before.trim_matches(|c: char| c == '\u{feff}' || c.is_whitespace()).is_empty() {
        FeedProblem::note(problems, FeedProblem::new(ProblemKind::Junk, before));
    }
    let mended = mend::mend(text);
    if mended.truncated {
        FeedProblem::note(problems, FeedProblem::new(ProblemKind::Truncated, "the JSON is not closed"));
    } else if matches!(mended.text, std::borrow::Cow::Owned(_)) {
        let detail = "JSON with bad escapes or control characters";
        FeedProblem::note(problems, FeedProblem::new(ProblemKind::NotWellFormed, detail));
    }
    loose::read(&mended.text).map_err(|error| NotAFeed::Unreadable { detail: error.to_string() })
}

/// Authors, tags and attachments of one item beyond this number are left out.
const MAX_MANY: usize = 100;

struct Reader<'o> {
    base: &'o Url,
    growth: Growth,
    options: &'o Options,
    problems: &'o mut Vec<FeedProblem>,
}

impl Reader<'_> {
    fn item(&mut self, item: &Loose) -> ParsedItem {
        let content_text = self.escaped(item.text("content_text"));
        let attachments = item.list("attachments").iter().take(MAX_MANY).filter_map(|attachment| {
            let url = self.url(attachment.get("url"))?;
            let length = attachment.text("size_in_bytes").and_then(|size| size.parse().ok());
            Some(Enclosure { url, mime: attachment.text("mime_type"), length })
        });
        ParsedItem {
            enclosures: attachments.collect(),
            guid: item.text("id"),
            link: self.url(item.get("url")).or_else(|| self.url(item.get("external_url"))),
            title: item.text("title").as_deref().and_then(text::plain),
            summary_html: self.escaped(item.text("summary")),
            content_html: item.text("content_html").or(content_text),
            authors: self.authors(item),
            published: self.date(item, "date_published"),
            updated: self.date(item, "date_modified"),
            categories: item
                .list("tags")
                .iter()
                .take(MAX_MANY)
                .filter_map(|tag| text::plain(&tag.as_text()?))
                .collect(),
            lang: item.text("language"),
            image: self.url(item.get("image")).or_else(|| self.url(item.get("banner_image"))),
        }
    }

    /// `authors` of version 1.1, `author` of 1.0.
    fn authors(&self, of: &Loose) -> Vec<String> {
        let mut authors: Vec<String> = of.list("authors").iter().take(MAX_MANY).filter_map(author).collect();
        if authors.is_empty() {
            authors.extend(of.get("author").and_then(author));
        }
        authors
    }

    /// Plain text as HTML. What is too long is cut first, because it grows.
    fn escaped(&self, text: Option<String>) -> Option<String> {
        let mut text = text?;
        // One byte more than the limit, so that the cut is seen and noted later.
        text::cut(&mut text, self.options.max_text + 1);
        let mut escaped = quick_xml::escape::partial_escape(text).into_owned();
        escaped.shrink_to_fit();
        Some(escaped)
    }

    fn date(&mut self, item: &Loose, name: &str) -> Option<jiff::Timestamp> {
        let said = item.text(name)?;
        let moment = dates::parse(&said);
        if moment.is_none() {
            FeedProblem::note(self.problems, FeedProblem::new(ProblemKind::BadDate, said));
        }
        moment
    }

    fn url(&mut self, value: Option<&Loose>) -> Option<Url> {
        let said = value?.as_text()?;
        let url = self.base.join(said.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.filter(|url| url.as_str().len() <= self.options.max_text.min(8 * 1024));
        let url = url.filter(|url| self.growth.allows(&said, url.as_str()));
        if url.is_none() {
            FeedProblem::note(self.problems, FeedProblem::new(ProblemKind::BadLink, said));
        }
        url
    }
}

/// `{"name": "Ann"}`, or simply `"Ann"`.
fn author(value: &Loose) -> Option<String> {
    let name = value.text("name").or_else(|| value.as_text()).or_else(|| value.text("url"))?;
    text::plain(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(text: &str) -> Result<(ParsedFeed, Vec<FeedProblem>), NotAFeed> {
        let mut problems = Vec::new();
        let url = Url::parse("https://news.example/feed.json").unwrap();
        let feed = read(text.to_owned(), &url, &Options::default(), &mut problems)?;
        Ok((feed, problems))
    }

    #[test]
    fn a_sloppy_feed_is_read() {
        let (feed, problems) = feed(
            r#"{"title":"News","items":[{"id":7,"url":"/a","title":"Rain &amp; wind","content_text":"1 < 2",
                "author":{"name":"Ann"},"date_published":"2026-03-02T14:05:09Z","tags":["x",null,3],"image":null}, null, 5]}"#,
        )
        .unwrap();
        assert_eq!(problems, []);
        let item = &feed.items[0];
        assert_eq!(item.guid.as_deref(), Some("7"));
        assert_eq!(item.link.as_ref().unwrap().as_str(), "https://news.example/a");
        assert_eq!(item.title.as_deref(), Some("Rain & wind"));
        assert_eq!(item.content_html.as_deref(), Some("1 &lt; 2"));
        assert_eq!(
            (item.authors.as_slice(), item.categories.as_slice()),
            (&["Ann".into()][..], &["x".into(), "3".into()][..])
        );
        assert_eq!(item.published.unwrap().to_string(), "2026-03-02T14:05:09Z");
    }

    #[test]
    fn a_lone_surrogate_costs_one_character() {
        let (feed, problems) = feed(r#"{"items":[{"id":"a","title":"x\ud83dy \ud83d\ude00",}]}"#).unwrap();
        assert_eq!(feed.items[0].title.as_deref(), Some("x\u{fffd}y 😀"));
        assert_eq!(problems[0].kind, ProblemKind::NotWellFormed);
    }

    #[test]
    fn what_stands_around_the_object_is_junk() {
        for text in ["callback({\"items\":[{\"id\":1}]});", "/* x */{\"items\":[{\"id\":1}]}"] {
            assert!(is_json(text));
            let (feed, problems) = feed(text).unwrap();
            assert_eq!((feed.items.len(), problems[0].kind), (1, ProblemKind::Junk));
        }
        assert!(!is_json("<rss>{}</rss>"));
        assert!(!is_json("body { color: red } <rss>"));
    }

    #[test]
    fn other_json_is_no_feed() {
        assert!(matches!(feed(r#"{"error":"no"}"#), Err(NotAFeed::Unreadable { .. })));
        assert!(matches!(feed(&"[".repeat(10_000)), Err(NotAFeed::Unreadable { .. })));
        assert!(matches!(feed(&r#"{"a":"#.repeat(10_000)), Err(NotAFeed::Unreadable { .. })));
    }
}
