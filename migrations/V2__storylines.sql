-- Storylines: the stories that report one event and what follows from it.

CREATE TABLE storyline (
    -- 60 bits, minted from the story that starts the storyline (domain::StorylineId).
    id          INTEGER PRIMARY KEY,
    created_at  INTEGER NOT NULL,
    -- The storyline to which this one redirects. A merged storyline has no stories.
    merged_into INTEGER REFERENCES storyline (id)
) STRICT;

CREATE INDEX storyline_merged ON storyline (merged_into) WHERE merged_into IS NOT NULL;

-- Every story has a storyline, and starts with one of its own.
ALTER TABLE story ADD COLUMN storyline_id INTEGER REFERENCES storyline (id) DEFERRABLE INITIALLY DEFERRED;
-- Why the story belongs to its storyline, as JSON (domain::StorylineEvidence).
ALTER TABLE story ADD COLUMN storyline_evidence TEXT;

-- Stories of an older database start with storylines of their own, which the daemon then groups. A merged story gets one
-- as well, because undoing the merge restores the story.
INSERT INTO storyline (id, created_at) SELECT id, created_at FROM story;
UPDATE story SET storyline_id = id;
UPDATE storyline SET merged_into = (SELECT merged_into FROM story WHERE story.id = storyline.id);

CREATE INDEX story_by_storyline ON story (storyline_id, created_at, id);

-- Corrections of storylines are constraints as well: the tables are rebuilt, because SQLite cannot change a CHECK.
CREATE TABLE new_constraint (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    -- merge: all items report one event. split: the moved items report a different event from those that stayed.
    -- cannot-link: the two items report different events. storyline-merge: the stories of all items belong to one
    -- storyline. storyline-split: the stories of the moved items belong to a different storyline from the stories of
    -- those that stayed.
    kind      TEXT    NOT NULL CHECK (kind IN ('merge', 'split', 'cannot-link', 'storyline-merge', 'storyline-split')),
    made_at   INTEGER NOT NULL,
    undone_at INTEGER
) STRICT;

CREATE TABLE new_constraint_item (
    constraint_id         INTEGER NOT NULL REFERENCES new_constraint (id),
    item_id               INTEGER NOT NULL REFERENCES item (id),
    -- 0: the item stayed. 1: the item moved to the story of the others (merge), or out of it (split). For cannot-link,
    -- there is one item on each side. For storylines: whether the story of the item stayed or moved.
    side                  INTEGER NOT NULL CHECK (side IN (0, 1)),
    -- The story and the storyline to which the item and its story return when the constraint is undone.
    previous_story_id     INTEGER NOT NULL REFERENCES story (id),
    previous_storyline_id INTEGER REFERENCES storyline (id),
    PRIMARY KEY (constraint_id, item_id)
) STRICT, WITHOUT ROWID;

INSERT INTO new_constraint (id, kind, made_at, undone_at) SELECT id, kind, made_at, undone_at FROM grouping_constraint;
INSERT INTO new_constraint_item (constraint_id, item_id, side, previous_story_id)
SELECT constraint_id, item_id, side, previous_story_id FROM grouping_constraint_item;
-- Numbers of decisions are never reused.
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_constraint', seq FROM sqlite_sequence
WHERE name = 'grouping_constraint' AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'new_constraint');
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'grouping_constraint')
WHERE name = 'new_constraint';
DROP TABLE grouping_constraint_item;
DROP TABLE grouping_constraint;
ALTER TABLE new_constraint RENAME TO grouping_constraint;
ALTER TABLE new_constraint_item RENAME TO grouping_constraint_item;
CREATE INDEX grouping_constraint_item_by_item ON grouping_constraint_item (item_id);
CREATE INDEX grouping_constraint_item_by_story ON grouping_constraint_item (previous_story_id);
CREATE INDEX grouping_constraint_item_by_storyline ON grouping_constraint_item (previous_storyline_id);

-- Feeds fold the stories of a storyline, so that a story can have an entry in only one variant of a feed.
CREATE TABLE new_feed_entry (
    feed           TEXT    NOT NULL,
    -- 1, 2, 3 … within the feed: archive pages are ranges of these numbers.
    sequence       INTEGER NOT NULL,
    story_id       INTEGER NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    -- The variants of the feed that show the entry (domain::EntryVariants).
    variants       TEXT    NOT NULL CHECK (variants IN ('both', 'live', 'stable')),
    -- The story's latest edition at that time, which the stable variant of the feed keeps.
    edition_number INTEGER NOT NULL,
    entered_at     INTEGER NOT NULL,
    -- A copy of the story's date, which never changes, so that the newest date of a feed is found without reading its
    -- stories.
    published_at   INTEGER NOT NULL,
    PRIMARY KEY (feed, sequence),
    UNIQUE (feed, story_id, variants)
) STRICT, WITHOUT ROWID;

INSERT INTO new_feed_entry (feed, sequence, story_id, variants, edition_number, entered_at, published_at)
SELECT feed, sequence, story_id, 'both', edition_number, entered_at, published_at FROM feed_entry;
DROP TABLE feed_entry;
-- Feeds of an older database keep their entries.
UPDATE feed_selection SET selection = substr(selection, 1, length(selection) - 1) || ',"fold":"storylines"}';
ALTER TABLE new_feed_entry RENAME TO feed_entry;
CREATE INDEX feed_entry_by_story ON feed_entry (story_id);
CREATE INDEX feed_entry_by_date ON feed_entry (feed, published_at);

CREATE TRIGGER feeds_version_on_added_entry AFTER INSERT ON feed_entry BEGIN
    UPDATE publication SET feeds_version = feeds_version + 1;
END;

CREATE TRIGGER feeds_version_on_removed_entry AFTER DELETE ON feed_entry BEGIN
    UPDATE publication SET feeds_version = feeds_version + 1;
END;

-- How many documents of other weeks contain a term, decayed by age: the long-term rate with which the current rate of a term
-- is compared. The term 0 counts all documents of the language.
CREATE TABLE term_frequency (
    language  TEXT    NOT NULL,
    -- The hash of the term (cluster::tokenizer::TermHash), as a signed number.
    term      INTEGER NOT NULL,
    documents REAL    NOT NULL,
    PRIMARY KEY (language, term)
) STRICT, WITHOUT ROWID;

-- How far items have been counted, in a single row: all items that were first seen up to this time.
CREATE TABLE term_frequency_progress (
    singleton     INTEGER PRIMARY KEY CHECK (singleton = 1),
    counted_until INTEGER NOT NULL
) STRICT;
