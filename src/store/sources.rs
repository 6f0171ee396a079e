//! Sources: their settings, their schedule, and the state of their polling.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, from_json, maybe_time, time, to_json, word};
use crate::domain::{
    CacheValidators, DueSource, NewSource, NextPollReason, PendingRedirect, PollingHints, Source, SourceEdit, SourceId,
    SourceState,
};
use crate::urls::redact::redact_url;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;

/// Adds a source, or restores the removed one with this URL. `None` if the source exists already.
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
         next_poll_at = max(?6, coalesce(hold_until, 0)), next_poll_reason = ?9, consecutive_failures = 0,
         gone_since = NULL, redirect_to = NULL, redirect_count = 0, redirect_since = NULL,
         outlet_provenance = ?7, full_text_mode = ?8 WHERE id = ?1",
        params![
            id.0,
            new.outlet,
            new.title,
            new.lang,
            new.priority,
            next_poll_at.as_millisecond(),
            new.outlet_provenance.into_str(),
            new.full_text.into_str(),
            to_json(&NextPollReason::Added)?
        ],
    )?;
    set_tags(db, id, &new.tags)?;
    super::publication::touch(db)?;
    Ok(Some(id))
}

/// Changes the settings of a source. A new URL starts without cache validators and is polled at once.
pub fn edit(db: &WriteConnection, id: SourceId, edit: &SourceEdit, now: Timestamp) -> Result<()> {
    let text = |value: &Option<String>| value.clone().map(|v| if v.is_empty() { None } else { Some(v) });
    if let Some((outlet, from)) = &edit.outlet {
        let set = "UPDATE source SET outlet = ?2, outlet_provenance = ?3 WHERE id = ?1";
        db.execute(set, params![id.0, outlet, from.into_str()])?;
    }
    if let Some(title) = text(&edit.title) {
        db.execute("UPDATE source SET title = ?2 WHERE id = ?1", params![id.0, title])?;
    }
    if let Some(lang) = text(&edit.lang) {
        db.execute("UPDATE source SET lang = ?2 WHERE id = ?1", params![id.0, lang])?;
    }
    if let Some(priority) = edit.priority {
        db.execute("UPDATE source SET priority = ?2 WHERE id = ?1", params![id.0, priority])?;
    }
    if let Some(tags) = &edit.tags {
        set_tags(db, id, tags)?;
    }
    if let Some(full_text) = edit.full_text {
        db.execute("UPDATE source SET full_text_mode = ?2 WHERE id = ?1", params![id.0, full_text.into_str()])?;
    }
    if let Some(url) = &edit.url {
        db.execute(
            "UPDATE source SET url = ?2, next_poll_at = ?3, next_poll_reason = ?4, hold_until = NULL,
             consecutive_failures = 0, gone_since = NULL, redirect_to = NULL, redirect_count = 0, redirect_since = NULL, state = CASE state WHEN 'gone' THEN 'active' ELSE state END WHERE id = ?1 AND url <> ?2",
            params![id.0, url, now.as_millisecond(), to_json(&NextPollReason::UrlChanged)?],
        )?;
    }
    super::publication::touch(db)
}

/// Replaces a guessed outlet by that of the feed's own website. Items follow, since they take the outlet from their
/// source.
pub(super) fn replace_guessed_outlet(db: &WriteConnection, id: SourceId, outlet: &str) -> Result<()> {
    db.execute(
        "UPDATE source SET outlet = ?2, outlet_provenance = 'site' WHERE id = ?1 AND outlet_provenance = 'guess'",
        params![id.0, outlet],
    )?;
    super::publication::touch(db)
}

fn set_tags(db: &WriteConnection, id: SourceId, tags: &[String]) -> Result<()> {
    db.execute("DELETE FROM source_tag WHERE source_id = ?1", [id.0])?;
    let mut insert = db.prepare_cached("INSERT OR IGNORE INTO source_tag (source_id, tag) VALUES (?1, ?2)")?;
    for tag in tags {
        insert.execute(params![id.0, tag])?;
    }
    Ok(())
}

/// Pauses, resumes or removes a source. A resumed source keeps its schedule and its hold.
pub fn set_state(db: &WriteConnection, id: SourceId, state: SourceState) -> Result<()> {
    db.execute("UPDATE source SET state = ?2 WHERE id = ?1", params![id.0, state.into_str()])?;
    super::publication::touch(db)
}

/// Starts a poll: moves the source's next poll to `next` or later, unless it has changed since `due` was read.
///
/// It is on disk before the request is sent, so that a crash during the poll is not followed by another poll too soon.
/// The [lease](super::leases) ensures that no other program polls the source meanwhile.
pub fn claim_poll(db: &WriteConnection, due: &DueSource, now: Timestamp, next: Timestamp) -> Result<bool> {
    let claimed = db.execute(
        "UPDATE source SET next_poll_at = max(next_poll_at, ?3),
         next_poll_reason = json_object('kind', 'poll-started', 'started_at', ?4, 'planned',
             CASE next_poll_reason ->> 'kind' WHEN 'poll-started' THEN next_poll_reason -> 'planned'
                                              ELSE json(next_poll_reason) END)
         WHERE id = ?1 AND next_poll_at = ?2 AND state <> 'removed'",
        params![due.id.0, due.at.as_millisecond(), next.as_millisecond(), now.to_string()],
    )?;
    Ok(claimed == 1)
}

