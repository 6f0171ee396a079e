//! Pure functions that decide when a story is published: after the publishing delay, and once it contains news from a
//! source that is past its probation.

use super::lead_choice::choose_lead;
use super::options::Options;
use crate::domain::duration::{after, before};
use crate::domain::{Source, Story, StoryItem, Timestamp};

/// The latest creation times of the stories that are due for publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicationCutoff {
    /// For any story: the current time minus the publishing delay.
    pub created_until: Timestamp,
    /// For a story whose storyline contains another due story: the publishing delay is shorter by a tenth. Otherwise,
    /// the first of several stories that were created within a minute would get the entry of the storyline, even though
    /// another story may have more outlets.
    pub with_storyline_until: Timestamp,
}

impl PublicationCutoff {
    pub fn at(now: Timestamp, options: &Options) -> PublicationCutoff {
        let delay = options.delay;
        PublicationCutoff { created_until: before(now, delay), with_storyline_until: before(now, delay - delay / 10) }
    }
}

/// Returns the lead and the permanent date of a story whose publishing delay has passed. Returns `None` until the story
/// contains news from a source that is not new.
///
/// The date is the date of the first news. A newly added source therefore does not present old news as new, and an old
/// item does not make a current event look old.
pub fn first_publication<'s>(
    story: &'s Story,
    now: Timestamp,
    options: &Options,
) -> Option<(&'s StoryItem, Timestamp)> {
    let is_past_probation = |i: &StoryItem| {
        i.item.source_age.is_none_or(|age| age + now.duration_since(i.item.first_seen_at) >= options.probation)
    };
    if !story.news().any(is_past_probation) {
        return None;
    }
    let lead = choose_lead(story, options)?;
    let at = story.news().map(|i| i.item.ranked_at).min()?;
    Some((lead, at))
}

/// Returns the end of a source's probation; `None` for a source that was added within 24 hours after the first source.
pub fn probation_until(source: &Source, options: &Options) -> Option<Timestamp> {
    (!source.is_initial).then(|| after(source.added_at, options.probation))
}
