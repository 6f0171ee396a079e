//! What the database says of an attempt before it is judged, so that judging it stays pure.

use super::rate::Pace;
use super::{Answer, Attempt, Tools};
use crate::domain::duration::before;
use crate::domain::{Source, Timestamp};
use crate::store::{self, items, origins, sources};
use jiff::SignedDuration;

/// The facts beside an attempt and its source.
#[derive(Debug, Clone)]
pub struct Known {
    /// The dates of the document's items that were not there at the last poll: unknown, or pushed since.
    pub new: Vec<Option<Timestamp>>,
    /// How many of its items were known.
    pub shared_items: u32,
    /// Whether the server that turned us away serves another source well.
    pub origin_serves_others: bool,
    /// Whether another source is polled at the address to which this one is led.
    pub moved_to_is_taken: bool,
    /// How often all sources together are polled.
    pub pace: Pace,
}

impl Default for Known {
    fn default() -> Self {
        let pace = Pace::of(f64::INFINITY);
        Known { new: Vec::new(), shared_items: 0, origin_serves_others: false, moved_to_is_taken: false, pace }
    }
}

/// How far back a server's good answers to other sources count: longer than the longest interval between two polls.
const SERVED_WITHIN: SignedDuration = SignedDuration::from_hours(3 * 24);

impl Known {
    pub(super) async fn of(tools: &Tools, source: &Source, attempt: &Attempt) -> store::Result<Known> {
        let id = source.id;
        let shown: Vec<(String, Option<Timestamp>)> = match &attempt.answer {
            Answer::Read(reading) => reading.items.iter().map(|item| (item.guid.clone(), item.published_at)).collect(),
            _ => Vec::new(),
        };
        let turned_away = matches!(attempt.answer, Answer::Refused { .. } | Answer::Challenged { .. });
        let origin = attempt.origin().filter(|_| turned_away).map(str::to_owned);
        let since = before(attempt.finished_at, SERVED_WITHIN);
        let moved_to = attempt.moved_to.clone();
        let pace = match attempt.answer {
            Answer::Read(_) | Answer::NotModified { .. } => tools.pace().await?,
            _ => Known::default().pace,
        };
        let read = move |db: &_| {
            let guids: Vec<&str> = shown.iter().map(|(guid, _)| guid.as_str()).collect();
            let old = items::known(db, id, &guids)?;
            let pushed = items::pushed(db, id, &guids)?;
            let is_new = |guid: &String| !old.contains(guid) || pushed.contains(guid);
            let new: Vec<_> = shown.iter().filter(|(guid, _)| is_new(guid)).map(|(_, date)| *date).collect();
            let other = moved_to.map(|url| sources::by_url(db, url.as_str())).transpose()?.flatten();
            Ok(Known {
                shared_items: shown.iter().filter(|(guid, _)| old.contains(guid)).count() as u32,
                new,
                origin_serves_others: match origin {
                    Some(origin) => origins::serves_others(db, &origin, id, since)?,
                    None => false,
                },
                moved_to_is_taken: other.is_some_and(|other| other.id != id),
                pace,
            })
        };
        tools.store.read(read).await
    }
}
