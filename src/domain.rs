//! The domain types of newsfold: the things that it polls, stores, groups and publishes, and rules that several modules
//! apply to them. Nothing here performs I/O or reads a clock.
//!
//! Types named `Parsed*` (in [`crate::feed_parser`]) hold the contents of a document. The types in this module hold
//! stored data.

mod constraint;
pub mod display_text;
pub mod doubling_delay;
pub mod duration;
mod edition;
mod embedding;
mod feed_filters;
mod feed_problem;
pub mod full_text_rules;
mod grouping_text;
mod hub_subscriber;
mod hub_subscription;
mod ids;
mod item;
pub mod item_date;
mod item_filter;
pub mod language;
mod next_poll_reason;
mod operator_event;
mod origin_hold;
pub mod panic_text;
mod poll;
mod polling_hints;
mod published_feed;
mod rate_limit_key;
mod request_settings;
mod source;
mod story;
mod story_rank;
mod storyline;
mod storyline_evidence;
pub mod volatile_text;
pub mod writing_systems;

pub use constraint::{ConstraintKind, GroupingConstraint};
pub use edition::{
    Development, Edition, EditionReason, EditionReport, EditionText, EditionTimes, EntryVariants, FeedCandidate,
    FeedEntry, FeedVariant, StorylineEntry,
};
pub use embedding::{Embedding, MAX_DIMENSIONS};
pub use feed_filters::FeedFilters;
pub use feed_problem::{FeedProblem, ProblemKind};
pub use hub_subscriber::{HubNotification, HubSubscriber, RateLimitCounts, RequestCounts, SubscriberRequest};
pub use hub_subscription::{
    DeclaredHub, DisabledReason, HubEvent, HubMode, HubSubscription, SignatureError, SubscriptionState, WebSubFailure,
};
pub use ids::{ConstraintId, InvalidPublicId, ItemId, SourceId, StoryId, StorylineId, SubscriberId};
pub use item::{ArticleText, BacklogReason, Enclosure, IngestResult, Item, ItemChange, MatchedBy, NewItem, Reporter};
pub use item_filter::{CompiledFilter, FilteredItem, ItemFilter};
pub use jiff::Timestamp;
pub use next_poll_reason::{DelayCause, NextPollReason, RateLimit};
pub use operator_event::{OperatorEvent, OperatorEventKind, RecordedEvent};
pub use origin_hold::{HoldReason, HoldScope, OriginHold, ShortenedDelay};
pub use poll::{FeedMetadata, PollCounts, PollRecord, RequestRecord, SourceUpdate};
pub use polling_hints::{PollingHints, parse_weekday};
pub use published_feed::{FeedFold, FeedOrder, FeedSelection, PublishedFeed};
pub use rate_limit_key::rate_limit_key;
pub use request_settings::{RequestSettings, Secret};
pub use source::{
    CacheValidators, DueSource, FullTextMode, NewSource, OutletProvenance, PendingRedirect, PollOutcome, Source,
    SourceEdit, SourceState, TruncatedEnd,
};
pub use story::{
    AssignedItem, CreatedStory, ItemMove, JoinEvidence, JoinReason, PublishedStory, Story, StoryAssignment, StoryItem,
    StoryMerge, StoryPlacement, StoryRegrouping,
};
pub use story_rank::{OutletActivity, StoryActivity, StoryRank};
pub use storyline::{
    CreatedStoryline, StoryMove, Storyline, StorylineMember, StorylineMerge, StorylineRegrouping, TermFrequency,
};
pub use storyline_evidence::{StorylineEvidence, UnusualTerm};
