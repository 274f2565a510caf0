-- Links to recordings in an object store, for targets that take an address and no audio.

CREATE TABLE link (
    id         INTEGER PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE,           -- SHA-256 of the token in the address; the token itself is nowhere here
    target     TEXT    NOT NULL,                  -- who was told
    store      TEXT    NOT NULL,                  -- the target that has the object
    object     TEXT    NOT NULL,                  -- its name there
    call       INTEGER NOT NULL REFERENCES call (id),
    recording  INTEGER NOT NULL REFERENCES recording (id) ON DELETE CASCADE,
    made_ms    INTEGER NOT NULL,
    until_ms   INTEGER NOT NULL,
    revoked_ms INTEGER,
    uses       INTEGER NOT NULL DEFAULT 0,
    used_ms    INTEGER                            -- last
);
CREATE INDEX link_by_call      ON link (call);
CREATE INDEX link_by_recording ON link (recording);

-- The target whose object must be there before this delivery can go out.
ALTER TABLE delivery ADD COLUMN awaits TEXT;

-- Retention looks at those whose time counts, however many wait for a target that is down.
CREATE INDEX recording_kept ON recording (safe_ms) WHERE file IS NOT NULL AND safe_ms IS NOT NULL;
