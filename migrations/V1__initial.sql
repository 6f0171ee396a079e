-- Times are milliseconds since 1970-01-01 UTC. Words are those of docs/ARCHITECTURE.md.

CREATE TABLE source (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    url             TEXT    NOT NULL UNIQUE,
    outlet          TEXT    NOT NULL,
    -- What the operator says goes before what the feed says of itself.
    title           TEXT,
    lang            TEXT,
    feed_title      TEXT,
    feed_lang       TEXT,
    feed_ttl        INTEGER, -- minutes
    site_url        TEXT,
    priority        INTEGER NOT NULL DEFAULT 0,
    state           TEXT    NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'gone', 'removed')),
    added_at        INTEGER NOT NULL,
    -- The schedule survives restarts: it is read from here and nowhere else.
    next_poll_at    INTEGER NOT NULL,
    next_reason     TEXT    NOT NULL DEFAULT '',
    hold_until      INTEGER,
    failures        INTEGER NOT NULL DEFAULT 0,
    last_poll_at    INTEGER,
    last_outcome    TEXT,
    last_success_at INTEGER,
    last_problem    TEXT    NOT NULL DEFAULT '',
    -- Validators belong to a URL and are kept as the bytes that came.
    validators_url  TEXT,
    etag            BLOB,
    last_modified   BLOB
) STRICT;

CREATE INDEX source_due ON source (next_poll_at) WHERE state = 'active';

CREATE TABLE source_tag (
    source_id INTEGER NOT NULL REFERENCES source (id),
    tag       TEXT    NOT NULL,
    PRIMARY KEY (source_id, tag)
) STRICT, WITHOUT ROWID;

CREATE INDEX source_tag_by_tag ON source_tag (tag, source_id);

-- One row an attempt, whatever its outcome.
CREATE TABLE poll (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id     INTEGER NOT NULL REFERENCES source (id),
    started_at    INTEGER NOT NULL,
    finished_at   INTEGER NOT NULL,
    url           TEXT    NOT NULL,
    outcome       TEXT    NOT NULL,
    status        INTEGER,
    detail        TEXT    NOT NULL,
    bytes         INTEGER NOT NULL,
    items         INTEGER NOT NULL,
    new_items     INTEGER NOT NULL,
    changed_items INTEGER NOT NULL
) STRICT;

CREATE INDEX poll_of_source ON poll (source_id, id);
CREATE INDEX poll_by_time ON poll (started_at);

CREATE TABLE problem (
    poll_id INTEGER NOT NULL REFERENCES poll (id) ON DELETE CASCADE,
    kind    TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (poll_id, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE story (
    -- Sixty bits made from the founding item, never a counter: see model::StoryId.
    id             INTEGER PRIMARY KEY,
    founded_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    lead_id        INTEGER NOT NULL REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED,
    -- Frozen once set.
    published_at   INTEGER,
    published_link TEXT,
    merged_into    INTEGER REFERENCES story (id)
) STRICT;

CREATE INDEX story_unpublished ON story (founded_at) WHERE published_at IS NULL AND merged_into IS NULL;
CREATE INDEX story_published ON story (published_at, id) WHERE merged_into IS NULL;

CREATE INDEX story_changed ON story (updated_at, published_at, id) WHERE merged_into IS NULL;

CREATE TABLE item (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id     INTEGER NOT NULL REFERENCES source (id),
    guid          TEXT    NOT NULL,
    url           TEXT,
    canonical_url TEXT,
    title         TEXT    NOT NULL,
    summary       TEXT    NOT NULL,
    content       TEXT,
    author        TEXT,
    lang          TEXT,
    image         TEXT,
    published_at  INTEGER,
    first_seen_at INTEGER NOT NULL,
    ranked_at     INTEGER NOT NULL,
    -- Filled in by the clusterer, in order of id.
    story_id      INTEGER REFERENCES story (id) DEFERRABLE INITIALLY DEFERRED,
    copy_of       INTEGER REFERENCES item (id),
    evidence      TEXT,
    assigned_at   INTEGER
) STRICT;

CREATE INDEX item_unassigned ON item (id) WHERE story_id IS NULL;
CREATE INDEX item_of_story ON item (story_id, ranked_at, id);
CREATE INDEX item_by_link ON item (source_id, canonical_url);
CREATE INDEX item_by_first_seen ON item (first_seen_at);

-- Every guid under which a source has shown an item: a source that rewrites its guids makes no new items.
CREATE TABLE item_guid (
    source_id INTEGER NOT NULL REFERENCES source (id),
    guid      TEXT    NOT NULL,
    item_id   INTEGER NOT NULL REFERENCES item (id),
    PRIMARY KEY (source_id, guid)
) STRICT, WITHOUT ROWID;

-- What an item said before.
CREATE TABLE item_revision (
    item_id      INTEGER NOT NULL REFERENCES item (id),
    replaced_at  INTEGER NOT NULL,
    title        TEXT    NOT NULL,
    summary      TEXT    NOT NULL,
    published_at INTEGER,
    PRIMARY KEY (item_id, replaced_at)
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE item_words USING fts5 (
    title, summary, content = 'item', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TRIGGER item_words_insert AFTER INSERT ON item BEGIN
    INSERT INTO item_words (rowid, title, summary) VALUES (new.id, new.title, new.summary);
END;

CREATE TRIGGER item_words_update AFTER UPDATE OF title, summary ON item BEGIN
    INSERT INTO item_words (item_words, rowid, title, summary) VALUES ('delete', old.id, old.title, old.summary);
    INSERT INTO item_words (rowid, title, summary) VALUES (new.id, new.title, new.summary);
END;

CREATE TRIGGER item_words_delete AFTER DELETE ON item BEGIN
    INSERT INTO item_words (item_words, rowid, title, summary) VALUES ('delete', old.id, old.title, old.summary);
END;

-- Counts every change to what we publish, so that a rendering knows whether it is still good.
CREATE TABLE publication (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version  INTEGER NOT NULL,
    -- Random and for good: it tells this database's feeds from another's, wherever they are served.
    instance TEXT    NOT NULL
) STRICT;

INSERT INTO publication VALUES (1, 0, lower(hex(randomblob(16))));
