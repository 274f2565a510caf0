//! What is known about each target: its circuit, its last success. It survives a restart.

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};
use serde::Serialize;

use super::Result;
use super::calls::rows;
use crate::clock::Clock;
use crate::model::Standing;

/// A target's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Its name in the configuration.
    pub name: String,
    /// Failures in a row that were the target's, not one delivery's.
    pub failures: u32,
    /// Nothing is sent before this moment: monotonic milliseconds.
    pub retry_mono: i64,
    /// The target said 410: it wants nothing more until somebody says so.
    pub disabled: bool,
    /// Stable code of the last failure; empty while all is well.
    pub code: String,
    /// The last failure in words.
    pub reason: String,
    /// When the target last confirmed something.
    pub last_ok_ms: Option<i64>,
    /// Since when it is as it is.
    pub since_ms: i64,
    /// What kind of trouble `code` and `reason` are about.
    pub standing: Standing,
}

impl Target {
    /// A target that nothing is known about.
    pub fn fresh(name: &str, clock: &Clock) -> Target {
        Target {
            name: name.to_owned(),
            failures: 0,
            retry_mono: 0,
            disabled: false,
            code: String::new(),
            reason: String::new(),
            last_ok_ms: None,
            since_ms: clock.wall_ms(),
            standing: Standing::Plain,
        }
    }
}

/// A target by name.
pub fn target(connection: &Connection, name: &str) -> Result<Option<Target>> {
    Ok(connection
        .query_row(&format!("{TARGET} WHERE name = ?1"), [name], of_row)
        .optional()?)
}

/// All targets that were ever used.
pub fn targets(connection: &Connection) -> Result<Vec<Target>> {
    rows(connection, &format!("{TARGET} ORDER BY name"), [], of_row)
}

/// Stores a target's state.
pub fn save_target(within: &Savepoint, target: &Target, clock: &Clock) -> Result<()> {
    within
        .prepare_cached(
            "INSERT OR REPLACE INTO target
                 (name, failures, retry_mono, boot, disabled, code, reason, last_ok_ms, since_ms, standing)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            target.name,
            target.failures,
            target.retry_mono,
            clock.boot(),
            target.disabled,
            target.code,
            target.reason,
            target.last_ok_ms,
            target.since_ms,
            target.standing.word()
        ])?;
    Ok(())
}

const TARGET: &str =
    "SELECT name, failures, retry_mono, disabled, code, reason, last_ok_ms, since_ms, standing FROM target";

fn of_row(row: &Row) -> rusqlite::Result<Target> {
    Ok(Target {
        name: row.get("name")?,
        failures: row.get("failures")?,
        retry_mono: row.get("retry_mono")?,
        disabled: row.get("disabled")?,
        code: row.get("code")?,
        reason: row.get("reason")?,
        last_ok_ms: row.get("last_ok_ms")?,
        since_ms: row.get("since_ms")?,
        standing: Standing::from_word(&row.get::<_, String>("standing")?).unwrap_or(Standing::Plain),
    })
}
