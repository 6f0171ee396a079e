//! Tests leads, editions, membership and rendered documents with small hand-made stories.

use super::*;
use crate::domain::{
    Edition, EditionReason, EditionText, EditionTimes, Enclosure, FeedEntry, FeedVariant, Item, ItemId, JoinEvidence,
    SourceId, Story, StoryId, StoryItem, StorylineEvidence, StorylineId, Timestamp,
};
use jiff::SignedDuration;

fn report(id: i64, outlet: &str, priority: i32, minute: i64, summary: &str) -> StoryItem {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
    StoryItem {
        item: Item {
            id: ItemId(id),
            source: SourceId(id),
            outlet_name: outlet.into(),
            source_title: outlet.to_uppercase(),
            source_url: format!("https://{outlet}/feed"),
            outlet: outlet.into(),
            priority,
            guid: id.to_string(),
            url: Some(format!("https://{outlet}/{id}?a=1&b=2")),
            canonical_url: None,
            title: format!("Title <{id}> & more"),
            summary: summary.into(),
            content: Some("<p>Body</p><script>x</script>".into()),
            author: None,
            lang: Some("en".into()),
            image: None,
            enclosures: Vec::new(),
            published_at: None,
            first_seen_at: at,
            ranked_at: at,
            backlog_reason: None,
            source_age: None,
            reporter: None,
            article: None,
            embedding: None,
        },
        copy_of: None,
        evidence: JoinEvidence::default(),
        assigned_at: at,
    }
}

fn story(items: Vec<StoryItem>) -> Story {
    Story {
        id: StoryId::mint("https://a.example/feed", "1", 0),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH + SignedDuration::from_mins(90),
        published_at: None,
        merged_into: None,
        lead: items[0].item.id,
        items,
        tags: vec!["energy".into()],
        merged_count: 0,
        storyline: StorylineId::from_row(1),
        storyline_evidence: StorylineEvidence::default(),
    }
}

fn edition(story: &Story, number: u32, minute: i64) -> Edition {
    Edition {
        story: story.id,
        number,
        made_at: Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute),
        reason: EditionReason::First,
        for_language: None,
        outlet_count: story.outlet_count(),
        text: compose_edition(story, story.lead().unwrap(), None, Vec::new()),
    }
}

#[test]
fn lead_has_the_highest_priority_then_the_earliest_date_then_the_longest_summary() {
    let lead = |items| choose_lead(&story(items), &Options::default()).unwrap().item.id.0;
    assert_eq!(lead(vec![report(1, "a.example", 0, 1, ""), report(2, "b.example", 5, 9, "")]), 2);
    assert_eq!(lead(vec![report(1, "a.example", 0, 2, ""), report(2, "b.example", 0, 1, "")]), 2);
    assert_eq!(lead(vec![report(1, "a.example", 0, 1, "x"), report(2, "b.example", 0, 1, "xyz")]), 2);
    let mut copy = report(1, "a.example", 9, 1, "");
    copy.copy_of = Some(ItemId(2));
    assert_eq!(lead(vec![copy, report(2, "b.example", 0, 2, "")]), 2);
}

#[test]
fn story_is_published_after_the_delay_with_the_date_of_its_first_report() {
    let options = Options::default();
    let story = story(vec![report(1, "a.example", 0, 3, ""), report(2, "b.example", 1, 7, "")]);
    let cutoff = PublicationCutoff::at(story.created_at + options.delay, &options);
    assert_eq!(cutoff.created_until, story.created_at);
    assert_eq!(cutoff.with_storyline_until, story.created_at + SignedDuration::from_secs(60), "a tenth of the delay");
    let (lead, published_at) = first_publication(&story, story.created_at + options.delay, &options).unwrap();
    assert_eq!(lead.item.id, ItemId(2));
    assert_eq!(published_at, story.items[0].item.ranked_at);
}

fn published(story: &Story) -> FeedEntry {
    FeedEntry { published_at: story.items[0].item.ranked_at, edition: edition(story, 1, 90) }
}

fn written(story: &Story, page: DocumentPage, format: FeedFormat, options: &Options) -> String {
    let feed = options.published_feeds().remove(0);
    let entries = [published(story)];
    let part = FeedPart { feed: &feed, variant: FeedVariant::Live, page };
    let document = FeedDocument::of_feed(part, "00ff", &entries, options);
    String::from_utf8(render(&document.with_archive_links(part, Some(2), None), format)).unwrap()
}

