//! CDR lines, where they are the source of calls: kept as they came, because the PBX sends each once and never again.

use rusqlite::{Connection, OptionalExtension, Savepoint, params};

use super::age::known_time;
use super::calls::rows;
use super::windows::cursor;
use super::{Error, Result};
use crate::cdr::Record;
use crate::clock::Clock;

/// A call's name that may come again (a counter of the PBX) is the same call only within this time.
const SAME_CALL_MS: i64 = 6 * 3_600_000;

/// A line that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdrLine {
    /// When, Unix milliseconds of this box.
    pub received_ms: i64,
    /// Its bytes.
    pub line: Vec<u8>,
    /// What it says; `None` while it can't be read.
    pub record: Option<Record>,
}

/// Keeps lines. The same line of the same call is kept once. Gives how many are new.
pub fn take_cdr_lines(within: &Savepoint, lines: &[CdrLine]) -> Result<usize> {
    let mut new = 0;
    for CdrLine {
        received_ms,
        line,
        record,
    } in lines
    {
        let known = "SELECT 1 FROM cdr_line WHERE received_ms > ?1 AND line = ?2";
        let known = within
            .prepare_cached(known)?
            .exists(params![received_ms - SAME_CALL_MS, line])?;
        if known {
            continue;
        }
        let key = record
            .as_ref()
            .map(|record| key_of(within, record, *received_ms))
            .transpose()?;
        let name = record.as_ref().and_then(|record| Some(record.call_name()?.0));
        within
            .prepare_cached("INSERT INTO cdr_line (received_ms, line, name, call_key) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![received_ms, line, name, key])?;
        new += 1;
    }
    Ok(new)
}

/// The call that a line belongs to: that of the others with its name, or a new one.
fn key_of(within: &Savepoint, record: &Record, received_ms: i64) -> Result<String> {
    let Some((name, true)) = record.call_name() else {
        return Ok(record.new_key());
    };
    let sql = "SELECT call_key FROM cdr_line WHERE name = ?1 AND received_ms > ?2 AND call_key IS NOT NULL
               ORDER BY received_ms DESC LIMIT 1";
    let known = within
        .prepare_cached(sql)?
        .query_row(params![name, received_ms - SAME_CALL_MS], |row| row.get(0))
        .optional()?;
    Ok(known.unwrap_or_else(|| record.new_key()))
}

/// The lines that came from `from_ms` up to before `to_ms` and could be read, with the calls that they belong to.
pub fn cdr_lines(connection: &Connection, from_ms: i64, to_ms: i64) -> Result<Vec<(Vec<u8>, String)>> {
    let sql = "SELECT line, call_key FROM cdr_line
               WHERE received_ms >= ?1 AND received_ms < ?2 AND call_key IS NOT NULL ORDER BY id";
    rows(connection, sql, [from_ms, to_ms], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Grows with each line; `None` before the first.
pub fn cdr_mark(connection: &Connection) -> Result<Option<i64>> {
    Ok(connection
        .prepare_cached("SELECT max(id) FROM cdr_line")?
        .query_row([], |row| row.get(0))?)
}

/// When the newest line came.
pub fn cdr_newest(connection: &Connection) -> Result<Option<i64>> {
    let sql = "SELECT max(received_ms) FROM cdr_line";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Lines that could not be read, with their rows and when they came.
pub fn unread_cdr_lines(connection: &Connection) -> Result<Vec<(i64, i64, Vec<u8>)>> {
    let sql = "SELECT id, received_ms, line FROM cdr_line WHERE call_key IS NULL ORDER BY id LIMIT 10000";
    rows(connection, sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// A line that can be read now. It counts as having come at `now_ms`, so that it is taken up.
pub fn mend_cdr_line(within: &Savepoint, id: i64, record: &Record, came_ms: i64, now_ms: i64) -> Result<()> {
    let key = key_of(within, record, came_ms)?;
    let name = record.call_name().map(|(name, _)| name);
    let sql = "UPDATE cdr_line SET name = ?2, call_key = ?3, received_ms = ?4 WHERE id = ?1";
    within.prepare_cached(sql)?.execute(params![id, name, key, now_ms])?;
    Ok(())
}

/// The setting that holds the marks by which lines grow old.
const AGES: &str = "cdr.ages";

/// Removes lines that are known to have been here for `keep_ms`, and whose calls are taken. Their age is told by marks:
/// which row was the last at a moment of known time, for a clock that jumps must delete nothing that the PBX sends once.
pub fn forget_cdr_lines(within: &Savepoint, keep_ms: i64, clock: &Clock) -> Result<usize> {
    let now = known_time(within, clock)?;
    let last: i64 = within.query_row("SELECT coalesce(max(id), 0) FROM cdr_line", [], |row| row.get(0))?;
    let sql = "SELECT value FROM setting WHERE name = ?1";
    let noted: Option<Vec<u8>> = within.query_row(sql, [AGES], |row| row.get(0)).optional()?;
    let mut marks: Vec<(i64, i64)> = noted
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let before = marks.clone();
    // Rows of an emptied table are numbered from the beginning: older marks say nothing about them.
    marks.retain(|(_, row)| *row <= last);
    if marks.last().is_none_or(|(at, _)| now - at >= keep_ms / 24) {
        marks.push((now, last));
    }
    let over = marks.iter().rposition(|(at, _)| *at <= now - keep_ms);
    let up_to = over.and_then(|over| marks.get(over)).map_or(0, |(_, row)| *row);
    marks.drain(..over.unwrap_or(0));
    if marks != before {
        let text = serde_json::to_vec(&marks).map_err(|error| Error::internal(error.to_string()))?;
        let sql = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)";
        within.execute(sql, params![AGES, text])?;
    }
    let sql = "DELETE FROM cdr_line WHERE id <= ?1 AND received_ms < ?2";
    let taken_to = cursor(within)?.unwrap_or(0);
    Ok(within.prepare_cached(sql)?.execute([up_to, taken_to])?)
}
