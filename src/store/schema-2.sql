-- A PBX that was restored from a backup uses recording ids again, so an id alone names nothing: epoch counts how many
-- other recordings had it before. What became of the PBX's own copy is kept beside what is known here.

CREATE TABLE recording_2 (
    id          INTEGER PRIMARY KEY,
    pbx_id      INTEGER NOT NULL,
    epoch       INTEGER NOT NULL DEFAULT 0,
    call        INTEGER REFERENCES call (id),
    started_ms  INTEGER,
    ended_ms    INTEGER,
    extension   TEXT,
    from_dn     TEXT,
    to_dn       TEXT,
    state       TEXT    NOT NULL,
    code        TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_mono   INTEGER NOT NULL,
    boot        TEXT    NOT NULL,
    file        TEXT,
    bytes       INTEGER,
    sha256      TEXT,
    media_type  TEXT,
    audio_ms    INTEGER,
    handed      INTEGER NOT NULL DEFAULT 0,       -- deliveries were made for it
    seen_ms     INTEGER NOT NULL,
    held_ms     INTEGER,
    synced      INTEGER,                          -- whether the clock was synchronised when it was held
    pbx_copy    TEXT,                             -- what became of the PBX's copy; NULL: it is there
    pbx_copy_ms INTEGER,
    transcript  TEXT,
    summary     TEXT,
    sentiment   INTEGER,                          -- 1 (worst) to 5 (best)
    UNIQUE (pbx_id, epoch)
);
INSERT INTO recording_2 (id, pbx_id, call, started_ms, ended_ms, extension, from_dn, to_dn, state, code, reason, attempts,
    next_mono, boot, file, bytes, sha256, media_type, audio_ms, handed, seen_ms, held_ms, synced)
SELECT id, pbx_id, call, started_ms, ended_ms, extension, from_dn, to_dn, state, code, reason, attempts,
    next_mono, boot, file, bytes, sha256, media_type, audio_ms, handed, seen_ms, held_ms, synced FROM recording;
DROP TABLE recording;
ALTER TABLE recording_2 RENAME TO recording;
CREATE INDEX recording_by_call  ON recording (call);
CREATE INDEX recording_by_start ON recording (started_ms);
CREATE INDEX recording_waiting  ON recording (next_mono) WHERE state = 'waiting';
CREATE INDEX recording_on_disk  ON recording (held_ms, bytes) WHERE file IS NOT NULL;
CREATE INDEX recording_to_hand  ON recording (id) WHERE state = 'held' AND handed = 0;
CREATE INDEX recording_unlinked ON recording (id) WHERE call IS NULL;

ALTER TABLE leg ADD COLUMN sentiment INTEGER;

-- Other ids of the PBX for a call that is known by the one it was first seen under: before 20.0.6 rows have no ids, and
-- the same call gets one when the PBX is upgraded.
CREATE TABLE call_alias (
    key  TEXT PRIMARY KEY,
    call INTEGER NOT NULL REFERENCES call (id)
) WITHOUT ROWID;
CREATE INDEX call_alias_by_call ON call_alias (call);
