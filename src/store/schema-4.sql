-- Targets that take several steps for a delivery, and those that wait for something that is no failure.

CREATE TABLE target_state (
    target TEXT    NOT NULL,
    call   INTEGER NOT NULL,                      -- the call's row; 0 = the target's own
    key    TEXT    NOT NULL,
    value  TEXT    NOT NULL,
    PRIMARY KEY (target, call, key)
) WITHOUT ROWID;

ALTER TABLE target ADD COLUMN standing TEXT NOT NULL DEFAULT 'plain';
