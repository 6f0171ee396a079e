//! The settings of SQLite connections: pragmas, the busy timeout, and the functions that SQL statements call.

use super::item_content::original_content;
use super::search_text::indexed_text;
use crate::identity::recognition::text_hash;
use crate::urls::canonical::canonical_url_from_str;
use crate::urls::outlet_name::{confirmed_outlet_name, outlet_name};
use crate::urls::redact::redact_urls;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::functions::{Context, FunctionFlags};
use std::time::Duration;

/// The maximum time for which one process waits while another process writes.
pub(super) const BUSY: Duration = Duration::from_secs(20);

/// Applies the settings of a connection that writes.
pub(super) fn set_up_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // The value is FULL because many servers do not send an item again after they have sent the corresponding cache
    // validators.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    set_up_queries(connection)
}

/// Applies the settings of a connection that only reads.
pub(super) fn set_up_reader(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", "ON")?;
    set_up_queries(connection)
}

/// Applies the settings that read and write connections share.
fn set_up_queries(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    // Without this setting, SQLite compiles statements again when the values of their parameters change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    add_functions(connection)
}

/// Adds the functions that statements and triggers call.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("redact_urls", 1, flags, |call| {
        Ok(call.get::<Option<String>>(0)?.map(|text| redact_urls(&text)))
    })?;
    let name_function = |name: fn(&str, &str) -> Option<String>| {
        move |call: &Context<'_>| {
            let (title, outlet): (Option<String>, String) = (call.get(0)?, call.get(1)?);
            Ok(title.and_then(|title| name(&title, &outlet)))
        }
    };
    connection.create_scalar_function("outlet_name", 2, flags, name_function(outlet_name))?;
    connection.create_scalar_function("confirmed_outlet_name", 2, flags, name_function(confirmed_outlet_name))?;
    connection
        .create_scalar_function("text_hash", 1, flags, |call| Ok(call.get_raw(0).as_str_or_null()?.map(text_hash)))?;
    connection.create_scalar_function("canonical_url", 1, flags, |call| {
        Ok(call.get_raw(0).as_str_or_null()?.and_then(canonical_url_from_str))
    })?;
    // The flag lets triggers call these functions regardless of `trusted_schema`.
    let flags = flags | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("original_content", 2, flags, |call| {
        let summary = call.get_raw(1).as_str()?;
        Ok(call.get_raw(0).as_str_or_null()?.map(|stored| original_content(stored, summary).into_owned()))
    })?;
    connection.create_scalar_function("search_text", 1, flags, |call| {
        Ok(indexed_text(call.get_raw(0).as_str()?).into_owned())
    })
}
