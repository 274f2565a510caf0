-- Commands that came over MQTT, and what bounds the events that go there.

-- Each is executed once at most: its row is on the disk before anything is done.
CREATE TABLE command (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    req     TEXT    NOT NULL UNIQUE,              -- the request's id
    name    TEXT    NOT NULL,
    came_ms INTEGER NOT NULL,
    over    INTEGER NOT NULL DEFAULT 0,           -- it was done, or could not be
    result  TEXT                                  -- the result until the broker has taken it, JSON
);
CREATE INDEX command_untold ON command (id) WHERE result IS NOT NULL;
CREATE INDEX command_open   ON command (id) WHERE over = 0;

-- How much the outbox of events holds, so that nobody has to count it, and what had to go.
CREATE TABLE event_total (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    rows      INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    dropped   INTEGER NOT NULL DEFAULT 0,         -- since the store was made
    untold    INTEGER NOT NULL DEFAULT 0,         -- of these, those of which no event tells yet
    first_seq INTEGER,
    last_seq  INTEGER,
    oldest_ms INTEGER,
    why       TEXT    NOT NULL DEFAULT ''
);
INSERT INTO event_total (one, rows, bytes) SELECT 1, count(*), coalesce(sum(length(payload)), 0) FROM event;
CREATE TRIGGER event_is_counted AFTER INSERT ON event
BEGIN UPDATE event_total SET rows = rows + 1, bytes = bytes + length(NEW.payload); END;
CREATE TRIGGER event_is_counted_no_more AFTER DELETE ON event
BEGIN UPDATE event_total SET rows = rows - 1, bytes = bytes - length(OLD.payload); END;
