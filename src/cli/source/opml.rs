//! `newsfold source import`, `export` and `sync`: subscription lists (OPML 2.0).
//!
//! A truncated file looks like a shorter one, and `sync` would delete the sources that it has lost. So `sync` refuses a
//! file that is not well-formed, except for unescaped ampersands, which lose nothing. `import` deletes nothing; it reads as
//! much as possible and reports the rest.

mod list;

use crate::cli::Context;
use crate::cli::output::{confirm, json, print};
use crate::domain::{FullTextMode, NewSource, OutletProvenance, Source, SourceEdit, SourceId, SourceState};
use crate::opml::FeedOutline;
use crate::opml::well_formed::OpmlFault;
use crate::opml::write::write_opml;
use crate::store::sources::{self, SourceFilter};
use anyhow::bail;
use jiff::SignedDuration;
use list::{Described, List};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

/// The delay between the first polls of two added sources.
const FIRST_POLL_SPACING: SignedDuration = SignedDuration::from_millis(100);

pub async fn import(context: &Context, file: &Path, extra: &[String]) -> anyhow::Result<ExitCode> {
    let mut list = list::read(file, extra)?;
    let (_, store) = context.open()?;
    let (now, count) = (context.clock.now(), list.sources.len() as i32);
    let sources = std::mem::take(&mut list.sources);
    let added = store
        .write(move |db| {
            let mut added = 0;
            for Described { new, .. } in &sources {
                added += i32::from(sources::add(db, new, now + FIRST_POLL_SPACING * added, now)?.is_some());
            }
            Ok(added)
        })
        .await?;
    let (known, unusable) = (count - added, list.unusable.len());
    list.complaints(file).iter().for_each(|complaint| eprintln!("{complaint}"));
    if context.json() {
        let mut done = list.complaints_as_json();
        done["added"] = added.into();
        done["known"] = known.into();
        done["unusable"] = unusable.into();
        json(&done)?;
    } else {
        let cut = if list.ends_early { "; the file is truncated" } else { "" };
        print(&format!("added {added} sources, {known} already existed, {unusable} could not be used{cut}"))?;
    }
    Ok(if list.is_incomplete() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

pub async fn export(context: &Context) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let (all, mut languages) =
        store.read(|db| Ok((sources::list(db, &SourceFilter::default())?, sources::operator_languages(db)?))).await?;
    let outlines: Vec<FeedOutline> = all
        .into_iter()
        .map(|source| FeedOutline {
            title: Some(source.title),
            html_url: source.site_url,
            categories: source.tags,
            language: languages.remove(&source.id),
            outlet: (source.outlet_provenance == OutletProvenance::Operator).then_some(source.outlet),
            priority: (source.priority != 0).then(|| source.priority.to_string()),
            full_text: (source.full_text != FullTextMode::No).then(|| source.full_text.into_str().to_owned()),
            xml_url: source.url,
            line: 0,
        })
        .collect();
    if context.json() {
        json(&outlines)?;
    } else {
        print(write_opml(&config.publish.title, &outlines).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The options of `sync`.
pub struct Sync {
    pub yes: bool,
    pub dry_run: bool,
    pub lenient: bool,
}

/// The changes that make the database equal the file.
#[derive(Default)]
struct Plan {
    add: Vec<NewSource>,
    change: Vec<(SourceId, String, SourceEdit)>,
    remove: Vec<(SourceId, String)>,
}

pub async fn sync(context: &Context, file: &Path, how: Sync) -> anyhow::Result<ExitCode> {
    let list = list::read(file, &[])?;
    if !how.lenient {
        refuse_doubtful(&list, file)?;
    }
    list.complaints(file).iter().for_each(|complaint| eprintln!("{complaint}"));
    let (_, store) = context.open()?;
    let kept = store.read(|db| sources::list(db, &SourceFilter::default())).await?;
    let mut plan = plan(&list.sources, &kept);
    if how.lenient {
        plan.remove.clear();
    }
    if !context.json() {
        plan.print()?;
    }
    let counts = plan.counts();
    let planned = plan.as_json(false);
    let done = plan.as_json(true);
    let code = if list.is_incomplete() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    if how.dry_run {
        if context.json() {
            json(&planned)?
        } else {
            print(&counts)?
        }
        return Ok(code);
    }
    if !plan.remove.is_empty() && !confirm(&format!("{counts}. Continue?"), how.yes)? {
        if context.json() {
            json(&planned)?
        } else {
            print("nothing was changed")?
        }
        return Ok(ExitCode::FAILURE);
    }
    let now = context.clock.now();
    store
        .write(move |db| {
            for (place, new) in plan.add.iter().enumerate() {
                sources::add(db, new, now + FIRST_POLL_SPACING * place as i32, now)?;
            }
            for (id, _, edit) in &plan.change {
                sources::edit(db, *id, edit, now)?;
            }
            plan.remove.iter().try_for_each(|(id, _)| sources::set_state(db, *id, SourceState::Removed))
        })
        .await?;
    if context.json() {
        json(&done)?
    } else {
        print(&format!("done: {counts}"))?
    }
    Ok(code)
}

/// Refuses a file that may be incomplete, because sync deletes the sources that are not in it.
fn refuse_doubtful(list: &List, file: &Path) -> anyhow::Result<()> {
    let file = file.display();
    if let Some(OpmlFault { line, message }) = &list.fault {
        bail!(
            "{file}:{line}: {message}. Nothing was changed, because sync would delete sources that the file has lost. \
             Fix the file, or use --lenient to read as much as possible without deleting sources"
        );
    }
    if !list.unusable.is_empty() {
        let lines: Vec<String> =
            list.unusable.iter().map(|OpmlFault { line, message }| format!("{file}:{line}: {message}")).collect();
        bail!(
            "nothing was changed, because lines of {file} cannot be used; fix them, or skip them with --lenient, \
             which deletes nothing:\n{}",
            lines.join("\n")
        );
    }
    Ok(())
}

/// Compares by URL. The file sets title and tags, and language, outlet, priority and full text if it has them. Other
/// settings are unchanged.
fn plan(wanted: &[Described], kept: &[Source]) -> Plan {
    let mut known: BTreeMap<&str, &Source> = kept.iter().map(|source| (source.url.as_str(), source)).collect();
    let mut plan = Plan::default();
    for Described { new, has_priority, has_full_text } in wanted {
        let Some(source) = known.remove(new.url.as_str()) else {
            plan.add.push(new.clone());
            continue;
        };
        let says_outlet = new.outlet_provenance == OutletProvenance::Operator;
        let same_outlet = source.outlet == new.outlet && source.outlet_provenance == OutletProvenance::Operator;
        let edit = SourceEdit {
            url: None,
            outlet: (says_outlet && !same_outlet).then(|| (new.outlet.clone(), OutletProvenance::Operator)),
            title: new.title.clone().filter(|title| *title != source.title),
            lang: new.lang.clone().filter(|lang| Some(lang) != source.lang.as_ref()),
            priority: (*has_priority && new.priority != source.priority).then_some(new.priority),
            tags: (new.tags != source.tags).then(|| new.tags.clone()),
            full_text: Some(new.full_text).filter(|wanted| *has_full_text && *wanted != source.full_text),
        };
        if edit != SourceEdit::default() {
            plan.change.push((source.id, source.url.clone(), edit));
        }
    }
    plan.remove = known.into_values().map(|source| (source.id, source.url.clone())).collect();
    plan.remove.sort();
    plan
}

impl Plan {
    fn counts(&self) -> String {
        format!("{} to add, {} to change, {} to remove", self.add.len(), self.change.len(), self.remove.len())
    }

    fn print(&self) -> anyhow::Result<()> {
        for new in &self.add {
            print(&format!("add     {}", new.url))?;
        }
        for (id, url, _) in &self.change {
            print(&format!("change  {id}  {url}"))?;
        }
        for (id, url) in &self.remove {
            print(&format!("remove  {id}  {url}"))?;
        }
        Ok(())
    }

    fn as_json(&self, is_done: bool) -> serde_json::Value {
        let known = |id: &SourceId, url: &str| serde_json::json!({"source": id, "url": url});
        serde_json::json!({
            "done": is_done,
            "add": self.add.iter().map(|new| &new.url).collect::<Vec<_>>(),
            "change": self.change.iter().map(|(id, url, _)| known(id, url)).collect::<Vec<_>>(),
            "remove": self.remove.iter().map(|(id, url)| known(id, url)).collect::<Vec<_>>(),
        })
    }
}
