-- Every item is read with the age of its source, and asks for the oldest source for it: without this, by a look at all.
CREATE INDEX source_by_age ON source (added_at);
