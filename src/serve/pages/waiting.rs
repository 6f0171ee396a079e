//! The text of a page without stories: what newsfold is waiting for.

use super::site_layout::SiteLayout;
use crate::domain::duration::after;
use crate::domain::{PollCounts, Timestamp};
use crate::serve::app_state::Error;
use crate::store::{ReadConnection, sources, stories};
use crate::wording::{TimedText, duration};

/// Describes when the first stories will appear, or what the operator must do first.
pub fn waiting_text(db: &ReadConnection, site: &SiteLayout) -> Result<TimedText, Error> {
    let PollCounts { active, unpolled, failing } = sources::poll_counts(db)?;
    if active == 0 {
        return Ok("Add a source: newsfold source add URL.".into());
    }
    let (polled, delay) = (active - unpolled, site.options.delay);
    let failed = if failing > 0 { format!("; {failing} failed at their last poll") } else { String::new() };
    let appear = match delay.is_zero() {
        true => "as soon as their first report is grouped".to_owned(),
        false => format!("{} after their first report", duration(delay)),
    };
    let text =
        TimedText::from(format!("{polled} of {active} sources have been polled{failed}. Stories appear {appear}."));
    Ok(match stories::first_unpublished_after(db, Timestamp::MIN)? {
        Some(created_at) => text.words(" The first stories appear about ").time(after(created_at, delay)).words("."),
        None => text,
    })
}
