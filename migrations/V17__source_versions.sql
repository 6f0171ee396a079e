-- Counts the changes of sources, so that their effects are noticed without reading all sources.
-- The tags and languages by which readers can filter.
ALTER TABLE publication ADD COLUMN facets_version INTEGER NOT NULL DEFAULT 0;
-- The values by which feeds select stories. They also make feed_selection stale.
ALTER TABLE publication ADD COLUMN selection_version INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER feed_selection_stale_on_added_tag;
DROP TRIGGER feed_selection_stale_on_removed_tag;
DROP TRIGGER feed_selection_stale_on_source;

CREATE TRIGGER source_version_on_added_tag AFTER INSERT ON source_tag BEGIN
    UPDATE feed_selection SET stale = 1;
    UPDATE publication SET selection_version = selection_version + 1, facets_version = facets_version + 1;
END;

CREATE TRIGGER source_version_on_removed_tag AFTER DELETE ON source_tag BEGIN
    UPDATE feed_selection SET stale = 1;
    UPDATE publication SET selection_version = selection_version + 1, facets_version = facets_version + 1;
END;

CREATE TRIGGER selection_version_on_source AFTER UPDATE OF outlet, lang, aggregator ON source
WHEN old.outlet IS NOT new.outlet OR old.lang IS NOT new.lang OR old.aggregator IS NOT new.aggregator BEGIN
    UPDATE feed_selection SET stale = 1;
    UPDATE publication SET selection_version = selection_version + 1;
END;

CREATE TRIGGER facets_version_on_source AFTER UPDATE OF lang, feed_lang, state ON source
WHEN old.lang IS NOT new.lang OR old.feed_lang IS NOT new.feed_lang OR old.state IS NOT new.state BEGIN
    UPDATE publication SET facets_version = facets_version + 1;
END;

CREATE TRIGGER facets_version_on_added_source AFTER INSERT ON source WHEN new.lang IS NOT NULL BEGIN
    UPDATE publication SET facets_version = facets_version + 1;
END;

-- Events of the whole installation have no source. They are few, and the last one is read every minute.
CREATE INDEX operator_event_by_source ON operator_event (source_id);
