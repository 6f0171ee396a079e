//! Leases: at most one process polls a source, and at most one process sends requests to an origin.
//!
//! A process acquires a lease before it sends a request, and releases it in the transaction that records the poll. The
//! leases of a killed process end as soon as another process detects that the killed process has ended
//! ([`super::program_lock`]), or else when they expire. A daemon deletes the leases of its predecessor at startup,
//! because only one daemon can run. This module makes no decisions: the caller decides whether to wait.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::program_lock::{ProgramLock, random_number};
use crate::domain::SourceId;
use jiff::Timestamp;
use rusqlite::params;
use serde::Deserialize;
use std::collections::HashSet;

/// The right of one poll to send requests.
#[derive(Debug, Clone)]
pub struct PollLease {
    token: i64,
    /// The human-readable name of the polling process.
    pub holder: String,
    /// The origin that this poll has leased.
    pub origin: Option<String>,
}

impl PollLease {
    /// Creates a lease without any resources.
    pub fn new(holder: &str) -> PollLease {
        PollLease { token: random_number(), holder: holder.to_owned(), origin: None }
    }
}

/// The times at which a lease is acquired and expires.
#[derive(Debug, Clone, Copy)]
pub struct LeaseTerm {
    pub from: Timestamp,
    pub until: Timestamp,
    /// When an origin can receive its next request if its last request ended at the start of the term.
    pub origin_free_at: Timestamp,
}

