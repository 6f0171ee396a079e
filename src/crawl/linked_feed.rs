//! Decides when a poll of a web page replaces the URL of its source with the feed that the page links to. All functions
//! are pure.
//!
//! Only a source that was added with a search for its feed follows such links. It follows at most [`MAX_STEPS`] links.
//! The search ends when the feed has been read. A web page that the server sends after that does not change the URL.

use super::{AttemptOutcome, PollAttempt};
use crate::domain::{NextPollReason, Source, SourceUpdate};
use url::Url;

/// The maximum number of links to follow: a redirect in HTML (`meta refresh`), and the link of its target to the feed.
pub const MAX_STEPS: u32 = 2;

/// Returns the URL at which the search for the feed of `source` continues; `None` if no search is in progress, or if the
/// document contains no link to follow.
pub(super) fn linked_feed(source: &Source, outcome: &AttemptOutcome) -> Option<Url> {
    let AttemptOutcome::NotAFeed { feeds, refresh_target, .. } = outcome else { return None };
    let target = feeds.first().map(|feed| &feed.url).or(refresh_target.as_ref())?;
    (source.feed_search_steps > 0 && target.as_str() != source.url).then(|| target.clone())
}

/// Continues the search at the feed that a page links to, unless another source has that URL. A web page instead of a
/// feed does not count as a failure, so the next poll is due immediately.
pub(super) fn apply(source: &Source, attempt: &PollAttempt, is_taken: bool, update: &mut SourceUpdate) {
    let Some(feed) = linked_feed(source, &attempt.outcome).filter(|_| !is_taken) else { return };
    update.new_url = Some(feed.into());
    update.feed_search_steps = source.feed_search_steps - 1;
    update.failures = source.failures;
    update.next_poll_at = attempt.finished_at;
    update.next_poll_reason = NextPollReason::FeedLinked;
}
