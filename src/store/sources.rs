//! Sources: their settings, and the state of their polling. [`super::poll_schedule`] sets the times of their polls.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{column, from_row, json_list, to_json};
use super::source_problems::HAS_PROBLEM;
use crate::domain::{
    CacheValidators, NewSource, NextPollReason, PollCounts, PollOutcome, PollingHints, Source, SourceEdit, SourceId,
    SourceState,
};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, params};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

/// Adds a source, or restores a removed source with this URL. Returns `None` if the source already exists.
pub fn add(db: &WriteConnection, new: &NewSource, next_poll_at: Timestamp, now: Timestamp) -> Result<Option<SourceId>> {
    let known = by_url(db, &new.url)?;
    let id = match known {
        Some(source) if source.state != SourceState::Removed => return Ok(None),
        Some(source) => source.id,
        None => {
            db.execute(
                "INSERT INTO source (url, outlet, added_at, next_poll_at) VALUES (?1, ?2, ?3, ?4)",
                params![new.url, new.outlet, now.as_millisecond(), next_poll_at.as_millisecond()],
            )?;
            SourceId(db.last_insert_rowid())
        }
    };
    db.execute(
        "UPDATE source SET outlet = ?2, title = ?3, lang = ?4, priority = ?5, state = 'active',
         next_poll_at = max(?6, coalesce(hold_until, 0)), next_poll_reason = ?9, failures = 0, gone_since = NULL,
         pending_redirect = NULL, outlet_provenance = ?7, full_text = ?8, publish_backlog = ?10, aggregator = ?11,
         first_document_at = NULL, truncated_end = NULL, feed_search_steps = ?12,
         request_settings = ?13, poll_interval = ?14, is_grouped = NOT ?15 WHERE id = ?1",
        params![
            id.0,
            new.outlet,
            new.title,
            new.lang,
            new.priority,
            next_poll_at.as_millisecond(),
            new.outlet_provenance.into_str(),
            new.full_text.into_str(),
            to_json(&NextPollReason::Added)?,
            new.publish_backlog,
            new.aggregator,
            new.feed_search_steps,
            to_json(&new.request_settings)?,
            new.poll_interval.map(|interval| interval.as_millis() as i64),
            new.is_ungrouped,
        ],
    )?;
    set_tags(db, id, &new.tags)?;
    super::publication::touch(db)?;
    Ok(Some(id))
}

/// Changes the settings of a source. A new URL starts without cache validators and is polled at `next_poll_at`.
pub fn edit(db: &WriteConnection, id: SourceId, edit: &SourceEdit, next_poll_at: Timestamp) -> Result<()> {
    let (outlet, provenance) = edit.outlet.as_ref().map(|(outlet, provenance)| (outlet, provenance.into_str())).unzip();
    db.execute(
        "UPDATE source SET outlet = coalesce(?2, outlet), outlet_provenance = coalesce(?3, outlet_provenance),
             outlet_name = nullif(coalesce(?9, outlet_name), ''),
             title = nullif(coalesce(?4, title), ''), lang = nullif(coalesce(?5, lang), ''),
             priority = coalesce(?6, priority), full_text = coalesce(?7, full_text),
             aggregator = coalesce(?8, aggregator), request_settings = coalesce(?10, request_settings),
             poll_interval = CASE WHEN ?11 THEN ?12 ELSE poll_interval END, is_grouped = coalesce(?13, is_grouped)
         WHERE id = ?1",
        params![
            id.0,
            outlet,
            provenance,
            edit.title,
            edit.lang,
            edit.priority,
            edit.full_text.map(|mode| mode.into_str()),
            edit.aggregator,
            edit.outlet_name,
            edit.request_settings.as_ref().map(to_json).transpose()?,
            edit.poll_interval.is_some(),
            edit.poll_interval.flatten().map(|interval| interval.as_millis() as i64),
            edit.is_grouped,
        ],
    )?;
    if let Some(tags) = &edit.tags {
        set_tags(db, id, tags)?;
    }
    if let Some(url) = &edit.url {
        db.execute(
            "UPDATE source SET url = ?2, next_poll_at = ?3, next_poll_reason = ?4, hold_until = NULL, failures = 0,
                 gone_since = NULL, pending_redirect = NULL, not_modified_since = NULL, truncated_end = NULL,
                 state = CASE state WHEN 'gone' THEN 'active' ELSE state END
             WHERE id = ?1 AND url <> ?2",
            params![id.0, url, next_poll_at.as_millisecond(), to_json(&NextPollReason::UrlChanged)?],
        )?;
    }
    super::publication::touch(db)
}

/// Replaces a guessed outlet with the outlet of the feed's own website. The outlet of the source's items changes too,
/// because items take their outlet from their source.
pub(super) fn replace_guessed_outlet(db: &WriteConnection, id: SourceId, outlet: &str) -> Result<()> {
    db.execute(
        "UPDATE source SET outlet = ?2, outlet_provenance = 'site' WHERE id = ?1 AND outlet_provenance = 'guess'",
        params![id.0, outlet],
    )?;
    super::publication::touch(db)
}

