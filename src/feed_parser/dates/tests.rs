//! Tests dates in all the formats that feeds use.

use super::*;

fn parse_date(text: &str) -> Option<Timestamp> {
    DateConventions::default().parse(text).map(|read| read.time)
}

fn check(text: &str, expected: &str) {
    assert_eq!(parse_date(text).map(|t| t.to_string()).as_deref(), Some(expected), "{text}");
}

#[test]
fn standard_forms_are_read() {
    check("Mon, 02 Mar 2026 14:05:09 GMT", "2026-03-02T14:05:09Z");
    check("2026-03-02T14:05:09.5+01:00", "2026-03-02T13:05:09.5Z");
    check("2026-03-02T14:05:09+01:00[Europe/Berlin]", "2026-03-02T13:05:09Z");
    check("Mon Mar  2 14:05:09 2026", "2026-03-02T14:05:09Z");
    check("20260302T140509Z", "2026-03-02T14:05:09Z");
    check("20260302140509", "2026-03-02T14:05:09Z");
    check("2026-061", "2026-03-02T00:00:00Z");
    check("2026061", "2026-03-02T00:00:00Z");
    check("Mon Mar  2 14:05:09 PST 2026", "2026-03-02T22:05:09Z");
    check("2026-W10-1T14:05:09Z", "2026-03-02T14:05:09Z");
}

#[test]
fn zones_may_be_names_or_unusual_offsets() {
    check("2 Mar 2026 14:05 EST", "2026-03-02T19:05:00Z");
    check("2 Mar 2026 14:05 GMT+2", "2026-03-02T12:05:00Z");
    check("Mon, 02 Mar 2026 14:05:09 +5:30", "2026-03-02T08:35:09Z");
    check("Mon, 02 Jul 2026 14:05:09 Europe/Paris", "2026-07-02T12:05:09Z");
    check("2026-03-02 14:05:09 -0800 (PST)", "2026-03-02T22:05:09Z");
    check("Mon, 02 Mar 2026 14:05:09 + 0100", "2026-03-02T13:05:09Z");
    check("Mon, 02 Mar 2026 14:05:09 &#43;0100", "2026-03-02T13:05:09Z");
    check("2026-03-02T14:05:09[Europe/Berlin]", "2026-03-02T13:05:09Z");
    check("2 марта 2026 г., 14:05 МСК", "2026-03-02T11:05:00Z");
}

#[test]
fn missing_zone_is_utc_and_missing_time_is_midnight() {
    check("2026-03-02 14:05", "2026-03-02T14:05:00Z");
    check("2026-03-02", "2026-03-02T00:00:00Z");
    check("March 2, 2026", "2026-03-02T00:00:00Z");
}

#[test]
fn months_are_read_in_nine_languages() {
    for text in [
        "2. März 2026 14:05",
        "lundi 2 mars 2026 à 14:05",
        "lunes, 2 de marzo de 2026 14:05",
        "2 de março de 2026 14:05",
        "2 marzo 2026, 14:05",
        "maandag 2 maart 2026 14:05",
        "2 марта 2026 14:05",
        "2 marca 2026 14:05",
        "March 2nd, 2026 at 2:05 pm",
        "Mo., 2. Mrz. 2026, 14.05 Uhr",
        "lundi 2 mars 2026 14h05",
        "lundi 2 mars 2026 à 14 h 05",
        "poniedziałek, 2 marca 2026, godz. 14:05",
        "2026年3月2日 14:05",
        "Published: 2 March 2026 14:05",
    ] {
        check(text, "2026-03-02T14:05:00Z");
    }
}

#[test]
fn tuesday_is_not_read_as_march() {
    check("mar, 05 mai 2026 10:00:00 +0200", "2026-05-05T08:00:00Z");
    check("mardi 5 mai 2026 10:00", "2026-05-05T10:00:00Z");
}

#[test]
fn wrong_weekdays_short_years_and_24_00_are_accepted() {
    check("Fri, 2 Mar 26 14:05:09 GMT", "2026-03-02T14:05:09Z");
    check("Mon, 02 Mar 2026 24:00:00 GMT", "2026-03-03T00:00:00Z");
    check("Tue, 30 Jun 2015 23:59:60 GMT", "2015-06-30T23:59:59Z");
    check("02/03/2026 12:05 AM", "2026-02-03T00:05:00Z");
    check("31/03/2026 14:05", "2026-03-31T14:05:00Z");
    check("31.03.2026 14:05", "2026-03-31T14:05:00Z");
    check("14:05 31.03.2026", "2026-03-31T14:05:00Z");
    check("2:05 PM EST, March 2, 2026", "2026-03-02T19:05:00Z");
    check("2 Μαρ 2026, 2:05 μ.μ.", "2026-03-02T14:05:00Z");
    check("2026年3月2日 下午2:05", "2026-03-02T14:05:00Z");
    check("1772460309", "2026-03-02T14:05:09Z");
}

#[test]
fn text_that_is_not_a_date_is_none() {
    for text in [
        "",
        "yesterday",
        "14:05",
        "99 Jun 2026 12:00",
        "2026-02-30",
        "2026-03-02T25:00:00Z",
        "1:2:3:4",
        "::",
        "é:é",
        "2026-03-02T10:00:00+zz:00",
        "+",
        "-",
        "12:",
        "m2ар2 4:14",
    ] {
        assert_eq!(parse_date(text), None, "{text}");
    }
    assert_eq!(parse_date(&"9".repeat(10_000)), None);
}

