//! The reason for a hold, in words.

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
            "{service} answered with a bot challenge, which newsfold never solves; ask the publisher to allow feed \
             readers{}",
            shortened_text(*shortened)
        ),
        HoldReason::ArticleThrottled => "the server asked newsfold to retry later when an article was fetched".into(),
        HoldReason::NewSourceThrottled => {
            "the server asked newsfold to retry later when a source was being added".into()
        }
        HoldReason::HubThrottled { failure } => format!("as a WebSub hub: {}", websub_failure(failure)),
    }
}

fn shortened_text(shortened: Option<ShortenedDelay>) -> String {
    shortened.map_or_else(String::new, |delay| {
        let (requested, kept) = (delay.requested_seconds, delay.kept_seconds);
        let [requested, kept] = [requested, kept].map(|seconds| duration(SignedDuration::from_secs(seconds)));
        format!(", after {requested}; newsfold retries after {kept} (poll.max_retry_after)")
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
            "the server asked newsfold to retry later, after 30 d; newsfold retries after 7 d (poll.max_retry_after)"
        );
        assert_eq!(hold_reason_text(&HoldReason::Refused { shortened: None }), "the server refused the request (403)");
    }
}