/// Records that a source has returned its first document. Later calls have no effect. A truncated document does not
/// count as the first document, because the items that are missing from it are as old as the others. The next complete
/// document counts instead.
pub(super) fn record_first_document(
    db: &WriteConnection,
    id: SourceId,
    is_complete: bool,
    at: Timestamp,
) -> Result<()> {
    db.execute(
        "UPDATE source SET first_document_at = ?2, publish_backlog = 0
         WHERE id = ?1 AND first_document_at IS NULL AND (?3 OR truncated_end IS NOT NULL)",
        params![id.0, at.as_millisecond(), is_complete],
    )?;
    Ok(())
}

fn set_tags(db: &WriteConnection, id: SourceId, tags: &[String]) -> Result<()> {
    db.execute("DELETE FROM source_tag WHERE source_id = ?1", [id.0])?;
    for tag in tags {
        db.execute("INSERT OR IGNORE INTO source_tag (source_id, tag) VALUES (?1, ?2)", params![id.0, tag])?;
    }
    Ok(())
}

/// Pauses, resumes or removes a source. A resumed source keeps its schedule and its hold.
pub fn set_state(db: &WriteConnection, id: SourceId, state: SourceState) -> Result<()> {
    db.execute("UPDATE source SET state = ?2 WHERE id = ?1", params![id.0, state.into_str()])?;
    super::publication::touch(db)
}

/// The facts that show whether polls succeed.
#[derive(Debug, Deserialize)]
pub struct PollingHealth {
    /// Whether a poll of any source has succeeded recently.
    pub has_succeeded: bool,
    /// Whether an active source was polled recently or is overdue.
    pub has_attempts: bool,
}

/// Returns whether a poll has succeeded since `recent`, and whether an active source was polled since then or has been
/// due since `overdue`.
pub fn polling_health(db: &ReadConnection, recent: Timestamp, overdue: Timestamp) -> Result<PollingHealth> {
    db.one(
        "SELECT EXISTS (SELECT 1 FROM poll WHERE started_at >= ?1 AND outcome IN (?3, ?4)) AS has_succeeded,
                EXISTS (SELECT 1 FROM poll CROSS JOIN source ON source.id = source_id
                        WHERE started_at >= ?1 AND outcome <> ?5 AND state = 'active')
                OR EXISTS (SELECT 1 FROM source WHERE state = 'active' AND next_poll_at <= ?2) AS has_attempts",
        params![
            recent.as_millisecond(),
            overdue.as_millisecond(),
            PollOutcome::Read.into_str(),
            PollOutcome::NotModified.into_str(),
            PollOutcome::Pushed.into_str(),
        ],
    )
}

/// The values that determine how often a source is polled.
#[derive(Debug, Deserialize)]
pub struct SourceDemand {
    /// The estimate of the update rate, as JSON (`crawl::update_rate`).
    pub update_rate: String,
    pub polling_hints: PollingHints,
}

/// Returns the demands of about `count` to 2 × `count` active sources, which are selected by ID. If there are fewer
/// than 2 × `count` active sources, returns the demands of all active sources.
pub fn sample_demands(db: &ReadConnection, count: u32) -> Result<Vec<SourceDemand>> {
    let step = db.one::<u32>("SELECT count(*) FROM source WHERE state = 'active'", [])? / count.max(1);
    let sql = "SELECT update_rate, polling_hints FROM source WHERE state = 'active' AND id % ?1 = 0";
    db.all(sql, [step.max(1)])
}

/// Returns the number of outlets with an active source, at most `max`. Counting stops at `max`, because every failed
/// poll calls this function.
pub fn count_active_outlets(db: &ReadConnection, max: usize) -> Result<usize> {
    let sql = "SELECT count(*) FROM (SELECT DISTINCT outlet FROM source WHERE state = 'active' LIMIT ?1)";
    db.one(sql, [max as i64])
}

/// Replaces a source's URL, unless another source has that URL. Holds are unchanged. Cache validators are also
/// unchanged, because they are stored with their own URL.
pub(super) fn follow_redirect(db: &WriteConnection, id: SourceId, from: &str, url: &str) -> Result<()> {
    db.execute(
        "UPDATE source SET url = ?3 WHERE id = ?1 AND url = ?2 AND NOT EXISTS (SELECT 1 FROM source WHERE url = ?3)",
        params![id.0, from, url],
    )?;
    super::publication::touch(db)
}

/// The selection of sources that [`list`] returns.
#[derive(Debug, Clone, Default)]
pub struct SourceFilter {
    pub tag: Option<String>,
    /// Whether to select only sources that are gone or on hold, or whose last poll failed.
    pub problems: bool,
}

/// Returns all sources except removed ones, ordered by outlet and title.
pub fn list(db: &ReadConnection, filter: &SourceFilter) -> Result<Vec<Source>> {
    let sql = format!(
        "{SELECT} WHERE state <> 'removed'
         AND (?1 IS NULL OR EXISTS (SELECT 1 FROM source_tag WHERE source_id = source.id AND tag = ?1))
         AND (NOT ?2 OR {HAS_PROBLEM})
         ORDER BY outlet, coalesce(source.title, feed_title, url), id"
    );
    db.map(&sql, params![filter.tag, filter.problems], read)
}

