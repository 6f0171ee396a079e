//! Ending a hold on the operator's word: who waited for it is polled as soon as its own rules allow.

use super::{Options, backoff};
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::store::{self, Store, WriteConnection, origins, sources};

/// Ends the hold of an origin. Returns how many sources waited for that; `None` where there was nothing to end.
pub async fn clear_hold(
    store: &Store,
    origin: String,
    options: Options,
    now: Timestamp,
) -> store::Result<Option<usize>> {
    let release = move |db: &WriteConnection| {
        let waiting = origins::waiting_sources(db, &origin, now)?;
        let was_held = origins::clear_hold(db, &origin)?;
        for id in &waiting {
            let Some(source) = sources::get(db, *id)? else { continue };
            let floor = source.last_poll_at.map_or(now, |last| after(last, backoff::floor(&source.wishes, &options)));
            sources::clear_hold(db, *id, floor.max(now))?;
        }
        Ok((was_held || !waiting.is_empty()).then_some(waiting.len()))
    };
    store.write(release).await
}
