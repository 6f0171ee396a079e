//! Recognizes invitations to follow, support or subscribe to an outlet.
//!
//! An invitation starts with an imperative that concerns the outlet ("Follow us", "Subscribe to our newsletter") or a
//! name on a platform ("Follow Harbour Ledger on Mastodon"). A short clause may precede it: "For more news, follow us".
//! A line that reports a statement is not an invitation.

mod app;
mod follow;
mod last_imperative;
mod lead_in;
mod news_on_platform;
mod outlet_imperative;
mod shared_words;
mod subscription;

use self::app::is_app_line;
use self::follow::is_follow_line;
use self::last_imperative::is_last_imperative;
use self::lead_in::imperatives;
use self::news_on_platform::is_news_on_platform;
use self::outlet_imperative::concerns_outlet;
pub use self::outlet_imperative::is_short_invitation;
use self::subscription::is_subscription;
use super::buttons::{ButtonLine, button_line};
use super::words::has_attribution;

const MAX_SUBSCRIPTION_WORDS: usize = 35;
const MAX_INVITATION_WORDS: usize = 30;
const MAX_LINE_BYTES: usize = 1_000;

/// Returns whether a line invites readers to follow, support or subscribe to an outlet.
pub fn is_invitation(line: &str) -> bool {
    let words = line.split_whitespace().count();
    // A headline may ask whether to follow a person.
    if line.len() > MAX_LINE_BYTES
        || line.ends_with('?')
        || words > MAX_SUBSCRIPTION_WORDS
        || line.contains(['"', '“', '„', '«'])
    {
        return false;
    }
    let lower = line.to_lowercase();
    let invites = is_last_imperative(line, &lower)
        || is_news_on_platform(&lower)
        || is_app_line(&lower)
        || imperatives(line).any(|part| {
            let lower = part.to_lowercase();
            // "If you enjoyed this article, please share it" is an appeal. "Share it" may be a heading.
            let is_share_appeal = || part.len() < line.len() && is_share_line(part);
            is_subscription(&lower)
                || is_share_appeal()
                || (words <= MAX_INVITATION_WORDS && (is_follow_line(part) || concerns_outlet(&lower)))
        });
    // Few lines are invitations, so the search for an attribution, which reads every word, comes last.
    invites && !has_attribution(&lower)
}

/// Returns whether the text asks readers to share it: "share it with your friends".
fn is_share_line(text: &str) -> bool {
    matches!(button_line(text.trim_end_matches(['.', '!'])), Some(ButtonLine::Action | ButtonLine::ActionOnPlatform))
}

#[cfg(test)]
mod tests;
