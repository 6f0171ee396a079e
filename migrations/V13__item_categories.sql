-- The categories that the feed gives the item, as a JSON array; NULL if there are none. Filters of feeds use them.
ALTER TABLE item ADD COLUMN categories TEXT;
