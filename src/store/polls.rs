//! Polls: each attempt's record is stored in one transaction with its items and the new state of the source.

use super::connection::{ReadConnection, WriteConnection};
use super::row_conversion::{milliseconds, to_json};
use super::{Result, items, operator_events, origins, sources};
use crate::domain::{FeedProblem, IngestResult, NewItem, PollOutcome, PollRecord, ProblemKind, SourceId, SourceUpdate};
use jiff::Timestamp;
use rusqlite::{named_params, params};
use serde::{Deserialize, Serialize};

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
    if matches!(poll.outcome, PollOutcome::Read | PollOutcome::Pushed) {
        let is_complete = update.is_none_or(|update| update.truncated_end.is_none());
        sources::record_first_document(db, poll.source, is_complete, poll.finished_at)?;
    }
    if let Some(update) = update {
        update_source(db, poll, update)?;
        if let Some(hold) = &update.origin_hold {
            origins::record_hold(db, hold)?;
        }
        for event in &update.events {
            operator_events::record(db, poll.finished_at, Some(poll.source), event)?;
        }
        if let Some(outlet) = &update.outlet {
            sources::replace_guessed_outlet(db, poll.source, outlet)?;
        }
        if let Some(url) = &update.new_url {
            sources::follow_redirect(db, poll.source, &update.polled_url, url)?;
        }
    }
    Ok(ingested)
}

fn insert_record(db: &WriteConnection, poll: &PollRecord, ingested: &IngestResult) -> Result<()> {
    let last_request = poll.requests.last();
    db.execute(
        "INSERT INTO poll (source_id, started_at, finished_at, url, outcome, status, detail, detail_time, bytes, items,
         new_items, changed_items, origin, wire_bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            poll.source.0,
            poll.started_at.as_millisecond(),
            poll.finished_at.as_millisecond(),
            poll.url,
            poll.outcome.into_str(),
            poll.status,
            poll.detail,
            milliseconds(poll.detail_time),
            poll.bytes as i64,
            poll.items,
            ingested.new.len() as i64,
            ingested.changed.len() as i64,
            last_request.map_or("", |request| &request.origin),
            last_request.map_or(0, |request| request.bytes as i64),
        ],
    )?;
    let poll_id = db.last_insert_rowid();
    let redirects = &poll.requests[..poll.requests.len().saturating_sub(1)];
    for (position, hop) in redirects.iter().enumerate() {
        db.execute(
            "INSERT INTO redirect_hop (poll_id, position, origin, status) VALUES (?1, ?2, ?3, ?4)",
            params![poll_id, position as i64, hop.origin, hop.status],
        )?;
    }
    for problem in poll.problems.iter().chain(&rewritten_guids(ingested)) {
        db.execute(
            "INSERT INTO poll_problem (poll_id, kind, detail, count) VALUES (?1, ?2, ?3, ?4)",
            params![poll_id, problem.kind.into_str(), problem.detail, problem.count],
        )?;
    }
    Ok(())
}

/// Reports rewritten guids as a problem, which is detected only when the items are matched.
fn rewritten_guids(ingested: &IngestResult) -> Option<FeedProblem> {
    let rules: Vec<String> =
        ingested.recognized.iter().map(|(rule, count)| format!("{count} by {}", rule.into_str())).collect();
    let problem = FeedProblem::new(ProblemKind::GuidsRewritten, format!("recognized: {}", rules.join(", ")));
    (!rules.is_empty()).then(|| FeedProblem { count: ingested.recognized.values().sum(), ..problem })
}

