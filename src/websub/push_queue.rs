//! What hubs have pushed and nobody has read yet: so many documents and so many bytes, and no more; and so many of
//! one source in an hour, since a feed can name a hub that never stops.
//!
//! A place is taken before a body is read and given back when its document is done with, so that bodies under way
//! count too. It is memory only: a start polls every source whose polls were deferred, in case something was in here.

use crate::domain::{SourceId, Timestamp};
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::{self, OwnedPermit, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Documents that wait.
const MAX_QUEUED_DOCUMENTS: usize = 64;
/// Bytes of them, unless the largest document alone is larger.
const MAX_QUEUED_BYTES: usize = 64 << 20;
/// Documents of one source that wait or are under way: no hub shuts the others out.
const MAX_QUEUED_PER_SOURCE: usize = 2;
/// Documents of one source in an hour.
const MAX_PUSHES_PER_HOUR: u32 = 240;
/// Bytes are counted in steps of so many.
const PERMIT_BYTES: usize = 1024;

/// A document that a hub pushed, signed and all.
pub struct PushedDocument {
    pub source: SourceId,
    pub topic: String,
    pub content_type: Option<String>,
    pub bytes: Vec<u8>,
    pub at: Timestamp,
    /// Given back when the document goes.
    pub(super) _room: QueuePermit,
}

/// What a document takes up, given back when it goes.
pub struct QueuePermit {
    _bytes: OwnedSemaphorePermit,
    source: SourceId,
    taken: Arc<Mutex<HashMap<SourceId, usize>>>,
}

impl Drop for QueuePermit {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(places) = taken.get_mut(&self.source) {
            *places -= 1;
            if *places == 0 {
                taken.remove(&self.source);
            }
        }
    }
}

/// Where pushes are put.
#[derive(Clone)]
pub struct PushQueue {
    send: Sender<PushedDocument>,
    room: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<SourceId, usize>>>,
    hour: Arc<Mutex<HourlyCounts>>,
}

/// How many places each source had since then.
struct HourlyCounts {
    since: Timestamp,
    had: HashMap<SourceId, u32>,
}

/// The right to put one document.
pub struct QueueSlot {
    slot: OwnedPermit<PushedDocument>,
    room: QueuePermit,
}

impl PushQueue {
    /// An inbox for documents of at most `max_body_bytes` bytes, and its other end.
    pub fn new(max_body_bytes: usize) -> (PushQueue, Receiver<PushedDocument>) {
        let (send, receive) = mpsc::channel(MAX_QUEUED_DOCUMENTS);
        let room = Arc::new(Semaphore::new(steps(MAX_QUEUED_BYTES.max(max_body_bytes)) as usize));
        let hour = Arc::new(Mutex::new(HourlyCounts { since: Timestamp::MIN, had: HashMap::new() }));
        (PushQueue { send, room, taken: Arc::default(), hour }, receive)
    }

    /// Takes a place for a body of so many bytes; `None` while there is none.
    pub fn place(&self, source: SourceId, bytes: usize, now: Timestamp) -> Option<QueueSlot> {
        let slot = self.send.clone().try_reserve_owned().ok()?;
        let bytes = self.room.clone().try_acquire_many_owned(steps(bytes)).ok()?;
        let room = {
            let mut taken = self.taken.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let places = taken.entry(source).or_default();
            if *places >= MAX_QUEUED_PER_SOURCE {
                return None;
            }
            *places += 1;
            QueuePermit { _bytes: bytes, source, taken: self.taken.clone() }
        };
        let mut hour = self.hour.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if hour.since.duration_until(now) >= SignedDuration::from_hours(1) {
            *hour = HourlyCounts { since: now, had: HashMap::new() };
        }
        let had = hour.had.entry(source).or_default();
        *had += 1;
        (*had <= MAX_PUSHES_PER_HOUR).then_some(QueueSlot { slot, room })
    }
}

impl QueueSlot {
    /// Puts the document that the place was taken for.
    pub fn put(self, document: impl FnOnce(QueuePermit) -> PushedDocument) {
        self.slot.send(document(self.room));
    }
}

fn steps(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(room: QueuePermit) -> PushedDocument {
        let topic = "https://news.example/feed".into();
        PushedDocument {
            source: SourceId(1),
            topic,
            content_type: None,
            bytes: vec![],
            at: Timestamp::UNIX_EPOCH,
            _room: room,
        }
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[tokio::test]
    async fn it_is_full_by_number_and_by_bytes() {
        let (inbox, mut receive) = PushQueue::new(1 << 20);
        let place = |bytes| inbox.place(SourceId(1), bytes, NOW);
        let of_many = |n: usize| inbox.place(SourceId(2 + (n / MAX_QUEUED_PER_SOURCE) as i64), 1, NOW);
        let places: Vec<_> = (0..MAX_QUEUED_DOCUMENTS).map_while(of_many).collect();
        assert_eq!(places.len(), MAX_QUEUED_DOCUMENTS);
        assert!(place(1).is_none(), "as many as may wait");
        places.into_iter().for_each(|place| place.put(pushed));
        assert!(place(1).is_none(), "and they still do");
        drop(receive.recv().await);
        let whole = MAX_QUEUED_BYTES - (MAX_QUEUED_DOCUMENTS - 1) * PERMIT_BYTES;
        assert!(place(whole + 1).is_none(), "more than there is room for");
        assert!(place(whole).is_some());
    }

    #[test]
    fn a_source_has_two_places_at_a_time_and_leaves_the_others_theirs() {
        let (inbox, _receive) = PushQueue::new(1);
        let place = |source| inbox.place(SourceId(source), 1, NOW);
        let (one, two) = (place(1), place(1));
        assert!(one.is_some() && two.is_some() && place(1).is_none() && place(2).is_some());
        drop(one);
        assert!(place(1).is_some());
    }

    #[test]
    fn a_source_has_so_many_places_an_hour() {
        let (inbox, _receive) = PushQueue::new(1);
        let place = |source, minutes| inbox.place(SourceId(source), 1, NOW + SignedDuration::from_mins(minutes));
        assert!((0..MAX_PUSHES_PER_HOUR).all(|_| place(1, 0).is_some()));
        assert!(place(1, 59).is_none());
        assert!(place(2, 59).is_some(), "of its own");
        assert!(place(1, 60).is_some());
    }
}
