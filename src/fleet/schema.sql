-- What the page of a fleet keeps. Everything but settings, commands and history comes again from the broker.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE member (
    no          INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    first_ms    INTEGER NOT NULL,
    seen_ms     INTEGER NOT NULL,
    online      INTEGER,                          -- NULL: nobody said
    presence_ms INTEGER NOT NULL,
    birth       BLOB    NOT NULL,
    state       BLOB    NOT NULL
);

-- A box's figures every five minutes for a day, and every hour for as long as history is kept. The moment comes first:
-- rows are added at the end and go at the beginning, and a box's are found by asking for each moment.
CREATE TABLE fine (
    at INTEGER NOT NULL, member INTEGER NOT NULL,
    condition INTEGER NOT NULL, queue INTEGER NOT NULL, oldest INTEGER NOT NULL, disk INTEGER, temp INTEGER,
    PRIMARY KEY (at, member)
) WITHOUT ROWID;
CREATE TABLE coarse (
    at INTEGER NOT NULL, member INTEGER NOT NULL,
    condition INTEGER NOT NULL, queue INTEGER NOT NULL, oldest INTEGER NOT NULL, disk INTEGER, temp INTEGER,
    PRIMARY KEY (at, member)
) WITHOUT ROWID;

-- Commands that were sent from here, by whom, and what came of them.
CREATE TABLE command (
    no          INTEGER PRIMARY KEY,
    req         TEXT    NOT NULL UNIQUE,
    member      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    source      TEXT    NOT NULL,                 -- the address that it was sent from
    sent_ms     INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    status      TEXT    NOT NULL,                 -- sent, accepted, executing, successful, failed
    reason      TEXT    NOT NULL DEFAULT '',
    answered_ms INTEGER
);
CREATE INDEX command_of_member ON command (member, no);
