-- The writer adds new items to the full-text index at the end of each transaction. FTS5 writes a segment of its index
-- whenever a savepoint ends, and the writer runs each job in a savepoint, so the trigger caused a segment for each poll.
DROP TRIGGER item_fts_insert;