fn update_source(db: &WriteConnection, poll: &PollRecord, update: &SourceUpdate) -> Result<()> {
    let (validators, feed) = (update.validators.as_ref(), update.feed.as_ref());
    // The operator may have paused or removed the source during the poll. The only transition that a
    // poll makes is from `active` to `gone`.
    db.execute(
        "UPDATE source SET next_poll_at = :next_poll_at, next_poll_reason = :next_poll_reason, hold_until = :hold_until,
             failures = :failures, last_poll_at = :started_at, last_outcome = :outcome, last_error = :error,
             last_error_time = :error_time,
             last_success_at = CASE WHEN :is_success THEN :started_at ELSE last_success_at END,
             validators_url = :validators_url, etag = :etag, last_modified = :last_modified,
             not_modified_since = :not_modified_since, full_request_at = :full_request_at,
             feed_title = coalesce(:feed_title, feed_title), site_url = coalesce(:site_url, site_url),
             feed_lang = coalesce(:feed_lang, feed_lang), polling_hints = coalesce(:polling_hints, polling_hints),
             truncated_end = :truncated_end, pending_redirect = :pending_redirect, gone_since = :gone_since, update_rate = :update_rate,
             feed_search_steps = :feed_search_steps,
             state = CASE WHEN state = 'active' THEN :state ELSE state END
         WHERE id = :source AND url = :polled_url",
        named_params! {
            ":source": poll.source.0,
            ":polled_url": update.polled_url,
            ":next_poll_at": update.next_poll_at.as_millisecond(),
            ":next_poll_reason": to_json(&update.next_poll_reason)?,
            ":hold_until": milliseconds(update.hold_until),
            ":failures": update.failures,
            ":started_at": poll.started_at.as_millisecond(),
            ":outcome": poll.outcome.into_str(),
            ":is_success": poll.outcome.is_success(),
            ":error_time": milliseconds(poll.detail_time),
            ":error": if poll.outcome.is_success() { "" } else { &poll.detail },
            ":validators_url": validators.map(|validators| &validators.url),
            ":etag": validators.and_then(|validators| validators.etag.as_ref()),
            ":last_modified": validators.and_then(|validators| validators.last_modified.as_ref()),
            ":not_modified_since": milliseconds(update.not_modified_since),
            ":full_request_at": milliseconds(update.full_request_at),
            ":feed_title": feed.and_then(|feed| feed.title.as_ref()),
            ":site_url": feed.and_then(|feed| feed.site_url.as_ref()),
            ":feed_lang": feed.and_then(|feed| feed.lang.as_ref()),
            ":polling_hints": feed.map(|feed| to_json(&feed.polling_hints)).transpose()?,
            ":truncated_end": update.truncated_end.as_ref().map(to_json).transpose()?,
            ":pending_redirect": update.pending_redirect.as_ref().map(to_json).transpose()?,
            ":gone_since": milliseconds(update.gone_since),
            ":update_rate": update.update_rate,
            ":feed_search_steps": update.feed_search_steps,
            ":state": update.state.into_str(),
        },
    )?;
    Ok(())
}

/// A recorded poll, as shown in lists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PollSummary {
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    pub url: String,
    pub outcome: PollOutcome,
    pub status: Option<u16>,
    pub detail: String,
    pub detail_time: Option<Timestamp>,
    pub bytes: u64,
    pub items: u32,
    pub new_items: u32,
    pub changed_items: u32,
    pub problems: Vec<FeedProblem>,
}

/// Returns the latest polls of a source, newest first.
pub fn latest(db: &ReadConnection, source: SourceId, limit: u32) -> Result<Vec<PollSummary>> {
    db.all(
        "SELECT *, (SELECT json_group_array(json_object('kind', kind, 'detail', detail, 'count', count))
                    FROM poll_problem WHERE poll_id = poll.id) AS problems
         FROM poll WHERE source_id = ?1 ORDER BY id DESC LIMIT ?2",
        params![source.0, limit],
    )
}

/// Returns whether a poll started in a time span, and whether a poll started before it.
pub fn started_within_and_before(db: &ReadConnection, from: Timestamp, until: Timestamp) -> Result<(bool, bool)> {
    let times = [from.as_millisecond(), until.as_millisecond()];
    let within = db.exists("SELECT 1 FROM poll WHERE started_at BETWEEN ?1 AND ?2", times)?;
    Ok((within, db.exists("SELECT 1 FROM poll WHERE started_at < ?1", [times[0]])?))
}

/// Returns the time of the last recorded poll of any source.
pub fn last_poll_at(db: &ReadConnection) -> Result<Option<Timestamp>> {
    db.first("SELECT finished_at FROM poll ORDER BY id DESC LIMIT 1", [])
}
