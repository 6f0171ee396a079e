//! Describes the reason for a hold.

use super::{duration, websub_failure};
use crate::domain::{HoldReason, ShortenedDelay};
use jiff::SignedDuration;

/// Describes why newsfold sends no requests to an origin for a time.
pub fn hold_reason_text(reason: &HoldReason) -> String {
    match reason {
        HoldReason::Throttled { shortened } => {
            format!("the server asked newsfold to retry later{}", shortened_text(*shortened))
        }
        HoldReason::Refused { shortened } => {
            format!("the server refused the request (403){}", shortened_text(*shortened))
        }
        HoldReason::Challenged { service, shortened } => format!(
            "{service} responded with a bot challenge, which newsfold never solves; ask the publisher to allow feed \
             readers{}",
            shortened_text(*shortened)
        ),
        HoldReason::ArticleThrottled => {
            "while newsfold was fetching an article, the server asked it to retry later".into()
        }
        HoldReason::NewSourceThrottled => {
            "while a source was being added, the server asked newsfold to retry later".into()
        }
        HoldReason::HubThrottled { failure } => {
            format!("the server throttled a WebSub request: {}", websub_failure(failure))
        }
    }
}

fn shortened_text(shortened: Option<ShortenedDelay>) -> String {
    shortened.map_or_else(String::new, |delay| {
        let (requested, kept) = (delay.requested_seconds, delay.kept_seconds);
        let [requested, kept] = [requested, kept].map(|seconds| duration(SignedDuration::from_secs(seconds)));
        format!("; the requested delay of {requested} exceeds poll.max_retry_after, so newsfold retries after {kept}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortened_delay_is_part_of_the_reason() {
        let shortened = Some(ShortenedDelay { requested_seconds: 30 * 86_400, kept_seconds: 7 * 86_400 });
        assert_eq!(
            hold_reason_text(&HoldReason::Throttled { shortened }),
            "the server asked newsfold to retry later; the requested delay of 30 d exceeds poll.max_retry_after, so \
             newsfold retries after 7 d"
        );
        assert_eq!(hold_reason_text(&HoldReason::Refused { shortened: None }), "the server refused the request (403)");
    }
}
