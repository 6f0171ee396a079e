-- What the feed asks of those who poll it, as JSON (model::Wishes).
ALTER TABLE source ADD COLUMN feed_wishes TEXT NOT NULL DEFAULT '{}';

UPDATE source SET feed_wishes = json_object('ttl_minutes', feed_ttl) WHERE feed_ttl IS NOT NULL;

ALTER TABLE source DROP COLUMN feed_ttl;

-- How often, and since when, permanent redirects led to another URL; it is taken over once that is sure.
ALTER TABLE source ADD COLUMN moving_to TEXT;
ALTER TABLE source ADD COLUMN moving_times INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN moving_since INTEGER;

-- When the server first said, since the last good answer, that the feed is gone.
ALTER TABLE source ADD COLUMN gone_since INTEGER;

-- What is known of how often the feed changes, as JSON (poll::rate).
ALTER TABLE source ADD COLUMN rate TEXT NOT NULL DEFAULT '';

-- The origin that answered; '' in records older than this column, and where nobody was asked.
ALTER TABLE poll ADD COLUMN origin TEXT NOT NULL DEFAULT '';
-- Bytes of the body as they came over the wire.
ALTER TABLE poll ADD COLUMN wire_bytes INTEGER NOT NULL DEFAULT 0;

-- The requests of a poll before its last one: redirects.
CREATE TABLE hop (
    poll_id INTEGER NOT NULL REFERENCES poll (id) ON DELETE CASCADE,
    place   INTEGER NOT NULL,
    origin  TEXT    NOT NULL,
    status  INTEGER,
    PRIMARY KEY (poll_id, place)
) STRICT, WITHOUT ROWID;

-- Origins that asked not to be asked for a while: a 429 holds all sources of its server.
CREATE TABLE origin_hold (
    origin TEXT    PRIMARY KEY,
    until  INTEGER NOT NULL,
    reason TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- What the operator is told of once, in the feed of health.
CREATE TABLE event (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('broken', 'recovered', 'moved', 'gone', 'offline', 'online')),
    source_id INTEGER REFERENCES source (id),
    -- The source's title at that time: what was told is not told otherwise later.
    title     TEXT,
    detail    TEXT    NOT NULL
) STRICT;
