//! Polls: the record of each attempt, stored in one transaction with its items and the new state of the source.

use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, from_json, maybe_time, milliseconds, time, to_json, word};
use super::{Error, Result, items, operator_events, origins};
use crate::domain::{FeedProblem, IngestResult, NewItem, PollOutcome, PollRecord, ProblemKind, SourceId, SourceUpdate};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;

/// Stores one attempt: its record, the items of its document, and the new state of the source, which is `None` for a
/// push. Validators are never stored without the items that came with them.
pub fn record_poll(
    db: &WriteConnection,
    poll: &PollRecord,
    update: Option<&SourceUpdate>,
    new_items: &[NewItem],
) -> Result<IngestResult> {
    let ingested = items::store_items(db, poll.source, new_items, poll.finished_at)?;
    insert_record(db, poll, &ingested)?;
    if let Some(update) = update {
        update_source(db, poll, update)?;
        if let Some(hold) = &update.origin_hold {
            origins::record_hold(db, hold)?;
        }
        for event in &update.events {
            operator_events::record(db, poll.finished_at, event.kind, Some(poll.source), &event.detail)?;
        }
        if let Some(outlet) = &update.outlet {
            super::sources::replace_guessed_outlet(db, poll.source, outlet)?;
        }
        if let Some(url) = &update.new_url {
            super::sources::follow_redirect(db, poll.source, &update.polled_url, url)?;
        }
    }
    Ok(ingested)
}

fn insert_record(db: &WriteConnection, poll: &PollRecord, ingested: &IngestResult) -> Result<()> {
    let last_request = poll.requests.last();
    db.execute(
        "INSERT INTO poll (source_id, started_at, finished_at, url, outcome, status, error, body_bytes, item_count,
         new_item_count, changed_item_count, origin, wire_bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            poll.source.0,
            poll.started_at.as_millisecond(),
            poll.finished_at.as_millisecond(),
            poll.url,
            poll.outcome.into_str(),
            poll.status,
            poll.detail,
            poll.bytes as i64,
            poll.items,
            ingested.new.len() as i64,
            ingested.changed.len() as i64,
            last_request.map_or("", |request| &request.origin),
            last_request.map_or(0, |request| request.bytes as i64),
        ],
    )?;
    let poll_id = db.last_insert_rowid();
    insert_redirect_hops(db, poll_id, poll)?;
    let mut insert =
        db.prepare_cached("INSERT INTO poll_problem (poll_id, kind, detail, count) VALUES (?1, ?2, ?3, ?4)")?;
    for problem in poll.problems.iter().chain(&rewritten_guids(ingested)) {
        insert.execute(params![poll_id, problem.kind.into_str(), problem.detail, problem.count])?;
    }
    Ok(())
}

/// The problem that a source rewrote its guids, which shows only when its items are matched.
fn rewritten_guids(ingested: &IngestResult) -> Option<FeedProblem> {
    let rules: Vec<String> =
        ingested.recognized.iter().map(|(rule, count)| format!("{count} by {}", rule.into_str())).collect();
    let problem = FeedProblem::new(ProblemKind::GuidsRewritten, format!("recognized: {}", rules.join(", ")));
    (!rules.is_empty()).then(|| FeedProblem { count: ingested.recognized.values().sum(), ..problem })
}

/// Stores the requests of a poll before the last one.
fn insert_redirect_hops(db: &WriteConnection, poll_id: i64, poll: &PollRecord) -> Result<()> {
    let hops = &poll.requests[..poll.requests.len().saturating_sub(1)];
    let mut insert =
        db.prepare_cached("INSERT INTO redirect_hop (poll_id, position, origin, status) VALUES (?1, ?2, ?3, ?4)")?;
    for (position, hop) in hops.iter().enumerate() {
        insert.execute(params![poll_id, position as i64, hop.origin, hop.status])?;
    }
    Ok(())
}

