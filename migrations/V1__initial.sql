-- The schema of newsfold. The glossary in docs/ARCHITECTURE.md defines the terms.
--
-- Conventions: times are in milliseconds since 1970-01-01 UTC. Durations are in milliseconds unless the comment names
-- another unit. Booleans are 0 or 1. Enumerations contain the kebab-case names of the variants of the Rust enum.

-- ---------------------------------------------------------------------------------------------------------------------
-- Sources and polls

-- A feed that newsfold polls.
CREATE TABLE source (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    url                  TEXT    NOT NULL UNIQUE,
    -- The publisher: a registrable domain or a channel of a shared host, unless the operator set another one.
    outlet               TEXT    NOT NULL,
    -- A guess is derived from the URL. The feed's own website replaces a guess once; an operator's choice is never
    -- replaced.
    outlet_provenance    TEXT    NOT NULL DEFAULT 'guess' CHECK (outlet_provenance IN ('operator', 'site', 'guess')),
    -- title and lang are set by the operator. They take precedence over feed_title and feed_lang, which the feed
    -- declares.
    title                TEXT,
    lang                 TEXT,
    feed_title           TEXT,
    feed_lang            TEXT,
    site_url             TEXT,
    -- Items of the source with the highest priority are preferred as the lead of a story.
    priority             INTEGER NOT NULL DEFAULT 0,
    state                TEXT    NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'gone', 'removed')),
    -- Whether newsfold fetches the full articles of the source's items (domain::FullTextMode).
    full_text            TEXT    NOT NULL DEFAULT 'no' CHECK (full_text IN ('no', 'group', 'publish')),
    -- Whether the outlets that the source's items name are counted instead of its own outlet.
    aggregator           INTEGER NOT NULL DEFAULT 0 CHECK (aggregator IN (0, 1)),
    added_at             INTEGER NOT NULL,
    -- When newsfold read the source's first document; NULL until then. Determines which items are backlog.
    first_document_at    INTEGER,
    -- Whether the old items of the first document are published as news. Reset when that document has been read.
    publish_backlog      INTEGER NOT NULL DEFAULT 0 CHECK (publish_backlog IN (0, 1)),
    -- The poll schedule survives restarts: it is stored here and nowhere else.
    next_poll_at         INTEGER NOT NULL,
    -- Why the next poll is due at that time, as JSON (domain::NextPollReason).
    next_poll_reason     TEXT    NOT NULL DEFAULT '{"kind":"added"}',
    -- End of the delay that the server requested (Retry-After). Manual polls respect it too.
    hold_until           INTEGER,
    -- Failed polls in a row.
    failures             INTEGER NOT NULL DEFAULT 0,
    last_poll_at         INTEGER,
    last_outcome         TEXT,
    last_success_at      INTEGER,
    -- Error of the last poll; empty if it succeeded.
    last_error           TEXT    NOT NULL DEFAULT '',
    -- HTTP cache validators, stored as the bytes received. They apply to validators_url only.
    validators_url       TEXT,
    etag                 BLOB,
    last_modified        BLOB,
    -- Time of the first 304 response since the last other response, and time of the last request without validators.
    -- After two weeks of only 304 responses, newsfold sends an unconditional request once a week.
    not_modified_since   INTEGER,
    full_request_at      INTEGER,
    -- End of the last document if it was truncated, as JSON (domain::TruncatedEnd). Until the next document is truncated
    -- there too, an incomplete last item is not stored, and requests are unconditional.
    truncated_end        TEXT,
    -- Polling hints of the feed, as JSON (domain::PollingHints).
    polling_hints        TEXT    NOT NULL DEFAULT '{}',
    -- Target of permanent redirects, as JSON (domain::PendingRedirect). The source's URL changes once the redirect has
    -- proved stable.
    pending_redirect     TEXT,
    -- Time of the first 410 response since the last success.
    gone_since           INTEGER,
    -- Estimated update rate, as JSON (crawl::update_rate).
    update_rate          TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX source_by_next_poll ON source (next_poll_at) WHERE state = 'active';
-- Every item is loaded with the age of its source relative to the oldest source. Without this index, finding the oldest
-- source requires a scan of all sources.
CREATE INDEX source_by_added_at ON source (added_at);

