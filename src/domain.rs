//! The words of newsfold as types: what is polled, kept, grouped and published. No I/O, no clock, no policy.
//!
//! Two vocabularies stay apart: `Parsed*` (in [`crate::feed_parser`]) is what a document said; the types here are what we keep.

mod decision;
pub mod duration;
mod edition;
mod event;
mod feed;
mod hub_subscriber;
mod hub_subscription;
mod id;
mod item;
mod poll;
mod problem;
mod source;
mod story;
pub mod text;
mod wishes;

pub use decision::{ConstraintKind, GroupingConstraint};
pub use edition::{Edition, EditionReason, EditionReport, EditionText, FeedEntry, FeedVariant};
pub use event::{OperatorEvent, OperatorEventKind, RecordedEvent};
pub use feed::{FeedOrder, FeedSelection, PublishedFeed, StoryPublication};
pub use hub_subscriber::{HubNotification, HubSubscriber, SubscriberRequest};
pub use hub_subscription::{DeclaredHub, HubMode, HubSubscription, SubscriptionState};
pub use id::{BadStoryId, ConstraintId, ItemId, PollId, SourceId, StoryId, SubscriberId};
pub use item::{ArticleText, IngestResult, Item, ItemChange, MatchedBy, NewItem};
pub use jiff::Timestamp;
pub use poll::{OriginHold, PollRecord, RequestRecord};
pub use problem::{FeedProblem, ProblemKind};
pub use source::{
    CacheValidators, DueSource, FullTextMode, NewSource, OutletFrom, PendingRedirect, PollOutcome, Source, SourceEdit,
    SourceState,
};
pub use story::{
    CreatedStory, ItemMove, JoinEvidence, JoinReason, Story, StoryAssignment, StoryItem, StoryPlacement,
    StoryRegrouping,
};
pub use wishes::{PollingHints, weekday};
