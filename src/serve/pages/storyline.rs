//! The storyline page: its published stories on a timeline, newest first.

use super::format::{link, machine_time, short_headline, shortened};
use super::site_layout::SiteLayout;
use super::story_summary::{PreferredReports, StorySummary};
use crate::domain::language::other_language_name;
use crate::domain::{Story, Storyline, Timestamp};
use crate::serve::app_state::Error;
use crate::store::{ReadConnection, storylines};
use crate::wording::{count_of, storyline_reason};
use askama::Template;

#[derive(Template)]
#[template(path = "storyline.html")]
struct StorylinePage<'a> {
    site: SiteLayout<'a>,
    storyline: &'a Storyline,
    title: &'a str,
    lang: Option<&'a str>,
    story_count: u32,
    developments: Vec<DevelopmentView<'a>>,
}

/// A story of a storyline as pages show it.
pub struct DevelopmentView<'a> {
    pub summary: StorySummary<'a>,
    /// The time of the story's first report.
    pub at: Timestamp,
    /// Why the story belongs to the storyline.
    pub reason: String,
}

impl<'a> DevelopmentView<'a> {
    /// Describes a story; `None` if it was merged.
    pub fn new(story: &'a Story, story_count: u32) -> Option<DevelopmentView<'a>> {
        Some(DevelopmentView {
            summary: StorySummary::new(story, &PreferredReports::default())?,
            at: story.first_report()?.item.ranked_at,
            reason: storyline_reason(&story.storyline_evidence, story_count),
        })
    }
}

/// Renders a storyline page. The storyline must have been read with its published stories.
pub fn storyline_page(db: &ReadConnection, site: SiteLayout, storyline: &Storyline) -> Result<String, Error> {
    let story_count = storylines::count_published(db, storyline.id)?;
    let stories = storyline.stories.iter().rev();
    let main = storyline.main_story().and_then(Story::lead).map(|lead| &lead.item);
    let page = StorylinePage {
        site,
        storyline,
        title: main.map_or("", |item| item.title.as_str()),
        lang: main.and_then(|item| item.lang.as_deref()),
        story_count,
        developments: stories.filter_map(|story| DevelopmentView::new(story, story_count)).collect(),
    };
    Ok(page.render()?)
}

impl StorylinePage<'_> {
    fn stories(&self) -> String {
        count_of(self.story_count as usize, "story", "stories")
    }

    fn outlets(&self) -> String {
        count_of(self.storyline.outlet_count(), "outlet", "outlets")
    }

    /// Returns the number of older stories that the page omits.
    fn omitted(&self) -> usize {
        (self.story_count as usize).saturating_sub(self.developments.len())
    }
}
