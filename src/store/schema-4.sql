-- Targets that take several steps for a delivery, and those that wait for something that is no failure.

CREATE TABLE target_state (
    target TEXT    NOT NULL,
    call   INTEGER NOT NULL,                      -- the call's row; 0 = the target's own
    key    TEXT    NOT NULL,
    value  TEXT    NOT NULL,
    PRIMARY KEY (target, call, key)
) WITHOUT ROWID;
CREATE INDEX target_state_by_call ON target_state (call) WHERE call > 0;

-- What is noted about a call goes with it. No foreign key can say so, because 0 is no call.
CREATE TRIGGER target_state_goes_with_its_call AFTER DELETE ON call
BEGIN DELETE FROM target_state WHERE call = OLD.id AND call > 0; END;

ALTER TABLE target ADD COLUMN standing TEXT NOT NULL DEFAULT 'plain';
