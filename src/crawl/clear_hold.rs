//! Clearing a hold on the operator's request. The sources that waited are polled as soon as their feeds allow it.

use super::{Options, backoff};
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::store::{self, Store, WriteConnection, origins, sources};

/// Clears the hold of an origin. Returns the number of sources that waited for it; `None` if there was no hold.
pub async fn clear_hold(
    store: &Store,
    origin: String,
    options: Options,
    now: Timestamp,
) -> store::Result<Option<usize>> {
    let clear = move |db: &WriteConnection| {
        let waiting = origins::waiting_sources(db, &origin, now)?;
        let was_held = origins::clear_hold(db, &origin)?;
        for id in &waiting {
            let Some(source) = sources::get(db, *id)? else { continue };
            let minimum = backoff::feed_minimum(&source.polling_hints, &options);
            let earliest = source.last_poll_at.map_or(now, |last| after(last, minimum));
            sources::clear_hold(db, *id, earliest.max(now))?;
        }
        Ok((was_held || !waiting.is_empty()).then_some(waiting.len()))
    };
    store.write(clear).await
}
