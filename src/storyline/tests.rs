//! Tests storylines of small sets of items through the public interface.

use super::mixed_linkage::{LinkageInput, group};
use super::pair_features::FIRST_BURST_FEATURE;
use super::similarities::linkable_similarities;
use super::{ComparedPair, FEATURE_NAMES, STORYLINE_THRESHOLD, StoryLinks, StorylineGrouper, TreeModel};
use crate::domain::{Embedding, Item, StoryId, StorylineId, StorylineMember, Timestamp};
use crate::evaluation::LabeledItem;
use serde_json::json;

/// Returns an item of an outlet. Each item is a separate story.
fn item(id: i64, outlet: &str, title: &str, summary: &str) -> Item {
    let labeled: LabeledItem = serde_json::from_value(json!({
        "id": id.to_string(), "outlet": outlet, "published": "2026-03-01T10:00:00Z", "title": title, "summary": summary,
        "story": id,
    }))
    .unwrap();
    labeled.to_item(id, None)
}

/// Returns the item as a member of the only story in a storyline.
fn member(item: &Item, story: i64) -> StorylineMember {
    StorylineMember {
        item: item.id,
        source: item.source,
        story: StoryId::from_row(story),
        storyline: StorylineId::from_row(story),
        storyline_created_at: Timestamp::from_second(story).unwrap(),
        first_seen_at: item.first_seen_at,
    }
}

/// Returns a grouper with these items in stories numbered like the items.
fn grouper(items: &[Item]) -> StorylineGrouper {
    let mut grouper = StorylineGrouper::default();
    for item in items {
        grouper.add(item, StoryId::from_row(item.id.0));
    }
    grouper
}

/// Returns each story with the first story of its storyline.
fn groups(grouper: &StorylineGrouper) -> Vec<(StoryId, StoryId)> {
    grouper.weigh().group(&TreeModel::learned(), STORYLINE_THRESHOLD, &StoryLinks::default())
}

/// Returns the storyline of each item, as the row of its first story.
fn storylines(grouper: &StorylineGrouper) -> Vec<i64> {
    groups(grouper).into_iter().map(|(_, first)| first.to_row()).collect()
}

/// The number of reports on the ferry, which come first.
const FERRY_REPORTS: usize = 30;

/// Returns thirty reports from fifteen outlets on a capsized ferry, among unrelated items.
fn ferry_and_others() -> Vec<Item> {
    let aspects = [
        (
            "Ferry Valderra capsizes off Norholm",
            "The Valderra went down near Norholm with 200 aboard, the coast guard said.",
        ),
        ("Divers reach wreck of Valderra", "Rescue teams off Norholm have reached the ferry Valderra."),
        ("Norholm mourns victims of ferry disaster", "Hundreds gathered in Norholm for those lost on the Valderra."),
        ("Owner of Valderra had ignored safety warnings", "Inspectors warned of the ferry before it sank off Norholm."),
        (
            "Prime minister visits Norholm after ferry sinks",
            "She met survivors of the Valderra and promised an inquiry.",
        ),
        ("Captain of Valderra questioned by police", "Police in Norholm questioned the captain of the ferry."),
        ("How the Valderra sank: a timeline", "Minute by minute, from Norholm harbour to the last call."),
        ("Survivors tell of panic aboard the Valderra", "Passengers rescued near Norholm describe the night."),
        ("Search for missing off Norholm enters second day", "Forty people from the Valderra are still missing."),
        ("Ferry traffic to Norholm suspended", "All ships of the type of the Valderra stay in port."),
    ];
    let unrelated = [
        ("Central bank raises interest rates", "The board voted for a quarter point."),
        ("New species of frog found in Andes", "Biologists describe a tiny amphibian."),
        ("Striker signs for city rivals", "The transfer ends months of rumours."),
        ("Museum shows lost paintings", "The exhibition opens on Friday."),
        ("Heavy snow closes mountain passes", "Drivers are told to carry chains."),
        ("Chip maker reports record profit", "Demand for servers lifted sales."),
        ("Teachers begin three day strike", "Schools in four districts are closed."),
        ("Opera house appoints conductor", "Her first season begins in autumn."),
        ("Wheat harvest beats forecasts", "Farmers had feared drought."),
        ("Cyclist wins stage in sprint", "The peloton caught the breakaway late."),
    ];
    let ferry = (0..FERRY_REPORTS).map(|n| aspects[n % aspects.len()]);
    let all = ferry.chain(unrelated).enumerate();
    all.map(|(n, (title, summary))| {
        let summary = format!("{summary} {} {}", invented_word(n), invented_word(n + 1000));
        item(n as i64 + 1, &format!("outlet{}.example", n % 15), title, &summary)
    })
    .collect()
}

