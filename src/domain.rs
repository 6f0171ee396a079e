//! The words of newsfold as types: what is polled, kept, grouped and published. No I/O, no clock, no policy.
//!
//! Two vocabularies stay apart: `Parsed*` (in [`crate::feed_parser`]) is what a document said; the types here are what we keep.

mod decision;
pub mod duration;
mod edition;
mod event;
mod feed;
mod id;
mod item;
mod poll;
mod problem;
mod source;
mod story;
mod subscriber;
mod subscription;
pub mod text;
mod wishes;

pub use decision::{Decision, DecisionKind};
pub use edition::{Cause, Edition, EditionText, FeedEntry, Report, Variant};
pub use event::{Event, EventKind, PastEvent};
pub use feed::{FeedSelection, Order, Published, PublishedFeed};
pub use id::{BadStoryId, DecisionId, ItemId, PollId, SourceId, StoryId, SubscriberId};
pub use item::{Article, Item, ItemChange, NewItem, Rule, Stored};
pub use jiff::Timestamp;
pub use poll::{OriginHold, PollRecord, Request};
pub use problem::{Problem, ProblemKind};
pub use source::{Due, FullText, Moving, NewSource, Outcome, OutletFrom, Source, SourceEdit, SourceState, Validators};
pub use story::{Assignment, Evidence, Founded, Moved, Placement, Reason, Regrouped, Story, StoryItem};
pub use subscriber::{Ping, Subscriber, SubscriberRequest};
pub use subscription::{HubDeclared, HubMode, Subscription, SubscriptionState};
pub use wishes::{Wishes, weekday};
