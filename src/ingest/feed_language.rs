//! The language of a feed: the declared language, or else the language that is detected from its items.

use crate::domain::NewItem;
use crate::domain::language::language_code;
use crate::feed_parser::ParsedFeed;

/// The maximum and minimum lengths of the sample for detection. One headline is too short, but a whole feed suffices.
const MAX_SAMPLE_BYTES: usize = 20_000;
const MIN_SAMPLE_BYTES: usize = 200;

/// Returns the ISO 639 code of a feed's language; `None` if none is declared and detection is not reliable.
pub fn detect_feed_language(feed: &ParsedFeed, items: &[NewItem]) -> Option<String> {
    if let Some(declared) = feed.lang.as_deref().and_then(language_code) {
        return Some(declared.to_owned());
    }
    let mut sample = String::new();
    for item in items {
        sample.push_str(&format!("{}. {} ", item.title, item.summary));
        if sample.len() > MAX_SAMPLE_BYTES {
            break;
        }
    }
    let detected = whatlang::detect(&sample)?;
    if !detected.is_reliable() || sample.len() < MIN_SAMPLE_BYTES {
        return None;
    }
    language_code(detected.lang().code()).map(str::to_owned)
}
