-- How the source is requested, as JSON (domain::RequestSettings). Contains secrets if the operator set any.
ALTER TABLE source ADD COLUMN request_settings TEXT NOT NULL DEFAULT '{}';
-- The time between polls that the operator set; NULL: poll.interval, and the update rate of the source.
ALTER TABLE source ADD COLUMN poll_interval INTEGER;
-- Whether items of the source are grouped with items of other sources.
ALTER TABLE source ADD COLUMN is_grouped INTEGER NOT NULL DEFAULT 1 CHECK (is_grouped IN (0, 1));
