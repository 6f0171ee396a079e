-- What the commands know about the daemon that runs on this database. The row describes a running daemon only while the
-- daemon's lock is held.
CREATE TABLE daemon_state (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    version           TEXT    NOT NULL,
    process_id        INTEGER NOT NULL,
    started_at        INTEGER NOT NULL,
    -- Address and port of the HTTP server.
    listen            TEXT    NOT NULL,
    -- The configuration file; NULL if the daemon uses the defaults.
    config_path       TEXT,
    -- Identifies the settings in use.
    config_hash       TEXT    NOT NULL,
    config_applied_at INTEGER NOT NULL,
    -- The changed settings that only a restart applies, as JSON.
    restart_settings  TEXT    NOT NULL,
    -- Why the last reload kept the configuration; NULL if it succeeded.
    reload_error      TEXT
) STRICT;
