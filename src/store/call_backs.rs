//! Missed calls that become a task if nobody calls back.

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};
use serde::Serialize;

use super::calls::{call, rows};
use super::{Error, Result};
use crate::clock::Clock;
use crate::model::{Call, CallBackState};

/// A missed call that waits for somebody to call back, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallBackRow {
    /// The missed call's local row.
    pub call: i64,
    /// The rule that wants it.
    pub rule: String,
    /// The caller's number, E.164 where that can be told.
    #[serde(skip)]
    pub number: String,
    /// So long after the call, milliseconds.
    pub after_ms: i64,
    /// The targets that are to make a task.
    pub targets: Vec<String>,
    /// Where it is.
    pub state: CallBackState,
    /// Why it is over, or waits longer, in words; empty before.
    pub reason: String,
    /// When the task is due, Unix milliseconds.
    pub due_ms: i64,
}

/// Begins to wait. One that is there already stays as it is.
pub fn add_call_back(within: &Savepoint, row: &CallBackRow, clock: &Clock) -> Result<()> {
    let targets = serde_json::to_string(&row.targets).map_err(|error| Error::internal(error.to_string()))?;
    within
        .prepare_cached(
            "INSERT INTO call_back (call, rule, number, after_ms, targets, state, reason, due_ms, due_mono, boot)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (call) DO NOTHING",
        )?
        .execute(params![
            row.call,
            row.rule,
            row.number,
            row.after_ms,
            targets,
            row.state.word(),
            row.reason,
            row.due_ms,
            clock.mono_ms() + left_ms(row.due_ms, row.after_ms, clock),
            clock.boot()
        ])?;
    Ok(())
}

/// How long until `due_ms`, but never longer than was asked for: a clock that was set back must not postpone it for ever.
fn left_ms(due_ms: i64, after_ms: i64, clock: &Clock) -> i64 {
    (due_ms - clock.wall_ms()).clamp(0, after_ms.max(0))
}

/// Those whose time has come, oldest first.
pub fn due_call_backs(connection: &Connection, clock: &Clock, most: usize) -> Result<Vec<CallBackRow>> {
    let sql = format!("{CALL_BACK} WHERE state = 'waiting' AND due_mono <= ?1 ORDER BY due_mono, call LIMIT ?2");
    rows(connection, &sql, params![clock.mono_ms(), most as i64], of_row)
}

/// When the next one's time will have come, monotonic milliseconds.
pub fn next_call_back(connection: &Connection) -> Result<Option<i64>> {
    let sql = "SELECT min(due_mono) FROM call_back WHERE state = 'waiting'";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// What became of a missed call, if a rule wanted to know.
pub fn call_back(connection: &Connection, call: i64) -> Result<Option<CallBackRow>> {
    Ok(connection
        .query_row(&format!("{CALL_BACK} WHERE call = ?1"), [call], of_row)
        .optional()?)
}

/// The one that waits for this number already, if there is one.
pub fn waiting_for_number(connection: &Connection, number: &str) -> Result<Option<CallBackRow>> {
    let sql = format!("{CALL_BACK} WHERE state = 'waiting' AND number = ?1 ORDER BY due_ms LIMIT 1");
    Ok(connection.query_row(&sql, [number], of_row).optional()?)
}

/// When the missed call ended, Unix milliseconds.
pub fn call_back_begun(connection: &Connection, call: i64) -> Result<Option<i64>> {
    let sql = "SELECT ended_ms FROM call WHERE id = ?1";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([call], |row| row.get(0))
        .optional()?)
}

/// It is looked at again so much later, and the call log must have been read up to then.
pub fn put_off_call_back(within: &Savepoint, call: i64, reason: &str, by_ms: i64, clock: &Clock) -> Result<()> {
    within
        .prepare_cached("UPDATE call_back SET reason = ?2, due_ms = ?3, due_mono = ?4, boot = ?5 WHERE call = ?1")?
        .execute(params![
            call,
            reason,
            clock.wall_ms() + by_ms,
            clock.mono_ms() + by_ms,
            clock.boot()
        ])?;
    Ok(())
}

/// It is over: a task was made, or none is needed.
pub fn end_call_back(within: &Savepoint, call: i64, state: CallBackState, reason: &str) -> Result<()> {
    within
        .prepare_cached("UPDATE call_back SET state = ?2, reason = ?3 WHERE call = ?1")?
        .execute(params![call, state.word(), reason])?;
    Ok(())
}

/// Whether the call log was not read yet somewhere between these moments: who called back then is not known.
pub fn has_gap(connection: &Connection, from_ms: i64, to_ms: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM gap WHERE from_ms < ?2 AND to_ms > ?1)";
    Ok(connection.query_row(sql, [from_ms, to_ms], |row| row.get(0))?)
}

/// The calls that began between these moments, oldest first.
pub fn calls_begun(connection: &Connection, from_ms: i64, to_ms: i64) -> Result<Vec<Call>> {
    let sql = "SELECT id FROM call WHERE started_ms BETWEEN ?1 AND ?2 ORDER BY started_ms, id";
    let ids: Vec<i64> = rows(connection, sql, [from_ms, to_ms], |row| row.get(0))?;
    let mut calls = Vec::new();
    for id in ids {
        calls.extend(call(connection, id)?);
    }
    Ok(calls)
}

/// After a boot: as long as is left by the wall clock.
pub(super) fn rebase_call_backs(within: &Savepoint, clock: &Clock) -> Result<()> {
    within.execute(
        "UPDATE call_back SET due_mono = ?1 + min(max(due_ms - ?3, 0), after_ms), boot = ?2
         WHERE boot <> ?2 AND state = 'waiting'",
        params![clock.mono_ms(), clock.boot(), clock.wall_ms()],
    )?;
    Ok(())
}

const CALL_BACK: &str = "SELECT call, rule, number, after_ms, targets, state, reason, due_ms FROM call_back";

fn of_row(row: &Row) -> rusqlite::Result<CallBackRow> {
    Ok(CallBackRow {
        call: row.get("call")?,
        rule: row.get("rule")?,
        number: row.get("number")?,
        after_ms: row.get("after_ms")?,
        targets: serde_json::from_str(&row.get::<_, String>("targets")?).unwrap_or_default(),
        state: CallBackState::from_word(&row.get::<_, String>("state")?).unwrap_or(CallBackState::Over),
        reason: row.get("reason")?,
        due_ms: row.get("due_ms")?,
    })
}
