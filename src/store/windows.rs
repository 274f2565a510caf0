//! Which stretches of the PBX's history were read, and which are still to be.
//!
//! The cursor is the end of the last live read that was committed. Whatever lies between is a gap: the backfill of a
//! first start and the catching up after an outage are the same thing.

use rusqlite::{Connection, OptionalExtension, Savepoint, params};
use serde::Serialize;

use super::calls::rows;
use super::{Error, Result};

/// A stretch of history that is still to be read, Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The row.
    pub id: i64,
    /// From here …
    pub from_ms: i64,
    /// … to here.
    pub to_ms: i64,
}

/// The end of the last live read that was committed; `None` before the first.
pub fn cursor(connection: &Connection) -> Result<Option<i64>> {
    let found = connection.query_row("SELECT value FROM setting WHERE name = 'sync.cursor'", [], |r| r.get(0));
    let Some(text): Option<Vec<u8>> = found.optional()? else {
        return Ok(None);
    };
    let number = String::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number
        .map(Some)
        .ok_or_else(|| Error::internal("the sync cursor is not a number"))
}

/// Moves the cursor, in the transaction that stored what was read up to it.
pub fn set_cursor(within: &Savepoint, to_ms: i64) -> Result<()> {
    within.execute(
        "INSERT INTO setting (name, value) VALUES ('sync.cursor', ?1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [to_ms.to_string().into_bytes()],
    )?;
    Ok(())
}

/// From when on the list of recordings was refused and is to be read again; `None` if nothing was missed.
pub fn unlisted_from(connection: &Connection) -> Result<Option<i64>> {
    let sql = "SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'sync.unlisted-from'";
    Ok(connection.query_row(sql, [], |row| row.get(0)).optional()?)
}

/// Notes that the list of recordings was refused from `from_ms` on.
pub fn miss_list(within: &Savepoint, from_ms: i64) -> Result<()> {
    let from_ms = unlisted_from(within)?.map_or(from_ms, |known| known.min(from_ms));
    within.execute(
        "INSERT INTO setting (name, value) VALUES ('sync.unlisted-from', ?1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [from_ms.to_string().into_bytes()],
    )?;
    Ok(())
}

/// Notes that the list of recordings was read from `from_ms` up to now.
pub fn list_is_read(within: &Savepoint, from_ms: i64) -> Result<()> {
    within.execute(
        "DELETE FROM setting WHERE name = 'sync.unlisted-from' AND CAST(value AS INTEGER) >= ?1",
        [from_ms],
    )?;
    Ok(())
}

/// Notes that a stretch is still to be read.
pub fn add_gap(within: &Savepoint, from_ms: i64, to_ms: i64) -> Result<()> {
    if from_ms < to_ms {
        within.execute(
            "INSERT INTO gap (from_ms, to_ms) VALUES (?1, ?2)",
            params![from_ms, to_ms],
        )?;
    }
    Ok(())
}

/// Notes that the newest part of a gap, from `from_ms` on, was read.
pub fn fill_gap(within: &Savepoint, gap: i64, from_ms: i64) -> Result<()> {
    within.execute(
        "UPDATE gap SET to_ms = min(to_ms, ?2) WHERE id = ?1",
        params![gap, from_ms],
    )?;
    within.execute("DELETE FROM gap WHERE to_ms <= from_ms", [])?;
    Ok(())
}

/// All gaps, the newest first: people look for yesterday's call before last month's.
pub fn gaps(connection: &Connection) -> Result<Vec<Gap>> {
    rows(
        connection,
        "SELECT id, from_ms, to_ms FROM gap ORDER BY to_ms DESC",
        [],
        |row| {
            Ok(Gap {
                id: row.get(0)?,
                from_ms: row.get(1)?,
                to_ms: row.get(2)?,
            })
        },
    )
}
