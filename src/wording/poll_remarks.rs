//! The failure of a poll and the repairs of its document, in words.

use super::Audience;
use crate::domain::display_text::one_line;
use crate::domain::{FeedProblem, PollOutcome};

/// The maximum number of displayed characters of a problem's example.
const MAX_EXAMPLE_CHARS: usize = 60;

/// Lists the failure first, then the repairs: `bad-date ×3: 32 March`.
pub fn poll_remarks(
    outcome: PollOutcome,
    detail: &str,
    problems: &[FeedProblem],
    audience: Audience<'_>,
) -> Vec<String> {
    let failure = Some(audience.poll_error(outcome, detail)).filter(|failure| !failure.is_empty());
    let repairs = problems.iter().map(|problem| {
        let count = if problem.count > 1 { format!(" ×{}", problem.count) } else { String::new() };
        let example = one_line(&audience.remark(&problem.detail), MAX_EXAMPLE_CHARS);
        let colon = if example.is_empty() { "" } else { ": " };
        format!("{}{count}{colon}{example}", problem.kind.into_str())
    });
    failure.into_iter().chain(repairs).collect()
}
