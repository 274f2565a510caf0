-- What the rules of the configuration decide about calls.

-- One row a call that a rule matched; calls without one go to all targets. Kept as it was decided: a delivery that was
-- made is never unmade.
CREATE TABLE decision (
    call       INTEGER PRIMARY KEY REFERENCES call (id) ON DELETE CASCADE,
    decided_ms INTEGER NOT NULL,
    excluded   INTEGER NOT NULL,                  -- nothing is delivered, no audio is fetched
    said       TEXT    NOT NULL                   -- JSON: the decision with its reasons
);
CREATE INDEX decision_excluded ON decision (call) WHERE excluded = 1;

-- How long the call's recordings stay here once every target has them: NULL = spool.keep; 0 = not at all.
ALTER TABLE call ADD COLUMN retain_ms INTEGER;

-- The company's number that was called, where the PBX tells it.
ALTER TABLE leg       ADD COLUMN did TEXT;
ALTER TABLE recording ADD COLUMN did TEXT;

-- A delivery that a rule makes wait, milliseconds since it was made. next_mono counts it; this is for the next boot.
ALTER TABLE delivery ADD COLUMN delay_ms INTEGER NOT NULL DEFAULT 0;

-- A missed call that becomes a task if nobody calls back: waiting, made, or over (and why, in words).
CREATE TABLE call_back (
    call     INTEGER PRIMARY KEY REFERENCES call (id) ON DELETE CASCADE,
    rule     TEXT    NOT NULL,
    number   TEXT    NOT NULL,                    -- E.164 where that can be told
    after_ms INTEGER NOT NULL,
    targets  TEXT    NOT NULL,                    -- JSON list of names
    state    TEXT    NOT NULL,
    reason   TEXT    NOT NULL DEFAULT '',
    due_ms   INTEGER NOT NULL,                    -- wall clock, for people and for what the call log must cover
    due_mono INTEGER NOT NULL,
    boot     TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX call_back_waiting ON call_back (due_mono) WHERE state = 'waiting';
