-- A change of a story changes each feed that contains it. The feeds are updated once per job of the writer
-- (store::feed_entries::count_new_editions) instead of once per edition, because 500 stories that change in a thousand
-- feeds updated a hundred thousand entries. A new edition no longer changes feed_entry.version: the numbers of the latest
-- editions are part of the version of an archive page.
DROP TRIGGER feed_version_on_edition;

-- The stories with editions that the current job of the writer has added.
CREATE TABLE story_with_new_edition (
    story_id INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER feed_version_on_edition AFTER INSERT ON edition BEGIN
    INSERT OR IGNORE INTO story_with_new_edition (story_id) VALUES (new.story_id);
END;

-- Most sources get their outlet with their first document. The feeds contain no stories of such a source yet, so they
-- need not be filled again.
DROP TRIGGER selection_version_on_source;

CREATE TRIGGER selection_version_on_source AFTER UPDATE OF outlet, lang, aggregator ON source
WHEN old.outlet IS NOT new.outlet OR old.lang IS NOT new.lang OR old.aggregator IS NOT new.aggregator BEGIN
    UPDATE feed_selection SET stale = 1
    WHERE EXISTS (SELECT 1 FROM item WHERE source_id = new.id AND story_id IS NOT NULL);
    UPDATE publication SET selection_version = selection_version + 1;
END;
