//! `newsfold item`: one entry of one source, its story, and the reason why it belongs to the story.

use super::output::{facts, optional_time, time};
use super::{Context, constraint};
use crate::cluster::{Clusterer, Options, PairExplanation};
use crate::domain::display_text::one_line;
use crate::domain::{Item, ItemId, Story, StoryId};
use crate::store::items::RewrittenGuid;
use crate::store::{
    self, ReadConnection, Store, article_queue, constraints, item_revisions, items, stories, storylines,
};
use crate::wording::{backlog_text, reason_sentence, storyline_reason};
use anyhow::Context as _;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum ItemCommand {
    /// Show an item, its earlier versions, its story, and why it is in that story.
    Show {
        /// Number of the item, as printed by `newsfold story show`.
        item: i64,
    },
    /// Separate two items permanently. If they share a story, the second item leaves it.
    Separate {
        /// Number of an item, as printed by `newsfold story show`.
        one: i64,
        /// Number of another item.
        other: i64,
    },
    /// Explain why two items were or weren't grouped.
    Explain {
        /// Number of an item, as printed by `newsfold story show`.
        one: i64,
        /// Number of another item.
        other: i64,
    },
}

impl ItemCommand {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            ItemCommand::Show { item } => show(context, ItemId(item)).await,
            ItemCommand::Separate { one, other } => separate(context, ItemId(one), ItemId(other)).await,
            ItemCommand::Explain { one, other } => explain(context, ItemId(one), ItemId(other)).await,
        }
    }
}

async fn show(context: &Context, id: ItemId) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let item = find(&store, id).await?;
    let story =
        store.read(move |db| stories::story_of_item(db, id)?.map_or(Ok(None), |story| stories::get(db, story))).await?;
    let (revisions, guids) =
        store.read(move |db| Ok((item_revisions::revisions(db, id)?, items::rewritten_guids(db, id)?))).await?;
    let page = store.read(move |db| article_queue::article_state(db, id)).await?;
    let report = story.as_ref().and_then(|story| story.items.iter().find(|report| report.item.id == id));
    let why = report.map(|report| reason_sentence(&report.evidence));
    let value = serde_json::json!({
        "item": item,
        "story": story.as_ref().map(|story| story.id),
        "storyline": story.as_ref().map(|story| story.storyline),
        "copy_of": report.and_then(|report| report.copy_of),
        "evidence": report.map(|report| &report.evidence),
        "why": why,
        "revisions": revisions,
        "other_guids": guids,
        "page": page,
    });
    let or_none = |text: Option<&str>, max_chars| text.map_or("none".into(), |text| one_line(text, max_chars));
    let mut rows = vec![
        ("item", item.id.to_string()),
        ("title", one_line(&item.title, 300)),
        ("source", format!("{} ({})", item.source, one_line(&item.source_title, 80))),
        ("outlet", item.byline()),
        ("link", or_none(item.url.as_deref(), 300)),
        ("guid", one_line(&item.guid, 300)),
        ("author", or_none(item.author.as_deref(), 200)),
        ("language", or_none(item.lang.as_deref(), 40)),
        ("claimed date", item.published_at.map_or("none".into(), time)),
        ("first seen", time(item.first_seen_at)),
        ("ranked at", time(item.ranked_at)),
        ("summary", one_line(&item.summary, 400)),
    ];
    rows.extend(item.backlog_reason.map(|reason| ("not news", backlog_text(reason).to_owned())));
    match (&story, report, why) {
        (Some(story), Some(report), Some(why)) => {
            let title = story.lead().map_or("", |lead| lead.item.title.as_str());
            rows.push(("story", format!("{} ({})", story.id, one_line(title, 100))));
            rows.extend(report.copy_of.map(|original| ("copy of", format!("item {original}"))));
            rows.push(("why", one_line(&why, 500)));
            rows.push(("storyline", format!("{} (`newsfold story explain {}`)", story.storyline, story.id)));
        }
        _ => rows.push(("story", "not grouped yet; the daemon groups new items".into())),
    }
    rows.extend(page.map(|page| ("page", one_line(&page, 300))));
    rows.extend(guids.iter().map(|RewrittenGuid { guid, matched_by }| {
        ("also as", format!("{} (recognized by its {})", one_line(guid, 300), matched_by.into_str()))
    }));
    rows.extend(revisions.iter().map(|revision| {
        let (until, claimed) = (time(revision.replaced_at), optional_time(revision.published_at));
        ("revision", format!("until {until}: {} (dated {claimed})", one_line(&revision.title, 200)))
    }));
    context.print(&value, facts(&rows))
}

async fn separate(context: &Context, one: ItemId, other: ItemId) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    for id in [one, other] {
        find(&store, id).await?;
    }
    constraint::decide(context, config, &store, move |db, now| constraints::separate_items(db, one, other, now)).await
}

