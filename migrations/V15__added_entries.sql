-- The program adds many entries to a feed at a time (store::feed_entries::add), and sets their version and the counters
-- itself. These triggers ran three more statements for each entry.
DROP TRIGGER feed_version_on_added_entry;
DROP TRIGGER feeds_version_on_added_entry;

-- The storylines with stories that have entered new feeds. Their entries may have to list other stories. They are reviewed
-- once all feeds are filled, instead of once for each feed, also after a crash.
CREATE TABLE storyline_review_queue (
    storyline_id INTEGER PRIMARY KEY REFERENCES storyline (id) ON DELETE CASCADE
) STRICT;
