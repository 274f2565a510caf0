-- Who a call belongs to, rights that are given here, accounts, and the audit.

ALTER TABLE person ADD COLUMN shows_recordings INTEGER;
ALTER TABLE person ADD COLUMN deletes_recordings INTEGER;
ALTER TABLE person ADD COLUMN console TEXT NOT NULL DEFAULT '[]';    -- JSON: permissions of the console of v12 to v15.5

-- How old the rights are, for a clock that was set back and for a machine that was off: their age at the moment `mono`
-- of `boot`, and the wall clock at that moment.
ALTER TABLE snapshot ADD COLUMN aged_ms  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE snapshot ADD COLUMN noted_ms INTEGER NOT NULL DEFAULT 0;

-- Everybody who ever had an extension, by a number of our own: the PBX gives extensions, and after a restore its ids,
-- to others, and nobody must inherit calls with them.
CREATE TABLE holder (
    id      INTEGER PRIMARY KEY,
    person  INTEGER NOT NULL,                     -- the PBX's id, as last seen
    dn      TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    present INTEGER NOT NULL                      -- is in the directory in force
);
CREATE UNIQUE INDEX holder_of_dn ON holder (dn) WHERE present = 1;
CREATE INDEX holder_by_person    ON holder (person);
CREATE INDEX holder_by_dn        ON holder (dn);

-- Who took part in a call, as it was when the call was first seen.
CREATE TABLE party (
    call       INTEGER NOT NULL REFERENCES call (id) ON DELETE CASCADE,
    dn         TEXT    NOT NULL,
    started_ms INTEGER NOT NULL,                  -- the call's, so that a list can be read off the index
    holder     INTEGER,                           -- who had the extension; NULL for queues and what nobody knew
    spoke      INTEGER NOT NULL,
    known      INTEGER NOT NULL,                  -- version of the directory that knew the number; 0 = the one in force
                                                  -- did not, -1 = there was none
    PRIMARY KEY (call, dn)
) WITHOUT ROWID;
CREATE INDEX party_by_holder ON party (holder, started_ms, call) WHERE holder IS NOT NULL;
CREATE INDEX party_unknown   ON party (dn) WHERE known <= 0;

CREATE TABLE party_department (
    call       INTEGER NOT NULL REFERENCES call (id) ON DELETE CASCADE,
    dn         TEXT    NOT NULL,
    department INTEGER NOT NULL,                  -- the PBX's id
    started_ms INTEGER NOT NULL,
    PRIMARY KEY (call, dn, department)
) WITHOUT ROWID;
CREATE INDEX party_by_department ON party_department (department, started_ms, call);

-- Calls that are here already get their parties when the next directory is read: what it says is "known at first sight".
INSERT OR IGNORE INTO party (call, dn, started_ms, holder, spoke, known)
    SELECT leg.call, leg.from_dn, call.started_ms, NULL, 0, -1
    FROM leg JOIN call ON call.id = leg.call WHERE leg.from_dn IS NOT NULL AND leg.from_kind IS NOT 1;
INSERT OR IGNORE INTO party (call, dn, started_ms, holder, spoke, known)
    SELECT leg.call, leg.to_dn, call.started_ms, NULL, 0, -1
    FROM leg JOIN call ON call.id = leg.call WHERE leg.to_dn IS NOT NULL AND leg.to_kind IS NOT 1;
UPDATE party SET spoke = 1 WHERE EXISTS (
    SELECT 1 FROM leg WHERE leg.call = party.call AND leg.answered AND leg.talking_ms > 0
        AND party.dn IN (leg.from_dn, leg.to_dn));
UPDATE snapshot SET digest = '';

-- Grants that are given on this box.
CREATE TABLE local_grant (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    holder     INTEGER REFERENCES holder (id),    -- to a person …
    role       TEXT,                              -- … or to a role of the PBX, or 'technician'
    action     TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    department INTEGER,                           -- NULL = the person's own departments
    until_ms   INTEGER,
    given_by   TEXT    NOT NULL,
    why        TEXT    NOT NULL,
    given_ms   INTEGER NOT NULL,
    ended_ms   INTEGER,                           -- taken back, or seen to have expired: never comes back
    ended_by   TEXT,
    CHECK ((holder IS NULL) <> (role IS NULL))
);
CREATE INDEX local_grant_of_holder ON local_grant (holder) WHERE ended_ms IS NULL;
CREATE INDEX local_grant_of_role   ON local_grant (role)   WHERE ended_ms IS NULL;

-- People who log in here.
CREATE TABLE account (
    holder        INTEGER PRIMARY KEY REFERENCES holder (id),
    password_hash TEXT,                           -- argon2id, PHC text; NULL until one was chosen
    code_hash     TEXT,                           -- of the one-time code by which one is chosen
    code_until_ms INTEGER,
    code_tries    INTEGER NOT NULL DEFAULT 0,
    given_by      TEXT    NOT NULL,
    given_ms      INTEGER NOT NULL,
    changed_ms    INTEGER NOT NULL,               -- sessions from before are void
    disabled      INTEGER NOT NULL DEFAULT 0
);

-- Who did what, or was refused. Never a number of a caller, never a content.
CREATE TABLE audit (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms          INTEGER NOT NULL,
    synced         INTEGER,                       -- whether the clock was synchronised
    who            TEXT    NOT NULL,              -- extension, technician, terminal or nobody
    holder         INTEGER,
    way            TEXT    NOT NULL,              -- page, cli, …
    action         TEXT    NOT NULL,
    call           INTEGER,
    recording      INTEGER,
    about          TEXT    NOT NULL DEFAULT '',   -- what else it was done to: an extension, a grant, a route
    allowed        INTEGER NOT NULL,
    scope          TEXT    NOT NULL,
    because        TEXT    NOT NULL,              -- the grant that won, or the obstacle
    rights_version INTEGER NOT NULL
);
CREATE INDEX audit_by_call ON audit (call, id) WHERE call IS NOT NULL;
CREATE INDEX audit_by_who  ON audit (who, id);
CREATE INDEX audit_by_time ON audit (at_ms);

-- Only retention takes rows away, and it says so first; everything else is refused by the database itself.
CREATE TABLE audit_retention (before_ms INTEGER NOT NULL);
CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_replaces_no_row BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_keeps_its_rows BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM audit_retention WHERE OLD.at_ms < before_ms)
BEGIN SELECT raise(ABORT, 'the audit is append-only; only retention takes rows away'); END;

-- The lines of a PBX without an API, as they came: it sends each once.
CREATE TABLE cdr_line (
    id          INTEGER PRIMARY KEY,
    received_ms INTEGER NOT NULL,
    line        BLOB    NOT NULL,
    name        TEXT,                             -- what the PBX calls the call; may come again for another
    call_key    TEXT                              -- the call; null while the line can't be read
);
CREATE INDEX cdr_line_by_time ON cdr_line (received_ms);
CREATE INDEX cdr_line_by_name ON cdr_line (name, received_ms) WHERE name IS NOT NULL;
CREATE INDEX cdr_line_unread  ON cdr_line (id) WHERE call_key IS NULL;
