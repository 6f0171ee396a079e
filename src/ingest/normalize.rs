//! What a document said becomes what we keep: canonical links, plain text, harmless HTML, an identity.
//!
//! Pure: no I/O and no clock. What it cannot use is reported as a [`FeedProblem`], never as an error.

use super::feed_language::primary_subtag;
use crate::domain::display_text::one_line;
use crate::domain::{FeedProblem, NewItem, ProblemKind, Timestamp};
use crate::feed_parser::{ParsedFeed, ParsedItem};
use crate::html::boilerplate::{remove_repeated_blocks, remove_teasers};
use crate::html::plain_text::text_blocks;
use crate::html::sanitize::sanitize_html;
use crate::urls::canonical::canonical_url;
use crate::urls::redact::strip_credentials;
use jiff::SignedDuration;
use std::collections::{HashMap, HashSet};
use url::Url;

/// Characters of a title that are kept.
const MAX_TITLE: usize = 500;
/// Characters of a summary that are kept; grouping needs fewer and readers too.
const MAX_SUMMARY: usize = 1_000;
/// Bytes of a guid beyond which its hash stands for it.
const MAX_GUID: usize = 1_000;
/// How far ahead of us a source's clock may be.
const FUTURE: SignedDuration = SignedDuration::from_hours(24);
/// How long after 1970 began a date is taken for none.
const ZERO: SignedDuration = SignedDuration::from_hours(48);

/// The items of a document as we keep them. `now` is only the yardstick for absurd dates.
pub fn normalize_items(feed: &ParsedFeed, base: &Url, now: Timestamp, problems: &mut Vec<FeedProblem>) -> Vec<NewItem> {
    let mut texts: Vec<Vec<String>> = feed.items.iter().map(text_of).collect();
    remove_repeated_blocks(&mut texts);
    let kept = feed.items.iter().zip(&texts);
    let kept = kept.filter_map(|(parsed, text)| Some((item(parsed, &text.join(" "), base, now, problems)?, parsed)));
    let kept: Vec<(NewItem, &ParsedItem)> = kept.collect();
    tell_apart(kept, problems)
}

/// The paragraphs of an item's summary, else of its content, without what stands around them.
fn text_of(parsed: &ParsedItem) -> Vec<String> {
    let html = parsed.summary_html.as_deref().or(parsed.content_html.as_deref());
    html.map(|html| remove_teasers(text_blocks(html))).unwrap_or_default()
}

/// A guid that several items of a document carry identifies none of them: their link does where it is one item's own,
/// else title and date. What is the very same item again is left out.
fn tell_apart(kept: Vec<(NewItem, &ParsedItem)>, problems: &mut Vec<FeedProblem>) -> Vec<NewItem> {
    let mut bearers: HashMap<String, HashSet<(Option<String>, String)>> = HashMap::new();
    let mut linked: HashMap<String, HashSet<String>> = HashMap::new();
    for (item, _) in &kept {
        let who = (item.canonical_url.clone(), item.title.clone());
        bearers.entry(item.guid.clone()).or_default().insert(who);
        if let Some(link) = &item.canonical_url {
            linked.entry(link.clone()).or_default().insert(item.title.clone());
        }
    }
    let mut seen = HashSet::new();
    let mut items = Vec::with_capacity(kept.len());
    for (mut item, parsed) in kept {
        let is_repeated = bearers.get(&item.guid).is_some_and(|bearers| bearers.len() > 1);
        if is_repeated {
            FeedProblem::record(problems, ProblemKind::RepeatedGuid, &item.guid);
            let own_link =
                item.canonical_url.as_deref().filter(|link| linked.get(*link).is_some_and(|titles| titles.len() == 1));
            item.guid = invented_guid(own_link, &item.title, parsed);
        }
        if seen.insert(item.guid.clone()) {
            items.push(item);
        } else if !is_repeated {
            FeedProblem::record(problems, ProblemKind::RepeatedGuid, &item.guid);
        }
    }
    items
}

