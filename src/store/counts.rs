//! The figures of the state page and of MQTT's `state`.

use rusqlite::Connection;
use serde::Serialize;

use super::{Result, dropped_events, event_counts};

/// How much there is of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Counts {
    /// Calls in the store.
    pub calls: i64,
    /// Calls that started at or after the moment given.
    pub calls_recent: i64,
    /// Recordings that are waited for.
    pub recordings_waiting: i64,
    /// When the oldest of them was first known of, Unix milliseconds.
    pub recordings_oldest_ms: Option<i64>,
    /// Recordings on this box.
    pub recordings_held: i64,
    /// Their length in bytes.
    pub recordings_bytes: i64,
    /// Recordings on this box that no target has confirmed yet.
    pub recordings_undelivered: i64,
    /// Recordings that will never come.
    pub recordings_gone: i64,
    /// Deliveries that are not confirmed and not held.
    pub deliveries_waiting: i64,
    /// When the oldest of them was made, Unix milliseconds.
    pub deliveries_oldest_ms: Option<i64>,
    /// Deliveries that wait for a person.
    pub deliveries_held: i64,
    /// MQTT events that wait for the broker.
    pub events: i64,
    /// Their bytes.
    pub events_bytes: i64,
    /// Events that went unpublished since the store was made.
    pub events_dropped: i64,
}

/// Counts everything; `recent_ms` is the moment from which calls count as recent.
pub fn counts(connection: &Connection, recent_ms: i64) -> Result<Counts> {
    let mut counts = Counts::default();
    let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    counts.calls = one("SELECT count(*) FROM call")?;
    counts.calls_recent =
        connection.query_row("SELECT count(*) FROM call WHERE started_ms >= ?1", [recent_ms], |r| {
            r.get(0)
        })?;
    (counts.recordings_waiting, counts.recordings_oldest_ms) = connection.query_row(
        "SELECT count(*), min(seen_ms) FROM recording WHERE state = 'waiting'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    (counts.recordings_held, counts.recordings_bytes) = connection.query_row(
        "SELECT count(*), coalesce(sum(bytes), 0) FROM recording WHERE file IS NOT NULL",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    counts.recordings_undelivered = one("SELECT count(*) FROM recording WHERE file IS NOT NULL AND (handed = 0
             OR EXISTS (SELECT 1 FROM delivery d WHERE d.recording = recording.id AND d.state NOT IN ('delivered', 'dropped')))")?;
    counts.recordings_gone = one("SELECT count(*) FROM recording WHERE state = 'gone'")?;
    (
        counts.deliveries_waiting,
        counts.deliveries_held,
        counts.deliveries_oldest_ms,
    ) = connection.query_row(
        "SELECT count(*) FILTER (WHERE state <> 'held'), count(*) FILTER (WHERE state = 'held'),
                min(created_ms) FILTER (WHERE state <> 'held')
         FROM delivery WHERE state <> 'delivered' AND state <> 'dropped'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    (counts.events, counts.events_bytes, _) = event_counts(connection)?;
    (counts.events_dropped, _) = dropped_events(connection)?;
    Ok(counts)
}
