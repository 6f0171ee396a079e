-- Whether a server serves other sources well is asked at each refusal.
CREATE INDEX poll_of_origin ON poll (origin, started_at);

-- Requests that belong to no poll: pages of items, robots.txt, hubs.
CREATE TABLE other_request (
    at     INTEGER NOT NULL,
    origin TEXT    NOT NULL,
    status INTEGER,
    bytes  INTEGER NOT NULL
) STRICT;

CREATE INDEX other_request_by_time ON other_request (at);