fn item(
    parsed: &ParsedItem,
    text: &str,
    base: &Url,
    now: Timestamp,
    problems: &mut Vec<FeedProblem>,
) -> Option<NewItem> {
    let base = parsed.link.as_ref().unwrap_or(base);
    let content_html = parsed.content_html.as_deref().or(parsed.summary_html.as_deref());
    let title = match parsed.title.as_deref().map(|t| one_line(t, MAX_TITLE)).filter(|t| !t.is_empty()) {
        Some(title) => title,
        None => one_line(text, 120),
    };
    let url = parsed.link.clone();
    if title.is_empty() && url.is_none() {
        FeedProblem::record(problems, ProblemKind::EmptyItem, "neither title, text nor link");
        return None;
    }
    let canonical_url = url.as_ref().map(canonical_url);
    let published_at = parsed.published.or(parsed.updated).filter(|claimed| {
        // A date that was never filled in is a zero, in some zone.
        let sane = *claimed > Timestamp::UNIX_EPOCH + ZERO && *claimed <= now + FUTURE;
        if !sane {
            FeedProblem::record(problems, ProblemKind::AbsurdDate, &claimed.to_string());
        }
        sane
    });
    let guid = match &parsed.guid {
        Some(guid) if guid.len() <= MAX_GUID => guid.clone(),
        Some(long) => format!("xxh3:{:032x}", xxhash_rust::xxh3::xxh3_128(long.as_bytes())),
        None => {
            FeedProblem::record(problems, ProblemKind::NoGuid, &title);
            invented_guid(canonical_url.as_deref(), &title, parsed)
        }
    };
    Some(NewItem {
        guid,
        // Credentials are between the outlet and whoever has them.
        url: url.map(|url| strip_credentials(url.as_str())),
        canonical_url,
        summary: one_line(text, MAX_SUMMARY),
        title: if title.is_empty() { "(untitled)".into() } else { title },
        content: content_html.map(|html| sanitize_html(html, Some(base))).filter(|html| !html.trim().is_empty()),
        author: authors(parsed),
        lang: parsed.lang.as_deref().and_then(primary_subtag),
        image: parsed.image.as_ref().map(|url| strip_credentials(url.as_str())),
        published_at,
    })
}

/// An identity for an item that has none: its link, else its title and claimed date. The same at every parse.
fn invented_guid(canonical_url: Option<&str>, title: &str, parsed: &ParsedItem) -> String {
    match canonical_url {
        Some(link) => format!("link:{link}"),
        None => {
            let date = parsed.published.map(|d| d.as_second()).unwrap_or_default();
            let hash = xxhash_rust::xxh3::xxh3_128(format!("{title}\0{date}").as_bytes());
            format!("title:{hash:032x}")
        }
    }
}

fn authors(parsed: &ParsedItem) -> Option<String> {
    let names: Vec<String> =
        parsed.authors.iter().map(|a| one_line(a, 100)).filter(|a| !a.is_empty()).take(5).collect();
    if names.is_empty() { None } else { Some(names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed_parser::{FetchedDocument, Options, parse_feed};

    fn summaries(contents: &[&str]) -> Vec<String> {
        let item = |(n, content): (usize, &&str)| {
            format!(
                "<item><guid>{n}</guid><title>Title {n}</title><description><![CDATA[{content}]]></description></item>"
            )
        };
        let items: String = contents.iter().enumerate().map(item).collect();
        let feed = format!("<rss version=\"2.0\"><channel><title>N</title>{items}</channel></rss>");
        let url = Url::parse("https://a.example/feed").unwrap();
        let document = FetchedDocument { bytes: feed.as_bytes(), content_type: None, url: &url };
        let (feed, mut problems) = parse_feed(&document, &Options::default()).unwrap();
        let items = items_of(&feed, &url, &mut problems);
        items.into_iter().map(|item| item.summary).collect()
    }

    fn items_of(feed: &ParsedFeed, url: &Url, problems: &mut Vec<FeedProblem>) -> Vec<NewItem> {
        normalize_items(feed, url, Timestamp::UNIX_EPOCH, problems)
    }

    #[test]
    fn what_a_source_puts_around_its_items_is_left_out() {
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
    }

    #[test]
    fn the_same_as_plain_text_in_lines() {
        let texts = ["Rain closed the pass.", "Snow fell all night.", "Hail broke a hundred windows."];
        let contents =
            texts.map(|text| format!("Advertisement\n{text}\nRead also: Bank lifts its rates\nOur letter\n"));
        assert_eq!(summaries(&contents.each_ref().map(String::as_str)), texts);
    }
}
