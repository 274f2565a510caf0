//! What the doctor asks of the store: who telephones without being recorded, and how late recordings come.

use rusqlite::{Connection, params};

use super::Result;
use super::calls::rows;

/// Answered calls of one DN, and how many of them have a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Extension, queue or whatever else has a number.
    pub dn: String,
    /// Answered calls that went through it.
    pub calls: i64,
    /// Those of them that have a recording, wherever that is by now.
    pub recorded: i64,
}

/// For each DN its answered calls from `since_ms` (Unix milliseconds) up to `until_ms`, busiest first.
pub fn coverage(connection: &Connection, since_ms: i64, until_ms: i64) -> Result<Vec<Coverage>> {
    // A queue's own leg is not answered, the agent's is: what counts is that the call was.
    let sql = "WITH went AS (
                 SELECT leg.call, leg.from_dn AS dn FROM leg JOIN call ON call.id = leg.call
                  WHERE leg.started_ms >= ?1 AND leg.started_ms < ?2 AND leg.answered = 1 AND leg.from_dn IS NOT NULL
                  UNION
                 SELECT leg.call, leg.to_dn FROM leg JOIN call ON call.id = leg.call
                  WHERE leg.started_ms >= ?1 AND leg.started_ms < ?2 AND leg.to_dn IS NOT NULL
                    AND (leg.answered = 1 OR (call.outcome = 'answered' AND leg.to_dn IN
                         (SELECT number FROM peer WHERE kind IN ('queue', 'ring-group')))))
               SELECT dn, count(*), sum(EXISTS (SELECT 1 FROM recording WHERE recording.call = went.call))
                 FROM went GROUP BY dn ORDER BY count(*) DESC, dn";
    rows(connection, sql, params![since_ms, until_ms], |row| {
        Ok(Coverage {
            dn: row.get(0)?,
            calls: row.get(1)?,
            recorded: row.get(2)?,
        })
    })
}

/// How long after its end each recording was held that ended from `since_ms` on, in milliseconds, shortest first.
pub fn lateness(connection: &Connection, since_ms: i64) -> Result<Vec<i64>> {
    let sql = "SELECT max(held_ms - ended_ms, 0) AS late FROM recording
                WHERE ended_ms >= ?1 AND held_ms IS NOT NULL ORDER BY late";
    rows(connection, sql, params![since_ms], |row| row.get(0))
}
