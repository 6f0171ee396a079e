//! Leases: at most one process polls a source, and at most one sends requests to an origin.
//!
//! A lease is acquired before a request is sent and released in the transaction that records the poll. The lease of a
//! killed process expires by itself; a starting daemon deletes those of its predecessor, since there is only one
//! daemon. This module decides nothing: the caller decides whether to wait.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use crate::domain::SourceId;
use jiff::Timestamp;
use rusqlite::params;
use serde::Deserialize;
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

/// When a lease is acquired, and when it expires by itself.
#[derive(Debug, Clone, Copy)]
pub struct LeaseTerm {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// A resource that is leased to another poll.
#[derive(Debug, Clone, Deserialize)]
pub struct LeaseConflict {
    pub resource_kind: ResourceKind,
    /// Name of the process that holds it; empty during the delay after a request.
    pub holder: String,
    pub acquired_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum ResourceKind {
    Source,
    Origin,
}

/// Acquires a source and its origin for a poll, both or neither.
pub fn acquire(
    db: &WriteConnection,
    lease: &PollLease,
    source: SourceId,
    term: LeaseTerm,
) -> Result<Option<LeaseConflict>> {
    let wanted = [(ResourceKind::Source, Some(source.to_string())), (ResourceKind::Origin, lease.origin.clone())];
    for (kind, name) in &wanted {
        if let Some(name) = name
            && let Some(held) = held_by_other(db, lease, *kind, name, term.from)?
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

/// Replaces a poll's leased origin when a redirect leads to another one. The previous origin is released even if the
/// new one is not free, so that two polls never wait for each other. The poll's leases are extended to the end of `term`.
pub fn switch_origin(
    db: &WriteConnection,
    lease: &PollLease,
    origin: &str,
    term: LeaseTerm,
    pause_until: Timestamp,
) -> Result<Option<LeaseConflict>> {
    release_origins(db, lease, term.from, pause_until)?;
    db.execute(
        "UPDATE lease SET expires_at = ?2 WHERE owner_token = ?1",
        params![lease.token, term.until.as_millisecond()],
    )?;
    if let Some(held) = held_by_other(db, lease, ResourceKind::Origin, origin, term.from)? {
        return Ok(Some(held));
    }
    insert(db, lease, ResourceKind::Origin, origin, term)?;
    Ok(None)
}

/// Releases a lease. Its origin stays blocked until `pause_until`.
pub fn release(db: &WriteConnection, lease: &PollLease, now: Timestamp, pause_until: Timestamp) -> Result<()> {
    release_origins(db, lease, now, pause_until)?;
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
    let sql = "SELECT CAST(resource AS INTEGER) FROM lease WHERE resource_kind = 'source' AND holder = ?1";
    db.all(sql, [holder])
}

/// What is leased now.
#[derive(Debug, Default, Deserialize)]
pub struct ActiveLeases {
    pub sources: HashSet<SourceId>,
    pub origins: HashSet<String>,
    /// When the first of the leases expires.
    pub next_expiry: Option<Timestamp>,
}

/// The leases that have not expired.
pub fn active_leases(db: &ReadConnection, now: Timestamp) -> Result<ActiveLeases> {
    db.one(
        "SELECT json_group_array(CAST(resource AS INTEGER)) FILTER (WHERE resource_kind = 'source') AS sources,
                json_group_array(resource) FILTER (WHERE resource_kind = 'origin') AS origins,
                min(expires_at) AS next_expiry
         FROM lease WHERE expires_at > ?1",
        [now.as_millisecond()],
    )
}

fn held_by_other(
    db: &ReadConnection,
    lease: &PollLease,
    kind: ResourceKind,
    name: &str,
    now: Timestamp,
) -> Result<Option<LeaseConflict>> {
    db.first(
        "SELECT * FROM lease WHERE resource_kind = ?1 AND resource = ?2 AND expires_at > ?3 AND owner_token <> ?4",
        params![kind.into_str(), name, now.as_millisecond(), lease.token],
    )
}

fn insert(db: &WriteConnection, lease: &PollLease, kind: ResourceKind, name: &str, term: LeaseTerm) -> Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO lease (resource_kind, resource, owner_token, holder, acquired_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            kind.into_str(),
            name,
            lease.token,
            lease.holder,
            term.from.as_millisecond(),
            term.until.as_millisecond()
        ],
    )?;
    Ok(())
}

/// The delay between two requests to an origin applies to all processes: the origin stays leased, without an owner.
fn release_origins(db: &WriteConnection, lease: &PollLease, now: Timestamp, pause_until: Timestamp) -> Result<()> {
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
