-- The encoders whose embeddings are stored.
CREATE TABLE encoder_model (
    id              INTEGER PRIMARY KEY,
    -- SHA-256 of everything that affects the embeddings, in hexadecimal.
    hash            TEXT    NOT NULL UNIQUE,
    -- Items first seen within this number of milliseconds get an embedding.
    grouping_window INTEGER NOT NULL,
    -- Whether grouping uses the embeddings: 1 for at most one encoder.
    is_current      INTEGER NOT NULL
) STRICT;

-- The embedding of an item's text, computed once.
CREATE TABLE item_embedding (
    item_id    INTEGER PRIMARY KEY REFERENCES item (id) ON DELETE CASCADE,
    encoder_id INTEGER NOT NULL REFERENCES encoder_model (id),
    -- One byte per dimension (domain::Embedding); NULL: the encoder failed on the text.
    vector     BLOB
) STRICT;

-- Grouping reads an item again once it has an embedding.
CREATE TRIGGER embedding_added AFTER INSERT ON item_embedding WHEN new.vector IS NOT NULL
BEGIN
    INSERT OR REPLACE INTO revised_item (item_id) VALUES (new.item_id);
END;

CREATE TRIGGER embedding_outdated AFTER UPDATE OF title, summary ON item
WHEN old.title IS NOT new.title OR old.summary IS NOT new.summary
BEGIN
    DELETE FROM item_embedding WHERE item_id = new.id;
END;
