//! Converts parsed items to stored items: plain text, sanitized HTML, canonical links, plausible dates, guids.
//!
//! The functions perform no I/O and read no clock. Unusable data becomes a [`FeedProblem`], never an error.

use super::enclosures::read_enclosures;
use crate::domain::display_text::one_line;
use crate::domain::item_date::{TimeOfDay, is_day_only, is_plausible};
use crate::domain::language::language_code;
use crate::domain::{FeedProblem, NewItem, ProblemKind, Reporter, Timestamp};
use crate::feed_parser::{ParsedFeed, ParsedItem, ParsedReporter};
use crate::html::item_text::{read_item_text, remove_repeated_paragraphs};
use crate::html::link_resolution::LinkRules;
use crate::html::repeated_blocks::find_repeated_blocks;
use crate::html::sanitize::RuledSanitizer;
use crate::html::tracking_hosts::is_counter;
use crate::identity::document_guids::{DatedItem, derive_guid, limit_guid, make_guids_unique};
use crate::urls::canonical::{canonical_url, exact_url};
use crate::urls::feed_secrets::FeedSecrets;
use crate::urls::outlet::outlet_of_site;
use crate::urls::redact::{base_of_links, strip_credentials};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use url::Url;

const MAX_TITLE_CHARS: usize = 500;
/// The maximum length of a title that is derived from the text.
const MAX_DERIVED_TITLE_CHARS: usize = 120;
/// The maximum length of a summary. Neither grouping nor readers need more text.
const MAX_SUMMARY_CHARS: usize = 1_000;
const MAX_AUTHORS: usize = 5;
const MAX_AUTHOR_CHARS: usize = 100;

/// Normalizes the items of a document. The feed's website, or else `document_url`, is the base for relative links in
/// items without a link. `source_url` is the URL before redirects. `now` is used only to reject dates in the future.
pub fn normalize_items(
    feed: &ParsedFeed,
    document_url: &Url,
    source_url: &Url,
    now: Timestamp,
    problems: &mut Vec<FeedProblem>,
) -> Vec<NewItem> {
    let urls = FeedUrls {
        document: document_url,
        website: feed.site_url.as_ref().map(base_of_links),
        secrets: FeedSecrets::of([document_url, source_url]),
        sanitizer: RefCell::default(),
    };
    let texts = read_texts(&feed.items);
    let has_times = feed.items.iter().any(|item| claimed_time_of_day(item) == TimeOfDay::Given);
    let mut items = Vec::with_capacity(feed.items.len());
    for (parsed, text) in feed.items.iter().zip(&texts) {
        if let Some(mut item) = normalize_item(parsed, text, &urls, now, problems) {
            item.is_day_only = item.published_at.is_some() && is_day_only(claimed_time_of_day(parsed), has_times);
            items.push(DatedItem { item, claimed_at: parsed.published });
        }
    }
    make_guids_unique(items, problems)
}

/// The text of an item without forms, buttons, teasers and paragraphs that the source adds to many items.
struct NormalizedText<'a> {
    /// The text of the summary, or else of the content.
    text: String,
    /// The HTML of the content, or else of the summary.
    content_html: Option<Cow<'a, str>>,
}

