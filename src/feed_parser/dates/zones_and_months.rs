//! Tables of words in dates: time zones and months. They reflect the usage in feeds rather than a locale.

use jiff::tz::{Offset, TimeZone};

/// Returns a time zone by abbreviation or IANA name. An ambiguous abbreviation has the meaning that is common in news
/// feeds: `ist` is the time of India, and `cst` is the time of central North America.
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

/// Languages in which a short name means a different month than in other languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MonthNames {
    #[default]
    Common,
    /// `mar` is `marraskuu`, November.
    Finnish,
    /// `lip`, `srp` and `lis` are June, July and October.
    Croatian,
}

impl MonthNames {
    /// Returns the month names of a language (BCP 47).
    pub fn of_language(tag: &str) -> Self {
        match tag.split(['-', '_']).next().unwrap_or_default() {
            primary if primary.eq_ignore_ascii_case("fi") => MonthNames::Finnish,
            primary if primary.eq_ignore_ascii_case("hr") => MonthNames::Croatian,
            _ => MonthNames::Common,
        }
    }
}

/// Prefixes of the names of each month, including inflected forms. The longest matching prefix is used: `červenec` is
/// July, and `červen` is June.
#[rustfmt::skip]
const MONTH_PREFIXES: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen", "янв", "sty", "ιαν", "ian", "яну", "січ", "студ", "јан", "tammi", "leden", "ledna",
      "ocak", "siječ", "sijec", "saus", "jaan", "yanv", "xane", "urtar", "jān", "يناير", "ינו",
      "जन", "जान", "জানু", "جنور"],
    &["feb", "peb", "fév", "fev", "фев", "lut", "φεβ", "φεύ", "лют", "únor", "unor", "şub", "subat", "helmi", "velj", "veeb",
      "vasari", "феб", "otsai", "فبراير", "פבר",
      "फ़र", "फर", "रवरी", "फेब", "ফেব", "فرور"],
    &["mar", "mär", "mrz", "maa", "mrt", "мар", "μαρ", "μάρ", "már", "берез", "břez", "brez", "ožuj", "ozuj", "сакав",
      "kovas", "kovo", "مارس", "מרץ",
      "मार", "মার", "مارچ"],
    &["apr", "avr", "abr", "апр", "kwi", "απρ", "ápr", "квіт", "крас", "dubn", "duben", "nisan", "huhti", "travanj",
      "travnj", "balan", "أبريل", "ابريل", "אפר",
      "अप", "एप", "এপ", "اپریل"],
    &["may", "mai", "mei", "mag", "май", "мая", "maj", "μαι", "μάι", "μαϊ", "μαΐ", "máj", "трав", "květ", "kvet",
      "touko", "svib", "maí", "geguž", "maij", "мај", "maiatz", "مايو", "מאי",
      "मई", "মে", "مئی"],
    &["jun", "juin", "giu", "июн", "cze", "ιουν", "ιούν", "jún", "черв", "чэрв", "červen", "červn", "cerven", "cervn",
      "kesä", "hazir", "lipanj", "lipnj", "birž", "jūn", "juun", "iun", "јун", "юни", "xuñ", "iyun", "ekain", "يونيو",
      "יונ",
      "जून", "জুন", "جون"],
    &["jul", "juil", "lug", "июл", "lip", "ιουλ", "ιούλ", "júl", "лип", "ліп", "červenec", "červenc", "cervenec",
      "cervenc", "heinä", "temm", "srpanj", "srpnj", "liep", "jūl", "juul", "iul", "јул", "юли", "xull", "iyul",
      "uztai", "يوليو", "יול",
      "जुल", "জুল", "جولا"],
    &["aug", "aoû", "aou", "ago", "авг", "sie", "αυγ", "αύγ", "серп", "жнів", "srpen", "srpn", "eloku", "ağus", "agus",
      "kolov", "rugp", "avg", "avq", "ágú", "ogos", "abuz", "أغسطس", "اغسطس", "אוג",
      "अग", "ऑग", "আগ", "اگست"],
    &["sep", "set", "сен", "wrz", "σεπ", "szept", "верес", "září", "zaří", "syys", "eylül", "eylul", "rujan", "rujn",
      "rugs", "сеп", "sent", "irail", "سبتمبر", "ספט",
      "सित", "सप", "সেপ", "ستمبر"],
    &["oct", "okt", "out", "ott", "окт", "paź", "paz", "οκτ", "жовт", "кастр", "říj", "rijen", "lokaku", "ekim", "spal",
      "urria", "أكتوبر", "اكتوبر", "אוק",
      "अक", "ऑक", "অক", "اکتوبر"],
    &["nov", "nop", "ноя", "lis", "νοε", "νοέ", "лист", "ліст", "marras", "kası", "kasim", "studen", "noi", "ное", "нов", "nóv",
      "lapkr", "azaro", "نوفمبر", "נוב",
      "नव", "नोव", "নভ", "نومبر"],
    &["dec", "dez", "déc", "dic", "дек", "gru", "δεκ", "груд", "снеж", "prosin", "joulu", "aral", "desem", "dets",
      "disem", "дец", "dekabr", "abend", "ديسمبر", "דצמ",
      "दिस", "डिस", "ডিস", "دسمبر"],
];

