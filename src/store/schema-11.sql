-- Looking for calls, and the history of the graphs.

-- Numbers from their end, so that one is found however its beginning was written. The expression is that of
-- store/search.rs; extensions are found by their parties.
CREATE INDEX leg_from_tail ON leg (substr(from_number,-1,1)||substr(from_number,-2,1)||substr(from_number,-3,1)||substr(from_number,-4,1)||substr(from_number,-5,1)||substr(from_number,-6,1)||substr(from_number,-7,1)||substr(from_number,-8,1)||substr(from_number,-9,1)||substr(from_number,-10,1), call) WHERE length(from_number) > 5;
CREATE INDEX leg_to_tail ON leg (substr(to_number,-1,1)||substr(to_number,-2,1)||substr(to_number,-3,1)||substr(to_number,-4,1)||substr(to_number,-5,1)||substr(to_number,-6,1)||substr(to_number,-7,1)||substr(to_number,-8,1)||substr(to_number,-9,1)||substr(to_number,-10,1), call) WHERE length(to_number) > 5;
-- Names are few among many calls: the different ones are read off these, one step each.
CREATE INDEX call_from_name ON call (from_name, started_ms) WHERE from_name IS NOT NULL;
CREATE INDEX call_to_name   ON call (to_name, started_ms)   WHERE to_name IS NOT NULL;
CREATE INDEX party_by_dn    ON party (dn, started_ms, call);
CREATE INDEX recording_gone ON recording (call) WHERE state = 'gone';

-- How it was, hour by hour: what can't be counted afterwards. One row an hour, the oldest go.
CREATE TABLE sample (
    hour       INTEGER PRIMARY KEY,               -- hours since 1970
    queue      INTEGER NOT NULL,                  -- the most deliveries that waited
    oldest_ms  INTEGER NOT NULL,                  -- how long the oldest of them had
    disk_used  INTEGER,                           -- bytes
    disk_total INTEGER
);
