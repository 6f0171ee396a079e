//! The words of newsfold as types: what is polled, kept, grouped and published. No I/O, no clock, no policy.
//!
//! Two vocabularies stay apart: `Parsed*` (in [`crate::parse`]) is what a document said; the types here are what we keep.

mod decision;
pub mod duration;
mod feed;
mod id;
mod item;
mod problem;
mod source;
mod story;
mod subscription;
pub mod text;

pub use decision::{Decision, DecisionKind};
pub use feed::{FeedSelection, Published, PublishedFeed};
pub use id::{BadStoryId, DecisionId, ItemId, PollId, SourceId, StoryId};
pub use item::{Item, ItemChange, NewItem, Stored};
pub use jiff::Timestamp;
pub use problem::{Problem, ProblemKind};
pub use source::{Due, NewSource, Outcome, OutletFrom, PollRecord, Source, SourceEdit, SourceState, Validators};
pub use story::{Assignment, Evidence, Founded, Moved, Placement, Reason, Regrouped, Story, StoryItem};
pub use subscription::{HubDeclared, HubMode, Subscription, SubscriptionState};
