-- Counts the changes of each feed, and records the last change of each entry, so that a change of one story renders only
-- the feeds and archive pages with that story again. A feed with the order `hot` also depends on stories outside of it;
-- publication.feeds_version counts its changes.
ALTER TABLE feed_sequence ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
-- The version of the feed after the last change of the entry.
ALTER TABLE feed_entry ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER feed_version_on_edition AFTER INSERT ON edition BEGIN
    UPDATE feed_sequence SET version = version + 1
    WHERE feed IN (SELECT feed FROM feed_entry WHERE story_id = new.story_id);
    UPDATE feed_entry SET version = (SELECT version FROM feed_sequence WHERE feed_sequence.feed = feed_entry.feed)
    WHERE story_id = new.story_id;
END;

CREATE TRIGGER feed_version_on_merge AFTER UPDATE OF merged_into ON story BEGIN
    UPDATE feed_sequence SET version = version + 1
    WHERE feed IN (SELECT feed FROM feed_entry WHERE story_id = new.id);
    UPDATE feed_entry SET version = (SELECT version FROM feed_sequence WHERE feed_sequence.feed = feed_entry.feed)
    WHERE story_id = new.id;
END;

-- Only articles of sources that still allow it are published.
CREATE TRIGGER feed_version_on_source AFTER UPDATE OF full_text ON source BEGIN
    UPDATE feed_sequence SET version = version + 1;
    UPDATE feed_entry SET version = (SELECT version FROM feed_sequence WHERE feed_sequence.feed = feed_entry.feed)
    WHERE story_id IN (SELECT story_id FROM item WHERE source_id = new.id);
END;

CREATE TRIGGER feed_version_on_added_entry AFTER INSERT ON feed_entry BEGIN
    UPDATE feed_sequence SET version = version + 1 WHERE feed = new.feed;
    UPDATE feed_entry SET version = (SELECT version FROM feed_sequence WHERE feed = new.feed)
    WHERE feed = new.feed AND sequence = new.sequence;
END;

CREATE TRIGGER feed_version_on_removed_entry AFTER DELETE ON feed_entry BEGIN
    UPDATE feed_sequence SET version = version + 1 WHERE feed = old.feed;
END;

-- An empty feed has the date at which it became known.
CREATE TRIGGER feed_version_on_new_feed AFTER INSERT ON feed_selection BEGIN
    INSERT INTO feed_sequence (feed, last_sequence, version) VALUES (new.feed, 0, 1)
    ON CONFLICT (feed) DO UPDATE SET version = version + 1;
END;