/// The sources that are due, the longest overdue first.
pub fn due(db: &ReadConnection, now: Timestamp, limit: u32) -> Result<Vec<DueSource>> {
    let mut statement = db.prepare_cached(
        "SELECT id, url, next_poll_at FROM source WHERE state = 'active' AND next_poll_at <= ?1
         ORDER BY next_poll_at, id LIMIT ?2",
    )?;
    collect(&mut statement, params![now.as_millisecond(), limit], |row| {
        Ok(DueSource { id: SourceId(row.get(0)?), url: row.get(1)?, at: time(row.get(2)?)? })
    })
}

/// When the next source becomes due, after `now`.
pub fn next_poll_at(db: &ReadConnection, now: Timestamp) -> Result<Option<Timestamp>> {
    let mut next =
        db.prepare_cached("SELECT min(next_poll_at) FROM source WHERE state = 'active' AND next_poll_at > ?1")?;
    maybe_time(next.query_row([now.as_millisecond()], |row| row.get(0))?)
}

/// Moves a source's next poll to `until`, unless it has changed since `due` was read.
pub fn postpone_poll(db: &WriteConnection, due: &DueSource, until: Timestamp, reason: &NextPollReason) -> Result<()> {
    db.execute(
        "UPDATE source SET next_poll_at = ?3, next_poll_reason = ?4 WHERE id = ?1 AND next_poll_at = ?2 AND ?3 > ?2",
        params![due.id.0, due.at.as_millisecond(), until.as_millisecond(), to_json(reason)?],
    )?;
    Ok(())
}

/// Spreads overdue sources evenly, in their order, so that neither a start nor the end of an outage causes a burst.
/// Sources that failed because our own network was down become due as well, at the earliest `within` after their last
/// poll. Returns the number of overdue sources.
pub fn spread_overdue(
    db: &WriteConnection,
    now: Timestamp,
    apart: SignedDuration,
    within: SignedDuration,
) -> Result<u32> {
    db.execute(
        "UPDATE source SET next_poll_at = min(next_poll_at, last_poll_at + ?1)
         WHERE state = 'active' AND last_outcome = 'offline'",
        [within.as_millis() as i64],
    )?;
    let overdue = due(db, now, u32::MAX)?;
    let count = overdue.len() as i64;
    let step = apart.as_millis().min(within.as_millis() / i128::from(count.max(1))) as i64;
    let mut update = db.prepare_cached("UPDATE source SET next_poll_at = ?2 WHERE id = ?1")?;
    for (place, source) in overdue.iter().enumerate() {
        update.execute(params![source.id.0, now.as_millisecond() + step * place as i64])?;
    }
    Ok(count as u32)
}

/// Calls `take` with the stored update rate and the polling hints of each active source.
pub fn for_each_update_rate(db: &ReadConnection, mut take: impl FnMut(&str, &PollingHints)) -> Result<()> {
    let mut statement = db.prepare_cached("SELECT update_rate, polling_hints FROM source WHERE state = 'active'")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column).ok().and_then(|value| value.as_str().ok()).unwrap_or_default();
        take(text(0), &serde_json::from_str(text(1)).unwrap_or_default());
    }
    Ok(())
}

/// Ends a source's hold on request of the operator, and polls it at `next`.
pub fn clear_hold(db: &WriteConnection, id: SourceId, next: Timestamp) -> Result<()> {
    db.execute(
        "UPDATE source SET hold_until = NULL, next_poll_at = ?2, next_poll_reason = ?3 WHERE id = ?1",
        params![id.0, next.as_millisecond(), to_json(&NextPollReason::HoldCleared)?],
    )?;
    Ok(())
}

/// The number of outlets with an active source.
pub fn count_active_outlets(db: &ReadConnection) -> Result<usize> {
    let mut count = db.prepare_cached("SELECT count(DISTINCT outlet) FROM source WHERE state = 'active'")?;
    Ok(count.query_row([], |row| row.get::<_, i64>(0))? as usize)
}

/// Reverts the failures that were recorded while our own network was down.
pub fn revert_offline_failures(db: &WriteConnection, sources: &[SourceId], interval: SignedDuration) -> Result<()> {
    let mut clear = db.prepare_cached(
        "UPDATE source SET consecutive_failures = max(consecutive_failures - 1, 0), last_outcome = 'offline',
         last_error = 'newsfold had no network connection', next_poll_at = min(next_poll_at, last_poll_at + ?2),
         next_poll_reason = ?3 WHERE id = ?1",
    )?;
    let mut rename = db.prepare_cached(
        "UPDATE poll SET outcome = 'offline' WHERE id = (SELECT max(id) FROM poll WHERE source_id = ?1 AND origin <> '')
         AND outcome = 'failed'",
    )?;
    let reason = to_json(&NextPollReason::NetworkDown)?;
    for source in sources {
        clear.execute(params![source.0, interval.as_millis() as i64, reason])?;
        rename.execute([source.0])?;
    }
    Ok(())
}

