//! Times, counts and strangers' remarks as the pages show them.
//!
//! No page carries an age, which would be wrong a minute later. What polls recorded may hold addresses that are secret; here
//! they lose what makes them so.

use crate::domain::text::{one_line, public_address};
use crate::domain::{Item, Timestamp};
use jiff::SignedDuration;

/// A time for people, in UTC.
pub(super) fn time(at: &Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// A time for machines (RFC 3339).
pub(super) fn machine_time(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A day in full.
pub(super) fn day(at: &Timestamp) -> String {
    at.strftime("%A, %-d %B %Y").to_string()
}

/// A time of a day that was named already.
pub(super) fn time_on(at: &Timestamp, named: &Timestamp) -> String {
    if day(at) == day(named) { at.strftime("%H:%M UTC").to_string() } else { time(at) }
}

/// `1 outlet`, `3 outlets`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{} {many}", number(&(count as u64))) }
}

/// A number with its thousands apart.
pub(super) fn number(number: &u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            // A narrow space that does not break.
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A span of time in its two largest units: `2 h 10 min`.
pub(super) fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    match seconds {
        0 => format!("{} ms", span.as_millis().max(0)),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => with_rest(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => with_rest(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

fn with_rest(large: i64, unit: &str, small: i64, smaller: &str) -> String {
    if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {smaller}") }
}

/// A link that may stand in a page.
pub(super) fn link(url: Option<&str>) -> Option<&str> {
    url.filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

/// What was recorded of a request, for everybody to see: addresses have neither credentials nor a query, and where a name
/// leads inside our network is not told.
pub(super) fn public(text: &str) -> String {
    if text.contains("not public") || text.contains("not a public") {
        return "its address is not public".into();
    }
    one_line(&text.split_whitespace().map(public_word).collect::<Vec<_>>().join(" "), 500)
}

fn public_word(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let start = ["http://", "https://"].iter().filter_map(|scheme| lower.find(scheme)).min().unwrap_or(0);
    let (before, address) = word.split_at(start);
    let bare = address.trim_end_matches([')', ']', '>', ',', ';', ':', '.', '"', '\'', '’', '”']);
    let after = &address[bare.len()..];
    let mut shown = public_address(bare);
    // Addresses that nobody can read may hold secrets, too.
    if let Some((path, _)) = shown.split_once('?').filter(|(_, query)| query.contains('=')) {
        shown = path.to_owned();
    }
    if let Some((credentials, rest)) = shown.rsplit_once('@').filter(|(credentials, _)| credentials.contains(':')) {
        let scheme = credentials.find("://").map_or("", |end| &credentials[..end + 3]);
        shown = format!("{scheme}{rest}");
    }
    format!("{before}{shown}{after}")
}

/// The language of an item for the attribute `lang`, where it is one that is known to be one.
pub(super) fn lang(item: &Item) -> Option<&str> {
    item.lang.as_deref().filter(|code| language(code).is_some())
}

/// The English name of a language.
pub(super) fn language(code: &str) -> Option<&'static str> {
    LANGUAGES.binary_search_by_key(&code, |(code, _)| code).ok().map(|place| LANGUAGES[place].1)
}

const LANGUAGES: [(&str, &str); 76] = [
    ("af", "Afrikaans"),
    ("am", "Amharic"),
    ("ar", "Arabic"),
    ("az", "Azerbaijani"),
    ("be", "Belarusian"),
    ("bg", "Bulgarian"),
    ("bn", "Bengali"),
    ("bs", "Bosnian"),
    ("ca", "Catalan"),
    ("cs", "Czech"),
    ("cy", "Welsh"),
    ("da", "Danish"),
    ("de", "German"),
    ("el", "Greek"),
    ("en", "English"),
    ("eo", "Esperanto"),
    ("es", "Spanish"),
    ("et", "Estonian"),
    ("eu", "Basque"),
    ("fa", "Persian"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("ga", "Irish"),
    ("gl", "Galician"),
    ("gu", "Gujarati"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hr", "Croatian"),
    ("hu", "Hungarian"),
    ("hy", "Armenian"),
    ("id", "Indonesian"),
    ("is", "Icelandic"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("jv", "Javanese"),
    ("ka", "Georgian"),
    ("kk", "Kazakh"),
    ("km", "Khmer"),
    ("kn", "Kannada"),
    ("ko", "Korean"),
    ("la", "Latin"),
    ("lt", "Lithuanian"),
    ("lv", "Latvian"),
    ("mk", "Macedonian"),
    ("ml", "Malayalam"),
    ("mr", "Marathi"),
    ("ms", "Malay"),
    ("my", "Burmese"),
    ("nb", "Norwegian Bokmål"),
    ("ne", "Nepali"),
    ("nl", "Dutch"),
    ("nn", "Norwegian Nynorsk"),
    ("no", "Norwegian"),
    ("pa", "Punjabi"),
    ("pl", "Polish"),
    ("ps", "Pashto"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("si", "Sinhala"),
    ("sk", "Slovak"),
    ("sl", "Slovenian"),
    ("sq", "Albanian"),
    ("sr", "Serbian"),
    ("sv", "Swedish"),
    ("sw", "Swahili"),
    ("ta", "Tamil"),
    ("te", "Telugu"),
    ("th", "Thai"),
    ("tl", "Tagalog"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("uz", "Uzbek"),
    ("vi", "Vietnamese"),
    ("zh", "Chinese"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_in_an_address_is_not_shown() {
        for (said, shown) in [
            ("the server answered 500", "the server answered 500"),
            ("to https://ann:secret@a.example/feed?token=1, twice", "to https://a.example/feed, twice"),
            ("(HTTPS://A.example/?key=secret)", "(https://a.example/)"),
            ("a bad link ‘//b:secret@d/?x=1’", "a bad link d/’"),
            ("ann:secret@host is down", "host is down"),
            ("/feed?token=secret is gone", "/feed is gone"),
            ("why? nobody knows", "why? nobody knows"),
            ("db.internal has the address 10.0.0.7, which is not public", "its address is not public"),
            ("a \u{202e}b\u{1b}[31m", "a b[31m"),
        ] {
            assert!(!public(said).contains("secret"), "{}", public(said));
            assert_eq!(public(said), shown);
        }
    }

    #[test]
    fn spans_and_numbers_are_easy_to_read() {
        for (seconds, shown) in
            [(5, "5 s"), (90, "1 min"), (7800, "2 h 10 min"), (7200, "2 h"), (180_000, "2 d 2 h"), (-5, "0 ms")]
        {
            assert_eq!(span(SignedDuration::from_secs(seconds)), shown);
        }
        assert_eq!(number(&1_234_567).replace('\u{202f}', " "), "1 234 567");
        assert_eq!((counted(1, "outlet", "outlets"), counted(0, "a", "as")), ("1 outlet".into(), "0 as".into()));
    }

    #[test]
    fn languages_are_in_order() {
        assert!(LANGUAGES.is_sorted_by_key(|(code, _)| code));
        assert_eq!((language("de"), language("xx")), (Some("German"), None));
    }
}
