-- The categories that the feed gives the item, as a JSON array; NULL for an item without categories. Filters of feeds use them.
ALTER TABLE item ADD COLUMN categories TEXT;
