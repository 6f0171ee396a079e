//! Tests the quality of grouping on whole streams: the metrics must not fall, and no single outlet can degrade them.

use newsfold::cluster::{Clusterer, Options};
use newsfold::domain::{Item, StoryId};
use newsfold::evaluation::metrics::{ClusteringMetrics, PrecisionRecall};
use newsfold::evaluation::{LabeledItem, group_into_storylines, parse_dataset, replay};
use std::path::{Path, PathBuf};

/// The metrics in docs/clustering.md, minus a margin for changes of a library's word lists.
const MIN_B_CUBED_F1: f64 = 0.915;
/// The minimum pairwise F1. The pairs of a few large stories dominate this metric, so the metrics of the feed have
/// separate minimum values.
const MIN_PAIRS_F1: f64 = 0.65;
const MIN_PURE: f64 = 0.76;
const MIN_FOUND: f64 = 0.79;
const MAX_REPEATS: f64 = 0.06;

fn gold_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/stories/dev.jsonl")
}

#[test]
#[ignore = "needs ../shared"]
fn figures_on_labeled_stories_do_not_fall() {
    let gold = gold_path();
    let folder = tempfile::tempdir().unwrap();
    let mut command = assert_cmd::Command::cargo_bin("newsfold").unwrap();
    let done = command.env("HOME", folder.path()).arg("--json").arg("eval").arg(&gold).assert().success();
    let scores: serde_json::Value = serde_json::from_slice(&done.get_output().stdout).unwrap();
    let figure = |over: &str, which: &str| scores[over][which].as_f64().unwrap();
    assert!(figure("b_cubed", "f1") >= MIN_B_CUBED_F1 && figure("pairs", "f1") >= MIN_PAIRS_F1, "{scores}");
    let (pure, found, repeats) = (figure("feed", "pure"), figure("feed", "found"), figure("feed", "repeats"));
    assert!(pure >= MIN_PURE && found >= MIN_FOUND && repeats <= MAX_REPEATS, "{scores}");
    // Precision is more important than recall: a false merge hides news, whereas a miss only shows news twice.
    assert!(figure("pairs", "precision") >= figure("pairs", "recall"), "{scores}");
}

/// Returns news in a fictional language. Each event has specific words, and three outlets report it two minutes apart.
fn news() -> Vec<LabeledItem> {
    let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut items = Vec::new();
    for event in 0..150 {
        for report in 0..3 {
            let (title, summary) = invented_report(event, report);
            items.push(LabeledItem {
                id: format!("{event}-{report}"),
                outlet: format!("outlet{}.example", (event + 5 * report) % 17),
                published: start + jiff::SignedDuration::from_mins((10 * event + 2 * report) as i64),
                title,
                summary,
                url: None,
                lang: None,
                story: event.into(),
                storyline: None,
            });
        }
    }
    items
}

/// Returns the title and the summary of a report of an event, in a fictional language.
pub fn invented_report(event: usize, report: usize) -> (String, String) {
    let own = |n: usize| invented_word(event * 8 + (report * 2 + n) % 8);
    let common = |n: usize| invented_word(5000 + (event * 5 + report * 11 + n * 7) % 60);
    let title = [own(0), common(1), own(1), own(2), common(2), own(3)].join(" ");
    let summary = [common(3), own(4), common(4), own(0), common(5), common(6), own(5), common(7)].join(" ");
    (title, summary)
}

/// Returns a word composed of syllables, unique for each number.
fn invented_word(mut n: usize) -> String {
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

fn group(items: &[LabeledItem]) -> Vec<StoryId> {
    let items: Vec<Item> = items.iter().zip(0..).map(|(item, id)| item.to_item(id, None)).collect();
    replay(&mut Clusterer::new(Options::default()), &items)
}

/// Returns the metrics over the items of all outlets except the spamming outlet.
fn figures(items: &[LabeledItem], found: &[StoryId]) -> ClusteringMetrics {
    let honest = items.iter().zip(found).filter(|(item, _)| item.outlet != "spam.example");
    let grouped: Vec<_> = honest.map(|(item, story)| (item.story.to_string(), *story)).collect();
    ClusteringMetrics::new(&grouped)
}

/// Inserts `count` copied headlines with spam summaries. Each copy appears shortly after the original item.
fn with_spam(honest: &[LabeledItem], count: usize) -> Vec<LabeledItem> {
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

/// Asserts that no metric differs by one percent or more.
fn assert_unaffected(before: &ClusteringMetrics, after: &ClusteringMetrics) {
    let figures = |metrics: &ClusteringMetrics| {
        [metrics.b_cubed, metrics.pairs]
            .map(|PrecisionRecall { precision, recall, f1 }| [precision, recall, f1])
            .concat()
    };
    for (before, after) in figures(before).into_iter().zip(figures(after)) {
        assert!((before - after).abs() < 0.01, "{before} became {after}");
    }
}

#[test]
fn spam_from_one_outlet_does_not_affect_the_figures_of_others() {
    let honest = news();
    let before = figures(&honest, &group(&honest));
    assert!(before.pairs.f1 > 0.8, "the invented news is grouped well without spam: {before:?}");
    let all = with_spam(&honest, 5000);
    let after = figures(&all, &group(&all));
    assert_unaffected(&before, &after);
}

#[test]
#[ignore = "needs ../shared"]
fn spam_does_not_affect_the_figures_on_labeled_stories() {
    let honest = parse_dataset(&std::fs::read_to_string(gold_path()).unwrap()).unwrap();
    let before = figures(&honest, &group(&honest));
    let all = with_spam(&honest, 5000);
    let after = figures(&all, &group(&all));
    assert_unaffected(&before, &after);
}

/// Returns the metrics of the storylines over the items of all outlets except the spamming outlet.
fn storyline_figures(labeled: &[LabeledItem]) -> ClusteringMetrics {
    let items: Vec<Item> = labeled.iter().zip(0..).map(|(item, id)| item.to_item(id, None)).collect();
    let stories = replay(&mut Clusterer::new(Options::default()), &items);
    let storylines = group_into_storylines(&items, &stories);
    let honest = labeled.iter().zip(storylines).filter(|(item, _)| item.outlet != "spam.example");
    let grouped: Vec<_> = honest.map(|(item, storyline)| (item.storyline_label(), storyline)).collect();
    ClusteringMetrics::new(&grouped)
}

/// Spam must neither join unrelated stories into a storyline nor lower F1. Recall and the pairwise metrics are not
/// compared, because most pairs belong to the largest storyline, and any change of a score can split that storyline.
#[test]
#[ignore = "needs ../shared"]
fn spam_does_not_affect_storylines_of_labeled_stories() {
    for set in ["2023-08", "2023-11", "2026-01"] {
        let path = gold_path().with_file_name(format!("{set}.jsonl"));
        let honest = parse_dataset(&std::fs::read_to_string(path).unwrap()).unwrap();
        let [before, after] = [&honest, &with_spam(&honest, 5000)].map(|items| storyline_figures(items).b_cubed);
        for (before, after) in [(before.precision, after.precision), (before.f1, after.f1)] {
            assert!((before - after).abs() < 0.01, "{set}: {before} became {after}");
        }
    }
}

#[test]
fn grouping_is_deterministic() {
    let all = with_spam(&news(), 500);
    assert_eq!(group(&all), group(&all));
}
