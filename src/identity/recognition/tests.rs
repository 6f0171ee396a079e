//! Tests which properties together prove identity, and how the items of a document match the stored items.

use super::*;
use crate::urls::canonical::canonical_url_from_str;

const RAIN: &str = "Rain closes the mountain pass";
const BANK: &str = "Bank lifts its rates again";
const WET: &str = "The road over the pass is closed until Friday after two days of heavy rain.";
const RATES: &str = "Loans cost half a percent more from next month on, says its governor.";
/// A link to one article, and a link that does not identify content.
const ARTICLE: &str = "https://a.example/news/2041";
const PAGE: &str = "https://a.example/latest";

const SUNDAY: &str = "2026-03-01T08:05:00Z";
const SUNDAY_NOON: &str = "2026-03-01T11:40:00Z";
const MONDAY: &str = "2026-03-02T08:00:00Z";
const SUNDAY_WITHOUT_TIME: &str = "2026-03-01T00:00:00Z";

/// The link, title, text and date of an item.
type Properties<'a> = (&'a str, &'a str, &'a str, &'a str);

#[derive(Clone, Copy)]
enum Guid {
    /// A guid that the source has not used before.
    New,
    Missing,
    /// The guid of the stored item.
    Same,
}

fn item(guid: &str, (link, title, text, date): Properties<'_>) -> NewItem {
    NewItem {
        guid: guid.to_owned(),
        url: (!link.is_empty()).then(|| link.to_owned()),
        canonical_url: canonical_url_from_str(link),
        title: title.to_owned(),
        summary: text.to_owned(),
        content: None,
        categories: Vec::new(),
        author: None,
        lang: None,
        image: None,
        enclosures: Vec::new(),
        published_at: date.parse().ok(),
        is_day_only: false,
        is_incomplete: false,
        reporter: None,
        backlog_reason: None,
    }
}

fn stored(id: i64, properties: Properties<'_>) -> StoredItem {
    let NewItem { url, title, summary, published_at, .. } = item("", properties);
    StoredItem { id: ItemId(id), url, title, summary, published_at }
}

fn with_candidates(candidates: Vec<StoredItem>) -> StoredMatches {
    StoredMatches { candidates, ..StoredMatches::default() }
}

fn shown_under_its_guid(id: i64, properties: Properties<'_>) -> StoredMatches {
    StoredMatches { by_guid: GuidMatch::Stored(stored(id, properties)), ..StoredMatches::default() }
}

fn known(id: i64, by: MatchedBy) -> ItemRecognition {
    ItemRecognition::Known(ItemId(id), by)
}

/// Compares an item that left the document with an item in the document. Each row includes its reason.
fn check<'a>(is_same: bool, rows: impl IntoIterator<Item = (Guid, Properties<'a>, Properties<'a>, &'a str)>) {
    for (guid, old, new, why) in rows {
        let (guid, by_guid) = match guid {
            Guid::New => ("new", GuidMatch::New),
            Guid::Missing => ("derived:0", GuidMatch::New),
            Guid::Same => ("1", GuidMatch::Stored(stored(1, old))),
        };
        let matches = StoredMatches { by_guid, candidates: vec![stored(1, old)], removed: vec![] };
        let recognized = recognize_items(&[item(guid, new)], &[matches]);
        assert_eq!(recognized[0] != ItemRecognition::New, is_same, "{why}: {old:?} and {new:?}");
    }
}

