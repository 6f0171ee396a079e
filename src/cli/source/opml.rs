//! `newsfold source import`, `export` and `sync`: subscription lists (OPML 2.0).
//!
//! A truncated file looks like a shorter list, and `sync` would delete the sources that are missing. `sync` therefore
//! refuses files that are not well-formed, except for unescaped ampersands, which lose nothing. `import` never deletes
//! sources; it reads as much as possible and reports the rest.

use super::request_options::poll_interval;
use super::{outlet, tags, web_url};
use crate::cli::Context;
use crate::cli::input::{read_at_most, shown_name};
use crate::cli::output::{confirm, print};
use crate::domain::display_text::one_line;
use crate::domain::language::language_code;
use crate::domain::{FullTextMode, NewSource, OutletProvenance, Source, SourceEdit, SourceId, SourceState};
use crate::opml::read::{MAX_BYTES, MAX_CATEGORIES, SubscriptionList, read_opml};
use crate::opml::write::write_opml;
use crate::opml::{FeedOutline, OpmlFault};
use crate::store::sources::{self, SourceFilter};
use crate::urls::feed_address::similar_addresses;
use crate::urls::outlet::{outlet_of_site, outlet_of_url};
use anyhow::{Context as _, bail};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;
use url::Url;

/// The maximum number of lines that a message lists.
const MAX_LISTED_LINES: usize = 10;

/// The sources of an OPML file, and the faults in the file.
struct OpmlFile {
    sources: Vec<DescribedSource>,
    /// The number of subscriptions that repeat an earlier one.
    repeated: usize,
    /// The parsed file with its faults. Its outlines have been moved to `sources`.
    list: SubscriptionList,
}

/// A source as described by a file.
struct DescribedSource {
    line: usize,
    new: NewSource,
    /// Whether the file sets a priority, including 0.
    has_priority: bool,
    /// Whether the file sets the full-text mode.
    has_full_text: bool,
    /// Whether the file states whether the source is an aggregator.
    has_aggregator: bool,
    /// Whether the file states whether the items are grouped.
    has_grouped: bool,
}

/// Adds the sources of a file. With `publish_backlog`, the old items of their first documents are published as news.
pub async fn import(
    context: &Context,
    file: &Path,
    extra: &[String],
    publish_backlog: bool,
) -> anyhow::Result<ExitCode> {
    let OpmlFile { mut sources, repeated, list } = read(file, extra)?;
    sources.iter_mut().for_each(|source| source.new.publish_backlog = publish_backlog);
    let file = &shown_name(file);
    let (_, store) = context.open_or_create()?;
    let similar = similar_addresses_of(&sources, store.read(sources::urls).await?);
    let (now, count) = (context.clock.now(), sources.len() as i32);
    let added = store
        .write(move |db| {
            let mut added = 0;
            for DescribedSource { new, .. } in &sources {
                added += i32::from(sources::add(db, new, now, now)?.is_some());
            }
            Ok(added)
        })
        .await?;
    let (known, unusable) = (count - added, list.unusable.len());
    print_faults(&list, repeated, file);
    print_similar(&similar, file);
    let value = serde_json::json!({
        "repaired": repairs(&list),
        "ampersand_lines": list.bare_ampersand_lines,
        "not_well_formed": list.fault,
        "exceeded_limit": list.exceeded_limit,
        "ends_early": list.is_truncated,
        "repeated": repeated,
        "similar": similar,
        "unusable_lines": list.unusable,
        "added": added,
        "known": known,
        "unusable": unusable,
    });
    let truncated = if list.is_truncated { "; the file is truncated" } else { "" };
    context.print(
        &value,
        format!("added {added} sources, {known} already existed, {unusable} could not be used{truncated}"),
    )?;
    Ok(exit_code(&list))
}

pub async fn export(context: &Context, tag: Option<String>) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let filter = SourceFilter { tag, ..SourceFilter::default() };
    let (all, mut languages) =
        store.read(move |db| Ok((sources::list(db, &filter)?, sources::operator_languages(db)?))).await?;
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
            aggregator: source.aggregator.then(|| "true".to_owned()),
            interval: source.poll_interval.map(|interval| format!("{interval:#}")),
            grouped: (!source.is_grouped).then(|| "false".to_owned()),
            xml_url: source.url,
            line: 0,
        })
        .collect();
    context.print(&outlines, write_opml(&config.publish.title, &outlines).trim_end())
}