fn rendered(format: FeedFormat) -> String {
    let one = story(vec![report(1, "a.example", 0, 3, "Sum\u{b}mary"), report(2, "b.example", 0, 7, "")]);
    written(&one, DocumentPage::Current, format, &Options::default())
}

#[test]
fn every_format_has_one_entry_with_all_outlets() {
    for format in FeedFormat::ALL {
        let text = rendered(format);
        for expected in ["a.example", "b.example", "1970-01-01", "urn:uuid:"] {
            let found = text.contains(expected) || format == FeedFormat::Rss && text.contains("01 Jan 1970");
            assert!(found, "{expected} is not in {text}");
        }
        assert!(!text.contains("<script") && !text.contains("&lt;script"), "{text}");
        assert!(!text.contains('\u{b}'));
    }
    assert_eq!(rendered(FeedFormat::Rss).matches("<guid isPermaLink=\"false\">").count(), 1);
}

#[test]
fn rendered_documents_can_be_parsed() {
    let atom: atom_syndication::Feed = rendered(FeedFormat::Atom).parse().unwrap();
    assert_eq!(atom.entries[0].title.value, "Title <1> & more");
    assert_eq!(atom.entries[0].links[0].href, "https://a.example/1?a=1&b=2");
    let rss: ::rss::Channel = rendered(FeedFormat::Rss).parse().unwrap();
    assert_eq!(rss.items[0].guid.as_ref().unwrap().value, atom.entries[0].id);
    let json: serde_json::Value = serde_json::from_str(&rendered(FeedFormat::Json)).unwrap();
    assert_eq!(json["items"][0]["id"], atom.entries[0].id.as_str());
    assert_eq!(json["items"][0]["_newsfold"]["reports"].as_array().unwrap().len(), 2);
}

#[test]
fn new_source_joins_stories_but_neither_leads_nor_publishes_one() {
    let options = Options::default();
    let mut new = report(1, "new.example", 9, 1, "");
    new.item.source_age = Some(SignedDuration::from_hours(1));
    let alone = story(vec![new.clone()]);
    let after = |hours| alone.created_at + SignedDuration::from_hours(hours);
    assert!(first_publication(&alone, after(1), &options).is_none());
    assert!(
        first_publication(&alone, after(6), &options).is_some(),
        "it is published after the probation of its source"
    );
    let joined = story(vec![new, report(2, "old.example", 0, 5, "")]);
    let (lead, _) = first_publication(&joined, after(1), &options).unwrap();
    assert_eq!(lead.item.outlet, "old.example");
}

#[test]
fn entry_shows_evidence_only_if_configured() {
    use crate::domain::JoinReason;
    let mut joined = report(2, "b.example", 0, 2, "");
    let reasons = vec![JoinReason::SharedTerms { terms: vec!["armoured".into(), "Veshna".into()] }];
    joined.evidence = JoinEvidence { score: 0.7, threshold: 0.5, reasons };
    let mut story = story(vec![report(1, "a.example", 0, 1, ""), joined]);
    story.published_at = Some(Timestamp::UNIX_EPOCH);
    let shows_evidence = |evidence| {
        let options = Options { show_evidence: evidence, ..Options::default() };
        written(&story, DocumentPage::Current, FeedFormat::Json, &options).contains("shares ‘armoured’, ‘Veshna’")
    };
    assert!(shows_evidence(true) && !shows_evidence(false));
}

