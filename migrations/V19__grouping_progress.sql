-- The last complete grouping pass, so that commands skip a pass while nothing has changed.
CREATE TABLE grouping_progress (
    singleton     INTEGER PRIMARY KEY CHECK (singleton = 1),
    -- Increases when an item is assigned to its first story, when an item is deleted, and when a source changes in a way
    -- that affects the grouping.
    changes       INTEGER NOT NULL,
    -- What the last complete pass was based on (store::grouping_progress) and when it started; NULL before the first one.
    grouped_input TEXT,
    grouped_at    INTEGER
) STRICT;

INSERT INTO grouping_progress (singleton, changes) VALUES (1, 0);

CREATE TRIGGER grouping_changed_on_assignment AFTER UPDATE OF story_id ON item WHEN old.story_id IS NULL BEGIN
    UPDATE grouping_progress SET changes = changes + 1 WHERE singleton = 1;
END;

CREATE TRIGGER grouping_changed_on_deletion AFTER DELETE ON item BEGIN
    UPDATE grouping_progress SET changes = changes + 1 WHERE singleton = 1;
END;

-- Changes of tags, outlets and languages that the operator set increase publication.selection_version.
CREATE TRIGGER grouping_changed_on_source AFTER UPDATE OF is_grouped, feed_lang ON source
WHEN old.is_grouped IS NOT new.is_grouped OR old.feed_lang IS NOT new.feed_lang BEGIN
    UPDATE grouping_progress SET changes = changes + 1 WHERE singleton = 1;
END;
