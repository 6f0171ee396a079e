//! The feed for the operator: sources that broke, recovered, moved or went, and outages of our own, as Atom 1.0.

use super::atom::{date, link};
use super::entry::{clean, uuid};
use super::{Format, Options};
use crate::domain::{EventKind, PastEvent, Timestamp};
use atom_syndication::{Content, Entry, Feed, Generator, Person, Text};

/// The name that no other feed may have.
pub const HEALTH: &str = "health";

/// The feed's bytes. An entry is written once and never changes.
pub fn render_health(events: &[PastEvent], instance: &str, options: &Options) -> Vec<u8> {
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

fn entry(event: &PastEvent, instance: &str, options: &Options) -> Entry {
    let what = match event.kind {
        EventKind::Broken => "is broken",
        EventKind::Recovered => "works again",
        EventKind::Moved => "has moved",
        EventKind::Gone => "is gone for good",
        EventKind::Offline => "can reach no server",
        EventKind::Online => "reaches servers again",
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
