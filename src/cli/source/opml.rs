//! `newsfold source import`, `export` and `sync`: subscription lists (OPML 2.0).

use super::{tags, web_url};
use crate::cli::Context;
use crate::cli::output::{confirm, json, one_line, print};
use crate::model::{NewSource, OutletFrom, Source, SourceEdit, SourceId, SourceState};
use crate::parse::opml::{self, Outline};
use crate::poll::outlet_of;
use crate::store::sources::{self, Filter};
use anyhow::{Context as _, bail};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use url::Url;

/// Added sources are first polled so far apart.
const APART: SignedDuration = SignedDuration::from_millis(100);

/// The sources of a file, and the lines that could not be used.
struct List {
    sources: Vec<NewSource>,
    bad: Vec<String>,
}

pub async fn import(context: &Context, file: &Path, extra: &[String]) -> anyhow::Result<ExitCode> {
    let list = read(file, extra)?;
    let (_, store) = context.open()?;
    let (now, count) = (context.clock.now(), list.sources.len());
    let added = store
        .write(move |db| {
            let mut added = 0;
            for new in &list.sources {
                added += i32::from(sources::add(db, new, now + APART * added, now)?.is_some());
            }
            Ok(added)
        })
        .await?;
    list.bad.iter().for_each(|bad| eprintln!("{bad}"));
    if context.json() {
        json(&serde_json::json!({"added": added, "known": count as i32 - added, "unusable": list.bad.len()}))?;
    } else {
        let known = count as i32 - added;
        print(&format!(
            "added {added} sources, {known} were there already, {} lines could not be used",
            list.bad.len()
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn export(context: &Context) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let all = store.read(|db| sources::list(db, &Filter::default())).await?;
    let outlines: Vec<Outline> = all
        .into_iter()
        .map(|source| Outline {
            title: Some(source.title),
            html_url: source.site_url,
            categories: source.tags,
            xml_url: source.url,
            line: 0,
        })
        .collect();
    print(opml::write(&config.publish.title, &outlines).trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// What has to be done so that the database equals the file.
#[derive(Default)]
struct Plan {
    add: Vec<NewSource>,
    change: Vec<(SourceId, String, SourceEdit)>,
    remove: Vec<(SourceId, String)>,
}

pub async fn sync(context: &Context, file: &Path, yes: bool, dry_run: bool) -> anyhow::Result<ExitCode> {
    let list = read(file, &[])?;
    if !list.bad.is_empty() {
        bail!("nothing was changed, because lines of {} can't be used:\n{}", file.display(), list.bad.join("\n"));
    }
    let (_, store) = context.open()?;
    let kept = store.read(|db| sources::list(db, &Filter::default())).await?;
    let plan = plan(&list.sources, &kept);
    for new in &plan.add {
        print(&format!("add     {}", new.url))?;
    }
    for (id, url, _) in &plan.change {
        print(&format!("change  {id}  {url}"))?;
    }
    for (id, url) in &plan.remove {
        print(&format!("remove  {id}  {url}"))?;
    }
    let counts = format!("{} to add, {} to change, {} to remove", plan.add.len(), plan.change.len(), plan.remove.len());
    if dry_run {
        print(&counts)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !plan.remove.is_empty() && !confirm(&format!("{counts}. Go ahead?"), yes)? {
        print("nothing was changed")?;
        return Ok(ExitCode::FAILURE);
    }
    let now = context.clock.now();
    store
        .write(move |db| {
            for (place, new) in plan.add.iter().enumerate() {
                sources::add(db, new, now + APART * place as i32, now)?;
            }
            for (id, _, edit) in &plan.change {
                sources::edit(db, *id, edit, now)?;
            }
            plan.remove.iter().try_for_each(|(id, _)| sources::set_state(db, *id, SourceState::Removed))
        })
        .await?;
    print(&format!("done: {counts}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Compares by URL. The file says title and tags; language, outlet and priority stay the operator's own.
fn plan(wanted: &[NewSource], kept: &[Source]) -> Plan {
    let mut known: BTreeMap<&str, &Source> = kept.iter().map(|source| (source.url.as_str(), source)).collect();
    let mut plan = Plan::default();
    for new in wanted {
        let Some(source) = known.remove(new.url.as_str()) else {
            plan.add.push(new.clone());
            continue;
        };
        let title = new.title.clone().filter(|title| *title != source.title);
        let tags = (new.tags != source.tags).then(|| new.tags.clone());
        if title.is_some() || tags.is_some() {
            let edit = SourceEdit { title, tags, ..SourceEdit::default() };
            plan.change.push((source.id, source.url.clone(), edit));
        }
    }
    plan.remove = known.into_values().map(|source| (source.id, source.url.clone())).collect();
    plan.remove.sort();
    plan
}

fn read(file: &Path, extra: &[String]) -> anyhow::Result<List> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (outlines, _) = opml::read(&bytes).with_context(|| format!("{} is no OPML file", file.display()))?;
    let mut list = List { sources: Vec::new(), bad: Vec::new() };
    let mut seen = BTreeSet::new();
    for outline in outlines {
        let url = match web_url(&outline.xml_url) {
            Ok(url) => url,
            Err(error) => {
                list.bad.push(format!("{}:{}: {error:#}", file.display(), outline.line));
                continue;
            }
        };
        if !seen.insert(url.to_string()) {
            continue;
        }
        let site = outline.html_url.as_deref().and_then(|site| Url::parse(site).ok()).filter(|s| s.domain().is_some());
        let mut all_tags = outline.categories;
        all_tags.extend_from_slice(extra);
        list.sources.push(NewSource {
            outlet: outlet_of(site.as_ref().unwrap_or(&url)),
            outlet_from: OutletFrom::Guess,
            url: url.to_string(),
            title: outline.title.map(|t| one_line(&t, 200)).filter(|t| !t.is_empty()),
            lang: None,
            priority: 0,
            tags: tags(&all_tags),
        });
    }
    Ok(list)
}
