//! Finds stories and storylines by their IDs or unique prefixes of their IDs.

use crate::domain::{Story, StoryId, Storyline, StorylineId};
use crate::store::{Store, stories, storylines};
use anyhow::{Context as _, bail};

/// Finds the story with this ID or unique prefix.
pub async fn story(store: &Store, name: &str) -> anyhow::Result<Story> {
    let rows = StoryId::rows_of_prefix(name)?;
    let ids = store.read(move |db| stories::find_in_id_range(db, rows)).await?;
    if ids.len() > 1 {
        bail!("more than one story ID begins with ‘{name}’; enter more characters");
    }
    let story = store.read(move |db| ids.first().map_or(Ok(None), |id| stories::get(db, *id))).await?;
    story.with_context(|| format!("there is no story ‘{name}’; `newsfold story list` lists the latest stories"))
}

/// Like [`story()`], but fails if the story was merged into another one.
pub async fn unmerged_story(store: &Store, name: &str) -> anyhow::Result<Story> {
    let story = story(store, name).await?;
    if let Some(into) = story.merged_into {
        bail!("story {} was merged into story {into}; use {into} instead", story.id);
    }
    Ok(story)
}

/// Finds the storyline with this ID or unique prefix.
pub async fn storyline(store: &Store, name: &str) -> anyhow::Result<Storyline> {
    let rows = StorylineId::rows_of_prefix(name)?;
    let ids = store.read(move |db| storylines::find_in_id_range(db, rows)).await?;
    if ids.len() > 1 {
        bail!("more than one storyline ID begins with ‘{name}’; enter more characters");
    }
    let storyline = store.read(move |db| ids.first().map_or(Ok(None), |id| storylines::get(db, *id))).await?;
    storyline.with_context(|| {
        format!(
            "there is no storyline ‘{name}’; `newsfold storyline list` lists the latest storylines, and \
             `newsfold story show` shows the storyline of a story"
        )
    })
}

/// Like [`storyline()`], but fails if the storyline was merged into another one.
pub async fn unmerged_storyline(store: &Store, name: &str) -> anyhow::Result<Storyline> {
    let storyline = storyline(store, name).await?;
    if let Some(into) = storyline.merged_into {
        bail!("storyline {} was merged into storyline {into}; use {into} instead", storyline.id);
    }
    Ok(storyline)
}
