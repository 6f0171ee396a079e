//! `newsfold source sync`: makes the database match a subscription list.

use super::faults::{exit_code, print_faults, print_similar};
use super::subscription_file::{DescribedSource, OpmlFile, read, similar_addresses_of};
use crate::cli::Context;
use crate::cli::input::shown_name;
use crate::cli::output::{confirm, print};
use crate::domain::{NewSource, OutletProvenance, Source, SourceEdit, SourceId, SourceState};
use crate::opml::OpmlFault;
use crate::opml::read::SubscriptionList;
use crate::store::sources::{self, SourceFilter};
use anyhow::bail;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

/// The options of `sync`.
pub struct SyncOptions {
    pub yes: bool,
    pub dry_run: bool,
    pub lenient: bool,
}

/// The changes that make the database match the file.
#[derive(Default)]
struct SyncPlan {
    add: Vec<NewSource>,
    change: Vec<SourceChange>,
    remove: Vec<KnownSource>,
}

struct SourceChange {
    source: KnownSource,
    edit: SourceEdit,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
struct KnownSource {
    #[serde(rename = "source")]
    id: SourceId,
    url: String,
}

pub async fn sync(context: &Context, file: &Path, options: SyncOptions) -> anyhow::Result<ExitCode> {
    let OpmlFile { sources, repeated, list } = read(file, &[])?;
    let file = &shown_name(file);
    if !options.lenient {
        refuse_incomplete(&list, file)?;
    }
    print_faults(&list, repeated, file);
    print_similar(&similar_addresses_of(&sources, Vec::new()), file);
    let (_, store) = context.open_or_create()?;
    let existing = store.read(|db| sources::list(db, &SourceFilter::default())).await?;
    let mut plan = plan(&sources, &existing);
    if options.lenient {
        plan.remove.clear();
    }
    if !context.json() {
        plan.print()?;
    }
    let counts = plan.counts();
    if options.dry_run {
        context.print(&plan.to_json(false), counts)?;
        return Ok(exit_code(&list));
    }
    if !plan.remove.is_empty() && !confirm(&format!("{counts}. Continue?"), options.yes)? {
        context.print(&plan.to_json(false), "nothing was changed")?;
        return Ok(ExitCode::FAILURE);
    }
    let (now, done) = (context.clock.now(), plan.to_json(true));
    store
        .write(move |db| {
            for new in &plan.add {
                sources::add(db, new, now, now)?;
            }
            for SourceChange { source, edit } in &plan.change {
                sources::edit(db, source.id, edit, now)?;
            }
            plan.remove.iter().try_for_each(|source| sources::set_state(db, source.id, SourceState::Removed))
        })
        .await?;
    context.print(&done, format!("done: {counts}"))?;
    Ok(exit_code(&list))
}

/// Refuses a file that may be incomplete, because sync deletes the sources that are missing from it.
fn refuse_incomplete(list: &SubscriptionList, file: &str) -> anyhow::Result<()> {
    if let Some(OpmlFault { line, message }) = &list.fault {
        bail!(
            "{file}:{line}: {message}. Nothing was changed, because sync would delete sources that are missing from \
             the file. Fix the file, or use --lenient to read as much as possible without deleting sources"
        );
    }
    if let Some(OpmlFault { line, message }) = &list.exceeded_limit {
        bail!("{file}:{line}: {message}. Nothing was changed; split the file, or use --lenient, which deletes nothing");
    }
    if !list.unusable.is_empty() {
        let lines: Vec<String> =
            list.unusable.iter().map(|OpmlFault { line, message }| format!("{file}:{line}: {message}")).collect();
        bail!(
            "nothing was changed, because some lines of {file} cannot be used; fix them, or skip them with --lenient, \
             which deletes nothing:\n{}",
            lines.join("\n")
        );
    }
    Ok(())
}

/// Compares by URL. The file determines title and tags and, if specified, the other settings that a list contains. Those
/// that it does not specify are unchanged.
fn plan(wanted: &[DescribedSource], existing: &[Source]) -> SyncPlan {
    let mut known: BTreeMap<&str, &Source> = existing.iter().map(|source| (source.url.as_str(), source)).collect();
    let mut plan = SyncPlan::default();
    for DescribedSource { new, has_priority, has_full_text, has_aggregator, has_grouped, .. } in wanted {
        let Some(source) = known.remove(new.url.as_str()) else {
            plan.add.push(new.clone());
            continue;
        };
        let says_outlet = new.outlet_provenance == OutletProvenance::Operator;
        let same_outlet = source.outlet == new.outlet && source.outlet_provenance == OutletProvenance::Operator;
        let edit = SourceEdit {
            url: None,
            outlet: (says_outlet && !same_outlet).then(|| (new.outlet.clone(), OutletProvenance::Operator)),
            outlet_name: None,
            title: new.title.clone().filter(|title| *title != source.title),
            lang: new.lang.clone().filter(|lang| Some(lang) != source.lang.as_ref()),
            priority: (*has_priority && new.priority != source.priority).then_some(new.priority),
            tags: (new.tags != source.tags).then(|| new.tags.clone()),
            full_text: Some(new.full_text).filter(|wanted| *has_full_text && *wanted != source.full_text),
            aggregator: Some(new.aggregator).filter(|wanted| *has_aggregator && *wanted != source.aggregator),
            poll_interval: new.poll_interval.filter(|wanted| Some(*wanted) != source.poll_interval).map(Some),
            is_grouped: Some(!new.is_ungrouped).filter(|wanted| *has_grouped && *wanted != source.is_grouped),
            ..SourceEdit::default()
        };
        if edit != SourceEdit::default() {
            plan.change.push(SourceChange { source: KnownSource::of(source), edit });
        }
    }
    plan.remove = known.into_values().map(KnownSource::of).collect();
    plan.remove.sort();
    plan
}

impl KnownSource {
    fn of(source: &Source) -> KnownSource {
        KnownSource { id: source.id, url: source.url.clone() }
    }
}

impl SyncPlan {
    fn counts(&self) -> String {
        format!("{} to add, {} to change, {} to remove", self.add.len(), self.change.len(), self.remove.len())
    }

    fn print(&self) -> anyhow::Result<()> {
        for new in &self.add {
            print(&format!("add     {}", new.url))?;
        }
        for SourceChange { source, .. } in &self.change {
            print(&format!("change  {}  {}", source.id, source.url))?;
        }
        self.remove.iter().try_for_each(|source| print(&format!("remove  {}  {}", source.id, source.url)))
    }

    fn to_json(&self, is_done: bool) -> serde_json::Value {
        serde_json::json!({
            "done": is_done,
            "add": self.add.iter().map(|new| &new.url).collect::<Vec<_>>(),
            "change": self.change.iter().map(|change| &change.source).collect::<Vec<_>>(),
            "remove": self.remove,
        })
    }
}
