//! Publishing: which stories appear in feeds, when they appear, and how they are rendered.
//!
//! All functions are pure: the same stories produce the same bytes on every machine at any time. Nothing in this module
//! reads the clock, and no document contains a value that changes over time, such as an age or a counter.

mod edition_policy;
mod edition_text;
mod entry_language;
mod feed_format;
mod feed_membership;
mod feed_order;
mod first_publication;
mod folding;
mod front_page;
mod health_feed;
mod lead_choice;
mod mute_rules;
mod options;
mod render;
mod webhook_message;

pub use edition_policy::{EditionReview, EditionStep, edition_on_entering, next_edition};
pub use edition_text::compose_edition;
pub use entry_language::{
    LanguageEdition, LanguageState, development_of, edition_in_language, entry_language, with_titles_of,
};
pub use feed_format::FeedFormat;
pub use feed_membership::{MembershipCondition, QueryMatches, StoryFacts, membership_conditions};
pub use feed_order::arrange_entries;
pub use first_publication::{PublicationCutoff, first_publication, probation_until};
pub use folding::{EnteredFeed, EnteringStory, FoldingPolicy, PublishedStoryline};
pub use front_page::{FrontPageStories, TopStoryline, arrange_front_page};
pub use health_feed::render_health_feed;
pub use lead_choice::{LeadPreferences, choose_lead};
pub use options::{FeedOptions, HEALTH_FEED_NAME, Options, SectionOptions};
pub use render::document::{DocumentPage, FeedDocument, FeedPart};
pub use render::render;
pub use render::value_format::strip_invalid_chars;
pub use webhook_message::{WebhookMessage, WebhookOptions, webhook_message};

#[cfg(test)]
mod tests;
