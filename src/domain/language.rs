//! The languages of ISO 639.

use isolang::Language;

/// Withdrawn codes, ISO 639-2/B codes that are still in use, and codes of the main variety of a language (`cmn` for
/// Chinese).
#[rustfmt::skip]
const OTHER_CODES: [(&str, &str); 22] = [
    ("iw", "he"), ("in", "id"), ("ji", "yi"), ("jw", "jv"), ("mo", "ro"), ("sh", "sr"),
    ("alb", "sq"), ("chi", "zh"), ("cze", "cs"), ("dut", "nl"), ("fre", "fr"), ("ger", "de"), ("gre", "el"), ("ice", "is"),
    ("mac", "mk"), ("may", "ms"), ("per", "fa"), ("rum", "ro"), ("slo", "sk"), ("wel", "cy"),
    ("cmn", "zh"), ("pes", "fa"),
];

/// Returns the shortest code of the language that a tag names (BCP 47): `en` for `en-GB` and for `eng`. Returns `None`
/// if ISO 639 has no such language (`zz`), or the code names no language (`und`).
pub fn language_code(tag: &str) -> Option<&'static str> {
    let primary = tag.trim().split(|c: char| !c.is_ascii_alphanumeric()).next()?.to_ascii_lowercase();
    let primary = OTHER_CODES.iter().find(|(other, _)| *other == primary).map_or(&*primary, |(_, code)| code);
    let language = Language::from_639_1(primary).or_else(|| Language::from_639_3(primary))?;
    let is_language = !matches!(language, Language::Und | Language::Mul | Language::Mis | Language::Zxx);
    is_language.then(|| language.to_639_1().unwrap_or(language.to_639_3()))
}

/// Returns the English name of a language: `German` for `de`. Returns `None` for an unknown code.
pub fn language_name(code: &str) -> Option<&'static str> {
    let name = Language::from_639_1(code).or_else(|| Language::from_639_3(code))?.to_name();
    // Omit the parenthesis in names such as `Swahili (macrolanguage)`.
    name.split(" (").next()
}

/// Returns whether the language of a tag is written from right to left.
pub fn is_right_to_left(tag: &str) -> bool {
    let code = language_code(tag).unwrap_or_default();
    matches!(code, "ar" | "arz" | "ckb" | "dv" | "fa" | "he" | "prs" | "ps" | "sd" | "ug" | "ur" | "yi")
}

/// Returns the language of a report if it is not the language of the story's lead.
pub fn other_language<'l>(report: Option<&'l str>, lead: Option<&str>) -> Option<&'l str> {
    report.filter(|code| Some(*code) != lead)
}

/// Returns the English name of a report's language if it is not the language of the lead.
pub fn other_language_name(report: Option<&str>, lead: Option<&str>) -> Option<&'static str> {
    other_language(report, lead).and_then(language_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_names_a_language_of_iso_639() {
        for (tag, expected) in [
            ("en-GB", Some("en")),
            (" PT_br ", Some("pt")),
            ("fr, en;q=0.5", Some("fr")),
            ("swe", Some("sv")),
            ("ger", Some("de")),
            ("iw", Some("he")),
            ("fil", Some("fil")),
            ("zz", None),
            ("xx-XX", None),
            ("und", None),
            ("deutsch", None),
            ("x-klingon", None),
            ("", None),
        ] {
            assert_eq!(language_code(tag), expected, "{tag}");
        }
    }

    #[test]
    fn languages_have_english_names() {
        let named = ["de", "sw", "gsw", "zz"].map(language_name);
        assert_eq!(named, [Some("German"), Some("Swahili"), Some("Swiss German"), None]);
    }
}
