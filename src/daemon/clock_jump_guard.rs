//! Prevents the deletion of data that looks old only because the system clock has jumped.

use crate::clock::Clock;
use crate::config::DaemonOptions;
use crate::domain::duration::before;
use crate::store::{Store, polls};
use jiff::SignedDuration;

/// The range of the time since the start of a poll. Old data is deleted only if a poll started at least
/// `MIN_OBSERVATION` and at most `MAX_PAUSE` ago. Without such a poll, the clock may have jumped.
const MIN_OBSERVATION: SignedDuration = SignedDuration::from_hours(24);
const MAX_PAUSE: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Returns whether the daemon has polled for long enough since the clock last jumped, so that old data may be deleted.
/// After a jump by years, everything would look old.
pub(super) async fn has_polled_steadily(store: &Store, options: &DaemonOptions, clock: &Clock) -> bool {
    let now = clock.now();
    let observed = MIN_OBSERVATION.min(options.poll_retention / 2);
    let read = move |db: &_| polls::started_within_and_before(db, before(now, MAX_PAUSE), before(now, observed));
    match store.read(read).await {
        Ok((true, _)) => true,
        Ok((false, is_used)) => {
            if is_used {
                tracing::warn!(%now, "the clock has jumped, or newsfold was stopped for a week: nothing is deleted for a day");
            }
            false
        }
        Err(error) => {
            error.log("cannot check the clock; nothing is deleted");
            false
        }
    }
}
