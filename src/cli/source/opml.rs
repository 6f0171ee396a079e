//! `newsfold source import`, `export` and `sync`: subscription lists (OPML 2.0).
//!
//! A truncated file looks like a shorter list, and `sync` would delete the sources that are missing. `sync` therefore
//! refuses files that are not well-formed, except for unescaped ampersands, which cause no loss. `import` never deletes
//! sources; it reads as much as possible and reports the rest.

mod faults;
mod subscription_file;
mod sync;

pub use sync::{SyncOptions, sync};

use crate::cli::Context;
use crate::cli::input::shown_name;
use crate::domain::display_text::one_line;
use crate::domain::{FullTextMode, OutletProvenance};
use crate::opml::FeedOutline;
use crate::opml::write::write_opml;
use crate::store::sources::{self, SourceFilter};
use crate::wording::count_of;
use faults::{exit_code, print_faults, print_similar, repairs};
use std::path::Path;
use std::process::ExitCode;
use subscription_file::{DescribedSource, OpmlFile, read, similar_addresses_of};

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
        format!(
            "added {}, {known} already existed, {unusable} could not be used{truncated}",
            count_of(added as usize, "source", "sources")
        ),
    )?;
    Ok(exit_code(&list))
}

pub async fn export(context: &Context, tag: Option<String>) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let filter = SourceFilter { tag: tag.clone(), ..SourceFilter::default() };
    let (all, mut languages) =
        store.read(move |db| Ok((sources::list(db, &filter)?, sources::operator_languages(db)?))).await?;
    if let Some(tag) = tag.filter(|_| all.is_empty()) {
        eprintln!("newsfold: no source has the tag ‘{}’; `newsfold source list` shows all tags", one_line(&tag, 60));
    }
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
