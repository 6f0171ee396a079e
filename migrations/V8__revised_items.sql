-- Items whose text or link changed after they were stored. The next reclustering pass reads them again.
CREATE TABLE revised_item (
    -- A later revision of the same item gets a new number, so that no revision is lost while a pass runs.
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    item_id  INTEGER NOT NULL UNIQUE REFERENCES item (id) ON DELETE CASCADE
) STRICT;

CREATE TRIGGER item_revised AFTER UPDATE OF title, summary, full_text, canonical_url ON item
WHEN old.title IS NOT new.title OR old.summary IS NOT new.summary OR old.full_text IS NOT new.full_text
    OR old.canonical_url IS NOT new.canonical_url
BEGIN
    INSERT OR REPLACE INTO revised_item (item_id) VALUES (new.id);
END;

-- The terms of languages other than English are now the beginnings of stems, so their counts start again.
DELETE FROM term_frequency WHERE language <> 'en';
