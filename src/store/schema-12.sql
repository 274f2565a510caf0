-- Tokens by which scripts read /api/v1: only what each was made of by a hash, and what it may.

CREATE TABLE token (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT    NOT NULL,
    hash      TEXT    NOT NULL UNIQUE,             -- SHA-256: the token itself is 256 random bits and stored nowhere
    may       TEXT    NOT NULL,                    -- words of actions, with commas
    made_ms   INTEGER NOT NULL,
    made_by   TEXT    NOT NULL,
    until_ms  INTEGER,
    used_ms   INTEGER,
    used_from TEXT,
    ended_ms  INTEGER,
    ended_by  TEXT
);
CREATE UNIQUE INDEX token_in_force ON token (name) WHERE ended_ms IS NULL;