/// Returns a word that is unique to the number.
fn invented_word(n: usize) -> String {
    let letter = |digit: usize| char::from(b'b' + (n / 20_usize.pow(digit as u32) % 20) as u8);
    ["zu", "ko"].iter().enumerate().map(|(digit, syllable)| format!("{syllable}{}", letter(digit))).collect::<String>()
        + &letter(2).to_string()
}

#[test]
fn stories_of_an_event_that_bursts_at_many_outlets_share_a_storyline() {
    let found = storylines(&grouper(&ferry_and_others()));
    let (ferry, unrelated) = found.split_at(FERRY_REPORTS);
    let together = ferry.iter().filter(|storyline| **storyline == ferry[0]).count();
    assert!(together * 10 >= FERRY_REPORTS * 9, "{found:?}");
    assert!(unrelated.iter().zip(FERRY_REPORTS as i64 + 1..).all(|(storyline, own)| *storyline == own), "{found:?}");
}

#[test]
fn one_outlet_cannot_make_a_burst() {
    let mut items = ferry_and_others();
    items.iter_mut().take(FERRY_REPORTS).for_each(|item| item.outlet = "single.example".to_owned());
    let pairs = grouper(&items).weigh().compared_pairs();
    let bursts = |pair: &ComparedPair| pair.features[FIRST_BURST_FEATURE..].iter().any(|value| *value != 0.0);
    assert!(!pairs.is_empty() && !pairs.iter().any(bursts));
    let pairs = grouper(&ferry_and_others()).weigh().compared_pairs();
    for (feature, name) in FEATURE_NAMES.iter().enumerate().skip(FIRST_BURST_FEATURE) {
        assert!(pairs.iter().any(|pair| pair.features[feature] > 0.0), "{name}");
    }
}

#[test]
fn an_outlet_that_publishes_far_more_than_the_others_does_not_complete_a_burst() {
    let mut items = ferry_and_others();
    for (n, item) in items.iter_mut().take(FERRY_REPORTS).enumerate() {
        item.outlet = format!("ferry{}.example", n % 2);
    }
    let bursts = |items: &[Item]| {
        let feature = FEATURE_NAMES.iter().position(|name| *name == "shared bursts").unwrap();
        let pairs = grouper(items).weigh().compared_pairs();
        pairs
            .iter()
            .filter(|pair| pair.stories.iter().all(|id| id.to_row() <= FERRY_REPORTS as i64))
            .any(|pair| pair.features[feature] > 0.0)
    };
    assert!(!bursts(&items), "two outlets are too few");
    let reports = items[..FERRY_REPORTS].to_vec();
    let copies = |outlet: &str, count: usize| -> Vec<Item> {
        let copy = |(n, report): (usize, &Item)| {
            item(1000 + n as i64, outlet, &report.title, &format!("{} {}", report.summary, invented_word(n + 4000)))
        };
        reports.iter().cycle().take(count).enumerate().map(copy).collect()
    };
    let mut with_third = items.clone();
    with_third.extend(copies("third.example", 5));
    assert!(bursts(&with_third), "three outlets make a burst");
    items.extend(copies("spam.example", 2000));
    assert!(!bursts(&items));
}

#[test]
fn pairs_without_a_probability_have_no_effect_on_the_groups() {
    let (weighed, model) = (grouper(&ferry_and_others()).weigh(), TreeModel::learned());
    let position = |story: StoryId| weighed.positions[&story] as u32;
    let all: Vec<([u32; 2], f32)> = weighed
        .compared_pairs()
        .iter()
        .map(|pair| (pair.stories.map(position), model.probability(&pair.features)))
        .collect();
    let mut omitted = 0;
    for (threshold, must_link) in [(0.05, vec![]), (0.2, vec![]), (0.2, vec![[0, 35], [33, 36]]), (0.6, vec![])] {
        let linkable = linkable_similarities(weighed.candidates(), &weighed.census, &model, threshold, &must_link);
        assert!(linkable.iter().all(|pair| all.contains(pair)));
        omitted += all.len() - linkable.len();
        let grouped = |similarities| {
            let weights = weighed.stories.iter().map(|story| story.weight).collect();
            let must_link = must_link.clone();
            group(&LinkageInput { weights, similarities, must_link, ..LinkageInput::default() }, threshold)
        };
        assert_eq!(grouped(linkable), grouped(all.clone()), "threshold {threshold}");
    }
    assert!(omitted > 0);
}