fn update_source(db: &WriteConnection, poll: &PollRecord, update: &SourceUpdate) -> Result<()> {
    let (validators, redirect) = (update.validators.as_ref(), update.pending_redirect.as_ref());
    let feed = update.feed.as_ref();
    // The operator may have paused or removed the source during the poll. A poll changes only `active` to `gone`.
    db.execute(
        "UPDATE source SET next_poll_at = ?2, next_poll_reason = ?3, hold_until = ?4, consecutive_failures = ?5,
         last_poll_at = ?6, last_outcome = ?7, last_success_at = CASE WHEN ?8 THEN ?6 ELSE last_success_at END,
         last_error = ?9, validators_url = ?10, etag = ?11, last_modified = ?12,
         feed_title = coalesce(?13, feed_title), site_url = coalesce(?14, site_url),
         feed_lang = coalesce(?15, feed_lang), polling_hints = coalesce(?17, polling_hints),
         redirect_to = ?18, redirect_count = ?19, redirect_since = ?20, gone_since = ?21, update_rate = ?22,
         state = CASE WHEN state = 'active' THEN ?16 ELSE state END
         WHERE id = ?1 AND url = ?23",
        params![
            poll.source.0,
            update.next_poll_at.as_millisecond(),
            to_json(&update.next_poll_reason)?,
            milliseconds(update.hold_until),
            update.failures,
            poll.started_at.as_millisecond(),
            poll.outcome.into_str(),
            poll.outcome.is_success(),
            if poll.outcome.is_success() { "" } else { &poll.detail },
            validators.map(|validators| &validators.url),
            validators.and_then(|validators| validators.etag.as_ref()),
            validators.and_then(|validators| validators.last_modified.as_ref()),
            feed.and_then(|feed| feed.title.as_ref()),
            feed.and_then(|feed| feed.site_url.as_ref()),
            feed.and_then(|feed| feed.lang.as_ref()),
            update.state.into_str(),
            feed.map(|feed| to_json(&feed.polling_hints)).transpose()?,
            redirect.map(|redirect| &redirect.to),
            redirect.map_or(0, |redirect| redirect.times),
            milliseconds(redirect.map(|redirect| redirect.since)),
            milliseconds(update.gone_since),
            update.update_rate,
            update.polled_url,
        ],
    )?;
    Ok(())
}

/// A recorded poll, as it is listed.
#[derive(Debug, Clone, Serialize)]
pub struct PollSummary {
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    pub url: String,
    pub outcome: PollOutcome,
    pub status: Option<u16>,
    pub detail: String,
    pub bytes: u64,
    pub items: u32,
    pub new_items: u32,
    pub changed_items: u32,
    pub problems: Vec<FeedProblem>,
}

/// The latest polls of a source, newest first.
pub fn latest(db: &ReadConnection, source: SourceId, limit: u32) -> Result<Vec<PollSummary>> {
    let mut statement = db.prepare_cached(
        "SELECT started_at, finished_at, url, outcome, status, error, body_bytes, item_count, new_item_count,
         changed_item_count,
         (SELECT json_group_array(json_object('kind', kind, 'detail', detail, 'count', count))
          FROM poll_problem WHERE poll_id = poll.id)
         FROM poll WHERE source_id = ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    collect(&mut statement, params![source.0, limit], |row| {
        let outcome: String = row.get(3)?;
        let problems: String = row.get(10)?;
        Ok(PollSummary {
            started_at: time(row.get(0)?)?,
            finished_at: time(row.get(1)?)?,
            url: row.get(2)?,
            outcome: word(&outcome)?,
            status: row.get(4)?,
            detail: row.get(5)?,
            bytes: row.get::<_, i64>(6)? as u64,
            items: row.get(7)?,
            new_items: row.get(8)?,
            changed_items: row.get(9)?,
            problems: from_json(&problems)?,
        })
    })
}

/// The time of the last recorded poll of any source.
pub fn last_poll_at(db: &ReadConnection) -> Result<Option<Timestamp>> {
    let mut statement = db.prepare_cached("SELECT finished_at FROM poll ORDER BY id DESC LIMIT 1")?;
    statement.query_row([], |row| row.get::<_, i64>(0)).optional()?.map(time).transpose()
}

/// The number of polls by outcome, and of problems by kind, over a time.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PollTally {
    pub polls: u64,
    pub last_poll_at: Option<Timestamp>,
    pub outcomes: Vec<(PollOutcome, u64)>,
    pub problems: Vec<(ProblemKind, u64)>,
}

pub fn tally(db: &ReadConnection, since: Timestamp) -> Result<PollTally> {
    let since = since.as_millisecond();
    let (polls, last) = db
        .prepare_cached("SELECT count(*), max(finished_at) FROM poll WHERE started_at >= ?1")?
        .query_row([since], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
    let mut by_outcome =
        db.prepare_cached("SELECT outcome, count(*) FROM poll WHERE started_at >= ?1 GROUP BY outcome ORDER BY 1")?;
    let outcomes =
        collect(&mut by_outcome, [since], |row| Ok((word(&row.get::<_, String>(0)?)?, row.get::<_, i64>(1)? as u64)))?;
    let mut by_kind = db.prepare_cached(
        "SELECT kind, sum(count) FROM poll_problem JOIN poll ON poll.id = poll_id WHERE started_at >= ?1
         GROUP BY kind ORDER BY 2 DESC, 1",
    )?;
    let problems = collect(&mut by_kind, [since], |row| {
        let kind: String = row.get(0)?;
        let kind = serde_json::from_value(serde_json::Value::String(kind.clone()))
            .map_err(|_| Error::Corrupt(format!("the problem kind ‘{kind}’")))?;
        Ok((kind, row.get::<_, i64>(1)? as u64))
    })?;
    Ok(PollTally { polls: polls as u64, last_poll_at: maybe_time(last)?, outcomes, problems })
}