#[test]
fn guid_identifies_an_item_unless_all_other_properties_belong_to_another_item() {
    let old = (ARTICLE, RAIN, WET, SUNDAY);
    check(
        true,
        [
            (Guid::Same, old, (PAGE, RAIN, RATES, MONDAY), "the source moves and rewrites an item"),
            (Guid::Same, old, (ARTICLE, BANK, RATES, MONDAY), "a live page at one link changes"),
            (Guid::Same, old, ("", BANK, RATES, MONDAY), "an item loses its link"),
        ],
    );
    check(
        false,
        [(Guid::Same, old, ("https://a.example/news/9", BANK, RATES, MONDAY), "guids are numbers within a document")],
    );
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn items_with_the_same_link_need_one_more_property() {
    let old = (ARTICLE, RAIN, WET, SUNDAY);
    check(
        true,
        [
            (Guid::New, old, (ARTICLE, RAIN, WET, SUNDAY), "all guids are rewritten"),
            (Guid::New, old, (ARTICLE, RAIN, WET, MONDAY), "guid and date are rewritten"),
            (Guid::New, old, (ARTICLE, "Heavy rain closes the pass", WET, MONDAY), "a corrected headline"),
            (Guid::New, old, (ARTICLE, BANK, WET, MONDAY), "another headline over the same text"),
            (Guid::New, old, (ARTICLE, RAIN, RATES, SUNDAY), "a rewritten summary"),
            (Guid::New, old, (ARTICLE, BANK, RATES, SUNDAY), "link and time of publication agree"),
            (Guid::New, old, (ARTICLE, RAIN, RATES, SUNDAY_NOON), "an update within hours"),
            (Guid::New, old, (ARTICLE, RAIN, "", MONDAY), "the summary is dropped"),
            (Guid::New, old, ("http://www.a.example/news/2041/?utm_source=x", RAIN, WET, SUNDAY), "https and campaign"),
            (Guid::New, (PAGE, RAIN, WET, SUNDAY), (PAGE, RAIN, WET, MONDAY), "title and text agree at a shared page"),
            (Guid::New, (PAGE, RAIN, WET, ""), (PAGE, RAIN, WET, ""), "no dates"),
            (Guid::Missing, old, (ARTICLE, BANK, RATES, SUNDAY_NOON), "without guids the link of an article is the id"),
            (
                Guid::Missing,
                (PAGE, RAIN, WET, ""),
                (PAGE, "Pass shut", WET, ""),
                "a corrected title without guid or date",
            ),
            (Guid::Missing, (PAGE, RAIN, WET, SUNDAY), (PAGE, BANK, WET, SUNDAY), "text and date agree"),
        ],
    );
    check(
        false,
        [
            (Guid::New, old, (ARTICLE, BANK, RATES, MONDAY), "own guid, title, text and date"),
            (Guid::New, old, (ARTICLE, BANK, RATES, SUNDAY_NOON), "own guid, title, text and date on the same day"),
            (Guid::New, (PAGE, RAIN, WET, ""), (PAGE, BANK, RATES, ""), "a constant link without dates"),
            (Guid::New, (PAGE, RAIN, "", ""), (PAGE, BANK, "", ""), "the link alone"),
            (Guid::New, (PAGE, RAIN, WET, SUNDAY), (PAGE, RAIN, RATES, MONDAY), "a daily column at a constant link"),
            (Guid::New, (PAGE, RAIN, "", SUNDAY), (PAGE, RAIN, "", MONDAY), "a daily column without text"),
            (
                Guid::New,
                (PAGE, "Forecast for Sunday", "Rain, 7 degrees, wind from the west.", SUNDAY),
                (PAGE, "Forecast for Monday", "Rain, 9 degrees, wind from the west.", MONDAY),
                "a forecast with similar titles and texts",
            ),
            (
                Guid::New,
                (PAGE, "Sunday's briefing", "Listen to the latest episode.", SUNDAY),
                (PAGE, "Monday's briefing", "Listen to the latest episode.", MONDAY),
                "the same standard text",
            ),
            (
                Guid::New,
                (ARTICLE, "Traffic at 8", "Delays on the coast road.", SUNDAY),
                (ARTICLE, "Traffic at 9", "Delays on the north road.", SUNDAY_NOON),
                "a report of each hour, at a link with a number",
            ),
            (
                Guid::New,
                (ARTICLE, "Live from the harbour today", WET, SUNDAY),
                (ARTICLE, "Live from the market today", RATES, SUNDAY_NOON),
                "similar titles, and everything else is another item's",
            ),
            (Guid::Missing, (PAGE, RAIN, WET, SUNDAY), (PAGE, BANK, RATES, MONDAY), "a constant link without guids"),
            (Guid::Missing, (PAGE, RAIN, WET, SUNDAY), (PAGE, RAIN, RATES, MONDAY), "a column without guids"),
        ],
    );
}

#[test]
fn links_that_differ_in_a_parameter_or_fragment_need_the_title_and_one_more_property() {
    let (view11, view12) = ("https://a.example/view?ref=11", "https://a.example/view?ref=12");
    let (note41, note42) = ("https://a.example/notes#4.1", "https://a.example/notes#4.2");
    let old = (view11, RAIN, WET, SUNDAY);
    check(
        true,
        [
            (Guid::New, old, (view12, RAIN, WET, SUNDAY), "the guid is a link with another tracking parameter"),
            (Guid::Missing, old, (view12, RAIN, WET, SUNDAY), "another tracking parameter without guids"),
            (Guid::New, old, (view12, RAIN, WET, MONDAY), "a long text is the same"),
            (Guid::New, old, (view12, "Rain closes mountain pass", WET, SUNDAY), "a corrected headline"),
            (Guid::New, old, (view12, RAIN, "", SUNDAY), "the summary is dropped"),
            (Guid::New, old, ("https://new.example/view?ref=11", RAIN, WET, SUNDAY), "the feed moves to another host"),
            (
                Guid::New,
                (view11, RAIN, "", ""),
                ("https://new.example/view?ref=11", RAIN, "", ""),
                "a move without dates",
            ),
            (Guid::New, old, ("https://new.example/view?ref=11", RAIN, WET, MONDAY), "a move that changes all dates"),
            (Guid::New, old, ("https://new.example/view?ref=11", RAIN, RATES, SUNDAY), "a move with other summaries"),
        ],
    );
    check(
        false,
        [
            (Guid::New, old, (view12, BANK, RATES, MONDAY), "the parameter is the number of the article"),
            (Guid::Missing, old, (view12, BANK, RATES, MONDAY), "the number of the article, without guids"),
            (Guid::New, old, (view12, BANK, RATES, SUNDAY), "two press releases at one time"),
            (Guid::New, (view11, RAIN, "", ""), (view12, BANK, "", ""), "neither text nor date"),
            (
                Guid::New,
                (view11, "Package update", "zlib", SUNDAY),
                (view12, "Package update", "gopher", SUNDAY),
                "a column",
            ),
            (
                Guid::New,
                (note41, "Version 4.1 of the tide tables", "Adds three ports.", SUNDAY),
                (note42, "Version 4.2 of the tide tables", "Adds four ports.", SUNDAY),
                "release notes on one page",
            ),
            (
                Guid::New,
                (note41, "Traffic report of the coast road", "No delays.", SUNDAY),
                (note42, "Traffic report of the coast road", "No delays.", MONDAY),
                "a daily report whose text is the same",
            ),
        ],
    );
}

#[test]
fn items_with_other_links_need_the_title_and_one_more_property() {
    let moved = "https://new.example/posts/7";
    let old = (ARTICLE, RAIN, WET, SUNDAY);
    check(
        true,
        [
            (Guid::New, old, (moved, RAIN, WET, SUNDAY), "the source changes its software"),
            (Guid::New, old, (moved, RAIN, WET, SUNDAY_NOON), "an article published again within hours"),
            (Guid::New, old, (moved, RAIN, "", SUNDAY), "title and time agree, and the summary is dropped"),
            (
                Guid::New,
                old,
                (moved, "Heavy rain closes the mountain pass", WET, SUNDAY),
                "the headline is in the link",
            ),
            (Guid::New, (ARTICLE, RAIN, WET, ""), (moved, RAIN, WET, ""), "title and text agree, without dates"),
            (Guid::Missing, old, (moved, RAIN, WET, SUNDAY), "no guids"),
        ],
    );
    check(
        false,
        [
            (Guid::New, old, (moved, RAIN, RATES, MONDAY), "a daily column"),
            (Guid::New, old, (moved, RAIN, RATES, SUNDAY_NOON), "a column of the evening"),
            (Guid::New, old, (moved, RAIN, RATES, SUNDAY), "two towns, one headline, one time"),
            (Guid::New, old, (moved, RAIN, WET, MONDAY), "a notice that is repeated the next day"),
            (Guid::New, (ARTICLE, RAIN, "", ""), (moved, RAIN, "", ""), "the title alone"),
            (Guid::New, (ARTICLE, RAIN, "", SUNDAY), (moved, RAIN, "", MONDAY), "the title alone on the next day"),
            (
                Guid::New,
                (ARTICLE, "Good morning", "Good morning", SUNDAY),
                (moved, "Good morning", "Good morning", MONDAY),
                "a post without a title",
            ),
            (Guid::New, (ARTICLE, "Package update", "", SUNDAY), (moved, "Package update", "", SUNDAY), "a column"),
            (
                Guid::New,
                (ARTICLE, RAIN, "", SUNDAY_WITHOUT_TIME),
                (moved, RAIN, "", SUNDAY_WITHOUT_TIME),
                "a date without time of day",
            ),
            (Guid::New, old, (moved, BANK, WET, SUNDAY), "two galleries with one standard text"),
        ],
    );
}

#[test]
fn items_without_link_need_two_properties() {
    let old = ("", RAIN, WET, SUNDAY);
    check(
        true,
        [
            (Guid::New, old, ("", RAIN, WET, SUNDAY), "all guids are rewritten"),
            (Guid::New, old, (ARTICLE, RAIN, WET, SUNDAY), "the source begins to give links"),
            (Guid::Missing, old, ("", "Pass shut", WET, SUNDAY), "a corrected title"),
            (Guid::Missing, old, ("", RAIN, RATES, SUNDAY), "a corrected text"),
            (Guid::Missing, ("", RAIN, "", ""), ("", RAIN, "", ""), "nothing but a title"),
            (Guid::New, ("", RAIN, WET, ""), ("", RAIN, WET, ""), "title and text agree"),
            (
                Guid::New,
                ("", RAIN, "", SUNDAY_WITHOUT_TIME),
                ("", RAIN, "", SUNDAY_WITHOUT_TIME),
                "another guid in every poll",
            ),
        ],
    );
    check(
        false,
        [
            (Guid::New, old, ("", BANK, RATES, MONDAY), "another item"),
            (Guid::New, old, ("", RAIN, RATES, MONDAY), "a daily column"),
            (Guid::New, old, ("", RAIN, WET, MONDAY), "a repeated notice"),
            (Guid::Missing, ("", "Package update", "zlib", ""), ("", "Package update", "gopher", ""), "a column"),
            (Guid::New, ("", "Briefing", "", ""), ("", "Briefing", "", ""), "a title of one word"),
        ],
    );
}

#[test]
fn scripts_without_spaces_are_compared_by_pairs_of_characters() {
    let old = (PAGE, "東京で強い地震が発生", "気象庁によると津波の心配はない。", SUNDAY);
    check(true, [(Guid::New, old, (PAGE, "東京で強い地震が発生した", old.2, SUNDAY_NOON), "a corrected headline")]);
    check(false, [(Guid::New, old, (PAGE, "大阪の株価が下落", "円高が響いた。", SUNDAY_NOON), "another item")]);
}

#[test]
fn item_of_the_document_is_not_also_another_one() {
    let (old, now_old) = ((ARTICLE, RAIN, WET, SUNDAY), (ARTICLE, "Pass reopens", "Dry.", MONDAY));
    let recognized = recognize_items(
        &[item("1", now_old), item("2", old)],
        &[shown_under_its_guid(1, old), with_candidates(vec![stored(1, old)])],
    );
    assert_eq!(recognized, [known(1, MatchedBy::Guid), ItemRecognition::New]);
}

#[test]
fn guids_that_number_the_items_of_a_document_change_no_item() {
    let (rain, bank) = ((ARTICLE, RAIN, WET, SUNDAY), ("https://a.example/news/9", BANK, RATES, MONDAY));
    let of_first = StoredMatches { candidates: vec![stored(1, rain)], ..shown_under_its_guid(1, rain) };
    let recognized =
        recognize_items(&[item("1", bank), item("2", rain)], &[of_first, with_candidates(vec![stored(1, rain)])]);
    assert_eq!(recognized, [ItemRecognition::New, known(1, MatchedBy::Link)]);
}

#[test]
fn each_stored_item_goes_to_the_item_that_has_the_most_in_common() {
    let (rain, bank) = ((PAGE, RAIN, WET, SUNDAY), (PAGE, BANK, RATES, SUNDAY));
    let candidates = || with_candidates(vec![stored(1, rain), stored(2, bank)]);
    let recognized = recognize_items(
        &[item("x", bank), item("y", rain), item("z", (PAGE, "Fire at the market", "Put out.", MONDAY))],
        &[candidates(), candidates(), candidates()],
    );
    assert_eq!(recognized, [known(2, MatchedBy::Link), known(1, MatchedBy::Link), ItemRecognition::New]);
}

#[test]
fn rule_is_recorded() {
    for (new, rule) in [
        ((ARTICLE, RAIN, WET, SUNDAY), MatchedBy::Link),
        ((PAGE, RAIN, WET, SUNDAY), MatchedBy::Title),
        (("", BANK, WET, SUNDAY), MatchedBy::Text),
    ] {
        let matches = with_candidates(vec![stored(1, (ARTICLE, RAIN, WET, SUNDAY))]);
        assert_eq!(recognize_items(&[item("x", new)], &[matches]), [known(1, rule)]);
    }
}

#[test]
fn removed_item_is_not_new() {
    let guid_removed = StoredMatches { by_guid: GuidMatch::Removed, ..StoredMatches::default() };
    assert_eq!(
        recognize_items(&[item("1", (ARTICLE, RAIN, WET, SUNDAY))], &[guid_removed]),
        [ItemRecognition::Removed]
    );
    let removed = || RemovedItem { title: RAIN.into(), text_hash: text_hash(WET), published_at: SUNDAY.parse().ok() };
    for (new, expected, why) in [
        ((ARTICLE, RAIN, WET, MONDAY), ItemRecognition::Removed, "title and text agree"),
        ((ARTICLE, RAIN, RATES, SUNDAY), ItemRecognition::Removed, "title and date agree"),
        ((ARTICLE, RAIN, RATES, MONDAY), ItemRecognition::New, "a column at a constant link"),
        ((ARTICLE, RAIN, RATES, ""), ItemRecognition::New, "a column without dates"),
    ] {
        let matches = StoredMatches { removed: vec![removed()], ..StoredMatches::default() };
        assert_eq!(recognize_items(&[item("x", new)], &[matches]), [expected], "{why}");
    }
}
