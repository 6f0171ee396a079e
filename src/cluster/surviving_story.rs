//! Determines which story survives when stories merge. A story's ID never changes, and readers have seen the IDs of
//! published stories.

use crate::domain::{PublishedStory, StoryId, Timestamp};

/// Returns the story that survives when stories merge: the oldest published story, or else the first story.
pub(super) fn surviving_story<E>(
    stories: &[StoryId],
    published: impl Fn(StoryId) -> Result<Option<PublishedStory>, E>,
) -> Result<Option<StoryId>, E> {
    let mut oldest: Option<(Timestamp, StoryId)> = None;
    if stories.len() > 1 {
        for story in stories {
            let known = published(*story)?.map(|published| (published.created_at, *story));
            oldest = oldest.into_iter().chain(known).min();
        }
    }
    Ok(oldest.map(|(_, story)| story).or(stories.first().copied()))
}
