//! Describes the failure of a poll and the repairs of its document.

use super::{Audience, TimedText};
use crate::domain::display_text::one_line;
use crate::domain::{FeedProblem, PollOutcome, Timestamp};

/// The maximum number of displayed characters of a problem's example.
const MAX_EXAMPLE_CHARS: usize = 60;

/// Lists the failure first, then the repairs: `bad-date ×3: 32 March`.
pub fn poll_remarks(failure: TimedText, problems: &[FeedProblem], audience: Audience<'_>) -> Vec<TimedText> {
    let repairs = problems.iter().map(|problem| {
        let count = if problem.count > 1 { format!(" ×{}", problem.count) } else { String::new() };
        let example = one_line(&audience.remark(&problem.detail), MAX_EXAMPLE_CHARS);
        let colon = if example.is_empty() { "" } else { ": " };
        format!("{}{count}{colon}{example}", problem.kind.into_str()).into()
    });
    std::iter::once(failure).filter(|failure| !failure.is_empty()).chain(repairs).collect()
}

/// Describes the error of a poll, and the time to which it refers. The public does not see addresses of the internal
/// network.
pub fn poll_error(outcome: PollOutcome, error: &str, time: Option<Timestamp>, audience: Audience<'_>) -> TimedText {
    let error = match (audience, outcome) {
        _ if error.is_empty() => String::new(),
        (Audience::Public(_), PollOutcome::PrivateAddress) => "its address is not public".into(),
        _ => audience.remark(error),
    };
    match (outcome, time) {
        (PollOutcome::Offline, Some(since)) => {
            TimedText::from("no server has been reachable since ").time(since).words(format!(": {error}"))
        }
        (PollOutcome::Held, Some(until)) => TimedText::from(error).words(" until ").time(until),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_inside_our_network_is_not_shown_to_the_public() {
        let error = "db.internal resolves only to addresses that are not public (10.0.0.7)";
        let described = |audience| poll_error(PollOutcome::PrivateAddress, error, None, audience);
        assert_eq!(described(Audience::PUBLIC), "its address is not public".into());
        assert_eq!(described(Audience::Operator), error.into());
    }
}