/// A resource that another poll has leased.
#[derive(Debug, Clone, Deserialize)]
pub struct LeaseConflict {
    pub resource_kind: ResourceKind,
    /// The name of the process that holds the lease; empty during the delay after a request.
    pub holder: String,
    program_id: Option<String>,
    pub acquired_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum ResourceKind {
    Source,
    Origin,
}

/// Acquires a source and its origin for a poll. Acquires neither if one of them is leased.
pub fn acquire(
    db: &WriteConnection,
    lease: &PollLease,
    source: SourceId,
    term: LeaseTerm,
) -> Result<Option<LeaseConflict>> {
    let wanted = [(ResourceKind::Source, Some(source.to_string())), (ResourceKind::Origin, lease.origin.clone())];
    for (kind, name) in &wanted {
        if let Some(name) = name
            && let Some(held) = held_by_other(db, lease, *kind, name, term)?
        {
            return Ok(Some(held));
        }
    }
    for (kind, name) in wanted {
        if let Some(name) = name {
            insert(db, lease, kind, &name, term)?;
        }
    }
    Ok(None)
}

/// Replaces a poll's leased origin when a redirect leads to another origin. Releases the previous origin even if the
/// new origin is not available, so two polls never wait for each other. Extends the poll's leases to the end of `term`.
pub fn switch_origin(
    db: &WriteConnection,
    lease: &PollLease,
    origin: &str,
    term: LeaseTerm,
) -> Result<Option<LeaseConflict>> {
    release_origins(db, lease.token, term.from, term.origin_free_at)?;
    db.execute(
        "UPDATE lease SET expires_at = ?2 WHERE owner_token = ?1",
        params![lease.token, term.until.as_millisecond()],
    )?;
    if let Some(held) = held_by_other(db, lease, ResourceKind::Origin, origin, term)? {
        return Ok(Some(held));
    }
    insert(db, lease, ResourceKind::Origin, origin, term)?;
    Ok(None)
}

/// Releases a lease. Its origin remains blocked until `pause_until`.
pub fn release(db: &WriteConnection, lease: &PollLease, now: Timestamp, pause_until: Timestamp) -> Result<()> {
    release_token(db, lease.token, now, pause_until)
}

/// Releases all leases of programs that have ended without releasing them, as if they had ended now.
pub fn release_of_ended_programs(
    db: &WriteConnection,
    program_ids: &[String],
    now: Timestamp,
    pause_until: Timestamp,
) -> Result<()> {
    for id in program_ids {
        let tokens: Vec<i64> = db.all("SELECT DISTINCT owner_token FROM lease WHERE program_id = ?1", [id])?;
        tokens.into_iter().try_for_each(|token| release_token(db, token, now, pause_until))?;
    }
    Ok(())
}

/// Deletes all leases of a process that no longer polls, and all expired leases.
pub fn delete_of_holder(db: &WriteConnection, holder: &str, now: Timestamp) -> Result<()> {
    db.execute("DELETE FROM lease WHERE holder = ?1 OR expires_at <= ?2", params![holder, now.as_millisecond()])?;
    Ok(())
}

/// Deletes the leases that were acquired after a given time, which is in the future.
pub fn delete_acquired_after(db: &WriteConnection, time: Timestamp) -> Result<()> {
    db.execute("DELETE FROM lease WHERE acquired_at > ?1", [time.as_millisecond()])?;
    Ok(())
}

/// Returns the sources that a process is polling.
pub fn sources_held_by(db: &ReadConnection, holder: &str) -> Result<Vec<SourceId>> {
    let sql = "SELECT CAST(resource AS INTEGER) FROM lease WHERE resource_kind = 'source' AND holder = ?1";
    db.all(sql, [holder])
}

/// The resources that are currently leased.
#[derive(Debug, Default, Deserialize)]
pub struct ActiveLeases {
    pub sources: HashSet<SourceId>,
    pub origins: HashSet<String>,
    /// When the first of the leases expires.
    pub next_expiry: Option<Timestamp>,
    /// The programs that hold leases even though they have ended.
    pub ended_programs: Vec<String>,
}

/// Returns the leases that have not expired.
pub fn active_leases(db: &ReadConnection, now: Timestamp) -> Result<ActiveLeases> {
    let mut leases: ActiveLeases = db.one(
        "SELECT json_group_array(CAST(resource AS INTEGER)) FILTER (WHERE resource_kind = 'source') AS sources,
                json_group_array(resource) FILTER (WHERE resource_kind = 'origin') AS origins,
                min(expires_at) AS next_expiry,
                json_group_array(DISTINCT program_id) FILTER (WHERE program_id IS NOT NULL) AS ended_programs
         FROM lease WHERE expires_at > ?1",
        [now.as_millisecond()],
    )?;
    leases.ended_programs.retain(|id| ProgramLock::has_ended(db.path(), id));
    Ok(leases)
}

fn held_by_other(
    db: &WriteConnection,
    lease: &PollLease,
    kind: ResourceKind,
    name: &str,
    term: LeaseTerm,
) -> Result<Option<LeaseConflict>> {
    let find = || -> Result<Option<LeaseConflict>> {
        db.first(
            "SELECT * FROM lease WHERE resource_kind = ?1 AND resource = ?2 AND expires_at > ?3 AND owner_token <> ?4",
            params![kind.into_str(), name, term.from.as_millisecond(), lease.token],
        )
    };
    let conflict = find()?;
    match conflict.as_ref().and_then(|conflict| conflict.program_id.clone()) {
        Some(id) if ProgramLock::has_ended(db.path(), &id) => {
            release_of_ended_programs(db, &[id], term.from, term.origin_free_at)?;
            find()
        }
        _ => Ok(conflict),
    }
}

fn insert(db: &WriteConnection, lease: &PollLease, kind: ResourceKind, name: &str, term: LeaseTerm) -> Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO lease (resource_kind, resource, owner_token, holder, program_id, acquired_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            kind.into_str(),
            name,
            lease.token,
            lease.holder,
            db.program_id(),
            term.from.as_millisecond(),
            term.until.as_millisecond()
        ],
    )?;
    Ok(())
}

fn release_token(db: &WriteConnection, token: i64, now: Timestamp, pause_until: Timestamp) -> Result<()> {
    release_origins(db, token, now, pause_until)?;
    db.execute("DELETE FROM lease WHERE owner_token = ?1", [token])?;
    Ok(())
}

/// Applies the delay between requests to an origin to all processes: the origin remains leased, without an owner.
fn release_origins(db: &WriteConnection, token: i64, now: Timestamp, pause_until: Timestamp) -> Result<()> {
    if pause_until > now {
        db.execute(
            "UPDATE lease SET owner_token = 0, holder = '', program_id = NULL, expires_at = ?2
             WHERE resource_kind = 'origin' AND owner_token = ?1",
            params![token, pause_until.as_millisecond()],
        )?;
    } else {
        db.execute("DELETE FROM lease WHERE resource_kind = 'origin' AND owner_token = ?1", [token])?;
    }
    Ok(())
}
