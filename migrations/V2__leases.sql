-- What several programs on one database agree on before they ask a server: who polls a source, and who has the turn
-- of an origin. A lease ends by itself at `until`, so that a program that was killed holds nobody up for long.
CREATE TABLE lease (
    kind     TEXT    NOT NULL CHECK (kind IN ('source', 'origin')),
    -- A source's number, or an origin such as https://news.example.
    name     TEXT    NOT NULL,
    -- Random, one for each poll: who has it may move on to another origin and give back.
    token    INTEGER NOT NULL,
    -- Which program that is, for people; 'the daemon' is the only one of its kind.
    holder   TEXT    NOT NULL,
    taken_at INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX lease_of_poll ON lease (token);

-- A guess is made from an address and gives way, once, to the site that the feed names.
ALTER TABLE source ADD COLUMN outlet_from TEXT NOT NULL DEFAULT 'guess'
    CHECK (outlet_from IN ('operator', 'site', 'guess'));

UPDATE source SET outlet_from = CASE
    WHEN instr(lower(coalesce(site_url, '')), outlet) > 0 THEN 'site'
    WHEN instr(lower(url), outlet) > 0 THEN 'guess'
    ELSE 'operator' END;

-- The bytes that each feed was last served as, and since when: Last-Modified is the same after a restart, and moves
-- whenever the bytes do.
CREATE TABLE rendering (
    feed        TEXT    NOT NULL,
    format      TEXT    NOT NULL,
    hash        TEXT    NOT NULL,
    modified_at INTEGER NOT NULL,
    PRIMARY KEY (feed, format)
) STRICT, WITHOUT ROWID;
