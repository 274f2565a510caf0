-- The figures of a backlog (how much waits, how much is held, since when) from an index alone: read from the rows they
-- took most of a second with two months' deliveries, every few seconds and for every target.
CREATE INDEX delivery_states ON delivery (target, state, created_ms) WHERE state <> 'delivered';
