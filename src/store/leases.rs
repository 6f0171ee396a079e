//! Leases: at most one process polls a source, and at most one sends requests to an origin.
//!
//! A lease is acquired before a request is sent and released in the transaction that records the poll. The lease of a
//! killed process expires by itself; a starting daemon deletes those of its predecessor, since there is only one
//! daemon. This module decides nothing: the caller decides whether to wait.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::rows::{collect, time};
use crate::domain::SourceId;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher};

/// The right of one poll to send requests.
#[derive(Debug, Clone)]
pub struct PollLease {
    token: i64,
    /// Name of the polling process, for people.
    pub holder: String,
    /// The origin that is leased to this poll.
    pub origin: Option<String>,
}

impl PollLease {
    /// A lease without any resource.
    pub fn new(holder: &str) -> PollLease {
        // Random without a dependency: the standard library seeds its hashers randomly.
        let token = std::hash::RandomState::new().build_hasher().finish() as i64;
        PollLease { token, holder: holder.to_owned(), origin: None }
    }
}

/// A resource that is leased to another poll.
#[derive(Debug, Clone)]
pub struct LeaseConflict {
    pub what: LeaseKind,
    /// Name of the process that holds it; empty during the delay after a request.
    pub holder: String,
    pub since: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseKind {
    Source,
    Origin,
}

impl LeaseKind {
    fn as_str(self) -> &'static str {
        match self {
            LeaseKind::Source => "source",
            LeaseKind::Origin => "origin",
        }
    }
}

/// Acquires a source and its origin for a poll, both or neither.
pub fn acquire(
    db: &WriteConnection,
    lease: &PollLease,
    source: SourceId,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<LeaseConflict>> {
    let wanted = [(LeaseKind::Source, Some(source.to_string())), (LeaseKind::Origin, lease.origin.clone())];
    for (kind, name) in &wanted {
        if let Some(name) = name
            && let Some(held) = held_by_other(db, lease, *kind, name, now)?
        {
            return Ok(Some(held));
        }
    }
    for (kind, name) in wanted {
        if let Some(name) = name {
            put(db, lease, kind, &name, now, until)?;
        }
    }
    Ok(None)
}

/// Exchanges a poll's origin when a redirect leads to another one. The previous origin is released even if the new
/// one is not free, so that two polls never wait for each other. The poll's leases are extended to `until`.
pub fn switch_origin(
    db: &WriteConnection,
    lease: &PollLease,
    origin: &str,
    now: Timestamp,
    until: Timestamp,
    pause_until: Timestamp,
) -> Result<Option<LeaseConflict>> {
    give_back_origins(db, lease, now, pause_until)?;
    db.execute(
        "UPDATE lease SET expires_at = ?2 WHERE owner_token = ?1",
        params![lease.token, until.as_millisecond()],
    )?;
    if let Some(held) = held_by_other(db, lease, LeaseKind::Origin, origin, now)? {
        return Ok(Some(held));
    }
    put(db, lease, LeaseKind::Origin, origin, now, until)?;
    Ok(None)
}

/// Releases a lease. Its origin stays blocked until `pause_until`.
pub fn release(db: &WriteConnection, lease: &PollLease, now: Timestamp, pause_until: Timestamp) -> Result<()> {
    give_back_origins(db, lease, now, pause_until)?;
    db.execute("DELETE FROM lease WHERE owner_token = ?1", [lease.token])?;
    Ok(())
}

/// Deletes all leases of a process that no longer polls, and all expired ones.
pub fn delete_of_holder(db: &WriteConnection, holder: &str, now: Timestamp) -> Result<()> {
    db.execute("DELETE FROM lease WHERE holder = ?1 OR expires_at <= ?2", params![holder, now.as_millisecond()])?;
    Ok(())
}

/// The sources that a process polls now.
pub fn sources_held_by(db: &ReadConnection, holder: &str) -> Result<Vec<SourceId>> {
    let mut statement =
        db.prepare_cached("SELECT resource FROM lease WHERE resource_kind = 'source' AND holder = ?1")?;
    let names = collect(&mut statement, [holder], |row| Ok(row.get::<_, String>(0)?))?;
    Ok(names.iter().filter_map(|name| name.parse().ok().map(SourceId)).collect())
}

/// What is leased now.
#[derive(Debug, Default)]
pub struct ActiveLeases {
    pub sources: HashSet<SourceId>,
    pub origins: HashSet<String>,
    /// When the first of the leases expires.
    pub next_expiry: Option<Timestamp>,
}

/// The leases that have not expired.
pub fn active_leases(db: &ReadConnection, now: Timestamp) -> Result<ActiveLeases> {
    let mut statement =
        db.prepare_cached("SELECT resource_kind, resource, expires_at FROM lease WHERE expires_at > ?1")?;
    let mut active = ActiveLeases::default();
    let mut rows = statement.query([now.as_millisecond()])?;
    while let Some(row) = rows.next()? {
        let (kind, name, expires_at): (String, String, _) = (row.get(0)?, row.get(1)?, time(row.get(2)?)?);
        if kind == LeaseKind::Source.as_str() {
            active.sources.extend(name.parse().ok().map(SourceId));
        } else {
            active.origins.insert(name);
        }
        active.next_expiry = Some(active.next_expiry.map_or(expires_at, |first| first.min(expires_at)));
    }
    Ok(active)
}

fn held_by_other(
    db: &ReadConnection,
    lease: &PollLease,
    what: LeaseKind,
    name: &str,
    now: Timestamp,
) -> Result<Option<LeaseConflict>> {
    let row = db
        .prepare_cached(
            "SELECT holder, acquired_at FROM lease WHERE resource_kind = ?1 AND resource = ?2 AND expires_at > ?3
             AND owner_token <> ?4",
        )?
        .query_row(params![what.as_str(), name, now.as_millisecond(), lease.token], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    row.map(|(holder, since)| Ok(LeaseConflict { what, holder, since: time(since)? })).transpose()
}

fn put(
    db: &WriteConnection,
    lease: &PollLease,
    kind: LeaseKind,
    name: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO lease (resource_kind, resource, owner_token, holder, acquired_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![kind.as_str(), name, lease.token, lease.holder, now.as_millisecond(), until.as_millisecond()],
    )?;
    Ok(())
}

/// The delay between two requests to an origin applies to all processes: the origin stays leased, without an owner.
fn give_back_origins(db: &WriteConnection, lease: &PollLease, now: Timestamp, pause_until: Timestamp) -> Result<()> {
    if pause_until > now {
        db.execute(
            "UPDATE lease SET owner_token = 0, holder = '', expires_at = ?2
             WHERE resource_kind = 'origin' AND owner_token = ?1",
            params![lease.token, pause_until.as_millisecond()],
        )?;
    } else {
        db.execute("DELETE FROM lease WHERE resource_kind = 'origin' AND owner_token = ?1", [lease.token])?;
    }
    Ok(())
}
