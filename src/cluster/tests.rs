//! What grouping does with small written cases.

use super::*;
use crate::model::{SourceId, Timestamp};

/// A stream of items, one a minute, each `outlet | title | summary`.
fn stories(lines: &[&str]) -> Vec<usize> {
    let mut clusterer = Clusterer::new(Options::default());
    background(&mut clusterer);
    let mut ids = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let placed = clusterer.place(&item(1000 + n as i64, line), |_| StoryId::from_row(1000 + n as i64));
        ids.push(placed.assignment.story.to_row() as usize - 1000);
        for (item, _) in placed.merges.iter().flat_map(|merge| &merge.items) {
            ids[item.0 as usize - 1000] = placed.merges.last().unwrap().into.to_row() as usize - 1000;
        }
    }
    ids
}

/// Unrelated news, so that the words of a case are not the only words in the world.
fn background(clusterer: &mut Clusterer) {
    const NOUNS: [&str; 12] = [
        "harvest",
        "museum",
        "budget",
        "orchestra",
        "glacier",
        "tariff",
        "vaccine",
        "novel",
        "railway",
        "beach",
        "senate",
        "yacht",
    ];
    for n in 0..120 {
        let (a, b) = (NOUNS[n % 12], NOUNS[(n * 7 + n / 12) % 12]);
        let line =
            format!("o{n}.example | {a} plan number{n} for {b} | Officials in town{n} talk of {b} and {a} again");
        let id = n as i64;
        clusterer.place(&item(id, &line), |_| StoryId::from_row(100_000 + id));
    }
}

fn item(id: i64, line: &str) -> Item {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(id);
    Item {
        id: ItemId(id),
        source: SourceId(1),
        source_title: String::new(),
        source_url: String::new(),
        outlet: parts[0].into(),
        priority: 0,
        guid: id.to_string(),
        url: None,
        canonical_url: parts.get(3).map(|s| s.to_string()),
        title: parts[1].into(),
        summary: parts[2].into(),
        content: None,
        author: None,
        lang: Some("en".into()),
        image: None,
        published_at: None,
        first_seen_at: at,
        ranked_at: at,
    }
}

#[test]
fn reports_of_one_event_meet_and_others_stay_away() {
    let found = stories(&[
        "a.example | Marshal Dorn arrives in Veshna by armoured train for parade | The leader crossed the border at night",
        "b.example | Dorn's armoured train pulls into Veshna ahead of military parade | Guards lined the platform",
        "c.example | Storm closes the northern ports | Ferries stay in harbour until Tuesday",
        "d.example | Armoured train carries Marshal Dorn to Veshna parade | Neighbours watch the visit with concern",
    ]);
    assert_eq!(found, [0, 0, 2, 0]);
}

#[test]
fn a_number_apart_keeps_products_apart() {
    let found = stories(&[
        "a.example | Lumen 9 phone launched with brighter screen | The maker showed its new phone",
        "b.example | Lumen 10 phone said to come with brighter screen | The maker is working on its new phone",
    ]);
    assert_eq!(found, [0, 1]);
}

#[test]
fn two_links_to_one_article_are_one_story_and_one_is_a_copy() {
    let mut clusterer = Clusterer::new(Options::default());
    let first = item(1, "a.example | One headline | words | https://a.example/x");
    let second = item(2, "a.example | Another headline entirely | other | https://a.example/x");
    let founded = clusterer.place(&first, |_| StoryId::from_row(1)).assignment;
    let joined = clusterer.place(&second, |_| StoryId::from_row(2)).assignment;
    assert_eq!((founded.placement, joined.placement), (Placement::Founded, Placement::Joined));
    assert_eq!((joined.story, joined.copy_of), (founded.story, Some(first.id)));
    assert!(joined.evidence.to_string().contains("the same link as item 1"));
}

#[test]
fn a_restart_changes_no_decision() {
    let lines = [
        "a.example | Quake shakes Ankhoro | A strong earthquake hit the city of Ankhoro",
        "b.example | Earthquake in Ankhoro kills four | Rescuers search the city",
        "c.example | Rescuers dig in Ankhoro after the earthquake | Four are dead in the city",
        "d.example | Bank lifts rates | The central bank raised its rate",
    ];
    for cut in 0..lines.len() {
        let mut whole = Clusterer::new(Options::default());
        let mut placed = Vec::new();
        for (n, line) in lines.iter().enumerate() {
            placed.push(whole.place(&item(n as i64, line), |_| StoryId::from_row(n as i64)));
        }
        let mut resumed = Clusterer::new(Options::default());
        for (n, line) in lines.iter().enumerate() {
            if n < cut {
                resumed.restore(&item(n as i64, line), placed[n].assignment.story, placed[n].assignment.copy_of);
            } else {
                let again = resumed.place(&item(n as i64, line), |_| StoryId::from_row(n as i64));
                assert_eq!(again, placed[n], "cut at {cut}");
            }
        }
    }
}

#[test]
fn what_left_the_window_is_forgotten() {
    let mut clusterer = Clusterer::new(Options::default());
    let mut late = item(2, "b.example | Quake shakes Ankhoro | A strong earthquake | https://a.example/x");
    clusterer.place(&item(1, "a.example | Quake shakes Ankhoro | A strong earthquake | https://a.example/x"), |_| {
        StoryId::from_row(1)
    });
    late.first_seen_at += SignedDuration::from_hours(80);
    let placed = clusterer.place(&late, |_| StoryId::from_row(2)).assignment;
    assert_eq!((placed.placement, clusterer.active_items()), (Placement::Founded, 1));
}
