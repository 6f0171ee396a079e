//! What is published of small written stories.

use super::entry::{clean, uuid};
use super::*;
use crate::model::{Evidence, Item, ItemId, Published, SourceId, StoryId, StoryItem};
use jiff::SignedDuration;

fn report(id: i64, outlet: &str, priority: i32, minute: i64, summary: &str) -> StoryItem {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
    StoryItem {
        item: Item {
            id: ItemId(id),
            source: SourceId(id),
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
            published_at: None,
            first_seen_at: at,
            ranked_at: at,
            source_age: None,
            article: None,
        },
        copy_of: None,
        evidence: Evidence::default(),
        assigned_at: at,
    }
}

fn story(items: Vec<StoryItem>) -> Story {
    Story {
        id: StoryId::mint("https://a.example/feed", "1", 0),
        founded_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH + SignedDuration::from_mins(90),
        published: None,
        merged_into: None,
        lead: items[0].item.id,
        items,
    }
}

#[test]
fn the_lead_is_of_the_highest_priority_then_the_earliest_then_the_fullest() {
    let lead = |items| choose_lead(&story(items), &Options::default()).unwrap().item.id.0;
    assert_eq!(lead(vec![report(1, "a.example", 0, 1, ""), report(2, "b.example", 5, 9, "")]), 2);
    assert_eq!(lead(vec![report(1, "a.example", 0, 2, ""), report(2, "b.example", 0, 1, "")]), 2);
    assert_eq!(lead(vec![report(1, "a.example", 0, 1, "x"), report(2, "b.example", 0, 1, "xyz")]), 2);
    let mut copy = report(1, "a.example", 9, 1, "");
    copy.copy_of = Some(ItemId(2));
    assert_eq!(lead(vec![copy, report(2, "b.example", 0, 2, "")]), 2);
}

#[test]
fn a_story_waits_until_it_has_settled_and_has_the_date_of_its_first_report() {
    let options = Options::default();
    let story = story(vec![report(1, "a.example", 0, 3, ""), report(2, "b.example", 1, 7, "")]);
    let early = story.founded_at + options.settle - SignedDuration::from_secs(1);
    assert!(first_publication(&story, early, &options).is_none());
    let (lead, published) = first_publication(&story, story.founded_at + options.settle, &options).unwrap();
    assert_eq!(lead.item.id, ItemId(2));
    assert_eq!(published.at, story.items[0].item.ranked_at);
    assert_eq!(published.link, lead.item.url);
}

fn rendered(format: Format) -> String {
    let mut one = story(vec![report(1, "a.example", 0, 3, "Sum\u{b}mary"), report(2, "b.example", 0, 7, "")]);
    one.published = Some(Published { at: one.items[0].item.ranked_at, link: one.items[0].item.url.clone() });
    let options = Options::default();
    let feed = options.published_feeds().remove(0);
    let document = FeedDocument { feed: &feed, instance: "00ff", stories: &[one], options: &options };
    String::from_utf8(document.render(format)).unwrap()
}

#[test]
fn every_format_holds_one_entry_with_all_its_outlets() {
    for format in Format::ALL {
        let text = rendered(format);
        for expected in ["a.example", "b.example", "1970-01-01", "urn:uuid:"] {
            let found = text.contains(expected) || format == Format::Rss && text.contains("01 Jan 1970");
            assert!(found, "{expected} is not in {text}");
        }
        assert!(!text.contains("<script") && !text.contains("&lt;script"), "{text}");
        assert!(!text.contains('\u{b}'));
    }
    assert_eq!(rendered(Format::Rss).matches("<guid isPermaLink=\"false\">").count(), 1);
}

#[test]
fn what_is_written_can_be_read_again() {
    let atom: atom_syndication::Feed = rendered(Format::Atom).parse().unwrap();
    assert_eq!(atom.entries[0].title.value, "Title <1> & more");
    assert_eq!(atom.entries[0].links[0].href, "https://a.example/1?a=1&b=2");
    let rss: ::rss::Channel = rendered(Format::Rss).parse().unwrap();
    assert_eq!(rss.items[0].guid.as_ref().unwrap().value, atom.entries[0].id);
    let json: serde_json::Value = serde_json::from_str(&rendered(Format::Json)).unwrap();
    assert_eq!(json["items"][0]["id"], atom.entries[0].id.as_str());
    assert_eq!(json["items"][0]["_newsfold"]["reports"].as_array().unwrap().len(), 2);
}

#[test]
fn uuids_are_of_version_eight() {
    let id = uuid("anything");
    assert_eq!((&id[23..24], &id[..9]), ("8", "urn:uuid:"));
    assert!(matches!(&id[28..29], "8" | "9" | "a" | "b"), "{id}");
    assert_eq!(clean("a\0b\u{fffe}c\u{1f600}"), "abc\u{1f600}");
}

#[test]
fn a_new_source_joins_a_story_and_neither_leads_nor_publishes_one() {
    let options = Options::default();
    let mut new = report(1, "new.example", 9, 1, "");
    new.item.source_age = Some(SignedDuration::from_hours(1));
    let alone = story(vec![new.clone()]);
    let after = |hours| alone.founded_at + SignedDuration::from_hours(hours);
    assert!(first_publication(&alone, after(1), &options).is_none());
    assert!(
        first_publication(&alone, after(6), &options).is_some(),
        "it is published once its source is no longer new"
    );
    let joined = story(vec![new, report(2, "old.example", 0, 5, "")]);
    let (lead, _) = first_publication(&joined, after(1), &options).unwrap();
    assert_eq!(lead.item.outlet, "old.example");
}

#[test]
fn an_entry_says_why_its_reports_are_there_when_it_is_asked_to() {
    use crate::model::Reason;
    let mut joined = report(2, "b.example", 0, 2, "");
    let reasons = vec![Reason::Terms { terms: vec!["armoured".into(), "Veshna".into()] }];
    joined.evidence = Evidence { score: 0.7, needed: 0.5, reasons };
    let mut story = story(vec![report(1, "a.example", 0, 1, ""), joined]);
    story.published = Some(Published { at: Timestamp::UNIX_EPOCH, link: None });
    let says = |evidence| {
        let options = Options { evidence, ..Options::default() };
        let feed = options.published_feeds().remove(0);
        let stories = [story.clone()];
        let document = FeedDocument { feed: &feed, instance: "i", stories: &stories, options: &options };
        String::from_utf8(document.render(Format::Json)).unwrap().contains("shares ‘armoured’, ‘Veshna’")
    };
    assert!(says(true) && !says(false));
}
