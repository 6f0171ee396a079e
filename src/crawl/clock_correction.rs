//! Corrects the schedule after the system clock was ahead: polls that were scheduled with the wrong time would be due
//! far in the future.

use super::Options;
use crate::domain::Timestamp;
use crate::domain::duration::after;
use crate::store::{self, WriteConnection, origins, poll_leases, poll_schedule, sources};
use jiff::SignedDuration;

/// The maximum time by which a recorded time can be in the future. A later time shows that the clock was ahead.
pub const MAX_CLOCK_ERROR: SignedDuration = SignedDuration::from_mins(1);
/// The margin that is added to the longest delay that the settings allow: jitter, and hours that a feed skips.
const DELAY_MARGIN: SignedDuration = SignedDuration::from_hours(24);

/// Corrects what was recorded while the clock was ahead: makes the affected sources due, and deletes the holds and
/// leases. Returns the number of sources.
pub fn correct_schedule(db: &WriteConnection, options: &Options, now: Timestamp) -> store::Result<usize> {
    let of_source = sources::longest_interval(db)?.unwrap_or_default();
    let longest = options.max_interval.max(options.max_retry_after).max(of_source).saturating_add(DELAY_MARGIN);
    let (latest_plan, latest_record) = (after(now, longest), after(now, MAX_CLOCK_ERROR));
    poll_leases::delete_acquired_after(db, latest_record)?;
    origins::delete_holds_until_after(db, latest_plan)?;
    poll_schedule::make_due_if_planned_after(db, latest_plan, latest_record, now)
}
