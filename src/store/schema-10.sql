-- Step 10: what the page (or `callspool config set`) wrote over the configuration file, whole and in order: the newest
-- row is in force, the one before is what "take it back" goes to. No secret stands in it, only the names of their files.
CREATE TABLE page_settings (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    who     TEXT NOT NULL,
    what    TEXT NOT NULL,
    text    TEXT NOT NULL
) STRICT;