/// Replaces a source's URL, unless another source has that URL. Holds stay, and so do cache validators, which are
/// stored with their own URL.
pub(super) fn follow_redirect(db: &WriteConnection, id: SourceId, from: &str, url: &str) -> Result<()> {
    db.execute(
        "UPDATE source SET url = ?3 WHERE id = ?1 AND url = ?2 AND NOT EXISTS (SELECT 1 FROM source WHERE url = ?3)",
        params![id.0, from, url],
    )?;
    super::publication::touch(db)
}

/// Which sources [`list`] returns.
#[derive(Debug, Clone, Default)]
pub struct SourceFilter {
    pub tag: Option<String>,
    /// Only sources that are gone, on hold, or whose last poll failed.
    pub problems: bool,
}

/// All sources that are not removed, by outlet and title.
pub fn list(db: &ReadConnection, filter: &SourceFilter) -> Result<Vec<Source>> {
    let sql = format!(
        "{SELECT} WHERE state <> 'removed'
         AND (?1 IS NULL OR EXISTS (SELECT 1 FROM source_tag WHERE source_id = source.id AND tag = ?1))
         AND (NOT ?2 OR last_error <> '' OR state = 'gone' OR next_poll_reason ->> 'kind' = 'origin-hold')
         ORDER BY outlet, coalesce(title, feed_title, url), id"
    );
    let mut statement = db.prepare_cached(&sql)?;
    collect(&mut statement, params![filter.tag, filter.problems], read)
}

/// The languages that the operator set, without those that feeds declare.
pub fn operator_languages(db: &ReadConnection) -> Result<BTreeMap<SourceId, String>> {
    let mut statement = db.prepare_cached("SELECT id, lang FROM source WHERE lang IS NOT NULL")?;
    let given = collect(&mut statement, [], |row| Ok((SourceId(row.get(0)?), row.get(1)?)))?;
    Ok(given.into_iter().collect())
}

pub fn get(db: &ReadConnection, id: SourceId) -> Result<Option<Source>> {
    one(db, "source.id = ?1", params![id.0])
}

pub fn by_url(db: &ReadConnection, url: &str) -> Result<Option<Source>> {
    one(db, "source.url = ?1", params![url])
}

fn one(db: &ReadConnection, condition: &str, params: impl rusqlite::Params) -> Result<Option<Source>> {
    let mut statement = db.prepare_cached(&format!("{SELECT} WHERE {condition}"))?;
    statement.query_row(params, |row| Ok(read(row))).optional()?.transpose()
}

const SELECT: &str = "SELECT id, url, outlet, coalesce(title, feed_title, url), site_url, coalesce(lang, feed_lang), \
    priority, state, added_at, next_poll_at, next_poll_reason, last_poll_at, last_outcome, last_success_at, consecutive_failures, \
    last_error, hold_until, validators_url, etag, last_modified, \
    (SELECT json_group_array(tag ORDER BY tag) FROM source_tag WHERE source_id = source.id), \
    outlet_provenance, full_text_mode, polling_hints, redirect_to, redirect_count, redirect_since, gone_since, update_rate FROM source";

fn read(row: &rusqlite::Row<'_>) -> Result<Source> {
    let state: String = row.get(7)?;
    let outcome: Option<String> = row.get(12)?;
    let outlet_provenance: String = row.get(21)?;
    let pending_redirect = match (row.get::<_, Option<String>>(24)?, maybe_time(row.get(26)?)?) {
        (Some(to), Some(since)) => Some(PendingRedirect { to, times: row.get(25)?, since }),
        _ => None,
    };
    let validators = match row.get::<_, Option<String>>(17)? {
        None => None,
        Some(url) => Some(CacheValidators { url, etag: row.get(18)?, last_modified: row.get(19)? }),
    };
    let tags: String = row.get(20)?;
    Ok(Source {
        id: SourceId(row.get(0)?),
        url: row.get(1)?,
        outlet: row.get(2)?,
        outlet_provenance: word(&outlet_provenance)?,
        title: redact_url(&row.get::<_, String>(3)?),
        site_url: row.get(4)?,
        lang: row.get(5)?,
        priority: row.get(6)?,
        tags: from_json(&tags)?,
        full_text: word(&row.get::<_, String>(22)?)?,
        state: word(&state)?,
        added_at: time(row.get(8)?)?,
        next_poll_at: time(row.get(9)?)?,
        next_poll_reason: from_json(&row.get::<_, String>(10)?)?,
        last_poll_at: maybe_time(row.get(11)?)?,
        last_outcome: outcome.map(|o| word(&o)).transpose()?,
        last_success_at: maybe_time(row.get(13)?)?,
        failures: row.get(14)?,
        last_error: row.get(15)?,
        hold_until: maybe_time(row.get(16)?)?,
        polling_hints: from_json(&row.get::<_, String>(23)?)?,
        pending_redirect,
        gone_since: maybe_time(row.get(27)?)?,
        update_rate: row.get(28)?,
        validators,
    })
}
