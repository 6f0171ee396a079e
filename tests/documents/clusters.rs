//! How well the clusterer does on whole streams: its figures must not fall, and one outlet must not be able to spoil them.

use newsfold::cluster::evaluation::dataset::{LabeledItem, replay};
use newsfold::cluster::evaluation::metrics;
use newsfold::cluster::{Clusterer, Options};
use newsfold::domain::{Item, StoryId};
use std::path::Path;

/// The figures of docs/clustering.md, less what a change of a library's word list may cost.
const B_CUBED: f64 = 0.915;
const PAIRS: f64 = 0.68;

#[test]
fn the_figures_on_labelled_stories_do_not_fall() {
    let gold = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/stories/dev.jsonl");
    if !gold.exists() {
        crate::support::skipped("there are no labelled stories beside this project");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
    let done = command.env("HOME", folder.path()).arg("--json").arg("eval").arg(&gold).assert().success();
    let scores: serde_json::Value = serde_json::from_slice(&done.get_output().stdout).unwrap();
    let figure = |over: &str, which: &str| scores[over][which].as_f64().unwrap();
    assert!(figure("b_cubed", "f1") >= B_CUBED && figure("pairs", "f1") >= PAIRS, "{scores}");
    // A false merge hides news; a miss only shows it twice.
    assert!(figure("pairs", "precision") >= figure("pairs", "recall"), "{scores}");
}

/// News in an invented language: each event has words of its own, and is told by three outlets, two minutes apart.
fn news() -> Vec<LabeledItem> {
    let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut items = Vec::new();
    for event in 0..150 {
        for telling in 0..3 {
            let own = |n: usize| invented(event * 8 + (telling * 2 + n) % 8);
            let common = |n: usize| invented(5000 + (event * 5 + telling * 11 + n * 7) % 60);
            let title = [own(0), common(1), own(1), own(2), common(2), own(3)].join(" ");
            let summary = [common(3), own(4), common(4), own(0), common(5), common(6), own(5), common(7)].join(" ");
            items.push(LabeledItem {
                id: format!("{event}-{telling}"),
                outlet: format!("outlet{}.example", (event + 5 * telling) % 17),
                published: start + jiff::SignedDuration::from_mins((10 * event + 2 * telling) as i64),
                title,
                summary,
                url: None,
                lang: None,
                story: event.into(),
            });
        }
    }
    items
}

/// A word made of syllables, another one for each number.
fn invented(mut n: usize) -> String {
    const SYLLABLES: [&str; 20] = [
        "ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu", "za", "bre", "cli",
        "dro", "flu",
    ];
    let mut word = String::new();
    n += 400;
    while n > 0 {
        word.push_str(SYLLABLES[n % 20]);
        n /= 20;
    }
    word
}

fn group(labelled: &[LabeledItem]) -> Vec<StoryId> {
    let items: Vec<Item> = labelled.iter().enumerate().map(|(n, item)| item.item(n, None)).collect();
    replay(&mut Clusterer::new(Options::default()), &items)
}

/// The figures of the items of all outlets but the hostile one.
fn figures(labelled: &[LabeledItem], found: &[StoryId]) -> metrics::ClusteringMetrics {
    let honest = labelled.iter().zip(found).filter(|(item, _)| item.outlet != "spam.example");
    metrics::report(&honest.map(|(item, story)| (item.story.to_string(), *story)).collect::<Vec<_>>())
}

/// Puts `count` copied headlines with bodies of spam between the items, each just after the one that it copies.
fn flood(honest: &[LabeledItem], count: usize) -> Vec<LabeledItem> {
    let mut all = honest.to_vec();
    for n in 0..count {
        let copied = &honest[(n * 7) % honest.len()];
        all.push(LabeledItem {
            id: format!("spam-{n}"),
            outlet: "spam.example".into(),
            published: copied.published + jiff::SignedDuration::from_secs(30 + n as i64 % 90),
            summary: format!("Win a prize number {n} now, cheap watches and pills, click here for {}", copied.title),
            story: format!("spam-{n}").into(),
            ..copied.clone()
        });
    }
    all.sort_by(|a, b| a.published.cmp(&b.published).then_with(|| a.id.cmp(&b.id)));
    all
}

fn moved(before: metrics::ClusteringMetrics, after: metrics::ClusteringMetrics) -> f64 {
    let apart = |a: metrics::PrecisionRecall, b: metrics::PrecisionRecall| {
        [(a.precision, b.precision), (a.recall, b.recall), (a.f1, b.f1)].map(|(a, b)| (a - b).abs())
    };
    let all = [apart(before.b_cubed, after.b_cubed), apart(before.pairs, after.pairs)].concat();
    all.into_iter().fold(0.0, f64::max)
}

#[test]
fn five_thousand_copied_headlines_of_one_outlet_move_no_figure_of_the_others_by_one_percent() {
    let honest = news();
    let before = figures(&honest, &group(&honest));
    assert!(before.pairs.f1 > 0.8, "the written news is grouped well to begin with: {before:?}");
    let all = flood(&honest, 5000);
    let after = figures(&all, &group(&all));
    assert!(moved(before.clone(), after.clone()) < 0.01, "{before:?} became {after:?}");
}

#[test]
fn nor_do_they_on_labelled_stories() {
    let Ok(text) = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/stories/dev.jsonl"))
    else {
        crate::support::skipped("there are no labelled stories beside this project");
        return;
    };
    let honest = LabeledItem::read(&text).unwrap();
    let before = figures(&honest, &group(&honest));
    let all = flood(&honest, 5000);
    let after = figures(&all, &group(&all));
    assert!(moved(before.clone(), after.clone()) < 0.01, "{before:?} became {after:?}");
}

#[test]
fn the_same_items_give_the_same_stories() {
    let all = flood(&news(), 500);
    assert_eq!(group(&all), group(&all));
}
