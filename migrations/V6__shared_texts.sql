-- Texts, links and guids are stored once. The content of an item has a mark, U+0001, in the place of
-- the summary (store::item_content).

UPDATE item SET content = replace(content, char(1), '') WHERE instr(content, char(1)) > 0;

-- An edition shares the text of its lead while the lead is unchanged: the keys that `text` lacks have the values of the
-- item. Before the item changes or is deleted, the edition gets a copy of them. The table has a rowid, because a table
-- without one needs an overflow page for every row of more than 1,002 bytes.
CREATE TABLE new_edition (
    story_id       INTEGER NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    -- 1, 2, 3 … within the story.
    number         INTEGER NOT NULL,
    made_at        INTEGER NOT NULL,
    -- domain::EditionReason.
    reason         TEXT    NOT NULL,
    outlet_count   INTEGER NOT NULL,
    -- domain::EditionText as JSON, without the shared values.
    text           TEXT    NOT NULL,
    shared_item_id INTEGER,
    PRIMARY KEY (story_id, number)
) STRICT;

INSERT INTO new_edition (story_id, number, made_at, reason, outlet_count, text)
SELECT story_id, number, made_at, reason, outlet_count, text FROM edition;
DROP TABLE edition;
ALTER TABLE new_edition RENAME TO edition;
CREATE INDEX edition_by_shared_item ON edition (shared_item_id) WHERE shared_item_id IS NOT NULL;

CREATE TRIGGER feeds_version_on_edition AFTER INSERT ON edition BEGIN
    UPDATE publication SET feeds_version = feeds_version + 1;
END;

-- The keys and values are those of store::editions::EDITION_COLUMNS.
CREATE TRIGGER edition_keeps_text_of_changed_item
BEFORE UPDATE OF title, url, summary, content, full_text, author, image, enclosures ON item BEGIN
    UPDATE edition SET shared_item_id = NULL, text = json_insert(text,
        '$.title', old.title, '$.link', old.url, '$.summary', old.summary,
        '$.content', original_content(old.content, old.summary), '$.article', old.full_text, '$.author', old.author,
        '$.image', old.image, '$.enclosures', json(old.enclosures),
        '$.reports[0].title', old.title, '$.reports[0].url', old.url)
    WHERE shared_item_id = old.id;
END;

CREATE TRIGGER edition_keeps_text_of_deleted_item BEFORE DELETE ON item BEGIN
    UPDATE edition SET shared_item_id = NULL, text = json_insert(text,
        '$.title', old.title, '$.link', old.url, '$.summary', old.summary,
        '$.content', original_content(old.content, old.summary), '$.article', old.full_text, '$.author', old.author,
        '$.image', old.image, '$.enclosures', json(old.enclosures),
        '$.reports[0].title', old.title, '$.reports[0].url', old.url)
    WHERE shared_item_id = old.id;
END;

-- Items are found by the hash of their canonical URL (XXH3), because an index over URLs is nearly as large as the texts.
ALTER TABLE item ADD COLUMN link_hash INTEGER;
-- A canonical URL is stored only if it is not that of the item's URL, and a guid that equals the URL as ''.
UPDATE item SET link_hash = text_hash(canonical_url), canonical_url = nullif(canonical_url, canonical_url(url)),
    guid = CASE WHEN guid = url THEN '' ELSE guid END;
DROP INDEX item_by_link;
CREATE INDEX item_by_link ON item (source_id, link_hash) WHERE link_hash IS NOT NULL;

-- The guids under which a source has shown an item, by their hash (XXH3) for the same reason. A collision needs a source
-- that constructs one, and only affects that source.
CREATE TABLE new_item_guid (
    source_id     INTEGER NOT NULL REFERENCES source (id),
    guid_hash     INTEGER NOT NULL,
    item_id       INTEGER REFERENCES item (id),
    -- How the item was recognized when it first appeared under this guid.
    matched_by    TEXT    NOT NULL CHECK (matched_by IN ('guid', 'link', 'title', 'text')),
    -- NULL if it is the guid of the item, or if the item was deleted.
    guid          TEXT,
    -- Tombstones only: when the source last showed the item, to the day.
    last_shown_at INTEGER,
    PRIMARY KEY (source_id, guid_hash)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO new_item_guid (source_id, guid_hash, item_id, matched_by, guid, last_shown_at)
SELECT source_id, text_hash(guid), item_id, matched_by,
       CASE WHEN matched_by <> 'guid' AND item_id IS NOT NULL THEN guid END, last_shown_at
FROM item_guid;
DROP TABLE item_guid;
ALTER TABLE new_item_guid RENAME TO item_guid;
CREATE INDEX item_guid_by_item ON item_guid (item_id) WHERE item_id IS NOT NULL;
CREATE INDEX item_guid_tombstone ON item_guid (last_shown_at) WHERE item_id IS NULL;