#[test]
fn documents_link_to_their_archive_pages() {
    let one = story(vec![report(1, "a.example", 0, 3, "")]);
    let options = Options::default();
    let archive = |format| written(&one, DocumentPage::Archive(3), format, &options);
    for format in [FeedFormat::Atom, FeedFormat::Rss] {
        let text = archive(format);
        for expected in [
            "fh:archive",
            &format!("feeds/all.archive-100-3.{}", format.extension()),
            "rel=\"prev-archive\"",
            "rel=\"current\"",
        ] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
        let text = rendered(format);
        assert!(!text.contains("fh:archive") && text.contains("all.archive-100-2"), "{text}");
        assert!(text.contains("energy"), "tags are categories: {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&archive(FeedFormat::Json)).unwrap();
    assert_eq!(json["next_url"], options.url("feeds/all.archive-100-2.json"));
    assert_eq!(json["items"][0]["tags"][0], "energy");
}

#[test]
fn image_becomes_a_thumbnail() {
    let mut one = report(1, "a.example", 0, 3, "");
    one.item.image = Some("https://a.example/i.jpg?a=1&b=2".into());
    let one = story(vec![one]);
    for format in [FeedFormat::Rss, FeedFormat::Atom] {
        let text = written(&one, DocumentPage::Archive(1), format, &Options::default());
        assert!(text.contains("<media:thumbnail url=\"https://a.example/i.jpg?a=1&amp;b=2\""), "{text}");
        assert!(text.contains("xmlns:media=\"http://search.yahoo.com/mrss/\"") && text.contains("xmlns:fh="), "{text}");
    }
}

#[test]
fn every_format_has_the_enclosures_of_the_lead() {
    let mut one = report(1, "a.example", 0, 3, "");
    let file =
        |url: &str, media_type: &str, length| Enclosure { url: url.into(), media_type: media_type.into(), length };
    one.item.enclosures = vec![
        file("https://a.example/1.mp3?a=1&b=2", "audio/mpeg", Some(12)),
        file("https://a.example/1.pdf", "application/pdf", None),
    ];
    let one = story(vec![one]);
    let written = |format| written(&one, DocumentPage::Current, format, &Options::default());
    let rss: ::rss::Channel = written(FeedFormat::Rss).parse().unwrap();
    let first = rss.items[0].enclosure.as_ref().unwrap();
    assert_eq!(
        (&*first.url, &*first.length, &*first.mime_type),
        ("https://a.example/1.mp3?a=1&b=2", "12", "audio/mpeg")
    );
    let second = &rss.items[0].extensions["media"]["content"][0];
    assert_eq!((&*second.attrs["url"], &*second.attrs["type"]), ("https://a.example/1.pdf", "application/pdf"));
    let atom: atom_syndication::Feed = written(FeedFormat::Atom).parse().unwrap();
    let links = atom.entries[0].links.iter().filter(|link| link.rel == "enclosure");
    let links: Vec<_> = links.map(|link| (&*link.href, link.mime_type.as_deref(), link.length.as_deref())).collect();
    assert_eq!(
        links,
        [
            ("https://a.example/1.mp3?a=1&b=2", Some("audio/mpeg"), Some("12")),
            ("https://a.example/1.pdf", Some("application/pdf"), None)
        ]
    );
    let json: serde_json::Value = serde_json::from_str(&written(FeedFormat::Json)).unwrap();
    let expected = serde_json::json!([
        {"url": "https://a.example/1.mp3?a=1&b=2", "mime_type": "audio/mpeg", "size_in_bytes": 12},
        {"url": "https://a.example/1.pdf", "mime_type": "application/pdf"}
    ]);
    assert_eq!(json["items"][0]["attachments"], expected);
}

/// Returns a story with this number of outlets, which report one minute apart.
fn story_of(outlets: i64) -> Story {
    story((1..=outlets).map(|n| report(n, &format!("{n}.example"), 0, n, "")).collect())
}

/// Returns the next step for a story at a given minute after its first edition.
fn next(story: &Story, latest: &Edition, minute: i64) -> EditionStep {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
    let times = EditionTimes { first: Timestamp::UNIX_EPOCH, last: latest.made_at };
    let options = Options::default();
    let lead = LeadPreferences::of_site(&options).keep(story, story.lead).unwrap();
    let review = EditionReview { story, lead, times: Some(times), latest: Some(latest), developments: Vec::new() };
    next_edition(review, at, &options)
}

#[test]
fn growth_makes_an_edition_at_powers_of_two_only() {
    let mut latest = edition(&story_of(1), 1, 0);
    let mut editions = Vec::new();
    for outlets in 2..=40 {
        let story = story_of(outlets);
        if let EditionStep::Write(cause, text) = next(&story, &latest, 60 + latest.outlet_count as i64) {
            assert_eq!(cause, EditionReason::Grown);
            assert_eq!(text.reports.len(), outlets as usize);
            editions.push(outlets);
            latest = edition(&story, latest.number + 1, 0);
        }
    }
    assert_eq!(editions, [2, 4, 8, 16, 32]);
}

#[test]
fn editions_are_at_least_an_hour_apart_and_end_after_two_days() {
    let latest = edition(&story_of(1), 1, 0);
    let at = |minute| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
    assert_eq!(next(&story_of(2), &latest, 59), EditionStep::WaitUntil(at(60)));
    assert!(matches!(next(&story_of(2), &latest, 60), EditionStep::Write(EditionReason::Grown, _)));
    let hours = |hours: i64| hours * 60;
    assert!(matches!(next(&story_of(2), &latest, hours(48) - 1), EditionStep::Write(..)));
    assert_eq!(next(&story_of(2), &latest, hours(48)), EditionStep::Unchanged);
    let late = edition(&story_of(1), 1, hours(47) + 30);
    assert_eq!(
        next(&story_of(2), &late, hours(47) + 40),
        EditionStep::Unchanged,
        "the minimum interval would end after the update window"
    );
}

#[test]
fn corrections_merges_and_removed_reports_make_an_edition_and_nothing_else_does() {
    let one = story_of(3);
    let latest = edition(&one, 1, 0);
    assert_eq!(next(&one, &latest, 70), EditionStep::Unchanged);
    let cause = |story: &Story| match next(story, &latest, 70) {
        EditionStep::Write(cause, _) => Some(cause),
        _ => None,
    };
    let mut changed = one.clone();
    changed.items[1].item.title = "Another".into();
    assert_eq!(cause(&changed), None, "only a change of the lead is a correction");
    changed.items[0].item.title = "Corrected".into();
    assert_eq!(cause(&changed), Some(EditionReason::Corrected));
    let mut summarized = one.clone();
    summarized.items[0].item.summary = "Two people, not three".into();
    assert_eq!(cause(&summarized), Some(EditionReason::Corrected));
    let mut merged = one.clone();
    merged.merged_count = 1;
    assert_eq!(cause(&merged), Some(EditionReason::Merged));
    let mut split = one.clone();
    split.items.pop();
    assert_eq!(cause(&split), Some(EditionReason::Corrected));
}

#[test]
fn relative_time_alone_makes_no_edition() {
    let mut one = story_of(2);
    one.items[0].item.summary = "Posted 5 minutes ago. Boats sail again".into();
    let latest = edition(&one, 1, 0);
    one.items[0].item.summary = "Posted 2 hours ago. Boats sail again".into();
    assert_eq!(next(&one, &latest, 130), EditionStep::Unchanged);
    one.items[0].item.summary = "Posted 2 hours ago. Boats stay in port".into();
    assert!(matches!(next(&one, &latest, 130), EditionStep::Write(EditionReason::Corrected, _)));
}

#[test]
fn lead_without_text_borrows_that_of_the_first_report_with_text() {
    let textless = |id, minute| report(id, &format!("{id}.example"), 0, minute, "");
    let mut items = vec![
        textless(1, 1),
        textless(2, 2),
        report(3, "3.example", 0, 3, "Boats"),
        report(4, "4.example", 0, 4, "Ferries"),
    ];
    items[0].item.content = Some("<img src=\"https://1.example/p.jpg\">".into());
    items[2].item.content = Some("<p>Boats sail</p>".into());
    let mut one = story(items);
    let text = compose_edition(&one, &one.items[0], None, Vec::new());
    assert_eq!((text.lead, text.title, &*text.summary), (ItemId(1), one.items[0].item.title.clone(), "Boats"));
    assert_eq!(text.content.as_deref(), Some("<img src=\"https://1.example/p.jpg\"><p>Boats sail</p>"));
    one.items[2].item.content = None;
    let text = compose_edition(&one, &one.items[0], None, Vec::new());
    assert_eq!(text.content.as_deref(), Some("<img src=\"https://1.example/p.jpg\"><p>Boats</p>"));
    one.items[0].item.summary = one.items[0].item.title.clone();
    let text = compose_edition(&one, &one.items[0], None, Vec::new());
    assert_eq!((&*text.summary, text.content), ("Boats", None), "a title is not text");
    one.items[0].item.summary = "Own".into();
    let text = compose_edition(&one, &one.items[0], None, Vec::new());
    assert_eq!((&*text.summary, text.content), ("Own", one.items[0].item.content.clone()));
}

#[test]
fn lead_stays_unless_an_outlet_of_higher_priority_reports() {
    let one = story_of(2);
    let latest = edition(&one, 1, 0);
    let mut earlier = one.clone();
    earlier.items.insert(0, report(9, "9.example", 0, 0, ""));
    assert_eq!(
        next(&earlier, &latest, 70),
        EditionStep::Unchanged,
        "an earlier report that arrives late does not become the lead"
    );
    let mut higher = one.clone();
    higher.items.push(report(9, "9.example", 5, 9, ""));
    let EditionStep::Write(EditionReason::Corrected, text) = next(&higher, &latest, 70) else {
        panic!("a new lead is a correction")
    };
    assert_eq!(text.lead, ItemId(9));
}

#[test]
fn link_stays_while_its_report_does_and_then_changes_together_with_the_title() {
    let one = story_of(2);
    let latest = edition(&one, 1, 0);
    let link = |id: i64| Some(format!("https://{id}.example/{id}?a=1&b=2"));
    assert_eq!((latest.text.linked, &latest.text.link), (ItemId(1), &link(1)));
    let mut higher = one.clone();
    higher.items.push(report(9, "9.example", 5, 9, ""));
    let EditionStep::Write(_, text) = next(&higher, &latest, 70) else { panic!("a new lead is a correction") };
    assert_eq!((text.lead, text.linked, text.link), (ItemId(9), ItemId(1), link(1)));
    let mut moved = one.clone();
    moved.items[0].item.url = Some("https://1.example/moved".into());
    assert_eq!(next(&moved, &latest, 70), EditionStep::Unchanged);
    let mut left = one;
    left.items.remove(0);
    for minute in [70, 100 * 60] {
        let EditionStep::Write(EditionReason::Corrected, text) = next(&left, &latest, minute) else {
            panic!("a report that left is a correction, even after the update window")
        };
        let title = left.items[0].item.title.clone();
        assert_eq!((text.lead, text.linked, text.link, text.title), (ItemId(2), ItemId(2), link(2), title));
    }
}

/// Returns a report in a language by a separate outlet, `id` minutes after the epoch.
fn report_in(language: &str, id: i64, priority: i32) -> StoryItem {
    let mut report = report(id, &format!("{id}.example"), priority, id, "Boats stay in port");
    report.item.lang = Some(language.into());
    report
}

#[test]
fn lead_is_in_a_preferred_language_if_a_report_that_is_not_a_copy_is() {
    let lead = |languages: &[&str], items| {
        let languages = languages.iter().map(|&code| code.to_owned()).collect();
        choose_lead(&story(items), &Options { languages, ..Options::default() }).unwrap().item.id.0
    };
    let reports = || vec![report_in("en", 1, 9), report_in("de", 2, 0), report_in("pl", 3, 5), report_in("de", 4, 1)];
    assert_eq!(lead(&[], reports()), 1);
    assert_eq!(lead(&["pl", "de"], reports()), 3);
    assert_eq!(lead(&["fr", "de"], reports()), 4, "priorities decide within a language");
    assert_eq!(lead(&["fr"], reports()), 1);
    let mut copies = reports();
    copies[2].copy_of = Some(ItemId(1));
    assert_eq!(lead(&["pl"], copies), 1);
}

#[test]
fn report_in_a_more_preferred_language_becomes_the_lead_and_the_link_stays() {
    let options = Options { languages: vec!["pl".into(), "en".into()], ..Options::default() };
    let mut one = story(vec![report_in("en", 1, 9)]);
    let latest = Edition { text: compose_edition(&one, &one.items[0], None, Vec::new()), ..edition(&one, 1, 10) };
    one.items.push(report_in("pl", 2, 0));
    one.items.push(report_in("de", 3, 9));
    let times = Some(EditionTimes { first: latest.made_at, last: latest.made_at });
    let lead = LeadPreferences::of_site(&options).keep(&one, one.lead).unwrap();
    let review = EditionReview { story: &one, lead, times, latest: Some(&latest), developments: Vec::new() };
    let now = latest.made_at + options.min_update_interval;
    let EditionStep::Write(EditionReason::Corrected, text) = next_edition(review, now, &options) else {
        panic!("the headline changes")
    };
    assert_eq!((text.lead, text.linked, &text.link), (ItemId(2), ItemId(1), &latest.text.link));
    assert_eq!(text.lang.as_deref(), Some("pl"));
}

#[test]
fn language_of_an_entry_is_the_first_of_the_feed_in_which_the_story_has_an_original_report() {
    let language = |languages: &[&str], items| {
        let languages: Vec<String> = languages.iter().map(|&code| code.to_owned()).collect();
        entry_language(&story(items), &languages, &Options::default()).cloned()
    };
    let reports = || vec![report_in("en", 1, 9), report_in("de", 2, 0), report_in("pl", 3, 5)];
    assert_eq!(language(&["fr", "pl", "de"], reports()).as_deref(), Some("pl"));
    assert_eq!(language(&["fr"], reports()), None);
    let mut copies = reports();
    copies[2].copy_of = Some(ItemId(1));
    assert_eq!(language(&["pl", "de"], copies.clone()).as_deref(), Some("de"));
    assert_eq!(
        language(&["pl"], copies).as_deref(),
        Some("pl"),
        "the entry has a language even if its lead has another"
    );
}

/// Returns the edition with which a story enters a feed that shows it in Polish.
fn edition_in_polish(story: &Story, known: &EditionText, has_entries: bool) -> LanguageEdition {
    let language = "pl".to_owned();
    let state = LanguageState { language: &language, latest: None, has_entries };
    let developments = |_: Option<&str>| Ok::<_, std::convert::Infallible>(Vec::new());
    edition_in_language(story, known, state, &Options::default(), developments).unwrap()
}

#[test]
fn entries_in_a_language_share_the_editions_of_the_story_until_their_lead_or_link_differs() {
    let polish = story(vec![report_in("pl", 1, 0)]);
    let known = edition(&polish, 1, 0).text;
    for has_entries in [false, true] {
        assert_eq!(edition_in_polish(&polish, &known, has_entries), LanguageEdition::OfStory);
    }
    let mut both = story(vec![report_in("en", 1, 0), report_in("pl", 2, 0)]);
    let known = edition(&both, 1, 0).text;
    let LanguageEdition::New(EditionReason::First, text) = edition_in_polish(&both, &known, false) else {
        panic!("the lead is in English")
    };
    assert_eq!((text.lead, text.linked, &text.link), (ItemId(2), ItemId(2), &both.items[1].item.url));
    // Readers of entries in Polish have seen the English link, because the Polish report arrived later.
    let LanguageEdition::New(EditionReason::Entered, text) = edition_in_polish(&both, &known, true) else {
        panic!("only the new entry changes before the next edition is due")
    };
    assert_eq!((text.lead, text.linked, &text.link), (ItemId(2), ItemId(1), &known.link));
    // The linked report leaves the story.
    both.items.remove(0);
    both.lead = ItemId(2);
    assert_eq!(edition_in_polish(&both, &known, true), LanguageEdition::OfStory);
}

#[test]
fn membership_reports_each_condition() {
    let options: Options = toml::from_str(
        "feeds = [{ name = \"x\", tags = [\"war\"], languages = [\"en\"], min_outlets = 2, query = \"grid\" }]",
    )
    .unwrap();
    let feed = options.published_feeds().into_iter().find(|feed| feed.name == "x").unwrap();
    let mut story = story_of(1);
    story.published_at = Some(Timestamp::UNIX_EPOCH);
    let matches = QueryMatches { query: Some(true), ..QueryMatches::default() };
    let conditions = membership_conditions(&story, &feed.selection, matches);
    let holds: Vec<bool> = conditions.iter().map(|condition| condition.holds).collect();
    assert_eq!(holds, [true, false, true, true, false], "{conditions:?}");
    assert!(conditions[1].says.contains("any of war; the story has energy"), "{conditions:?}");
}

#[test]
fn first_copy_takes_the_place_of_an_original_that_left_the_story() {
    let copy = |id, outlet, minute, of| StoryItem { copy_of: Some(ItemId(of)), ..report(id, outlet, 0, minute, "") };
    let mut story = story(vec![copy(2, "b.example", 1, 1), copy(3, "c.example", 2, 1), copy(4, "d.example", 3, 3)]);
    let corrected = story.corrected_copies();
    assert_eq!(corrected, [(ItemId(2), None), (ItemId(3), Some(ItemId(2))), (ItemId(4), Some(ItemId(2)))]);
    for (item, original) in corrected {
        story.items.iter_mut().find(|i| i.item.id == item).unwrap().copy_of = original;
    }
    assert_eq!((story.outlets(), story.corrected_copies()), (vec!["b.example"], vec![]));
}