/// Thai names and abbreviations of months, with the names that [`parse_month`] reads.
const THAI_MONTHS: [(&str, &str, &str); 12] = [
    ("มกราคม", "ม.ค", "jan"),
    ("กุมภาพันธ์", "ก.พ", "feb"),
    ("มีนาคม", "มี.ค", "mar"),
    ("เมษายน", "เม.ย", "apr"),
    ("พฤษภาคม", "พ.ค", "may"),
    ("มิถุนายน", "มิ.ย", "jun"),
    ("กรกฎาคม", "ก.ค", "jul"),
    ("สิงหาคม", "ส.ค", "aug"),
    ("กันยายน", "ก.ย", "sep"),
    ("ตุลาคม", "ต.ค", "oct"),
    ("พฤศจิกายน", "พ.ย", "nov"),
    ("ธันวาคม", "ธ.ค", "dec"),
];

/// Replaces a Thai month name, and completes a two-digit year after it. Thailand counts years in the Buddhist era,
/// which may be marked with `พ.ศ.`.
pub fn normalize_thai_month(text: &str) -> Option<String> {
    let name = |(long, short, english): &(&str, &str, &str)| {
        let (before, after) = text.split_once(long).or_else(|| text.split_once(short))?;
        let after = after.trim_start_matches('.').replacen("พ.ศ.", "", 1);
        let after = after.trim_start();
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let is_short_year = digits == 2 && !after[2..].starts_with([':', '.']);
        Some(format!("{before} {english} {}{after}", if is_short_year { "25" } else { "" }))
    };
    THAI_MONTHS.iter().find_map(name)
}

/// Short names that may also be the beginning of another word.
#[rustfmt::skip]
const MONTH_ABBREVIATIONS: [&[&str]; 12] = [
    &["tam", "led", "oca", "sij", "sau", "сту", "yan", "urt", "xan"],
    &["hel", "úno", "uno", "vel", "sub", "ots"],
    &["бер", "bře", "bre", "ožu", "ozu", "сак", "kov", "mac"],
    &["кві", "кра", "dub", "nis", "huh", "tra", "bal", "api"],
    &["тра", "kvě", "kve", "tou", "svi", "geg"],
    &["чер", "чэр", "čer", "cer", "čvn", "cvn", "črn", "kes", "haz", "bir", "xun", "eka"],
    &["čvc", "cvc", "črc", "čec", "cec", "hei", "tem", "lie", "xul", "uzt"],
    &["сер", "жні", "srp", "elo", "ağu", "agu", "agt", "ags", "kol", "ag", "ogo"],
    &["вер", "zář", "zari", "syy", "eyl", "ruj", "ira"],
    &["жов", "кас", "rij", "lok", "loka", "eki", "spa", "urr"],
    &["лис", "ліс", "kas", "stu", "lap", "aza"],
    &["гру", "сне", "pro", "jou", "ara", "des", "dis", "dek"],
];

/// Weekdays whose names begin like the name of a month.
const WEEKDAYS: [&str; 11] =
    ["mardi", "martes", "martedì", "martedi", "marţi", "marți", "marti", "maandag", "maanantai", "pazar", "pazartesi"];

/// Returns the number of the month that a lowercase word names.
pub fn parse_month(word: &str, names: MonthNames) -> Option<i8> {
    if WEEKDAYS.contains(&word) || word.starts_with("maanantai") {
        return None;
    }
    match (names, word) {
        (MonthNames::Finnish, "mar") => return Some(11),
        (MonthNames::Croatian, "lip") => return Some(6),
        (MonthNames::Croatian, "srp") => return Some(7),
        (MonthNames::Croatian, _) if word.starts_with("lis") => return Some(10),
        _ => {}
    }
    let abbreviated = MONTH_ABBREVIATIONS.iter().position(|names| names.contains(&word));
    let longest_prefix = |names: &&[&str]| {
        names.iter().filter(|name| word.starts_with(*name)).map(|name| name.len()).max().unwrap_or_default()
    };
    let (longest, prefixed) = MONTH_PREFIXES.iter().map(longest_prefix).zip(0..).max_by_key(|(length, _)| *length)?;
    let index = abbreviated.or((longest > 0).then_some(prefixed))?;
    i8::try_from(index + 1).ok()
}
