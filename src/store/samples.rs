//! What the graphs of the state page are drawn from: an hour's sample of what can't be counted afterwards, and counts of what
//! can.

use rusqlite::{Connection, Savepoint, params};

use super::Result;
use super::calls::rows;

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// Samples are kept for so many hours: a month.
const KEEP: i64 = 24 * 31;

/// How it was in an hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Hours since 1970.
    pub hour: i64,
    /// The most deliveries that waited.
    pub queue: i64,
    /// How long the oldest of them had waited at most, milliseconds.
    pub oldest_ms: i64,
    /// Used bytes on the volume of the state folder, at the end of the hour.
    pub disk_used: Option<i64>,
    /// The volume's size.
    pub disk_total: Option<i64>,
}

/// Keeps an hour's sample; of an hour that has one already (the agent was started anew) the worse of both. Old ones go, and
/// those of a future that a wrong clock once told of.
pub fn keep_sample(within: &Savepoint, sample: &Sample) -> Result<()> {
    within.execute(
        "INSERT INTO sample (hour, queue, oldest_ms, disk_used, disk_total) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (hour) DO UPDATE SET queue = max(queue, ?2), oldest_ms = max(oldest_ms, ?3), disk_used = ?4,
             disk_total = ?5",
        params![
            sample.hour,
            sample.queue,
            sample.oldest_ms,
            sample.disk_used,
            sample.disk_total
        ],
    )?;
    within.execute(
        "DELETE FROM sample WHERE hour < ?1 OR hour > ?2",
        [sample.hour - KEEP, sample.hour],
    )?;
    Ok(())
}

/// The samples from an hour on, oldest first.
pub fn samples(connection: &Connection, from_hour: i64) -> Result<Vec<Sample>> {
    let sql = "SELECT hour, queue, oldest_ms, disk_used, disk_total FROM sample WHERE hour >= ?1 ORDER BY hour";
    rows(connection, sql, [from_hour], |row| {
        Ok(Sample {
            hour: row.get(0)?,
            queue: row.get(1)?,
            oldest_ms: row.get(2)?,
            disk_used: row.get(3)?,
            disk_total: row.get(4)?,
        })
    })
}

/// How many calls began in each span between two neighbours of `bounds` (Unix milliseconds, rising).
pub fn calls_between(connection: &Connection, bounds: &[i64]) -> Result<Vec<i64>> {
    let mut count =
        connection.prepare_cached("SELECT count(*) FROM call WHERE started_ms >= ?1 AND started_ms < ?2")?;
    bounds
        .windows(2)
        .map(|span| Ok(count.query_row([span[0], span[1]], |row| row.get(0))?))
        .collect()
}

/// For each hour from `since_ms` on in which recordings came: the hour, and the latest of them after its end, milliseconds.
pub fn latest_by_hour(connection: &Connection, since_ms: i64) -> Result<Vec<(i64, i64)>> {
    // Those that began a day before may come within the span too.
    let sql = "SELECT held_ms / ?2 AS hour, max(max(held_ms - ended_ms, 0)) FROM recording
               WHERE started_ms >= ?1 - 86400000 AND held_ms >= ?1 AND ended_ms IS NOT NULL GROUP BY hour ORDER BY hour";
    rows(connection, sql, [since_ms, HOUR_MS], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}
