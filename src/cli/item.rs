//! `newsfold item`: one entry of one source, and why it is where it is.

use super::Context;
use super::output::{json, maybe_time, print, time};
use crate::cluster::{Clusterer, Options, PairExplanation};
use crate::domain::ItemId;
use crate::domain::display_text::one_line;
use crate::store::{Store, constraints, full_text, items, stories};
use crate::wording::reason_sentence;
use anyhow::Context as _;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Item {
    /// Show an item, its earlier versions, its story and the reason for it.
    Show {
        /// Number of the item, as printed by `newsfold story show`.
        item: i64,
    },
    /// Separate two items permanently. If they share a story, the second one leaves it.
    Separate { one: i64, other: i64 },
    /// Explain why two items were or weren't grouped.
    Explain { one: i64, other: i64 },
}

impl Item {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            Item::Show { item } => show(context, ItemId(item)).await,
            Item::Separate { one, other } => separate(context, ItemId(one), ItemId(other)).await,
            Item::Explain { one, other } => explain(context, ItemId(one), ItemId(other)).await,
        }
    }
}

async fn show(context: &Context, id: ItemId) -> anyhow::Result<ExitCode> {
    let (_, store) = context.open()?;
    let found = store
        .read(move |db| {
            let story = stories::story_of_item(db, id)?.map(|story| stories::get(db, story)).transpose()?.flatten();
            let Some(item) = items::get(db, id)? else { return Ok(None) };
            Ok(Some((
                item,
                story,
                items::revisions(db, id)?,
                items::rewritten_guids(db, id)?,
                full_text::article_state(db, id)?,
            )))
        })
        .await?;
    let (item, story, revisions, guids, page) =
        found.with_context(|| format!("there is no item {id}; `newsfold story show ID` prints item numbers"))?;
    let report = story.as_ref().and_then(|story| story.items.iter().find(|report| report.item.id == id));
    if context.json() {
        json(&serde_json::json!({
            "item": item, "story": story.as_ref().map(|s| s.id), "copy_of": report.and_then(|r| r.copy_of),
            "evidence": report.map(|r| &r.evidence), "why": report.map(|r| reason_sentence(&r.evidence)), "revisions": revisions, "other_guids": guids, "page": page,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let none = || "none".to_owned();
    let facts = [
        ("item", item.id.to_string()),
        ("title", one_line(&item.title, 300)),
        ("source", format!("{} ({})", item.source, one_line(&item.source_title, 80))),
        ("outlet", item.outlet.clone()),
        ("link", item.url.as_deref().map_or_else(none, |url| one_line(url, 300))),
        ("guid", one_line(&item.guid, 300)),
        ("author", item.author.as_deref().map_or_else(none, |author| one_line(author, 200))),
        ("language", item.lang.clone().unwrap_or_else(none)),
        ("claimed date", item.published_at.map_or_else(none, time)),
        ("first seen", time(item.first_seen_at)),
        ("ranked at", time(item.ranked_at)),
        ("summary", one_line(&item.summary, 400)),
    ];
    for (name, value) in facts {
        print(&format!("{name:>12}  {value}"))?;
    }
    match (&story, report) {
        (Some(story), Some(report)) => {
            let title = story.lead().map_or("", |lead| lead.item.title.as_str());
            print(&format!("{:>12}  {} ({})", "story", story.id, one_line(title, 100)))?;
            if let Some(original) = report.copy_of {
                print(&format!("{:>12}  item {original}", "copy of"))?;
            }
            print(&format!("{:>12}  {}", "why", one_line(&reason_sentence(&report.evidence), 500)))?;
        }
        _ => print(&format!("{:>12}  not grouped yet; the daemon does it", "story"))?,
    }
    if let Some(page) = page {
        print(&format!("{:>12}  {}", "page", one_line(&page, 300)))?;
    }
    for (guid, rule) in guids {
        let how = format!("recognized by its {}", rule.into_str());
        print(&format!("{:>12}  {} ({how})", "also as", one_line(&guid, 300)))?;
    }
    for revision in revisions {
        let claimed = maybe_time(revision.published_at);
        let title = one_line(&revision.title, 200);
        print(&format!("{:>12}  until {}: {title} (dated {claimed})", "revision", time(revision.replaced_at)))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn separate(context: &Context, one: ItemId, other: ItemId) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    for id in [one, other] {
        known(&store, id).await?;
    }
    let now = context.clock.now();
    let apart =
        store.write(move |db| constraints::separate_items(db, one, other, now, &super::story::lead(&config))).await?;
    super::story::done(context, apart)
}

async fn explain(context: &Context, one: ItemId, other: ItemId) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let (a, b) = (known(&store, one).await?, known(&store, other).await?);
    let options = config.cluster;
    // The company that both were judged in: what was remembered when the later of them came, and shortly after.
    let from = a.first_seen_at.min(b.first_seen_at) - options.window;
    let until = a.first_seen_at.max(b.first_seen_at) + options.recluster_interval;
    let (homes, explanation) = store
        .read(move |db| {
            let mut clusterer = Clusterer::new(Options { window: options.window * 2, ..options });
            for (item, story, copy_of) in stories::assigned_between(db, from, until)? {
                clusterer.restore(&item, story, copy_of);
            }
            for decision in constraints::active_since(db, from)? {
                clusterer.add_constraint(&decision);
            }
            Ok(([stories::story_of_item(db, one)?, stories::story_of_item(db, other)?], clusterer.explain(one, other)))
        })
        .await?;
    if context.json() {
        json(&serde_json::json!({ "items": [one, other], "stories": homes, "explanation": explanation }))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{one}  {}  {}", a.outlet, one_line(&a.title, 200)))?;
    print(&format!("{other}  {}  {}", b.outlet, one_line(&b.title, 200)))?;
    match homes {
        [Some(x), Some(y)] if x == y => print(&format!("Both are in story {x}."))?,
        [Some(x), Some(y)] => print(&format!("They are in different stories, {x} and {y}."))?,
        _ => print("One of them is not grouped yet; the daemon does it.")?,
    }
    let Some(found) = explanation else {
        print(&format!(
            "They are too far apart in time to be compared: more than {}.",
            config_window(&context.config()?)
        ))?;
        return Ok(ExitCode::SUCCESS);
    };
    for line in in_words(&found) {
        print(&one_line(&line, 500))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn config_window(config: &crate::config::Config) -> String {
    format!("{:#}", config.cluster.window)
}

/// The sentences of an explanation.
fn in_words(found: &PairExplanation) -> Vec<String> {
    let quoted = |terms: &[String]| terms.iter().map(|term| format!("‘{term}’")).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    if let Some(rule) = found.rule {
        lines.push(format!("Separated: {rule}."));
    }
    let verdict = if found.score >= found.threshold { "as the same event" } else { "as different events" };
    lines.push(format!(
        "Compared alone, they count {verdict}: score {:.2}, threshold {:.2}.",
        found.score, found.threshold
    ));
    match found.shared_terms.is_empty() {
        true => lines.push("No significant words in common.".into()),
        false => lines.push(format!("Words in common: {}.", quoted(&found.shared_terms))),
    }
    if !found.only_in_first.is_empty() || !found.only_in_second.is_empty() {
        lines.push(format!(
            "Only in the first title: {}. Only in the second: {}.",
            quoted(&found.only_in_first),
            quoted(&found.only_in_second)
        ));
    }
    lines.push(format!("Time between them: {:.1} h.", found.hours_apart));
    for (sign, what) in [(1.0, "For"), (-1.0, "Against")] {
        let parts: Vec<String> = found
            .contributions
            .iter()
            .filter(|contribution| contribution.log_odds * sign > 0.0)
            .take(4)
            .map(|contribution| format!("{} ({:+.1})", contribution.feature, contribution.log_odds))
            .collect();
        if !parts.is_empty() {
            lines.push(format!("{what} spoke {}.", parts.join(", ")));
        }
    }
    lines
}

async fn known(store: &Store, id: ItemId) -> anyhow::Result<crate::domain::Item> {
    let found = store.read(move |db| items::get(db, id)).await?;
    found.with_context(|| format!("there is no item {id}; `newsfold story show ID` prints item numbers"))
}
