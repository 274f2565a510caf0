-- Moments are Unix milliseconds (UTC) and end in _ms; _mono are monotonic milliseconds of the boot in boot.

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE call (
    id              INTEGER PRIMARY KEY,
    key             TEXT    NOT NULL UNIQUE,      -- MainCallHistoryId
    started_ms      INTEGER NOT NULL,
    ended_ms        INTEGER NOT NULL,
    direction       TEXT    NOT NULL,
    outcome         TEXT    NOT NULL,
    from_dn TEXT, from_number TEXT, from_name TEXT, from_kind INTEGER,
    to_dn   TEXT, to_number   TEXT, to_name   TEXT, to_kind   INTEGER,
    ringing_ms      INTEGER NOT NULL,
    talking_ms      INTEGER NOT NULL,
    revision        INTEGER NOT NULL,
    handed_revision INTEGER NOT NULL DEFAULT 0,
    settle_mono     INTEGER NOT NULL,             -- handed over when it has not changed until then
    boot            TEXT    NOT NULL,
    seen_ms         INTEGER NOT NULL
);
CREATE INDEX call_by_start ON call (started_ms);
CREATE INDEX call_to_hand  ON call (settle_mono) WHERE handed_revision < revision;

CREATE TABLE leg (
    cdr_id     TEXT    PRIMARY KEY,               -- CdrId
    call       INTEGER NOT NULL REFERENCES call (id),
    history_id TEXT,
    started_ms INTEGER NOT NULL,
    ringing_ms INTEGER NOT NULL,
    talking_ms INTEGER NOT NULL,
    answered   INTEGER NOT NULL,
    direction TEXT, kind TEXT, status TEXT, reason TEXT,
    from_dn TEXT, from_number TEXT, from_name TEXT, from_kind INTEGER,
    to_dn   TEXT, to_number   TEXT, to_name   TEXT, to_kind   INTEGER,
    recordings TEXT    NOT NULL,                  -- JSON list of the PBX's recording ids
    transcript TEXT,
    summary    TEXT
) WITHOUT ROWID;
CREATE INDEX leg_by_call  ON leg (call);
CREATE INDEX leg_by_start ON leg (started_ms);

CREATE TABLE recording (
    id         INTEGER PRIMARY KEY,
    pbx_id     INTEGER NOT NULL UNIQUE,
    call       INTEGER REFERENCES call (id),
    started_ms INTEGER,
    ended_ms   INTEGER,
    extension  TEXT,
    from_dn    TEXT,
    to_dn      TEXT,
    state      TEXT    NOT NULL,
    code       TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_mono  INTEGER NOT NULL,
    boot       TEXT    NOT NULL,
    file       TEXT,
    bytes      INTEGER,
    sha256     TEXT,
    media_type TEXT,
    audio_ms   INTEGER,
    handed     INTEGER NOT NULL DEFAULT 0,        -- deliveries were made for it
    seen_ms    INTEGER NOT NULL,
    held_ms    INTEGER,
    synced     INTEGER                            -- whether the clock was synchronised when it was held
);
CREATE INDEX recording_by_call  ON recording (call);
CREATE INDEX recording_waiting  ON recording (next_mono) WHERE state = 'waiting';
CREATE INDEX recording_on_disk  ON recording (held_ms, bytes) WHERE file IS NOT NULL;
CREATE INDEX recording_to_hand  ON recording (id) WHERE state = 'held' AND handed = 0;
CREATE INDEX recording_unlinked ON recording (id) WHERE call IS NULL;

CREATE TABLE delivery (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,         -- made once, stored before the first send, used for ever (D6)
    target       TEXT    NOT NULL,
    call         INTEGER NOT NULL REFERENCES call (id),
    recording    INTEGER REFERENCES recording (id),
    kind         TEXT    NOT NULL,
    body         TEXT,
    state        TEXT    NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_mono    INTEGER NOT NULL,
    boot         TEXT    NOT NULL,
    code         TEXT    NOT NULL DEFAULT '',
    reason       TEXT    NOT NULL DEFAULT '',
    receipt      TEXT,
    created_ms   INTEGER NOT NULL,
    delivered_ms INTEGER,
    synced       INTEGER
);
CREATE INDEX delivery_open      ON delivery (target, seq) WHERE state <> 'delivered';
CREATE INDEX delivery_done      ON delivery (target, delivered_ms) WHERE state = 'delivered';
CREATE INDEX delivery_by_call   ON delivery (call, target, seq);
CREATE INDEX delivery_by_record ON delivery (recording) WHERE recording IS NOT NULL;

CREATE TABLE target (
    name        TEXT PRIMARY KEY,
    failures    INTEGER NOT NULL,                 -- in a row; the circuit is open from a few on
    retry_mono  INTEGER NOT NULL,                 -- nothing is sent before
    boot        TEXT    NOT NULL,
    disabled    INTEGER NOT NULL,                 -- the target answered 410: not before somebody says so
    code        TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    last_ok_ms  INTEGER,
    since_ms    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE event (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    topic      TEXT    NOT NULL,                  -- below the box's own topic
    payload    BLOB    NOT NULL,
    boot       TEXT    NOT NULL,
    mono       INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    synced     INTEGER
);

CREATE TABLE gap (
    id      INTEGER PRIMARY KEY,                  -- a stretch of history that is still to be read
    from_ms INTEGER NOT NULL,
    to_ms   INTEGER NOT NULL
);

CREATE TABLE snapshot (
    version  INTEGER PRIMARY KEY AUTOINCREMENT,
    digest   TEXT    NOT NULL,
    taken_ms INTEGER NOT NULL,                    -- first seen like this
    read_ms  INTEGER NOT NULL,                    -- last confirmed
    mono     INTEGER NOT NULL,
    boot     TEXT    NOT NULL
);

CREATE TABLE person (
    id                    INTEGER PRIMARY KEY,
    extension             TEXT    NOT NULL UNIQUE,
    name                  TEXT    NOT NULL,
    enabled               INTEGER NOT NULL,
    records_calls         INTEGER,
    records_external_only INTEGER
);

CREATE TABLE department (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    number TEXT,
    rights TEXT NOT NULL                          -- JSON: what each role may do in it
);

CREATE TABLE membership (
    person      INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    department  INTEGER NOT NULL,
    role        TEXT,
    rights      TEXT    NOT NULL,                 -- JSON: the member's own
    role_rights TEXT    NOT NULL,
    PRIMARY KEY (person, department)
) WITHOUT ROWID;

CREATE TABLE peer (
    number      TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    departments TEXT NOT NULL                     -- JSON list of ids
) WITHOUT ROWID;