CREATE TABLE source_tag (
    source_id INTEGER NOT NULL REFERENCES source (id),
    tag       TEXT    NOT NULL,
    PRIMARY KEY (source_id, tag)
) STRICT, WITHOUT ROWID;

CREATE INDEX source_tag_by_tag ON source_tag (tag, source_id);

-- One row per poll attempt, whatever its outcome.
CREATE TABLE poll (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id          INTEGER NOT NULL REFERENCES source (id),
    started_at         INTEGER NOT NULL,
    finished_at        INTEGER NOT NULL,
    -- URL of the final response, after redirects, and the origin that sent it (RFC 6454); '' if no request was made.
    url                TEXT    NOT NULL,
    origin             TEXT    NOT NULL,
    outcome            TEXT    NOT NULL,
    -- HTTP status of the final response; NULL if there was none.
    status             INTEGER,
    -- Empty if the poll succeeded.
    detail             TEXT    NOT NULL,
    -- Size of the body in bytes: decoded, and as transferred.
    bytes              INTEGER NOT NULL,
    wire_bytes         INTEGER NOT NULL,
    -- Number of items in the document, and how many of them were new or changed.
    items              INTEGER NOT NULL,
    new_items          INTEGER NOT NULL,
    changed_items      INTEGER NOT NULL
) STRICT;

CREATE INDEX poll_by_source ON poll (source_id, id);
CREATE INDEX poll_by_time ON poll (started_at);
-- Every refusal checks whether the origin serves other sources successfully.
CREATE INDEX poll_by_origin ON poll (origin, started_at);

-- Faults in the document of a poll, and their repair.
CREATE TABLE poll_problem (
    poll_id INTEGER NOT NULL REFERENCES poll (id) ON DELETE CASCADE,
    kind    TEXT    NOT NULL,
    -- The first occurrence: a location or a value.
    detail  TEXT    NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (poll_id, kind)
) STRICT, WITHOUT ROWID;

