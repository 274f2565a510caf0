-- Retention, holds and erasure.

-- When, by known time, every target was seen to have the recording.
ALTER TABLE recording ADD COLUMN safe_ms INTEGER;
CREATE INDEX recording_to_judge ON recording (id) WHERE file IS NOT NULL AND safe_ms IS NULL;

-- How much time is known to have passed on this box: what a monotonic clock counted, and over a restart what two
-- synchronised readings of the wall clock are apart. Whatever is deleted by its age is deleted by this one.
CREATE TABLE known_time (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    ms      INTEGER NOT NULL,
    mono    INTEGER NOT NULL,
    boot    TEXT    NOT NULL,
    wall_ms INTEGER NOT NULL,
    synced  INTEGER
);

-- What there was at a moment of known time: what has these numbers or lower ones is at least as old.
CREATE TABLE age_mark (
    ms    INTEGER PRIMARY KEY,
    call  INTEGER NOT NULL,
    event INTEGER NOT NULL,
    audit INTEGER NOT NULL
);

-- A number that was given is never given again: the audit, holds and marks speak of it.
CREATE TABLE used_id (name TEXT PRIMARY KEY, most INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER call_ids_come_once AFTER DELETE ON call
BEGIN
    INSERT INTO used_id (name, most) VALUES ('call', OLD.id)
    ON CONFLICT (name) DO UPDATE SET most = max(most, OLD.id);
END;

CREATE TRIGGER recording_ids_come_once AFTER DELETE ON recording
BEGIN
    INSERT INTO used_id (name, most) VALUES ('recording', OLD.id)
    ON CONFLICT (name) DO UPDATE SET most = max(most, OLD.id);
END;

-- What nothing deletes until somebody says so. Exactly one of call, number and extension.
CREATE TABLE hold (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    call      INTEGER,
    number    TEXT,
    extension TEXT,
    until_ms  INTEGER,                            -- NULL: until it is released
    until_age INTEGER,                            -- the same by known time: both must have come
    given_by  TEXT    NOT NULL,
    why       TEXT    NOT NULL,
    given_ms  INTEGER NOT NULL,
    ended_ms  INTEGER,
    ended_by  TEXT,
    ended_why TEXT,
    CHECK ((call IS NULL) + (number IS NULL) + (extension IS NULL) = 2)
);
CREATE INDEX hold_in_force ON hold (id) WHERE ended_ms IS NULL;

-- The calls that holds in force keep.
CREATE TABLE hold_call (
    call INTEGER NOT NULL REFERENCES call (id) ON DELETE CASCADE,
    hold INTEGER NOT NULL REFERENCES hold (id),
    PRIMARY KEY (call, hold)
) WITHOUT ROWID;
CREATE INDEX hold_call_by_hold ON hold_call (hold);

-- Erasures of a person. What is left of one is what it came to, without the number.
CREATE TABLE erasure (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    state       TEXT    NOT NULL,                 -- noting, erasing, scrubbing, asking, done
    number      TEXT,                             -- only as long as something here has it
    asked_by    TEXT    NOT NULL,
    why         TEXT    NOT NULL,
    asked_ms    INTEGER NOT NULL,
    done_ms     INTEGER,
    calls       INTEGER NOT NULL DEFAULT 0,
    shared      INTEGER NOT NULL DEFAULT 0,       -- … of which another outside party had a part that stays
    legs        INTEGER NOT NULL DEFAULT 0,
    recordings  INTEGER NOT NULL DEFAULT 0,
    transcripts INTEGER NOT NULL DEFAULT 0,
    deliveries  INTEGER NOT NULL DEFAULT 0,
    events      INTEGER NOT NULL DEFAULT 0,
    cdr_lines   INTEGER NOT NULL DEFAULT 0,
    on_hold     INTEGER NOT NULL DEFAULT 0        -- calls that a hold kept
);

-- The calls that are being erased: nothing of them is handed over or sent any more.
CREATE TABLE erasure_call (
    call    INTEGER PRIMARY KEY REFERENCES call (id) ON DELETE CASCADE,
    erasure INTEGER NOT NULL REFERENCES erasure (id)
);

-- Which targets have noted what they would have to be asked for.
CREATE TABLE erasure_target (
    erasure INTEGER NOT NULL REFERENCES erasure (id),
    target  TEXT    NOT NULL,
    PRIMARY KEY (erasure, target)
) WITHOUT ROWID;

CREATE TABLE erasure_item (
    id         INTEGER PRIMARY KEY,
    erasure    INTEGER NOT NULL REFERENCES erasure (id),
    target     TEXT    NOT NULL,
    what       TEXT    NOT NULL,                  -- as the target knows it
    state      TEXT    NOT NULL,                  -- open, erased, refused, by-hand
    detail     TEXT    NOT NULL DEFAULT '',
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_mono  INTEGER NOT NULL DEFAULT 0,
    boot       TEXT    NOT NULL DEFAULT '',
    changed_ms INTEGER NOT NULL,
    UNIQUE (erasure, target, what)
);
CREATE INDEX erasure_item_open ON erasure_item (target, id) WHERE state = 'open';

-- Tombstones: keyed hashes of what the PBX may tell again. No number, no name.
CREATE TABLE erased (
    mark    TEXT PRIMARY KEY,
    whole   INTEGER NOT NULL,                     -- of a call that is erased as a whole
    erasure INTEGER NOT NULL
) WITHOUT ROWID;

-- The audit too goes by known time: up to a row, whatever the clock said when it was written.
DROP TRIGGER audit_keeps_its_rows;
DROP TABLE audit_retention;
CREATE TABLE audit_retention (up_to INTEGER NOT NULL);
CREATE TRIGGER audit_keeps_its_rows BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM audit_retention WHERE OLD.id <= up_to)
BEGIN SELECT raise(ABORT, 'the audit is append-only; only retention takes rows away'); END;

-- Its one row says that everything ever deleted in this file was overwritten.
CREATE TABLE clean_store (one INTEGER PRIMARY KEY CHECK (one = 1));