#[test]
fn short_month_names_are_read_in_many_languages() {
    const SHORT_NAMES: [&str; 18] = [
        "tam hel maa huh tou kes hei elo syy lok marras jou",
        "jan feb mar apr mai jun jul aug sep okt nov des",
        "jan. feb. mars apr. maj juni juli aug. sept. okt. nov. dec.",
        "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
        "січ лют бер кві тра чер лип сер вер жов лис гру",
        "ian feb mar apr mai iun iul aug sep oct noi dec",
        "led úno bře dub kvě čvn čvc srp zář říj lis pro",
        "jan. febr. márc. ápr. máj. jún. júl. aug. szept. okt. nov. dec.",
        "Ιαν Φεβ Μαρ Απρ Μαΐ Ιουν Ιουλ Αυγ Σεπ Οκτ Νοε Δεκ",
        "Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des",
        "gen. febr. març abr. maig juny jul. ag. set. oct. nov. des.",
        "яну фев март апр май юни юли авг сеп окт ное дек",
        "jan. feb. mar. apr. maj jun. jul. avg. sep. okt. nov. dec.",
        "saus. vasario kov. bal. geg. birž. liep. rugp. rugs. spal. lapkr. gruod.",
        "jaan veebr märts apr mai juuni juuli aug sept okt nov dets",
        "ม.ค. ก.พ. มี.ค. เม.ย. พ.ค. มิ.ย. ก.ค. ส.ค. ก.ย. ต.ค. พ.ย. ธ.ค.",
        "जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर",
        "জানুয়ারি ফেব্রুয়ারি মার্চ এপ্রিল মে জুন জুলাই আগস্ট সেপ্টেম্বর অক্টোবর নভেম্বর ডিসেম্বর",
    ];
    for names in SHORT_NAMES {
        for (month, name) in (1..).zip(names.split(' ')) {
            check(&format!("09 {name} 2026 14:05:09 +0000"), &format!("2026-{month:02}-09T14:05:09Z"));
        }
    }
}

#[test]
fn inflected_month_names_are_read() {
    for (text, month) in [
        ("pe 9. tammikuuta 2026 klo 14.05", 1),
        ("9. marraskuuta 2026 klo 14.05", 11),
        ("fredag den 9. oktober 2026 kl. 14.05", 10),
        ("9 desember 2026 14.05", 12),
        ("9 Kasım 2026 Pazartesi 14:05", 11),
        ("9 HAZİRAN 2026 14:05", 6),
        ("9 Nopember 2026 14:05", 11),
        ("середа, 9 вересня 2026 р., 14:05", 9),
        ("luni, 9 noiembrie 2026 14:05", 11),
        ("9. července 2026 14:05", 7),
        ("9. června 2026 14:05", 6),
        ("9. srpna 2026 v 14:05", 8),
        ("2026. március 9., hétfő 14:05", 3),
        ("Δευτέρα, 9 Μαΐου 2026 14:05", 5),
        ("Senin, 9 Agustus 2026 pukul 14.05", 8),
        ("9 d’octubre de 2026 14:05", 10),
        ("9. srpnja 2026. 14:05", 7),
        ("9. septembra 2026 14:05", 9),
        ("9 червня 2026, 14:05", 6),
        ("วันจันทร์ที่ 9 พฤศจิกายน พ.ศ. 2569 เวลา 14.05 น.", 11),
        ("9 ก.พ. 69 14:05", 2),
        ("๙ มิถุนายน ๒๕๖๙ ๑๔:๐๕", 6),
        ("सोमवार, 9 नवम्बर 2026 14:05", 11),
        ("९ सितम्बर २०२६ १४:०५", 9),
    ] {
        check(text, &format!("2026-{month:02}-09T14:05:00Z"));
    }
}

#[test]
fn language_gives_the_meaning_of_names_that_languages_share() {
    let read = |text: &str, language: &str| {
        let month_names = MonthNames::of_language(language);
        DateConventions { month_names, ..DateConventions::default() }.parse(text).unwrap().time.to_string()
    };
    assert_eq!(read("9. listopada 2026. 14:05", "hr"), "2026-10-09T14:05:00Z");
    assert_eq!(read("9 listopada 2026 14:05", "pl"), "2026-11-09T14:05:00Z");
    assert_eq!(read("9 mar 2026 14:05", "fi"), "2026-11-09T14:05:00Z");
    check("Pe, 09 Mar 2026 14:05:00 +0200", "2026-11-09T12:05:00Z");
}

#[test]
fn number_in_a_sentence_is_not_a_date() {
    for text in ["sometime in 2011", "Winter 2011", "issue 2011-03", "no 20110312"] {
        assert_eq!(DateConventions::default().parse(text), None, "{text}");
    }
    check("2011", "2011-01-01T00:00:00Z");
    check("2011-03", "2011-03-01T00:00:00Z");
}

#[test]
fn time_of_day_is_known_to_be_missing() {
    let time_of_day = |text| DateConventions::default().parse(text).unwrap().time_of_day;
    assert_eq!(time_of_day("2026-03-02"), TimeOfDay::Missing);
    assert_eq!(time_of_day("Mon, 02 Mar 2026 00:00:00 GMT"), TimeOfDay::Midnight);
    assert_eq!(time_of_day("2026-03-02T00:00:01Z"), TimeOfDay::Given);
}
