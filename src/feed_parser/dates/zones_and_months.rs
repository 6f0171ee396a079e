//! Tables of the words in dates: time zones and months. They follow the usage of feeds, not a locale.

use jiff::tz::{Offset, TimeZone};

/// A time zone by abbreviation or IANA name. An ambiguous abbreviation has the meaning that news feeds use: `ist` is
/// India, `cst` America.
pub fn named_zone(word: &str) -> Option<TimeZone> {
    let quarter_hours = match word {
        "z" | "ut" | "utc" | "gmt" | "wet" | "uct" => 0,
        "bst" | "cet" | "met" | "mez" | "west" | "wat" => 4,
        "cest" | "mest" | "mesz" | "eet" | "sast" | "cat" => 8,
        "eest" | "msk" | "мск" | "eat" | "trt" => 12,
        "msd" | "gst" => 16,
        "irst" => 14,
        "pkt" | "uzt" => 20,
        "ist" => 22,
        "npt" => 23,
        "bdt" => 24,
        "wib" | "ict" => 28,
        "hkt" | "sgt" | "pht" | "phst" | "awst" | "wita" | "myt" => 32,
        "jst" | "kst" | "wit" => 36,
        "acst" => 38,
        "aest" => 40,
        "acdt" => 42,
        "aedt" => 44,
        "nzst" => 48,
        "nzdt" => 52,
        "art" | "brt" | "adt" | "uyt" => -12,
        "nst" => -14,
        "ndt" => -10,
        "at" | "ast" | "edt" | "clt" | "bot" | "vet" => -16,
        "et" | "est" | "cdt" | "pet" | "cot" => -20,
        "ct" | "cst" | "mdt" => -24,
        "mt" | "mst" | "pdt" => -28,
        "pt" | "pst" | "akdt" => -32,
        "akst" => -36,
        "hst" => -40,
        _ if word.contains('/') => return TimeZone::get(word).ok(),
        _ => return None,
    };
    Some(Offset::from_seconds(quarter_hours * 15 * 60).ok()?.to_time_zone())
}

/// Prefixes of the names of each month in English, German, French, Spanish, Portuguese, Italian, Dutch, Russian, Polish,
/// Greek and Hungarian.
const MONTH_PREFIXES: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen", "янв", "sty", "ιαν"],
    &["feb", "fév", "fev", "фев", "lut", "φεβ", "φεύ"],
    &["mar", "mär", "mrz", "maa", "mrt", "мар", "μαρ", "μάρ", "már"],
    &["apr", "avr", "abr", "апр", "kwi", "απρ", "ápr"],
    &["may", "mai", "mei", "mag", "май", "мая", "maj", "μαι", "μάι", "μαϊ", "máj"],
    &["jun", "juin", "giu", "июн", "cze", "ιουν", "ιούν", "jún"],
    &["jul", "juil", "lug", "июл", "lip", "ιουλ", "ιούλ", "júl"],
    &["aug", "aoû", "aou", "ago", "авг", "sie", "αυγ", "αύγ"],
    &["sep", "set", "сен", "wrz", "σεπ", "szept"],
    &["oct", "okt", "out", "ott", "окт", "paź", "paz", "οκτ"],
    &["nov", "ноя", "lis", "νοε", "νοέ"],
    &["dec", "dez", "déc", "dic", "дек", "gru", "δεκ"],
];

pub fn parse_month(word: &str) -> Option<i8> {
    // Weekdays that start like a month.
    if matches!(word, "mardi" | "martes" | "martedì" | "maandag") {
        return None;
    }
    let at = MONTH_PREFIXES.iter().position(|names| names.iter().any(|name| word.starts_with(name)))?;
    i8::try_from(at + 1).ok()
}
