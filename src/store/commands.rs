//! Commands that came over MQTT: each is known before it is executed, and its result is kept until the broker has it.

use rusqlite::{Connection, Savepoint, params};

use super::Result;
use super::calls::rows;

/// So many are remembered; an older one that comes again has expired long ago.
const REMEMBERED: i64 = 10_000;

/// A command whose result nobody has taken yet, or that was never ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRow {
    /// The request's id.
    pub req: String,
    /// Which command.
    pub name: String,
    /// Its result, JSON; empty for one that was not ended.
    pub result: String,
}

/// Writes down that a command came. `false` if this request was there before: it must not be executed again.
pub fn take_command(within: &Savepoint, req: &str, name: &str, now_ms: i64) -> Result<bool> {
    let sql = "INSERT INTO command (req, name, came_ms) VALUES (?1, ?2, ?3) ON CONFLICT (req) DO NOTHING";
    let new = within.execute(sql, params![req, name, now_ms])? == 1;
    if new {
        let last = within.last_insert_rowid();
        within.execute("DELETE FROM command WHERE id <= ?1", [last - REMEMBERED])?;
    }
    Ok(new)
}

/// It is over; `result` is kept until [`command_told`].
pub fn end_command(within: &Savepoint, req: &str, result: &str) -> Result<()> {
    within.execute("UPDATE command SET over = 1, result = ?2 WHERE req = ?1", [req, result])?;
    Ok(())
}

/// The broker has taken the result.
pub fn command_told(within: &Savepoint, req: &str) -> Result<()> {
    within.execute("UPDATE command SET result = NULL WHERE req = ?1", [req])?;
    Ok(())
}

/// Results that the broker has not taken, oldest first.
pub fn untold_results(connection: &Connection, most: usize) -> Result<Vec<CommandRow>> {
    let sql = "SELECT req, name, result FROM command WHERE result IS NOT NULL ORDER BY id LIMIT ?1";
    read(connection, sql, most)
}

/// Commands that were begun and not ended: by an agent that was killed, or asked to restart.
pub fn open_commands(connection: &Connection) -> Result<Vec<CommandRow>> {
    read(
        connection,
        "SELECT req, name, '' FROM command WHERE over = 0 ORDER BY id LIMIT ?1",
        1000,
    )
}

fn read(connection: &Connection, sql: &str, most: usize) -> Result<Vec<CommandRow>> {
    rows(connection, sql, params![most as i64], |row| {
        Ok(CommandRow {
            req: row.get(0)?,
            name: row.get(1)?,
            result: row.get(2)?,
        })
    })
}
