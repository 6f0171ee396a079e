-- The name of the source's outlet for people, set by the operator; NULL: derived from the title (urls::outlet_name).
ALTER TABLE source ADD COLUMN outlet_name TEXT;
