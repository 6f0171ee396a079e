//! The queue of documents that hubs have pushed and that await processing.
//!
//! The queue limits the number of documents, their size, and the pushes per source per hour, because a feed can declare
//! a hub that never stops pushing. A slot is reserved before a body is received and released once its document has been
//! processed, so bodies in transit count too. The queue exists only in memory. After a restart, every source with
//! deferred polls is polled, in case the queue contained one of the source's documents.

use crate::domain::{SourceId, Timestamp};
use jiff::SignedDuration;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc::{self, OwnedPermit, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const MAX_QUEUED_DOCUMENTS: usize = 64;
/// The maximum total size of queued documents. A single document can be larger if `fetch.max_body_bytes` allows it.
const MAX_QUEUED_BYTES: usize = 64 << 20;
/// The maximum number of documents of one source that are queued or in transit, so that no hub displaces the documents
/// of other hubs.
const MAX_QUEUED_PER_SOURCE: usize = 2;
/// The maximum number of documents of one source per hour.
const MAX_PUSHES_PER_HOUR: u32 = 240;
/// The number of bytes that one permit of the semaphore represents.
const BYTES_PER_PERMIT: usize = 1024;

/// A document from a hub with a valid signature.
pub struct PushedDocument {
    pub source: SourceId,
    pub topic: String,
    pub content_type: Option<String>,
    pub bytes: Vec<u8>,
    pub at: Timestamp,
    /// The document's share of the queue's limits, which is released when the document is dropped.
    pub(super) _permit: QueuePermit,
}

/// A document's share of the queue's limits. Dropping it releases the share.
pub struct QueuePermit {
    _bytes: OwnedSemaphorePermit,
    _slot_of_source: Arc<()>,
}

/// The sending end of the queue. Clones share its limits.
#[derive(Clone)]
pub struct PushQueue {
    sender: Sender<PushedDocument>,
    bytes: Arc<Semaphore>,
    counts: Arc<Mutex<SourceCounts>>,
}

#[derive(Default)]
struct SourceCounts {
    /// A handle for each source, which is cloned for each of its slots.
    slots: HashMap<SourceId, Arc<()>>,
    /// The slots that each source has reserved since `hour_start`, at most an hour ago.
    hourly: HashMap<SourceId, u32>,
    hour_start: Timestamp,
}

/// The right to queue one document.
pub struct QueueSlot {
    slot: OwnedPermit<PushedDocument>,
    permit: QueuePermit,
}

impl PushQueue {
    /// Creates a queue for documents of at most `max_body_bytes` bytes, and its receiving end.
    pub fn new(max_body_bytes: usize) -> (PushQueue, Receiver<PushedDocument>) {
        let (sender, receiver) = mpsc::channel(MAX_QUEUED_DOCUMENTS);
        let bytes = Arc::new(Semaphore::new(permits(MAX_QUEUED_BYTES.max(max_body_bytes)) as usize));
        (PushQueue { sender, bytes, counts: Arc::default() }, receiver)
    }

    /// Reserves a slot for a body of `bytes` bytes; `None` if a limit is reached.
    pub fn reserve(&self, source: SourceId, bytes: usize, now: Timestamp) -> Option<QueueSlot> {
        let slot = self.sender.clone().try_reserve_owned().ok()?;
        let bytes = self.bytes.clone().try_acquire_many_owned(permits(bytes)).ok()?;
        let SourceCounts { slots, hourly, hour_start } = &mut *self.counts.lock();
        slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        let slot_of_source = slots.entry(source).or_default();
        if Arc::strong_count(slot_of_source) > MAX_QUEUED_PER_SOURCE {
            return None;
        }
        if hour_start.duration_until(now) >= SignedDuration::from_hours(1) {
            *hour_start = now;
            hourly.clear();
        }
        let reserved = hourly.entry(source).or_default();
        *reserved += 1;
        let permit = QueuePermit { _bytes: bytes, _slot_of_source: slot_of_source.clone() };
        (*reserved <= MAX_PUSHES_PER_HOUR).then_some(QueueSlot { slot, permit })
    }
}

impl QueueSlot {
    /// Queues the document that `document` creates from the slot's permit.
    pub fn send(self, document: impl FnOnce(QueuePermit) -> PushedDocument) {
        self.slot.send(document(self.permit));
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(BYTES_PER_PERMIT)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn document(permit: QueuePermit) -> PushedDocument {
        let topic = "https://news.example/feed".into();
        PushedDocument { source: SourceId(1), topic, content_type: None, bytes: vec![], at: NOW, _permit: permit }
    }

    #[tokio::test]
    async fn queue_is_bounded_by_documents_and_by_bytes() {
        let (queue, mut receiver) = PushQueue::new(1 << 20);
        let reserve = |bytes| queue.reserve(SourceId(1), bytes, NOW);
        let of_other_sources = |n: usize| queue.reserve(SourceId(2 + (n / MAX_QUEUED_PER_SOURCE) as i64), 1, NOW);
        let slots: Vec<_> = (0..MAX_QUEUED_DOCUMENTS).map_while(of_other_sources).collect();
        assert_eq!(slots.len(), MAX_QUEUED_DOCUMENTS);
        assert!(reserve(1).is_none(), "all slots are reserved");
        slots.into_iter().for_each(|slot| slot.send(document));
        assert!(reserve(1).is_none(), "all slots are in use");
        drop(receiver.recv().await);
        let free = MAX_QUEUED_BYTES - (MAX_QUEUED_DOCUMENTS - 1) * BYTES_PER_PERMIT;
        assert!(reserve(free + 1).is_none(), "larger than the free bytes");
        assert!(reserve(free).is_some());
    }

    #[test]
    fn source_has_at_most_two_slots_at_a_time() {
        let (queue, _receiver) = PushQueue::new(1);
        let reserve = |source| queue.reserve(SourceId(source), 1, NOW);
        let (one, two) = (reserve(1), reserve(1));
        assert!(one.is_some() && two.is_some() && reserve(1).is_none());
        assert!(reserve(2).is_some(), "another source");
        drop(one);
        assert!(reserve(1).is_some());
    }

    #[test]
    fn source_has_a_limited_number_of_slots_in_an_hour() {
        let (queue, _receiver) = PushQueue::new(1);
        let reserve = |source, minutes| queue.reserve(SourceId(source), 1, NOW + SignedDuration::from_mins(minutes));
        assert!((0..MAX_PUSHES_PER_HOUR).all(|_| reserve(1, 0).is_some()));
        assert!(reserve(1, 59).is_none());
        assert!(reserve(2, 59).is_some(), "another source");
        assert!(reserve(1, 60).is_some());
    }
}
