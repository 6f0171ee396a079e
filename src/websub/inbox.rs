//! What hubs have pushed and nobody has read yet: so many documents and so many bytes, and no more.
//!
//! A place is taken before a body is read and given back when its document is done with, so that bodies under way
//! count too. It is memory only: a start polls every source whose polls were deferred, in case something was in here.

use crate::model::{SourceId, Timestamp};
use std::sync::Arc;
use tokio::sync::mpsc::{self, OwnedPermit, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Documents that wait.
const MAX_WAITING: usize = 64;
/// Bytes of them, unless the largest document alone is larger.
const MAX_BYTES: usize = 64 << 20;
/// Bytes are counted in steps of so many.
const STEP: usize = 1024;

/// A document that a hub pushed, signed and all.
pub struct Pushed {
    pub source: SourceId,
    pub topic: String,
    pub content_type: Option<String>,
    pub bytes: Vec<u8>,
    pub at: Timestamp,
    /// Given back when the document goes.
    pub(super) _room: OwnedSemaphorePermit,
}

/// Where pushes are put.
#[derive(Clone)]
pub struct Inbox {
    send: Sender<Pushed>,
    room: Arc<Semaphore>,
}

/// The right to put one document.
pub struct Place {
    slot: OwnedPermit<Pushed>,
    room: OwnedSemaphorePermit,
}

impl Inbox {
    /// An inbox for documents of at most `max_body` bytes, and its other end.
    pub fn new(max_body: usize) -> (Inbox, Receiver<Pushed>) {
        let (send, receive) = mpsc::channel(MAX_WAITING);
        (Inbox { send, room: Arc::new(Semaphore::new(steps(MAX_BYTES.max(max_body)) as usize)) }, receive)
    }

    /// Takes a place for a body of so many bytes; `None` while there is none.
    pub fn place(&self, bytes: usize) -> Option<Place> {
        let slot = self.send.clone().try_reserve_owned().ok()?;
        let room = self.room.clone().try_acquire_many_owned(steps(bytes)).ok()?;
        Some(Place { slot, room })
    }
}

impl Place {
    /// Puts the document that the place was taken for.
    pub fn put(self, document: impl FnOnce(OwnedSemaphorePermit) -> Pushed) {
        self.slot.send(document(self.room));
    }
}

fn steps(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(STEP)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(room: OwnedSemaphorePermit) -> Pushed {
        let topic = "https://news.example/feed".into();
        Pushed { source: SourceId(1), topic, content_type: None, bytes: vec![], at: Timestamp::UNIX_EPOCH, _room: room }
    }

    #[tokio::test]
    async fn it_is_full_by_number_and_by_bytes() {
        let (inbox, mut receive) = Inbox::new(1 << 20);
        let places: Vec<_> = (0..MAX_WAITING).map_while(|_| inbox.place(1)).collect();
        assert_eq!(places.len(), MAX_WAITING);
        assert!(inbox.place(1).is_none(), "as many as may wait");
        places.into_iter().for_each(|place| place.put(pushed));
        assert!(inbox.place(1).is_none(), "and they still do");
        drop(receive.recv().await);
        let whole = MAX_BYTES - (MAX_WAITING - 1) * STEP;
        assert!(inbox.place(whole + 1).is_none(), "more than there is room for");
        assert!(inbox.place(whole).is_some());
    }
}
