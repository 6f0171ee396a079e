//! The operator's feed in Atom 1.0: failures, recoveries, redirects and removals of sources, network outages, and a
//! nearly full disk.

use super::feed_format::FeedFormat;
use super::options::{HEALTH_FEED_NAME, Options};
use super::render::atom::{date, link, to_bytes};
use super::render::value_format::{strip_invalid_chars, uuid_urn};
use crate::domain::{RecordedEvent, Timestamp};
use crate::wording::{Audience, event_detail, event_phrase};
use atom_syndication::{Content, Entry, Feed, Generator, Person, Text};

/// Renders the feed. Entries never change. `known_since` is the date of the feed before the first event.
pub fn render_health_feed(
    events: &[RecordedEvent],
    known_since: Timestamp,
    instance: &str,
    options: &Options,
) -> Vec<u8> {
    let updated = events.iter().map(|event| event.occurred_at).max().unwrap_or(known_since);
    let feed = Feed {
        id: uuid_urn(&format!("newsfold health {instance}")),
        title: Text::plain(strip_invalid_chars(&format!("{}: health of the sources", options.title))),
        updated: date(updated),
        authors: vec![Person { name: strip_invalid_chars(&options.title), ..Person::default() }],
        generator: Some(Generator { value: "newsfold".into(), ..Generator::default() }),
        links: vec![
            link("self", options.url(&format!("feeds/{HEALTH_FEED_NAME}.atom")), FeedFormat::Atom.media_type(), None),
            link("alternate", options.url("sources"), "text/html", None),
        ],
        entries: events.iter().map(|event| entry(event, instance, options)).collect(),
        ..Feed::default()
    };
    to_bytes(&feed)
}

fn entry(event: &RecordedEvent, instance: &str, options: &Options) -> Entry {
    let subject = match (event.source, event.source_title.as_deref()) {
        (Some(source), Some(title)) => format!("{title} (source {source})"),
        _ => "newsfold".into(),
    };
    Entry {
        id: uuid_urn(&format!("newsfold event {instance} {}", event.id)),
        title: Text::plain(strip_invalid_chars(&format!("{subject} {}", event_phrase(event.kind)))),
        published: Some(date(event.occurred_at)),
        updated: date(event.occurred_at),
        links: vec![link("alternate", options.url("sources"), "text/html", None)],
        content: Some(Content {
            value: Some(strip_invalid_chars(&event_detail(event, Audience::PUBLIC).format(Audience::PUBLIC))),
            content_type: Some("text".into()),
            ..Content::default()
        }),
        ..Entry::default()
    }
}