fn read_texts(items: &[ParsedItem]) -> Vec<NormalizedText<'_>> {
    let titles: Vec<&str> = items.iter().map(|item| item.title.as_deref().unwrap_or_default()).collect();
    let read = |item: &ParsedItem, html: &Option<String>| {
        html.as_deref().map(|html| read_item_text(html, item.title.as_deref(), item.link.as_ref()))
    };
    let mut summaries = Vec::with_capacity(items.len());
    let mut contents = Vec::with_capacity(items.len());
    let mut content_paragraphs = Vec::with_capacity(items.len());
    for item in items {
        let (summary, content) = (read(item, &item.summary_html), read(item, &item.content_html));
        let source = item.content_html.as_deref().or(item.summary_html.as_deref());
        let shown = content.as_ref().or(summary.as_ref()).cloned().unwrap_or_default();
        contents.push(shown.html.map(Cow::Owned).or(source.map(Cow::Borrowed)));
        content_paragraphs.push(shown.paragraphs);
        summaries.push(summary.or(content).unwrap_or_default().paragraphs);
    }
    let in_summaries = find_repeated_blocks(&summaries, &titles);
    let in_contents = find_repeated_blocks(&content_paragraphs, &titles);
    let kept = |(paragraphs, repeated): (Vec<String>, Vec<bool>)| {
        let kept = paragraphs.into_iter().zip(repeated).filter(|(_, is_repeated)| !is_repeated);
        kept.map(|(paragraph, _)| paragraph).collect::<Vec<_>>().join(" ")
    };
    let texts = summaries.into_iter().zip(in_summaries).map(kept);
    let contents = contents.into_iter().zip(content_paragraphs.iter().zip(in_contents));
    let contents = contents.map(|(html, (paragraphs, is_repeated))| {
        let repeated = paragraphs.iter().zip(is_repeated).filter(|(_, is_repeated)| *is_repeated);
        let repeated: HashSet<&str> = repeated.map(|(paragraph, _)| paragraph.as_str()).collect();
        let html = html?;
        let without = if repeated.is_empty() { None } else { remove_repeated_paragraphs(&html, &repeated) };
        Some(without.map_or(html, Cow::Owned))
    });
    texts.zip(contents).map(|(text, content_html)| NormalizedText { text, content_html }).collect()
}

struct FeedUrls<'a> {
    document: &'a Url,
    /// The base for relative links of items without a link.
    website: Option<Url>,
    secrets: FeedSecrets,
    sanitizer: RefCell<RuledSanitizer>,
}

fn normalize_item(
    parsed: &ParsedItem,
    text: &NormalizedText<'_>,
    urls: &FeedUrls<'_>,
    now: Timestamp,
    problems: &mut Vec<FeedProblem>,
) -> Option<NewItem> {
    let is_public = |link: &&Url| !urls.secrets.are_in_link(link);
    let declared_base = if parsed.content_html.is_some() { &parsed.content_base } else { &parsed.summary_base };
    let link = parsed.link.as_ref().filter(is_public);
    let page = declared_base.as_ref().filter(is_public).or(link).or(urls.website.as_ref());
    let sanitize = |html: &str| {
        let base = Some(page.map_or_else(|| base_of_links(urls.document), Url::clone));
        let rules = LinkRules { base, is_folder: page.is_none(), secrets: urls.secrets.clone() };
        urls.secrets.remove_from(urls.sanitizer.borrow_mut().sanitize(html, rules).into()).into_owned()
    };
    let line = |text: &str, max| one_line(&urls.secrets.remove_from(text.into()), max);
    let NormalizedText { text, content_html } = text;
    let title = parsed.title.as_deref().map(|title| line(title, MAX_TITLE_CHARS)).filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| line(text, MAX_DERIVED_TITLE_CHARS));
    if title.is_empty() && link.is_none() {
        FeedProblem::record(problems, ProblemKind::EmptyItem, "no title, text or link");
        return None;
    }
    let canonical_url = link.map(canonical_url);
    let exact_link = link.map(exact_url);
    let published_at = plausible_date(parsed, now, problems);
    let guid = match &parsed.guid {
        Some(guid) => limit_guid(guid),
        None => {
            FeedProblem::record(problems, ProblemKind::NoGuid, &title);
            derive_guid(exact_link.as_deref(), &title, parsed.published)
        }
    };
    Some(NewItem {
        guid,
        url: link.map(|url| strip_credentials(url.as_str())),
        canonical_url,
        summary: line(text, MAX_SUMMARY_CHARS),
        title: if title.is_empty() { "(untitled)".into() } else { title },
        content: content_html.as_deref().map(sanitize).filter(|html| !html.trim().is_empty()),
        author: join_authors(&parsed.authors),
        categories: categories(&parsed.categories),
        lang: parsed.lang.as_deref().and_then(language_code).map(str::to_owned),
        image: parsed
            .image
            .as_ref()
            .filter(is_public)
            .filter(|url| !is_counter(url.as_str()))
            .map(|url| strip_credentials(url.as_str())),
        enclosures: read_enclosures(&parsed.enclosures, &urls.secrets),
        published_at,
        is_day_only: false,
        is_incomplete: parsed.is_incomplete,
        reporter: parsed.reporter.as_ref().and_then(reporter),
        backlog_reason: None,
    })
}

