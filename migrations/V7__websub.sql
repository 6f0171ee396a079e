-- What is agreed with hubs (WebSub): one row for each source whose feed declared a hub, whatever became of it.
CREATE TABLE subscription (
    source_id      INTEGER PRIMARY KEY REFERENCES source (id),
    -- What the feed declares now; nothing once it declares no hub any more.
    declared_hub   TEXT,
    declared_topic TEXT,
    -- What the hub was asked for, and how it reaches us. The token is the last part of the callback; it and the secret
    -- are drawn anew for each subscription and stand in no log.
    hub            TEXT,
    topic          TEXT,
    callback       TEXT,
    token          TEXT    UNIQUE,
    secret         TEXT,
    state          TEXT    NOT NULL DEFAULT 'none'
        CHECK (state IN ('none', 'asked', 'active', 'leaving', 'denied', 'failed')),
    renewing       INTEGER NOT NULL DEFAULT 0 CHECK (renewing IN (0, 1)),
    requested_at   INTEGER,
    -- Moved forward before a request goes out, so that a crash is followed by none too soon.
    next_at        INTEGER,
    -- Only while it is active, or being ended.
    lease_until    INTEGER,
    failures       INTEGER NOT NULL DEFAULT 0,
    pushes         INTEGER NOT NULL DEFAULT 0,
    ignored        INTEGER NOT NULL DEFAULT 0,
    last_push_at   INTEGER,
    trusted        INTEGER NOT NULL DEFAULT 0 CHECK (trusted IN (0, 1)),
    -- While polls are a safety net: when the next one is, and when it would be by its own rules, to which it goes back.
    deferred_until INTEGER,
    plain_poll_at  INTEGER,
    detail         TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX subscription_due ON subscription (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX subscription_ending ON subscription (lease_until) WHERE lease_until IS NOT NULL;

-- A source that is paused, removed, gone or there again: its subscription is looked at at once.
CREATE TRIGGER subscription_of_changed_source AFTER UPDATE OF state ON source WHEN old.state <> new.state BEGIN
    UPDATE subscription SET next_at = 0 WHERE source_id = new.id;
END;
