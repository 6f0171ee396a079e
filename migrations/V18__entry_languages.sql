-- The languages of entries: a feed with languages shows a story with a lead in the first of them that the story has
-- when it enters the feed. The language is decided once. The row remains if the entry is removed, so that an entry that
-- enters the feed again has the same link.
CREATE TABLE entry_language (
    feed     TEXT    NOT NULL,
    story_id INTEGER NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    -- NULL if the entry shows the editions of the story. An entry without a row does as well.
    lang     TEXT,
    PRIMARY KEY (feed, story_id)
) STRICT, WITHOUT ROWID;

-- An entry that was removed before this migration may return, with the link of the story. A row with an empty name of the
-- feed applies to all feeds.
INSERT INTO entry_language (feed, story_id) SELECT '', id FROM story WHERE published_at IS NOT NULL;

CREATE INDEX entry_language_by_story ON entry_language (story_id, lang);

CREATE TRIGGER entry_language_of_removed_entry AFTER DELETE ON feed_entry
WHEN EXISTS (SELECT 1 FROM story WHERE id = old.story_id) BEGIN
    INSERT OR IGNORE INTO entry_language (feed, story_id) VALUES (old.feed, old.story_id);
END;

-- The language of the entries that show the edition; NULL for an edition of the story itself. The entries in a language
-- show the editions of the story until there is one for their language.
ALTER TABLE edition ADD COLUMN for_language TEXT;