/// The options of `sync`.
pub struct Sync {
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

pub async fn sync(context: &Context, file: &Path, options: Sync) -> anyhow::Result<ExitCode> {
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

/// Returns a failure if a part of the file could not be used.
fn exit_code(list: &SubscriptionList) -> ExitCode {
    let is_complete = !list.is_truncated && list.exceeded_limit.is_none() && list.unusable.is_empty();
    if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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

fn read(file: &Path, extra_tags: &[String]) -> anyhow::Result<OpmlFile> {
    let bytes = read_at_most(file, MAX_BYTES as u64 + 1)?;
    let mut list = read_opml(&bytes).with_context(|| format!("{} is not an OPML file", shown_name(file)))?;
    let (mut sources, mut repeated): (Vec<DescribedSource>, _) = (Vec::new(), 0);
    let mut index_by_url = HashMap::new();
    for outline in std::mem::take(&mut list.outlines) {
        let line = outline.line;
        match described_source(outline, extra_tags) {
            Err(error) => list.unusable.push(OpmlFault { line, message: format!("{error:#}") }),
            Ok(source) => match index_by_url.entry(source.new.url.clone()) {
                Entry::Vacant(vacant) => {
                    vacant.insert(sources.len());
                    sources.push(source);
                }
                Entry::Occupied(index) => {
                    repeated += 1;
                    sources[*index.get()].merge(source);
                }
            },
        }
    }
    list.unusable.sort_by_key(|fault| fault.line);
    Ok(OpmlFile { sources, repeated, list })
}

impl DescribedSource {
    /// Adds the tags of another outline of the same feed, for example in another folder. Also adds the settings that
    /// only the other outline has.
    fn merge(&mut self, other: DescribedSource) {
        let DescribedSource { new, has_priority, has_full_text, has_aggregator, has_grouped, line: _ } = other;
        let tags: BTreeSet<String> = self.new.tags.drain(..).chain(new.tags).collect();
        self.new.tags = tags.into_iter().take(MAX_CATEGORIES).collect();
        self.new.title = self.new.title.take().or(new.title);
        self.new.lang = self.new.lang.take().or(new.lang);
        if self.new.outlet_provenance == OutletProvenance::Guess && new.outlet_provenance == OutletProvenance::Operator
        {
            (self.new.outlet, self.new.outlet_provenance) = (new.outlet, new.outlet_provenance);
        }
        if !self.has_priority && has_priority {
            (self.new.priority, self.has_priority) = (new.priority, true);
        }
        if !self.has_full_text && has_full_text {
            (self.new.full_text, self.has_full_text) = (new.full_text, true);
        }
        if !self.has_aggregator && has_aggregator {
            (self.new.aggregator, self.has_aggregator) = (new.aggregator, true);
        }
        self.new.poll_interval = self.new.poll_interval.or(new.poll_interval);
        if !self.has_grouped && has_grouped {
            (self.new.is_ungrouped, self.has_grouped) = (new.is_ungrouped, true);
        }
    }
}

/// An address that probably serves the same feed as another one.
#[derive(serde::Serialize)]
struct SimilarAddress {
    line: usize,
    url: String,
    like: String,
}

/// Returns the addresses in a file that are similar to an earlier address in the file or to the address of an existing
/// source. They remain separate sources, because only the operator knows whether the feeds are identical.
fn similar_addresses_of(wanted: &[DescribedSource], existing: Vec<String>) -> Vec<SimilarAddress> {
    let mut known: HashSet<String> = existing.into_iter().collect();
    let mut similar = Vec::new();
    for DescribedSource { line, new, .. } in wanted {
        let forms = Url::parse(&new.url).map(|url| similar_addresses(&url)).unwrap_or_default();
        if let Some(like) = forms.into_iter().find(|form| known.contains(form)) {
            similar.push(SimilarAddress { line: *line, url: new.url.clone(), like });
        }
        known.insert(new.url.clone());
    }
    similar
}

fn print_similar(similar: &[SimilarAddress], file: &str) {
    for SimilarAddress { line, url, like } in similar {
        eprintln!("{file}:{line}: {url} may be the same feed as {like}");
    }
}

fn described_source(outline: FeedOutline, extra_tags: &[String]) -> anyhow::Result<DescribedSource> {
    let line = outline.line;
    let url = web_url(&outline.xml_url)?;
    let site = outline.html_url.as_deref().and_then(|site| Url::parse(site).ok());
    let default_outlet = || site.as_ref().and_then(outlet_of_site).unwrap_or_else(|| outlet_of_url(&url));
    let given_outlet = outline.outlet.as_deref().map(outlet).transpose()?;
    let outlet_provenance = if given_outlet.is_some() { OutletProvenance::Operator } else { OutletProvenance::Guess };
    let priority = setting::<i32>(outline.priority, "newsfold:priority must be an integer")?;
    let full_text = setting::<FullTextMode>(outline.full_text, "newsfold:fullText must be no, group or publish")?;
    let aggregator = setting::<bool>(outline.aggregator, "newsfold:aggregator must be true or false")?;
    let grouped = setting::<bool>(outline.grouped, "newsfold:grouped must be true or false")?;
    let interval = outline.interval.map(|text| poll_interval("newsfold:interval", &one_line(&text, 40))).transpose()?;
    let new = NewSource {
        outlet: given_outlet.unwrap_or_else(default_outlet),
        outlet_provenance,
        url: url.to_string(),
        title: outline.title.map(|title| one_line(&title, 200)).filter(|title| !title.is_empty()),
        lang: outline.language.as_deref().and_then(language_code).map(str::to_owned),
        priority: priority.unwrap_or_default(),
        tags: tags(&[&outline.categories, extra_tags].concat())?,
        full_text: full_text.unwrap_or_default(),
        aggregator: aggregator.unwrap_or_default(),
        poll_interval: interval,
        is_ungrouped: grouped == Some(false),
        ..NewSource::default()
    };
    Ok(DescribedSource {
        line,
        new,
        has_priority: priority.is_some(),
        has_full_text: full_text.is_some(),
        has_aggregator: aggregator.is_some(),
        has_grouped: grouped.is_some(),
    })
}

/// Parses the value of an optional attribute.
fn setting<T: FromStr>(text: Option<String>, rule: &str) -> anyhow::Result<Option<T>> {
    let parse =
        |text: String| text.trim().parse().ok().with_context(|| format!("{rule} (found ‘{}’)", one_line(&text, 40)));
    text.map(parse).transpose()
}

/// Prints one message for each repair, skipped line and fault, in the format `FILE:LINE: MESSAGE`.
fn print_faults(list: &SubscriptionList, repeated: usize, file: &str) {
    for repair in repairs(list) {
        eprintln!("{file}: repaired: {repair}");
    }
    if let Some(first) = list.bare_ampersand_lines.first() {
        let lines = line_numbers(&list.bare_ampersand_lines);
        eprintln!("{file}:{first}: repaired: an unescaped & was read as a literal & on {lines}");
    }
    if let Some(OpmlFault { line, message }) = &list.fault {
        eprintln!("{file}:{line}: not well-formed, so outlines may be missing: {message}");
    }
    if let Some(OpmlFault { line, message }) = &list.exceeded_limit {
        eprintln!("{file}:{line}: {message}");
    }
    if repeated > 0 {
        eprintln!("{file}: {repeated} subscriptions repeat an earlier one; their tags are added to it");
    }
    for OpmlFault { line, message } in &list.unusable {
        eprintln!("{file}:{line}: {message}");
    }
}

fn repairs(list: &SubscriptionList) -> Vec<String> {
    list.problems.iter().map(|p| format!("{} ×{}: {}", p.kind.into_str(), p.count, p.detail)).collect()
}

fn line_numbers(lines: &[usize]) -> String {
    let named: Vec<String> = lines.iter().take(MAX_LISTED_LINES).map(usize::to_string).collect();
    let more = if lines.len() > MAX_LISTED_LINES { " and more" } else { "" };
    match lines.len() {
        1 => format!("line {}", named[0]),
        count => format!("{count} lines ({}{more})", named.join(", ")),
    }
}
