-- What readers are given of a story: written down once, and never changed.
CREATE TABLE edition (
    story_id INTEGER NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    -- 1, 2, 3 … within the story.
    number   INTEGER NOT NULL,
    made_at  INTEGER NOT NULL,
    -- Why it was made: first, grown, corrected, merged; entered is for one feed alone, that the story came into.
    cause    TEXT    NOT NULL,
    outlets  INTEGER NOT NULL,
    -- model::EditionText as JSON.
    text     TEXT    NOT NULL,
    PRIMARY KEY (story_id, number)
) STRICT, WITHOUT ROWID;

-- Which stories stand in which feed, in the order in which they came into it.
CREATE TABLE feed_entry (
    feed       TEXT    NOT NULL,
    -- 1, 2, 3 … within the feed: archive pages are made of it.
    seq        INTEGER NOT NULL,
    story_id   INTEGER NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    -- The edition that was the latest then: the one that the stable feed shows for good.
    edition    INTEGER NOT NULL,
    entered_at INTEGER NOT NULL,
    PRIMARY KEY (feed, seq),
    UNIQUE (feed, story_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX feed_entry_of_story ON feed_entry (story_id);

-- The last number in each feed: none is ever given twice, whatever was removed, so that archive pages stay what they are.
CREATE TABLE feed_last (
    feed TEXT PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- By which selection the entries of a feed were chosen. Where it is another now, they are chosen anew; where it is only
-- stale, because sources have other tags, what matches now is added.
CREATE TABLE feed_selection (
    feed      TEXT PRIMARY KEY,
    selection TEXT    NOT NULL,
    stale     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TRIGGER feeds_follow_tags_added AFTER INSERT ON source_tag BEGIN
    UPDATE feed_selection SET stale = 1;
END;

CREATE TRIGGER feeds_follow_tags_removed AFTER DELETE ON source_tag BEGIN
    UPDATE feed_selection SET stale = 1;
END;

CREATE TRIGGER feeds_follow_sources AFTER UPDATE OF outlet, lang ON source
WHEN old.outlet IS NOT new.outlet OR old.lang IS NOT new.lang BEGIN
    UPDATE feed_selection SET stale = 1;
END;

-- The secret that has to be said for a private feed.
CREATE TABLE feed_token (
    feed    TEXT PRIMARY KEY,
    token   TEXT    NOT NULL,
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Published stories that the publisher is to look at, and when. The turn tells a change that came while it looked.
CREATE TABLE due (
    story_id INTEGER PRIMARY KEY REFERENCES story (id) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    turn     INTEGER NOT NULL
) STRICT;

CREATE INDEX due_by_time ON due (at);
CREATE INDEX story_lead ON story (lead_id);

-- Its publication is one of them: it may have changed between being looked at and being published.
CREATE TRIGGER story_due AFTER UPDATE OF updated_at, merged_into, published_at ON story
WHEN new.published_at IS NOT NULL AND new.merged_into IS NULL BEGIN
    INSERT INTO due (story_id, at, turn) VALUES (new.id, 0, 1)
    ON CONFLICT (story_id) DO UPDATE SET at = 0, turn = turn + 1;
END;

INSERT INTO due (story_id, at, turn) SELECT id, 0, 1 FROM story WHERE published_at IS NOT NULL AND merged_into IS NULL;

-- Counts what changes feeds; `version` counts what changes pages as well, which is far more often.
ALTER TABLE publication ADD COLUMN feeds INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER feeds_edition AFTER INSERT ON edition BEGIN UPDATE publication SET feeds = feeds + 1; END;
CREATE TRIGGER feeds_entered AFTER INSERT ON feed_entry BEGIN UPDATE publication SET feeds = feeds + 1; END;
CREATE TRIGGER feeds_left AFTER DELETE ON feed_entry BEGIN UPDATE publication SET feeds = feeds + 1; END;
CREATE TRIGGER feeds_merged AFTER UPDATE OF merged_into ON story BEGIN UPDATE publication SET feeds = feeds + 1; END;
CREATE TRIGGER feeds_event AFTER INSERT ON event BEGIN UPDATE publication SET feeds = feeds + 1; END;
CREATE TRIGGER feeds_source AFTER UPDATE OF priority, full_text, state, title ON source BEGIN
    UPDATE publication SET feeds = feeds + 1;
END;