/// The maximum number of categories of an item, and the maximum length of a category in characters.
const MAX_CATEGORIES: usize = 20;
const MAX_CATEGORY_CHARS: usize = 60;

fn categories(given: &[String]) -> Vec<String> {
    let lines = given.iter().map(|category| one_line(category, MAX_CATEGORY_CHARS));
    lines.filter(|category| !category.is_empty()).take(MAX_CATEGORIES).collect()
}

fn claimed_time_of_day(parsed: &ParsedItem) -> TimeOfDay {
    if parsed.published.is_some() { parsed.published_time_of_day } else { parsed.updated_time_of_day }
}

fn plausible_date(parsed: &ParsedItem, now: Timestamp, problems: &mut Vec<FeedProblem>) -> Option<Timestamp> {
    let claimed = parsed.published.or(parsed.updated)?;
    let is_kept = is_plausible(claimed, now);
    if !is_kept {
        FeedProblem::record(problems, ProblemKind::AbsurdDate, &claimed.to_string());
    }
    is_kept.then_some(claimed)
}

/// Returns the name of the publication, or else its outlet.
fn reporter(parsed: &ParsedReporter) -> Option<Reporter> {
    let outlet = parsed.url.as_ref().and_then(outlet_of_site);
    let name = parsed.name.as_deref().map(|name| one_line(name, MAX_AUTHOR_CHARS)).filter(|name| !name.is_empty());
    Some(Reporter { name: name.or_else(|| outlet.clone())?, outlet })
}

