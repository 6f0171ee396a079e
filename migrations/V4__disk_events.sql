-- The health feed reports that the disk of the database is nearly full. The table is rebuilt, because SQLite cannot
-- change a CHECK.
CREATE TABLE new_operator_event (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    occurred_at  INTEGER NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN
        ('broken', 'recovered', 'moved', 'gone', 'offline', 'online', 'disk-nearly-full', 'disk-has-space')),
    source_id    INTEGER REFERENCES source (id),
    -- The source's title at that time: a later change of the title does not affect the event.
    source_title TEXT,
    detail       TEXT    NOT NULL
) STRICT;

INSERT INTO new_operator_event SELECT id, occurred_at, kind, source_id, source_title, detail FROM operator_event;
-- Ids of events are never reused, because entries of the health feed contain them.
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_operator_event', seq FROM sqlite_sequence
WHERE name = 'operator_event' AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'new_operator_event');
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'operator_event')
WHERE name = 'new_operator_event';
DROP TABLE operator_event;
ALTER TABLE new_operator_event RENAME TO operator_event;

CREATE TRIGGER feeds_version_on_operator_event AFTER INSERT ON operator_event BEGIN
    UPDATE publication SET feeds_version = feeds_version + 1;
END;
