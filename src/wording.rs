//! Human-readable descriptions of domain facts. The command line and the pages use the same words.
//!
//! The functions are pure: they read neither the database nor the clock. No program logic reads their output.

mod audience;
mod backlog;
mod constraint;
mod display_zone;
mod feed_selection;
mod hold_reason;
mod hub_status;
mod join_evidence;
mod next_poll;
mod operator_event;
mod poll_remarks;
mod quantities;
mod source_status;
mod source_facts;
mod storyline_evidence;
mod timed_text;

pub use audience::Audience;
pub use backlog::{backlog_count_text, backlog_text, probation_text};
pub use constraint::constraint_text;
pub use display_zone::DisplayZone;
pub use feed_selection::{selected_stories, selection_text};
pub use hold_reason::hold_reason_text;
pub use hub_status::{disabled_reason, hub_status, websub_failure};
pub use join_evidence::{ReasonTarget, ReasonText, join_reasons, main_reason, reason_sentence};
pub use next_poll::{next_poll_text, unusual_poll_text};
pub use operator_event::{event_detail, event_phrase};
pub use poll_remarks::{poll_error, poll_remarks};
pub use quantities::{byte_size, count_of, duration, grouped_digits};
pub use source_facts::{SourceContext, request_facts, source_facts};
pub use source_status::{SourceStatus, last_error, poll_state_text};
pub use storyline_evidence::{storyline_reason, term_rate_text};
pub use timed_text::TimedText;
