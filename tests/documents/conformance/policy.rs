//! Which of feedparser's expectations are left out of the count, and why. Each rule is of a cause, never of a file.

use super::checks::{Check, Class};
use serde_json::Value;

/// The reason for which a check is left out; none if it counts.
pub fn exclusion(check: &Check, class: Class, document: &[u8], header: bool) -> Option<&'static str> {
    let path = check.general();
    let text = String::from_utf8_lossy(document);
    let last = path.rsplit('.').next().unwrap_or_default();
    match class {
        Class::Author if matches!(last, "email" | "url") => Some(
            "a person's address and home page: newsfold keeps a byline, and personal data only where it needs them",
        ),
        Class::Language
            if path.ends_with(".language") && path.matches('.').count() > 2 - usize::from(path.starts_with("feed")) =>
        {
            let blank = check.value == Value::Null;
            let own = text.matches("xml:lang").count() > 1;
            match () {
                () if header => Some("HTTP's Content-Language says whom a page is for, not what it is written in"),
                () if blank => Some("a language that is taken back: newsfold's item is then of its feed's language"),
                () if own && path.starts_with("feed") => {
                    Some("the language of one element of the feed: newsfold keeps one, the feed's")
                }
                () => None,
            }
        }
        Class::Link if path.contains("links") && !text.contains("alternate") && text.contains("rel=\"license\"") => {
            Some("the address of a licence: newsfold keeps the article's")
        }
        _ => None,
    }
}
