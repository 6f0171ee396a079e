//! The rules that exclude expectations of feedparser from the count. Each rule describes a cause, never a file.

use super::checks::{CheckClass, ExpectedValue};
use serde_json::Value;

/// Returns the reason why a check is excluded; `None` if it counts.
pub fn exclusion(check: &ExpectedValue, class: CheckClass, document: &[u8], header: bool) -> Option<&'static str> {
    let path = check.general_path();
    let text = String::from_utf8_lossy(document);
    let last = path.rsplit('.').next().unwrap_or_default();
    match class {
        CheckClass::Author if matches!(last, "email" | "url") => Some(
            "a person's address and home page: newsfold keeps a byline, and stores personal data only where it needs it",
        ),
        CheckClass::Language
            if path.ends_with(".language") && path.matches('.').count() > 2 - usize::from(path.starts_with("feed")) =>
        {
            let blank = check.value == Value::Null;
            let own = text.matches("xml:lang").count() > 1;
            match () {
                () if header => {
                    Some("HTTP's Content-Language gives the intended audience, not the language of the text")
                }
                () if blank => Some("a revoked language: the item then has the language of its feed"),
                () if own && path.starts_with("feed") => {
                    Some("the language of one element of the feed: newsfold keeps one language for the feed")
                }
                () => None,
            }
        }
        CheckClass::Link
            if path.contains("links") && !text.contains("alternate") && text.contains("rel=\"license\"") =>
        {
            Some("the URL of a license: newsfold keeps that of the article")
        }
        _ => None,
    }
}
