//! The last complete grouping pass. If nothing has changed since then, a command does not group again, because a pass
//! reads and compares all items in the window.

use super::connection::{ReadConnection, WriteConnection};
use super::{Result, items};
use crate::domain::Timestamp;
use jiff::SignedDuration;
use rusqlite::params;
use serde::Deserialize;

/// The age at which a pass is repeated even if nothing has changed, because items leave the window as time passes.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(1);

/// The input on which the result of a pass depends, except time: the changes of items and sources, the operator's
/// constraints, the long-term frequencies of terms, the encoder, and the settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct GroupingInput(String);

/// Returns the input of a pass that starts now. `settings` identifies the settings and the version of the program.
pub fn input(db: &ReadConnection, settings: &str) -> Result<GroupingInput> {
    db.one(
        "SELECT json_array(changes, selection_version,
             (SELECT count(*) + count(undone_at) FROM grouping_constraint),
             (SELECT counted_until FROM term_frequency_progress WHERE EXISTS (SELECT 1 FROM term_frequency)),
             (SELECT id FROM encoder_model WHERE is_current), ?1)
         FROM grouping_progress, publication WHERE grouping_progress.singleton = 1",
        [settings],
    )
}

/// Records a pass that has completed. `input` and `started_at` are from its start.
pub fn record(db: &WriteConnection, input: &GroupingInput, started_at: Timestamp) -> Result<()> {
    db.execute(
        "UPDATE grouping_progress SET grouped_input = ?1, grouped_at = ?2 WHERE singleton = 1",
        params![input.0, started_at.as_millisecond()],
    )?;
    Ok(())
}

/// Returns whether the last complete pass had the same input and is recent, and no item waits for grouping.
pub fn is_complete(db: &ReadConnection, settings: &str, now: Timestamp) -> Result<bool> {
    let last: (Option<GroupingInput>, Option<Timestamp>) =
        db.one("SELECT grouped_input, grouped_at FROM grouping_progress WHERE singleton = 1", [])?;
    let (Some(grouped_input), Some(grouped_at)) = last else { return Ok(false) };
    let is_recent = grouped_at <= now && now.duration_since(grouped_at) < MAX_AGE;
    Ok(is_recent
        && grouped_input == input(db, settings)?
        && items::unassigned(db, 1, now)?.is_empty()
        && !db.exists("SELECT 1 FROM revised_item", [])?)
}
