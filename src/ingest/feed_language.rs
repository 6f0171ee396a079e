//! The language of a feed: the declared one, else the language in which its items are written.

use crate::domain::NewItem;
use crate::feed_parser::ParsedFeed;

/// Detection reads this much text at most, and needs this much. One headline is too short, those of a whole feed are not.
const MAX_SAMPLE_BYTES: usize = 20_000;
const MIN_SAMPLE_BYTES: usize = 200;

/// The language of a feed as an ISO 639 code; `None` if it declares none and detection is not reliable.
pub fn detect_feed_language(feed: &ParsedFeed, items: &[NewItem]) -> Option<String> {
    if let Some(declared) = feed.lang.as_deref().and_then(primary_subtag) {
        return Some(declared);
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
    two_letter_code(detected.lang()).map(str::to_owned)
}

/// The primary subtag of a BCP 47 language tag in lower case: `en` for `en-GB`.
pub(super) fn primary_subtag(tag: &str) -> Option<String> {
    let primary = tag.trim().split(['-', '_']).next()?.to_ascii_lowercase();
    let is_plausible = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase());
    // Withdrawn codes that are still in use (ISO 639-2/RA, code changes).
    let primary = match primary.as_str() {
        "iw" => "he".into(),
        "in" => "id".into(),
        "ji" => "yi".into(),
        "jw" => "jv".into(),
        "mo" => "ro".into(),
        "sh" => "sr".into(),
        _ => primary,
    };
    is_plausible.then_some(primary)
}

/// The ISO 639-1 code of a language.
fn two_letter_code(lang: whatlang::Lang) -> Option<&'static str> {
    use whatlang::Lang::*;
    Some(match lang {
        Eng => "en",
        Deu => "de",
        Fra => "fr",
        Spa => "es",
        Por => "pt",
        Ita => "it",
        Nld => "nl",
        Rus => "ru",
        Pol => "pl",
        Ukr => "uk",
        Swe => "sv",
        Dan => "da",
        Nob => "nb",
        Fin => "fi",
        Hun => "hu",
        Ron => "ro",
        Ces => "cs",
        Tur => "tr",
        Ell => "el",
        Ara => "ar",
        Heb => "he",
        Hin => "hi",
        Cmn => "zh",
        Jpn => "ja",
        Kor => "ko",
        Tha => "th",
        Vie => "vi",
        Ind => "id",
        _ => return None,
    })
}