async fn explain(context: &Context, one: ItemId, other: ItemId) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let (a, b) = (find(&store, one).await?, find(&store, other).await?);
    let options = config.cluster;
    let window = options.window;
    // The candidates at the time when both items were grouped: the items that were in the window when the later item
    // arrived, or that arrived shortly after it.
    let from = a.first_seen_at.min(b.first_seen_at) - window;
    let until = a.first_seen_at.max(b.first_seen_at) + options.recluster_interval;
    let (stories, explanation) = store
        .read(move |db| {
            let mut clusterer = Clusterer::new(Options { window: window * 2, ..options });
            for assigned in stories::assigned_between(db, from, until)? {
                clusterer.restore(&assigned.item, assigned.story);
            }
            for decision in constraints::active_since(db, from)? {
                clusterer.add_constraint(&decision);
            }
            Ok(([stories::story_of_item(db, one)?, stories::story_of_item(db, other)?], clusterer.explain(one, other)))
        })
        .await?;
    let mut lines = vec![
        format!("{one}  {}  {}", a.outlet, one_line(&a.title, 200)),
        format!("{other}  {}  {}", b.outlet, one_line(&b.title, 200)),
    ];
    for item in [&a, &b] {
        lines.extend(
            item.backlog_reason.map(|reason| format!("Item {} is not news ({}).", item.id, backlog_text(reason))),
        );
    }
    lines.push(match stories {
        [Some(x), Some(y)] if x == y => format!("Both items are in story {x}."),
        [Some(x), Some(y)] => format!("They are in different stories, {x} and {y}."),
        _ => "At least one of the items is not grouped yet; the daemon groups new items.".into(),
    });
    let placed: Vec<Option<(Story, u32)>> =
        store.read(move |db| stories.iter().flatten().map(|id| placed_story(db, *id)).collect()).await?;
    lines.extend(storyline_sentences(&placed).iter().map(|sentence| one_line(sentence, 500)));
    match &explanation {
        Some(found) => lines.extend(explanation_sentences(found).iter().map(|sentence| one_line(sentence, 500))),
        None => lines.push(format!("They are too far apart in time to be compared: more than {window:#}.")),
    }
    let storylines: Vec<_> = placed.iter().map(|placed| placed.as_ref().map(|(story, _)| story.storyline)).collect();
    let value = serde_json::json!({
        "items": [one, other], "stories": stories, "storylines": storylines, "explanation": explanation,
    });
    context.print(&value, lines.join("\n"))
}

/// Returns a story with the number of stories in its storyline.
fn placed_story(db: &ReadConnection, id: StoryId) -> store::Result<Option<(Story, u32)>> {
    let Some(story) = stories::get(db, id)? else { return Ok(None) };
    let story_count = storylines::count_stories(db, story.storyline)?;
    Ok(Some((story, story_count)))
}

/// Returns whether two stories are in one storyline, and why.
fn storyline_sentences(placed: &[Option<(Story, u32)>]) -> Vec<String> {
    let [Some((one, _)), Some((other, _))] = placed else { return Vec::new() };
    if one.id == other.id {
        return Vec::new();
    }
    if one.storyline != other.storyline {
        return vec![format!("Their stories are in different storylines, {} and {}.", one.storyline, other.storyline)];
    }
    let heading = format!("Both stories are in storyline {}.", one.storyline);
    let reasons = placed.iter().flatten().map(|(story, story_count)| {
        format!("Story {}: {}.", story.id, storyline_reason(&story.storyline_evidence, *story_count))
    });
    [heading].into_iter().chain(reasons).collect()
}

fn explanation_sentences(found: &PairExplanation) -> Vec<String> {
    let quoted = |terms: &[String]| terms.iter().map(|term| format!("‘{term}’")).collect::<Vec<_>>().join(", ");
    let rule = found.rule.map(|rule| match rule.joins() {
        true => format!("Joined by a rule: {rule}."),
        false => format!("Separated by a rule: {rule}."),
    });
    let link = found.ignored_link.map(|reason| format!("They have the same link, but are not joined by it: {reason}."));
    let mut lines: Vec<String> = rule.into_iter().chain(link).collect();
    let verdict = if found.score >= found.threshold { "as the same event" } else { "as different events" };
    lines.push(format!(
        "Compared only with each other, they are classified {verdict}: score {:.2}, threshold {:.2}.",
        found.score, found.threshold
    ));
    lines.push(match found.shared_terms.is_empty() {
        true => "No significant words in common.".into(),
        false => format!("Words in common: {}.", quoted(&found.shared_terms)),
    });
    if !found.only_in_first.is_empty() || !found.only_in_second.is_empty() {
        let (first, second) = (quoted(&found.only_in_first), quoted(&found.only_in_second));
        lines.push(format!("Only in the first title: {first}. Only in the second title: {second}."));
    }
    lines.push(format!("Time between them: {:.1} h.", found.hours_apart));
    for (sign, side) in [(1.0, "for"), (-1.0, "against")] {
        let parts: Vec<String> = found
            .contributions
            .iter()
            .filter(|contribution| contribution.log_odds * sign > 0.0)
            .take(4)
            .map(|contribution| format!("{} ({:+.1})", contribution.feature, contribution.log_odds))
            .collect();
        if !parts.is_empty() {
            lines.push(format!("Evidence {side} the same event: {}.", parts.join(", ")));
        }
    }
    lines
}

async fn find(store: &Store, id: ItemId) -> anyhow::Result<Item> {
    let item = store.read(move |db| items::get(db, id)).await?;
    item.with_context(|| format!("there is no item {id}; `newsfold story show ID` prints item numbers"))
}