-- The requests of a poll that were answered with a redirect, in order.
CREATE TABLE redirect_hop (
    poll_id  INTEGER NOT NULL REFERENCES poll (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    origin   TEXT    NOT NULL,
    status   INTEGER,
    PRIMARY KEY (poll_id, position)
) STRICT, WITHOUT ROWID;

-- Requests that are not part of a poll: article pages, robots.txt, WebSub hubs.
CREATE TABLE request_log (
    requested_at INTEGER NOT NULL,
    origin       TEXT    NOT NULL,
    status       INTEGER,
    wire_bytes   INTEGER NOT NULL
) STRICT;

CREATE INDEX request_log_by_time ON request_log (requested_at);

-- Origins to which no requests are sent before a given time: a 429 response puts all sources of its server on hold.
CREATE TABLE origin_hold (
    origin TEXT    NOT NULL,
    -- Which requests are on hold: all except those to a WebSub hub, or only those to a hub.
    scope  TEXT    NOT NULL CHECK (scope IN ('content', 'hub')),
    -- The registrable domain whose origins are all on hold (poll.hold_by); NULL if only this origin is on hold.
    domain TEXT,
    until  INTEGER NOT NULL,
    -- As JSON (domain::HoldReason).
    reason TEXT    NOT NULL,
    PRIMARY KEY (origin, scope)
) STRICT, WITHOUT ROWID;

CREATE INDEX origin_hold_by_domain ON origin_hold (domain) WHERE domain IS NOT NULL;

-- Cached robots.txt files (RFC 9309).
CREATE TABLE robots_txt (
    origin     TEXT    PRIMARY KEY,
    expires_at INTEGER NOT NULL,
    -- NULL if the server has no robots.txt: then allow_all decides.
    body       BLOB,
    allow_all  INTEGER NOT NULL CHECK (allow_all IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Processes on one database coordinate through leases: at most one process polls a source, and at most one sends
-- requests to an origin. A lease expires, so that a killed process blocks others only for a short time.
CREATE TABLE lease (
    resource_kind TEXT    NOT NULL CHECK (resource_kind IN ('source', 'origin')),
    -- The id of a source, or an origin such as https://news.example.
    resource      TEXT    NOT NULL,
    -- A random number for each poll: its owner may exchange the origin and release the lease. 0 for the delay after a
    -- request.
    owner_token   INTEGER NOT NULL,
    -- Name of the owning process, for messages. Only one process has the name 'the daemon'.
    holder        TEXT    NOT NULL,
    acquired_at   INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    PRIMARY KEY (resource_kind, resource)
) STRICT, WITHOUT ROWID;

CREATE INDEX lease_by_owner ON lease (owner_token);

-- Events that the health feed reports to the operator, once each.
CREATE TABLE operator_event (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    occurred_at  INTEGER NOT NULL,
    kind         TEXT    NOT NULL CHECK (kind IN ('broken', 'recovered', 'moved', 'gone', 'offline', 'online')),
    source_id    INTEGER REFERENCES source (id),
    -- The source's title at that time: a later change of the title does not affect the event.
    source_title TEXT,
    detail       TEXT    NOT NULL
) STRICT;

-- ---------------------------------------------------------------------------------------------------------------------
-- Items and stories

-- The items that report one event.
CREATE TABLE story (
    -- 60 bits, a hash of the first item; never a counter (domain::StoryId).
    id             INTEGER PRIMARY KEY,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    -- The item that represents the story.
    lead_item_id   INTEGER NOT NULL REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED,
    -- Never changes once set.
    published_at   INTEGER,
    -- The story to which this one redirects. A merged story has no items.
    merged_into    INTEGER REFERENCES story (id),
    -- Whether one of its items is news. A story that consists only of backlog is not published.
    has_news       INTEGER NOT NULL DEFAULT 0 CHECK (has_news IN (0, 1))
) STRICT;

CREATE INDEX story_unpublished ON story (created_at) WHERE published_at IS NULL AND merged_into IS NULL AND has_news = 1;
CREATE INDEX story_published ON story (published_at, id) WHERE merged_into IS NULL;
CREATE INDEX story_by_update ON story (updated_at, published_at, id) WHERE merged_into IS NULL;
-- Lists of published stories do not scan backlog: one new source may add more backlog than there are other stories.
CREATE INDEX story_published_by_update ON story (updated_at, published_at, id)
    WHERE merged_into IS NULL AND published_at IS NOT NULL;
CREATE INDEX story_merged ON story (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX story_by_lead ON story (lead_item_id);

-- An entry of a source's feed.
CREATE TABLE item (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id       INTEGER NOT NULL REFERENCES source (id),
    guid            TEXT    NOT NULL,
    url             TEXT,
    canonical_url   TEXT,
    title           TEXT    NOT NULL,
    summary         TEXT    NOT NULL,
    -- Sanitized HTML.
    content         TEXT,
    author          TEXT,
    lang            TEXT,
    image           TEXT,
    -- The publication that the feed names as the origin of the item: its name and outlet.
    reporter_name   TEXT,
    reporter_outlet TEXT,
    -- As JSON (domain::Enclosure).
    enclosures      TEXT    NOT NULL DEFAULT '[]',
    -- published_at is the date that the feed claims. ranked_at is the earlier of it and first_seen_at, and never
    -- changes.
    published_at    INTEGER,
    first_seen_at   INTEGER NOT NULL,
    ranked_at       INTEGER NOT NULL,
    -- Why the item is backlog (domain::BacklogReason); NULL for news. Decided when the item is first stored.
    backlog_reason  TEXT CHECK (backlog_reason IN
        ('old-in-first-document', 'undated-in-first-document', 'older-than-last-poll')),
    -- Assigned by the clusterer, in order of id.
    story_id        INTEGER REFERENCES story (id) DEFERRABLE INITIALLY DEFERRED,
    -- The original of this near-duplicate.
    copy_of         INTEGER REFERENCES item (id),
    -- Why the item joined its story, as JSON (domain::JoinEvidence).
    evidence        TEXT,
    assigned_at     INTEGER,
    -- State of the item's full article; NULL if the source has no full text.
    full_text_state TEXT CHECK (full_text_state IN ('pending', 'fetched', 'failed')),
    -- The paragraphs of the full article, one per line.
    full_text       TEXT,
    full_text_error TEXT
) STRICT;

CREATE INDEX item_backlog ON item (source_id) WHERE backlog_reason IS NOT NULL;
CREATE INDEX item_unassigned ON item (id) WHERE story_id IS NULL;
CREATE INDEX item_by_story ON item (story_id, ranked_at, id);
CREATE INDEX item_by_link ON item (source_id, canonical_url);
CREATE INDEX item_by_first_seen ON item (first_seen_at);
-- Identifies items by title or date, for sources that change both guids and links.
CREATE INDEX item_by_day ON item (source_id, ranked_at);
CREATE INDEX item_copy ON item (copy_of) WHERE copy_of IS NOT NULL;
CREATE INDEX item_full_text_pending ON item (id) WHERE full_text_state = 'pending';

CREATE TRIGGER story_gains_news AFTER UPDATE OF story_id ON item
WHEN new.story_id IS NOT NULL AND new.backlog_reason IS NULL BEGIN
    UPDATE story SET has_news = 1 WHERE id = new.story_id AND has_news = 0;
END;

CREATE TRIGGER story_loses_news AFTER UPDATE OF story_id ON item
WHEN old.story_id IS NOT NULL AND old.story_id IS NOT new.story_id BEGIN
    UPDATE story SET has_news = EXISTS (SELECT 1 FROM item WHERE story_id = old.story_id AND backlog_reason IS NULL)
    WHERE id = old.story_id;
END;

-- Every guid under which a source has shown an item: a source that rewrites its guids creates no new items. A row without
-- an item is a tombstone: the item was removed for its age, and its source may still show it.
CREATE TABLE item_guid (
    source_id     INTEGER NOT NULL REFERENCES source (id),
    guid          TEXT    NOT NULL,
    item_id       INTEGER REFERENCES item (id),
    -- How the item was recognized when it first appeared under this guid.
    matched_by    TEXT    NOT NULL CHECK (matched_by IN ('guid', 'link', 'title', 'text')),
    -- Tombstones only: when the source last showed the item, to the day.
    last_shown_at INTEGER,
    PRIMARY KEY (source_id, guid)
) STRICT, WITHOUT ROWID;

CREATE INDEX item_guid_by_item ON item_guid (item_id);
CREATE INDEX item_guid_tombstone ON item_guid (last_shown_at) WHERE item_id IS NULL;

-- The links of removed items, with the properties by which they are recognized if their source also rewrites its guids.
CREATE TABLE link_tombstone (
    source_id     INTEGER NOT NULL REFERENCES source (id),
    canonical_url TEXT    NOT NULL,
    title         TEXT    NOT NULL,
    -- XXH3 of the summary.
    text_hash     INTEGER NOT NULL,
    published_at  INTEGER,
    last_shown_at INTEGER NOT NULL,
    PRIMARY KEY (source_id, canonical_url, title, text_hash)
) STRICT, WITHOUT ROWID;

-- Earlier versions of an item.
CREATE TABLE item_revision (
    item_id      INTEGER NOT NULL REFERENCES item (id),
    replaced_at  INTEGER NOT NULL,
    title        TEXT    NOT NULL,
    summary      TEXT    NOT NULL,
    published_at INTEGER,
    -- NULL if the content did not change, or was too long to be kept.
    content      TEXT,
    PRIMARY KEY (item_id, replaced_at)
) STRICT, WITHOUT ROWID;

-- Full-text index over titles and summaries. It is contentless, because newsfold's function `search_text` changes the
-- text: it splits scripts without spaces into pairs of characters. Combining marks count as letters: in Thai they are
-- vowels.
CREATE VIRTUAL TABLE item_fts USING fts5 (
    title, summary, content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
);

CREATE TRIGGER item_fts_insert AFTER INSERT ON item BEGIN
    INSERT INTO item_fts (rowid, title, summary) VALUES (new.id, search_text(new.title), search_text(new.summary));
END;

CREATE TRIGGER item_fts_update AFTER UPDATE OF title, summary ON item BEGIN
    UPDATE item_fts SET title = search_text(new.title), summary = search_text(new.summary) WHERE rowid = new.id;
END;

CREATE TRIGGER item_fts_delete AFTER DELETE ON item BEGIN
    DELETE FROM item_fts WHERE rowid = old.id;
END;

-- The operator's corrections of the grouping, which every later pass respects. They can be undone but are never
-- deleted.
CREATE TABLE grouping_constraint (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    -- merge: all items report one event. split: the moved items report a different event from those that stayed.
    -- cannot-link: the two items report different events.
    kind      TEXT    NOT NULL CHECK (kind IN ('merge', 'split', 'cannot-link')),
    made_at   INTEGER NOT NULL,
    undone_at INTEGER
) STRICT;

CREATE TABLE grouping_constraint_item (
    constraint_id     INTEGER NOT NULL REFERENCES grouping_constraint (id),
    item_id           INTEGER NOT NULL REFERENCES item (id),
    -- 0: the item stayed. 1: the item moved to the story of the others (merge), or out of it (split). For cannot-link,
    -- there is one item on each side.
    side              INTEGER NOT NULL CHECK (side IN (0, 1)),
    -- The story to which the item returns when the constraint is undone.
    previous_story_id INTEGER NOT NULL REFERENCES story (id),
    PRIMARY KEY (constraint_id, item_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX grouping_constraint_item_by_item ON grouping_constraint_item (item_id);
CREATE INDEX grouping_constraint_item_by_story ON grouping_constraint_item (previous_story_id);

-- ---------------------------------------------------------------------------------------------------------------------
-- Published feeds

-- A story as readers see it from a given time on. A row is written once and never changes.
CREATE TABLE edition (
    story_id     INTEGER NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    -- 1, 2, 3 … within the story.
    number       INTEGER NOT NULL,
    made_at      INTEGER NOT NULL,
    -- first, grown, corrected, merged; or entered: made for a single feed when the story entered it.
    reason       TEXT    NOT NULL,
    outlet_count INTEGER NOT NULL,
    -- domain::EditionText as JSON.
    text         TEXT    NOT NULL,
    PRIMARY KEY (story_id, number)
) STRICT, WITHOUT ROWID;

-- The stories of each feed, in the order in which they entered it.
CREATE TABLE feed_entry (
    feed           TEXT    NOT NULL,
    -- 1, 2, 3 … within the feed: archive pages are ranges of these numbers.
    sequence       INTEGER NOT NULL,
    story_id       INTEGER NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    -- The story's latest edition at that time, which the stable variant of the feed keeps.
    edition_number INTEGER NOT NULL,
    entered_at     INTEGER NOT NULL,
    -- A copy of the story's date, which never changes, so that the newest date of a feed is found without reading its
    -- stories.
    published_at   INTEGER NOT NULL,
    PRIMARY KEY (feed, sequence),
    UNIQUE (feed, story_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX feed_entry_by_story ON feed_entry (story_id);
CREATE INDEX feed_entry_by_date ON feed_entry (feed, published_at);

-- The last sequence number of each feed. Numbers are never reused, so that removals do not change archive pages.
CREATE TABLE feed_sequence (
    feed          TEXT PRIMARY KEY,
    last_sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The selection by which a feed's entries were chosen. If the configured selection differs, the entries are rebuilt. If
-- the selection is only stale, because tags of sources changed, the stories that match now are added.
CREATE TABLE feed_selection (
    feed           TEXT PRIMARY KEY,
    selection      TEXT    NOT NULL,
    stale          INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1)),
    -- When newsfold first saw the feed in the configuration: the date of its documents while it is empty.
    first_known_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER feed_selection_stale_on_added_tag AFTER INSERT ON source_tag BEGIN
    UPDATE feed_selection SET stale = 1;
END;

CREATE TRIGGER feed_selection_stale_on_removed_tag AFTER DELETE ON source_tag BEGIN
    UPDATE feed_selection SET stale = 1;
END;

CREATE TRIGGER feed_selection_stale_on_source AFTER UPDATE OF outlet, lang, aggregator ON source
WHEN old.outlet IS NOT new.outlet OR old.lang IS NOT new.lang OR old.aggregator IS NOT new.aggregator BEGIN
    UPDATE feed_selection SET stale = 1;
END;

-- The access tokens of private feeds.
CREATE TABLE feed_token (
    feed    TEXT PRIMARY KEY,
    token   TEXT    NOT NULL,
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The hash of the bytes last served for each document, and when they were first served: Last-Modified survives restarts
-- and changes whenever the bytes do.
CREATE TABLE feed_last_modified (
    feed         TEXT    NOT NULL,
    format       TEXT    NOT NULL,
    content_hash TEXT    NOT NULL,
    modified_at  INTEGER NOT NULL,
    PRIMARY KEY (feed, format)
) STRICT, WITHOUT ROWID;

-- The published stories that the publisher has to review, and when. The generation increases with every change of the
-- story, so that the publisher notices a change during its review.
CREATE TABLE story_review_queue (
    story_id   INTEGER PRIMARY KEY REFERENCES story (id) ON DELETE CASCADE,
    review_at  INTEGER NOT NULL,
    generation INTEGER NOT NULL
) STRICT;

CREATE INDEX story_review_queue_by_time ON story_review_queue (review_at);

-- Publication itself enqueues the story: it may have changed between the publisher's read and its write.
CREATE TRIGGER story_review_on_change AFTER UPDATE OF updated_at, merged_into, published_at ON story
WHEN new.published_at IS NOT NULL AND new.merged_into IS NULL BEGIN
    INSERT INTO story_review_queue (story_id, review_at, generation) VALUES (new.id, 0, 1)
    ON CONFLICT (story_id) DO UPDATE SET review_at = 0, generation = generation + 1;
END;

-- Version counters of the published documents, in a single row. A rendered document is valid until the version changes.
CREATE TABLE publication (
    singleton     INTEGER PRIMARY KEY CHECK (singleton = 1),
    -- Increases when a page or a feed may have changed.
    version       INTEGER NOT NULL,
    -- Increases when a feed may have changed, which happens far less often.
    feeds_version INTEGER NOT NULL,
    -- Random and permanent: distinguishes this database's feeds from those of any other, wherever they are served.
    instance      TEXT    NOT NULL
) STRICT;

INSERT INTO publication (singleton, version, feeds_version, instance) VALUES (1, 0, 0, lower(hex(randomblob(16))));

CREATE TRIGGER feeds_version_on_edition AFTER INSERT ON edition BEGIN
    UPDATE publication SET feeds_version = feeds_version + 1;
END;

CREATE TRIGGER feeds_version_on_added_entry AFTER INSERT ON feed_entry BEGIN
    UPDATE publication SET feeds_version = feeds_version + 1;
END;

CREATE TRIGGER feeds_version_on_removed_entry AFTER DELETE ON feed_entry BEGIN
    UPDATE publication SET feeds_version = feeds_version + 1;
END;

CREATE TRIGGER feeds_version_on_merge AFTER UPDATE OF merged_into ON story BEGIN
    UPDATE publication SET feeds_version = feeds_version + 1;
END;

CREATE TRIGGER feeds_version_on_operator_event AFTER INSERT ON operator_event BEGIN
    UPDATE publication SET feeds_version = feeds_version + 1;
END;

CREATE TRIGGER feeds_version_on_source AFTER UPDATE OF priority, full_text, state, title ON source BEGIN
    UPDATE publication SET feeds_version = feeds_version + 1;
END;

-- ---------------------------------------------------------------------------------------------------------------------
-- WebSub (W3C Recommendation, 23 January 2018)

-- As a subscriber: one row for each source whose feed has declared a hub, whatever the state of the subscription.
CREATE TABLE websub_subscription (
    source_id           INTEGER PRIMARY KEY REFERENCES source (id),
    -- Hub and topic that the feed declares now, as JSON (domain::DeclaredHub); NULL once it declares no hub.
    declared            TEXT,
    -- Hub and topic of the last request, in the same form, and the URL that the hub calls. The token is the last path
    -- segment of the callback. Token and secret are generated for each subscription and are never logged.
    requested           TEXT,
    callback            TEXT,
    token               TEXT    UNIQUE,
    secret              TEXT,
    state               TEXT    NOT NULL DEFAULT 'inactive'
        CHECK (state IN ('inactive', 'requested', 'active', 'unsubscribing', 'denied', 'failed')),
    -- Whether the hub has been asked to renew an active subscription.
    renewing            INTEGER NOT NULL DEFAULT 0 CHECK (renewing IN (0, 1)),
    requested_at        INTEGER,
    -- The time of the next step. It is moved forward before a request is sent, so that a crash never causes an early
    -- request.
    next_action_at      INTEGER,
    -- Set while the subscription is active or being ended.
    lease_until         INTEGER,
    failures            INTEGER NOT NULL DEFAULT 0,
    -- Number of documents that were accepted, and of those that were rejected because of their signature.
    pushes              INTEGER NOT NULL DEFAULT 0,
    rejected_pushes     INTEGER NOT NULL DEFAULT 0,
    last_push_at        INTEGER,
    -- Whether pushes have proved reliable, so that polls are only a safety net.
    reliable            INTEGER NOT NULL DEFAULT 0 CHECK (reliable IN (0, 1)),
    -- While polls are a safety net: the time of the next poll, and the time that the source's own schedule would choose.
    deferred_until      INTEGER,
    undeferred_poll_at  INTEGER,
    -- The last event that an operator may want to know about, as JSON.
    last_event          TEXT
) STRICT;

CREATE INDEX websub_subscription_by_time ON websub_subscription (next_action_at) WHERE next_action_at IS NOT NULL;
CREATE INDEX websub_subscription_by_lease ON websub_subscription (lease_until) WHERE lease_until IS NOT NULL;

-- When a source changes state, its subscription is updated immediately.
CREATE TRIGGER websub_subscription_on_source_state AFTER UPDATE OF state ON source WHEN old.state <> new.state BEGIN
    UPDATE websub_subscription SET next_action_at = 0 WHERE source_id = new.id;
END;

-- As a hub: verified subscriptions to the documents of our feeds.
CREATE TABLE websub_subscriber (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    -- URL of the document.
    topic           TEXT    NOT NULL,
    -- Anyone who knows the callback can send documents to it, so it is never logged.
    callback        TEXT    NOT NULL,
    host            TEXT    NOT NULL,
    -- Key for signatures; NULL if the subscriber sent none.
    secret          TEXT,
    subscribed_at   INTEGER NOT NULL,
    lease_until     INTEGER NOT NULL,
    -- Hash of the last document delivered. NULL for a new subscriber until the hash of the current document is known,
    -- which counts as delivered.
    delivered_hash  TEXT,
    delivered_at    INTEGER,
    deliveries      INTEGER NOT NULL DEFAULT 0,
    -- Consecutive failed deliveries, and the earliest time of the next attempt. Both are updated before a request is sent.
    failures        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL DEFAULT 0,
    -- Why the last delivery failed, as JSON; NULL if it succeeded.
    last_failure    TEXT,
    UNIQUE (topic, callback)
) STRICT;

-- Finds the subscribers that lack a document's newest bytes, without scanning the others.
CREATE INDEX websub_subscriber_by_delivery ON websub_subscriber (topic, delivered_hash);
CREATE INDEX websub_subscriber_by_host ON websub_subscriber (host);
CREATE INDEX websub_subscriber_by_lease ON websub_subscriber (lease_until);

-- Requests to subscribe or unsubscribe that their callbacks have not confirmed yet.
CREATE TABLE websub_subscriber_request (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    topic     TEXT    NOT NULL,
    callback  TEXT    NOT NULL,
    host      TEXT    NOT NULL,
    -- Client address; NULL if a reverse proxy does not pass it on.
    client    TEXT,
    mode      TEXT    NOT NULL CHECK (mode IN ('subscribe', 'unsubscribe')),
    secret    TEXT,
    -- Requested duration of the lease.
    lease     INTEGER NOT NULL,
    verify_at INTEGER NOT NULL,
    -- Number of verification requests whose results were not recorded, because the program stopped.
    attempts  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, callback)
) STRICT;

CREATE INDEX websub_subscriber_request_by_time ON websub_subscriber_request (verify_at);

-- The accepted requests of the last hour. The rate limits count them, so that the hub cannot be used to flood others.
CREATE TABLE verification_log (
    -- When the callback is, or was, asked to confirm.
    verify_at INTEGER NOT NULL,
    topic     TEXT    NOT NULL,
    callback  TEXT    NOT NULL,
    host      TEXT    NOT NULL,
    client    TEXT
) STRICT;

CREATE INDEX verification_log_by_time ON verification_log (verify_at);
CREATE INDEX verification_log_by_callback ON verification_log (callback, topic, verify_at);
CREATE INDEX verification_log_by_host ON verification_log (host, verify_at);
CREATE INDEX verification_log_by_client ON verification_log (client, verify_at);

-- The hash of the newest bytes of each document that has subscribers or is announced to hubs.
CREATE TABLE feed_state (
    topic        TEXT    PRIMARY KEY,
    content_hash TEXT    NOT NULL,
    changed_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- As a publisher: the last change of each document that each configured hub was notified of.
CREATE TABLE hub_notification (
    hub             TEXT    NOT NULL,
    topic           TEXT    NOT NULL,
    notified_hash   TEXT,
    notified_at     INTEGER,
    failures        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL DEFAULT 0,
    -- Why the last notification failed, as JSON; NULL if it succeeded.
    last_failure    TEXT,
    PRIMARY KEY (hub, topic)
) STRICT, WITHOUT ROWID;
