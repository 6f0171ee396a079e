-- What the operator decided about grouping; every later pass keeps to it. A decision is taken back, never deleted.

CREATE TABLE decision (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    kind      TEXT    NOT NULL CHECK (kind IN ('merge', 'split', 'apart')),
    made_at   INTEGER NOT NULL,
    undone_at INTEGER
) STRICT;

CREATE TABLE decision_item (
    decision_id INTEGER NOT NULL REFERENCES decision (id),
    item_id     INTEGER NOT NULL REFERENCES item (id),
    -- merge: 1 came to 0. split: 1 left 0. apart: the two of them.
    side        INTEGER NOT NULL CHECK (side IN (0, 1)),
    -- Where the item was before, so that the decision can be taken back.
    story_id    INTEGER NOT NULL REFERENCES story (id),
    PRIMARY KEY (decision_id, item_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX decision_of_item ON decision_item (item_id);
