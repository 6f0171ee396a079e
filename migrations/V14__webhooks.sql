-- What the webhooks of the configuration have announced.
CREATE TABLE webhook (
    feed            TEXT    NOT NULL,
    -- The hash of the URL (XXH3). The URL itself is a secret.
    url_hash        INTEGER NOT NULL,
    -- The sequence number of the last entry of the feed that was announced or given up.
    last_sequence   INTEGER NOT NULL,
    -- Failed attempts in a row to announce the next entry, and the time of the next attempt.
    failures        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (feed, url_hash)
) STRICT, WITHOUT ROWID;
