-- Our own hub (WebSub). Those who subscribed to a document of a feed and confirmed that they want to.
CREATE TABLE subscriber (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The URL of the document.
    topic          TEXT    NOT NULL,
    -- Between the subscriber and us: whoever knows it may push to it. It stands in no log.
    callback       TEXT    NOT NULL,
    host           TEXT    NOT NULL,
    -- What we sign with, where the subscriber gave something.
    secret         TEXT,
    since          INTEGER NOT NULL,
    lease_until    INTEGER NOT NULL,
    -- What it was sent last. Nothing until it was seen what the document holds when it begins: that it has.
    delivered_hash TEXT,
    delivered_at   INTEGER,
    deliveries     INTEGER NOT NULL DEFAULT 0,
    -- Deliveries in a row that did not arrive. Both are moved forward before a request goes out.
    failures       INTEGER NOT NULL DEFAULT 0,
    next_at        INTEGER NOT NULL DEFAULT 0,
    detail         TEXT    NOT NULL DEFAULT '',
    UNIQUE (topic, callback)
) STRICT;

-- Who is behind a document's newest bytes is found without a look at the others.
CREATE INDEX subscriber_behind ON subscriber (topic, delivered_hash);
CREATE INDEX subscriber_of_host ON subscriber (host);
CREATE INDEX subscriber_ending ON subscriber (lease_until);

-- Those who ask to be subscribed, or to be so no more, and are yet to be asked whether they do.
CREATE TABLE subscriber_request (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    topic     TEXT    NOT NULL,
    callback  TEXT    NOT NULL,
    host      TEXT    NOT NULL,
    -- Who asked: an address, or nothing where a proxy does not say.
    client    TEXT,
    mode      TEXT    NOT NULL CHECK (mode IN ('subscribe', 'unsubscribe')),
    secret    TEXT,
    lease     INTEGER NOT NULL, -- milliseconds
    verify_at INTEGER NOT NULL,
    tries     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, callback)
) STRICT;

CREATE INDEX subscriber_request_due ON subscriber_request (verify_at);

-- Every request of the last hour that was taken, so that nobody has us knock at others' doors without end.
CREATE TABLE subscriber_asked (
    -- When the callback is asked, or was.
    at       INTEGER NOT NULL,
    topic    TEXT    NOT NULL,
    callback TEXT    NOT NULL,
    host     TEXT    NOT NULL,
    client   TEXT
) STRICT;

CREATE INDEX subscriber_asked_by_time ON subscriber_asked (at);
CREATE INDEX subscriber_asked_of_callback ON subscriber_asked (callback, topic, at);
CREATE INDEX subscriber_asked_of_host ON subscriber_asked (host, at);
CREATE INDEX subscriber_asked_of_client ON subscriber_asked (client, at);

-- The newest bytes of each document to which somebody listens: what subscribers and hubs are told of.
CREATE TABLE announcement (
    topic TEXT    PRIMARY KEY,
    hash  TEXT    NOT NULL,
    at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What each hub of the configuration was told last of each document.
CREATE TABLE ping (
    hub       TEXT    NOT NULL,
    topic     TEXT    NOT NULL,
    hash      TEXT,
    pinged_at INTEGER,
    failures  INTEGER NOT NULL DEFAULT 0,
    next_at   INTEGER NOT NULL DEFAULT 0,
    detail    TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (hub, topic)
) STRICT, WITHOUT ROWID;