/// Returns the number of active sources, the number that were never polled, and the number that failed at their last
/// poll.
pub fn poll_counts(db: &ReadConnection) -> Result<PollCounts> {
    db.one(
        "SELECT count(*) AS active, count(*) FILTER (WHERE last_poll_at IS NULL) AS unpolled,
                count(*) FILTER (WHERE last_error <> '') AS failing
         FROM source WHERE state = 'active'",
        [],
    )
}

/// Returns the sources with a tag.
pub fn with_tag(db: &ReadConnection, tag: &str) -> Result<HashSet<SourceId>> {
    let ids: Vec<SourceId> = db.all("SELECT source_id FROM source_tag WHERE tag = ?1", [tag])?;
    Ok(ids.into_iter().collect())
}

/// Returns the URLs of all sources except removed ones.
pub fn urls(db: &ReadConnection) -> Result<Vec<String>> {
    db.all("SELECT url FROM source WHERE state <> 'removed'", [])
}

/// Returns the languages that the operator has set, excluding the languages that feeds declare.
pub fn operator_languages(db: &ReadConnection) -> Result<BTreeMap<SourceId, String>> {
    let languages: Vec<(SourceId, String)> = db.all("SELECT id, lang FROM source WHERE lang IS NOT NULL", [])?;
    Ok(languages.into_iter().collect())
}

pub fn get(db: &ReadConnection, id: SourceId) -> Result<Option<Source>> {
    Ok(db.map(&format!("{SELECT} WHERE id = ?1"), [id.0], read)?.pop())
}

/// Returns the sources with a title, an outlet or an outlet's name that equals `name`, ignoring case.
pub fn by_name(db: &ReadConnection, name: &str) -> Result<Vec<Source>> {
    type Names = (SourceId, String, String, Option<String>);
    let all: Vec<Names> = db.all(
        "SELECT id, coalesce(title, feed_title, url), outlet, outlet_name FROM source WHERE state <> 'removed' ORDER BY id",
        [],
    )?;
    let name = name.to_lowercase();
    let has_name = |(_, title, outlet, outlet_name): &Names| {
        [Some(title), Some(outlet), outlet_name.as_ref()]
            .into_iter()
            .flatten()
            .any(|known| known.to_lowercase() == name)
    };
    all.iter().filter(|names| has_name(names)).filter_map(|(id, ..)| get(db, *id).transpose()).collect()
}

/// Returns whether items of a source are grouped: the operator has not disabled grouping for the source, and either the
/// source has one of `tags` or `tags` is empty.
pub fn is_grouped(db: &ReadConnection, id: SourceId, tags: &[String]) -> Result<bool> {
    db.exists(
        "SELECT 1 FROM source WHERE id = ?1 AND is_grouped AND (json_array_length(?2) = 0 OR EXISTS (
             SELECT 1 FROM source_tag WHERE source_id = ?1 AND tag IN (SELECT value FROM json_each(?2))))",
        params![id.0, json_list(tags)],
    )
}

/// Returns the longest interval that the operator set for a source; `None` if no source has its own interval.
pub fn longest_interval(db: &ReadConnection) -> Result<Option<SignedDuration>> {
    let longest: Option<i64> = db.one("SELECT max(poll_interval) FROM source", [])?;
    Ok(longest.map(SignedDuration::from_millis))
}

pub fn by_url(db: &ReadConnection, url: &str) -> Result<Option<Source>> {
    Ok(db.map(&format!("{SELECT} WHERE url = ?1"), [url], read)?.pop())
}

const SELECT: &str =
    "SELECT id, url, outlet, outlet_provenance, outlet_name,
            redact_urls(coalesce(title, feed_title, url)) AS title, site_url,
         coalesce(lang, feed_lang) AS lang, priority, full_text, aggregator, state, added_at,
         added_at < (SELECT min(added_at) FROM source) + 86400000 AS is_initial, first_document_at, publish_backlog, next_poll_at, next_poll_reason,
         last_poll_at, last_outcome, last_success_at, failures, last_error, last_error_time, hold_until, polling_hints,
         pending_redirect, gone_since, update_rate, validators_url, etag, last_modified, not_modified_since, full_request_at,
         truncated_end, feed_search_steps, request_settings, poll_interval, is_grouped,
         (SELECT json_group_array(tag ORDER BY tag) FROM source_tag WHERE source_id = source.id) AS tags
     FROM source";

fn read(row: &Row<'_>) -> Result<Source> {
    let mut source: Source = from_row(row)?;
    if let Some(url) = column(row, "validators_url")? {
        let (etag, last_modified) = (column(row, "etag")?, column(row, "last_modified")?);
        source.validators = Some(CacheValidators { url, etag, last_modified });
    }
    Ok(source)
}
