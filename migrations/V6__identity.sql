-- By what an item was recognised under this guid: its guid itself, or, where the source gave it another one, its link, or
-- its title and day. A tombstone (no item) is of an item that was removed for its age, for as long as its source may
-- show it again.
CREATE TABLE item_guid_new (
    source_id INTEGER NOT NULL REFERENCES source (id),
    guid      TEXT    NOT NULL,
    item_id   INTEGER REFERENCES item (id),
    rule      TEXT    NOT NULL CHECK (rule IN ('guid', 'link', 'title')),
    -- Of a tombstone: when the source last showed it, to the day.
    shown_at  INTEGER,
    PRIMARY KEY (source_id, guid)
) STRICT, WITHOUT ROWID;

INSERT INTO item_guid_new (source_id, guid, item_id, rule)
SELECT item_guid.source_id, item_guid.guid, item_id, CASE WHEN item.guid = item_guid.guid THEN 'guid' ELSE 'link' END
FROM item_guid JOIN item ON item.id = item_id;

DROP TABLE item_guid;

ALTER TABLE item_guid_new RENAME TO item_guid;

CREATE INDEX item_guid_of_item ON item_guid (item_id);
CREATE INDEX item_guid_tombstone ON item_guid (shown_at) WHERE item_id IS NULL;

-- The links of removed items, under which a source that rewrites its guids may show them again.
CREATE TABLE link_tombstone (
    source_id     INTEGER NOT NULL REFERENCES source (id),
    canonical_url TEXT    NOT NULL,
    shown_at      INTEGER NOT NULL,
    PRIMARY KEY (source_id, canonical_url)
) STRICT, WITHOUT ROWID;

-- A source's items by day, for those that have neither their guid nor their link any more.
CREATE INDEX item_by_day ON item (source_id, ranked_at);
CREATE INDEX item_copy ON item (copy_of) WHERE copy_of IS NOT NULL;
CREATE INDEX story_merged ON story (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX decision_by_story ON decision_item (story_id);
