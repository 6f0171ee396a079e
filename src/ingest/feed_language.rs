//! The language of a feed.

use crate::domain::NewItem;
use crate::feed_parser::ParsedFeed;

/// The language of a feed: what it declares, else what all its headlines together are written in.
///
/// One headline is too short to tell (DESIGN.md, known traps), a feed's worth of them is not.
pub fn detect_feed_language(feed: &ParsedFeed, items: &[NewItem]) -> Option<String> {
    if let Some(declared) = feed.lang.as_deref().and_then(primary_subtag) {
        return Some(declared);
    }
    let mut sample = String::new();
    for item in items {
        sample.push_str(&item.title);
        sample.push_str(". ");
        sample.push_str(&item.summary);
        sample.push(' ');
        if sample.len() > 20_000 {
            break;
        }
    }
    let guess = whatlang::detect(&sample).filter(|guess| guess.is_reliable() && sample.len() >= 200)?;
    two_letters(guess.lang()).map(str::to_owned)
}

/// The primary subtag of a BCP 47 tag in lower case: `en` of `en-GB`.
pub(super) fn primary_subtag(tag: &str) -> Option<String> {
    let primary = tag.trim().split(['-', '_']).next()?.to_ascii_lowercase();
    let plausible = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase());
    // Codes that were withdrawn and are still written (ISO 639-2/RA, code changes).
    let primary = match primary.as_str() {
        "iw" => "he".into(),
        "in" => "id".into(),
        "ji" => "yi".into(),
        "jw" => "jv".into(),
        "mo" => "ro".into(),
        "sh" => "sr".into(),
        _ => primary,
    };
    plausible.then_some(primary)
}

/// The ISO 639-1 code of a language that whatlang knows by its ISO 639-3 code.
fn two_letters(lang: whatlang::Lang) -> Option<&'static str> {
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
