//! The state of the daemon that is running on this database, for the commands.

use super::Result;
use super::connection::{ReadConnection, WriteConnection};
use super::open::open_reader;
use super::row_conversion::to_json;
use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonState {
    pub version: String,
    pub process_id: u32,
    pub started_at: Timestamp,
    /// Address and port of the HTTP server.
    pub listen: String,
    /// The configuration file; `None` if the daemon uses the defaults.
    pub config_path: Option<String>,
    /// The hash of the settings in use.
    pub config_hash: String,
    pub config_applied_at: Timestamp,
    /// The changed settings that only a restart applies.
    pub restart_settings: Vec<String>,
    /// Why the last reload kept the configuration; `None` if it succeeded.
    pub reload_error: Option<String>,
}

pub fn record(db: &WriteConnection, state: &DaemonState) -> Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO daemon_state
             (id, version, process_id, started_at, listen, config_path, config_hash, config_applied_at,
              restart_settings, reload_error)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            state.version,
            state.process_id,
            state.started_at.as_millisecond(),
            state.listen,
            state.config_path,
            state.config_hash,
            state.config_applied_at.as_millisecond(),
            to_json(&state.restart_settings)?,
            state.reload_error,
        ],
    )?;
    Ok(())
}

/// Reads the state from a database that is not open. Changes nothing and applies no migrations.
pub fn read_file(database: &Path) -> Result<Option<DaemonState>> {
    get(&open_reader(database)?)
}

/// Returns the state of the daemon that is running or ran last; `None` if no daemon has ever run on this database.
pub fn get(db: &ReadConnection) -> Result<Option<DaemonState>> {
    db.first("SELECT * FROM daemon_state", [])
}