fn join_authors(authors: &[String]) -> Option<String> {
    let names = authors.iter().map(|author| one_line(author, MAX_AUTHOR_CHARS)).filter(|name| !name.is_empty());
    let names: Vec<String> = names.take(MAX_AUTHORS).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed_parser::{FetchedDocument, Options, parse_feed};

    fn summaries(contents: &[&str]) -> Vec<String> {
        items_with(contents).into_iter().map(|item| item.summary).collect()
    }

    fn contents(contents: &[&str]) -> Vec<String> {
        items_with(contents).into_iter().filter_map(|item| item.content).collect()
    }

    fn items_with(contents: &[&str]) -> Vec<NewItem> {
        let item = |(n, content): (usize, &&str)| {
            format!(
                "<item><guid>{n}</guid><title>Title {n}</title><link>https://a.example/{n}</link><description><![CDATA[{content}]]></description></item>"
            )
        };
        let items: String = contents.iter().enumerate().map(item).collect();
        let feed = format!("<rss version=\"2.0\"><channel><title>N</title>{items}</channel></rss>");
        let url = Url::parse("https://a.example/feed").unwrap();
        let document = FetchedDocument { bytes: feed.as_bytes(), content_type: None, url: &url };
        let (feed, mut problems) = parse_feed(&document, &Options::default()).unwrap();
        items_of(&feed, &url, &mut problems)
    }

    fn items_of(feed: &ParsedFeed, url: &Url, problems: &mut Vec<FeedProblem>) -> Vec<NewItem> {
        normalize_items(feed, url, url, Timestamp::UNIX_EPOCH, problems)
    }

    #[test]
    fn repeated_text_around_items_is_removed() {
        let with = |text: &str| {
            format!(
                "<p>Good morning from Mountain News</p><p>{text}</p><p>Share</p><h3>Don't miss</h3>\
                 <ul><li>Bank lifts its rates</li><li>Storm closes the ports</li></ul>\
                 <p>The post Title of {text} appeared first on Mountain News.</p>"
            )
        };
        let texts = ["Rain closed the pass.", "Snow fell all night.", "Hail broke a hundred windows."];
        let contents: Vec<String> = texts.iter().map(|text| with(text)).collect();
        let contents: Vec<&str> = contents.iter().map(String::as_str).collect();
        assert_eq!(summaries(&contents), texts);
        assert_eq!(self::contents(&contents), texts.map(|text| format!("<p>{text}</p>")));
    }

    #[test]
    fn summaries_with_equal_first_and_last_words_are_kept() {
        let events = ["bought two ferries", "closed the pier", "raised the fees", "sold a crane"];
        for (start, end) in [
            ("<p>The harbour board", ", its chair told the press on Monday.</p>"),
            ("In Port Ellis they", " on Sunday night."),
        ] {
            let texts = events.map(|event| format!("{start} {event}{end}"));
            let expected = texts.clone().map(|text| text.replace("<p>", "").replace("</p>", ""));
            assert_eq!(summaries(&texts.each_ref().map(String::as_str)), expected);
            assert_eq!(contents(&texts.each_ref().map(String::as_str)), texts);
        }
    }

    #[test]
    fn lines_that_structure_a_text_stay_in_its_content() {
        let recipe = |dish: &str| {
            format!(
                "<p>{dish} is cooked on Mondays.</p><h3>Ingredients</h3><ul><li>Salt</li></ul><p>Method</p><p>Boil the {dish}.</p>\
                 <p>Our kitchen cooks live on the harbour radio every Sunday at noon.</p>"
            )
        };
        let recipes = ["Cod", "Kale", "Rye"].map(recipe);
        let expected = recipes.clone().map(|recipe| recipe[..recipe.find("<p>Our").unwrap()].to_owned());
        assert_eq!(contents(&recipes.each_ref().map(String::as_str)), expected);
    }

    #[test]
    fn content_ends_like_the_summary() {
        let item = "<p>The seals are back in the bay. They rest on the […] <a href=/1>Continue reading <i>Seals</i></a></p>\
                    <p>#seals #bay</p><p>https://a.example/0</p><p>Follow us on Mastodon</p>";
        let text = "The seals are back in the bay. They rest on the […]";
        assert_eq!(summaries(&[item]), [text]);
        assert_eq!(contents(&[item]), [format!("<p>{text} </p>")]);
        assert_eq!(contents(&["The seals are back… <a href=/1>Read more</a>"]), ["The seals are back… "]);
        assert_eq!(contents(&["<p>#seals</p>"]), ["<p>#seals</p>"]);
    }

    #[test]
    fn links_of_an_item_without_a_link_belong_to_the_website_and_never_contain_a_query() {
        let content_in = |rss: &str, channel: &str| {
            let item = "<item><title>Tide</title><description>&lt;a href='#n1'>1&lt;/a> &lt;img src='i.png'></description></item>";
            let text = format!("<{rss}><channel>{channel}{item}</channel></rss>");
            let url = Url::parse("https://hub.example/f?auth=key").unwrap();
            let document = FetchedDocument { bytes: text.as_bytes(), content_type: None, url: &url };
            let (feed, mut problems) = parse_feed(&document, &Options::default()).unwrap();
            items_of(&feed, &url, &mut problems).remove(0).content.unwrap()
        };
        let content = |channel: &str| content_in("rss", channel);
        for rss in ["rss", "rss xml:base='https://hub.example/f?auth=key'"] {
            let own = content_in(rss, "");
            assert!(own.contains("https://hub.example/i.png") && !own.contains("hub.example/f"), "{own}");
        }
        let hosted = content("<link>https://tide.example/</link>");
        assert!(
            hosted.contains("https://tide.example/#n1") && hosted.contains("https://tide.example/i.png"),
            "{hosted}"
        );
    }

    #[test]
    fn repeated_lines_of_plain_text_are_removed() {
        let texts = ["Rain closed the pass.", "Snow fell all night.", "Hail broke a hundred windows."];
        let contents =
            texts.map(|text| format!("Advertisement\n{text}\nRead also: Bank lifts its rates\nOur letter\n"));
        let contents = contents.each_ref().map(String::as_str);
        assert_eq!(summaries(&contents), texts);
        assert_eq!(self::contents(&contents), texts.map(|text| format!("<p>{text}</p>")));
    }
}