#[test]
fn items_that_are_added_in_another_order_give_the_same_storylines() {
    let mut items = ferry_and_others();
    let expected = groups(&grouper(&items));
    items.reverse();
    assert_eq!(groups(&grouper(&items)), expected);
}

#[test]
fn an_item_that_moves_takes_its_terms_to_the_other_story() {
    let items = ferry_and_others();
    let mut moved = grouper(&items);
    let in_story = |item: &Item| if item.id == items[1].id { 1 } else { item.id.0 };
    let members: Vec<StorylineMember> = items.iter().map(|item| member(item, in_story(item))).collect();
    assert_eq!(moved.retain(&members), []);
    let stories: Vec<i64> = groups(&moved).iter().map(|(story, _)| story.to_row()).collect();
    assert!(!stories.contains(&2) && stories.len() == items.len() - 1);
}

#[test]
fn similarity_of_stories_that_are_weighed_equally_does_not_depend_on_the_items_of_an_outlet() {
    let similarity = |outlet: fn(i64) -> String| {
        let mut grouper = StorylineGrouper::default();
        for id in 1..=21 {
            let report = item(id, &outlet(id), "Ferry Valderra capsizes off Norholm", "It sank near Norholm.");
            grouper.add(&report, StoryId::from_row(if id == 1 { 1 } else { 2 }));
        }
        let other = item(22, "small.example", "Owner had ignored safety warnings", "Inspectors warned of it.");
        grouper.add(&other, StoryId::from_row(1));
        grouper.weigh_equally().highest_similarity(StoryId::from_row(1))
    };
    let of_one_outlet = similarity(|_| "big.example".into());
    assert_eq!(of_one_outlet, similarity(|id| format!("outlet{id}.example")));
    assert!(of_one_outlet > 0.5, "{of_one_outlet}");
}

/// Returns a report in a language, with an embedding.
fn encoded(id: i64, language: &str, title: &str, vector: &[f32]) -> Item {
    let lang = Some(language.to_owned());
    let embedding = Embedding::from_floats(vector);
    Item { lang, embedding, ..item(id, &format!("outlet{id}.example"), title, "") }
}

#[test]
fn stories_in_different_languages_share_a_storyline_if_their_embeddings_are_similar() {
    let mut items = vec![
        encoded(1, "en", "Storm closes northern ports", &[1.0, 0.1, 0.0]),
        encoded(2, "pl", "Burza zamyka porty", &[1.0, 0.0, 0.1]),
        encoded(3, "de", "Zentralbank erhöht Zinsen", &[0.0, 1.0, 0.0]),
        encoded(4, "pl", "Wichura niszczy nabrzeże", &[0.1, 0.0, 1.0]),
    ];
    assert_eq!(storylines(&grouper(&items)), [1, 1, 3, 4]);
    items[1].lang = Some("en".into());
    assert_eq!(storylines(&grouper(&items)), [1, 2, 3, 4], "within a language, embeddings are not used");
    items[1].lang = Some("pl".into());
    items[1].embedding = None;
    assert_eq!(storylines(&grouper(&items)), [1, 2, 3, 4], "one of the stories has no embedding");
}

#[test]
fn embeddings_do_not_override_the_operator() {
    let stories = [encoded(1, "en", "Storm", &[1.0, 0.0]), encoded(2, "pl", "Burza", &[1.0, 0.0])];
    let separated = StoryLinks { cannot_link: vec![[1, 2].map(StoryId::from_row)], ..StoryLinks::default() };
    let found = grouper(&stories).weigh().group(&TreeModel::learned(), STORYLINE_THRESHOLD, &separated);
    assert!(found.iter().all(|(story, first)| story == first), "{found:?}");
}

#[test]
fn embeddings_in_another_order_give_the_same_storylines() {
    // The angle between two stories of different languages takes many values around the limit.
    let language = |n: i64| ["en", "pl", "de"][n as usize % 3];
    let vector = |n: i64| [libm::cosf(n as f32 * 0.37), libm::sinf(n as f32 * 0.37), 0.2];
    let mut items: Vec<Item> =
        (1..100).map(|n| encoded(n, language(n), &invented_word(n as usize), &vector(n))).collect();
    let expected = groups(&grouper(&items));
    assert!(expected.iter().any(|(story, first)| story != first), "{expected:?}");
    items.reverse();
    assert_eq!(groups(&grouper(&items)), expected);
}
