-- Whether the pages of a source's items are read: for grouping, and beyond that for publishing.
ALTER TABLE source ADD COLUMN full_text TEXT NOT NULL DEFAULT 'no' CHECK (full_text IN ('no', 'group', 'publish'));

-- Where an item's page stands: to be read, read, or given up. Items whose pages nobody wants have none.
ALTER TABLE item ADD COLUMN page TEXT CHECK (page IN ('wanted', 'read', 'failed'));
-- The article's paragraphs, a line each.
ALTER TABLE item ADD COLUMN article TEXT;
-- Why a page gave no article.
ALTER TABLE item ADD COLUMN page_problem TEXT;

-- What the text said before, where it was not too long to be kept.
ALTER TABLE item_revision ADD COLUMN content TEXT;

CREATE INDEX item_page_wanted ON item (id) WHERE page = 'wanted';

-- What servers say of robots (RFC 9309), for as long as it is good. No body: everything is allowed, or nothing.
CREATE TABLE robots (
    origin     TEXT    PRIMARY KEY,
    good_until INTEGER NOT NULL,
    allowed    INTEGER NOT NULL CHECK (allowed IN (0, 1)),
    body       BLOB
) STRICT, WITHOUT ROWID;
