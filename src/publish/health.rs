//! The feed for the operator: sources that broke, recovered, moved or went, and outages of our own, as Atom 1.0.

use super::atom::{date, link};
use super::entry::{clean, uuid};
use super::{Format, Options};
use crate::domain::{OperatorEventKind, RecordedEvent, Timestamp};
use atom_syndication::{Content, Entry, Feed, Generator, Person, Text};

/// The name that no other feed may have.
pub const HEALTH: &str = "health";

/// The feed's bytes. An entry is written once and never changes.
pub fn render_health(events: &[RecordedEvent], instance: &str, options: &Options) -> Vec<u8> {
    let updated = events.iter().map(|event| event.at).max().unwrap_or(Timestamp::UNIX_EPOCH);
    let feed = Feed {
        id: uuid(&format!("newsfold health {instance}")),
        title: Text::plain(clean(&format!("{}: health of the sources", options.title))),
        updated: date(updated),
        authors: vec![Person { name: clean(&options.title), ..Person::default() }],
        generator: Some(Generator { value: "newsfold".into(), ..Generator::default() }),
        links: vec![
            link("self", options.url(&format!("feeds/{HEALTH}.atom")), Format::Atom.media_type(), None),
            link("alternate", options.url("sources"), "text/html", None),
        ],
        entries: events.iter().map(|event| entry(event, instance, options)).collect(),
        ..Feed::default()
    };
    let mut bytes = feed.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

fn entry(event: &RecordedEvent, instance: &str, options: &Options) -> Entry {
    let what = match event.kind {
        OperatorEventKind::Broken => "is broken",
        OperatorEventKind::Recovered => "works again",
        OperatorEventKind::Moved => "has moved",
        OperatorEventKind::Gone => "is gone for good",
        OperatorEventKind::Offline => "can reach no server",
        OperatorEventKind::Online => "reaches servers again",
    };
    let who = match (event.source, event.title.as_deref()) {
        (Some(source), Some(title)) => format!("{title} (source {source})"),
        _ => "newsfold".into(),
    };
    Entry {
        id: uuid(&format!("newsfold event {instance} {}", event.id)),
        title: Text::plain(clean(&format!("{who} {what}"))),
        published: Some(date(event.at)),
        updated: date(event.at),
        links: vec![link("alternate", options.url("sources"), "text/html", None)],
        content: Some(Content {
            value: Some(clean(&event.detail)),
            content_type: Some("text".into()),
            ..Content::default()
        }),
        ..Entry::default()
    }
}
