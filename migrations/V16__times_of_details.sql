-- Times to which recorded sentences refer, so that pages and commands can format them. Sentences that were recorded before
-- contain their time as text.

-- The start of an outage of newsfold's own network, or the end of the hold on the target of a redirect; NULL for other
-- failures.
ALTER TABLE poll ADD COLUMN detail_time INTEGER;
ALTER TABLE source ADD COLUMN last_error_time INTEGER;
-- The start of the outage that began or ended; NULL for other events.
ALTER TABLE operator_event ADD COLUMN since INTEGER;
