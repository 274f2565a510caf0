//! Holds: what neither age nor want of room nor an erasure deletes, until a date or until somebody releases it.

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};
use serde::Serialize;

use super::age::known_time;
use super::calls::rows;
use super::decisions::numbering;
use super::{Result, legs_of};
use crate::clock::Clock;
use crate::model::Leg;
use crate::numbers::{Number, Numbering};

/// What a hold keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HoldOn {
    /// The call with this local row.
    Call(i64),
    /// Every call with this number, those that are still to come too.
    Number(String),
    /// Every call of this extension, likewise.
    Extension(String),
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hold {
    /// Its row.
    pub id: i64,
    /// What it keeps.
    pub on: HoldOn,
    /// Until when, Unix milliseconds; `None`: until it is released.
    pub until_ms: Option<i64>,
    /// Who put it.
    pub given_by: String,
    /// Why.
    pub why: String,
    /// When, Unix milliseconds.
    pub given_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// Who released it; `expired` where its time was over.
    pub ended_by: Option<String>,
    /// Why it was released.
    pub ended_why: Option<String>,
    /// How many calls it keeps.
    pub calls: i64,
}

/// Puts a hold in force and gives its row.
pub fn add_hold(
    within: &Savepoint,
    on: &HoldOn,
    until_ms: Option<i64>,
    (by, why): (&str, &str),
    clock: &Clock,
) -> Result<i64> {
    let (call, number, extension) = match on {
        HoldOn::Call(call) => (Some(*call), None, None),
        HoldOn::Number(number) => (None, Some(number), None),
        HoldOn::Extension(extension) => (None, None, Some(extension)),
    };
    let now = clock.wall_ms();
    // A clock that jumps ahead must end no hold: the time must have passed as well.
    let until_age = match until_ms {
        Some(until) => Some(known_time(within, clock)? + (until - now).max(0)),
        None => None,
    };
    within.execute(
        "INSERT INTO hold (call, number, extension, until_ms, until_age, given_by, why, given_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![call, number, extension, until_ms, until_age, by, why, now],
    )?;
    let id = within.last_insert_rowid();
    for call in calls_of(within, on)? {
        keep(within, call, id)?;
    }
    Ok(id)
}

/// Ends a hold. `false` if there is none of this row in force.
pub fn end_hold(within: &Savepoint, id: i64, (by, why): (&str, &str), clock: &Clock) -> Result<bool> {
    let ended = within.execute(
        "UPDATE hold SET ended_ms = ?2, ended_by = ?3, ended_why = ?4 WHERE id = ?1 AND ended_ms IS NULL",
        params![id, clock.wall_ms(), by, why],
    )?;
    within.execute("DELETE FROM hold_call WHERE hold = ?1", [id])?;
    Ok(ended > 0)
}

/// Holds whose time is over for sure: by a clock that is not known to be wrong, and by known time.
pub fn holds_to_end(connection: &Connection, clock: &Clock) -> Result<Vec<i64>> {
    if clock.synced() == Some(false) {
        return Ok(Vec::new());
    }
    let sql = "SELECT id FROM hold WHERE ended_ms IS NULL AND until_ms <= ?1 AND until_age <= ?2";
    let now = (clock.wall_ms(), known_time(connection, clock)?);
    rows(connection, sql, params![now.0, now.1], |row| row.get(0))
}

/// All holds, the newest first; those that ended too if `ended`.
pub fn holds(connection: &Connection, ended: bool) -> Result<Vec<Hold>> {
    let sql = format!("{HOLD} WHERE ?1 OR ended_ms IS NULL ORDER BY id DESC");
    rows(connection, &sql, [ended], of_row)
}

/// The holds that keep a call.
pub fn holds_of(connection: &Connection, call: i64) -> Result<Vec<Hold>> {
    let sql = format!("{HOLD} WHERE id IN (SELECT hold FROM hold_call WHERE call = ?1) ORDER BY id");
    rows(connection, &sql, [call], of_row)
}

/// A hold by its row.
pub fn hold(connection: &Connection, id: i64) -> Result<Option<Hold>> {
    let sql = format!("{HOLD} WHERE id = ?1");
    Ok(connection.query_row(&sql, [id], of_row).optional()?)
}

/// Recordings that could make room but for a hold: how many, and their bytes.
pub fn kept_by_holds(connection: &Connection) -> Result<(i64, i64)> {
    let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM recording
               WHERE file IS NOT NULL AND call IN (SELECT call FROM hold_call)";
    Ok(connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Puts a call under the holds in force that its legs fall under, after they were stored.
pub(super) fn hold_new(within: &Savepoint, call: i64, legs: &[Leg]) -> Result<()> {
    let sql = format!("{HOLD} WHERE ended_ms IS NULL AND call IS NULL");
    let holds = rows(within, &sql, [], of_row)?;
    if holds.is_empty() {
        return Ok(());
    }
    let numbering = numbering(within)?;
    for hold in holds {
        if meets(&hold.on, &numbering, legs) {
            keep(within, call, hold.id)?;
        }
    }
    Ok(())
}

fn keep(within: &Savepoint, call: i64, hold: i64) -> Result<()> {
    within
        .prepare_cached("INSERT OR IGNORE INTO hold_call (call, hold) VALUES (?1, ?2)")?
        .execute([call, hold])?;
    Ok(())
}

fn calls_of(within: &Savepoint, on: &HoldOn) -> Result<Vec<i64>> {
    if let HoldOn::Call(call) = on {
        return Ok(vec![*call]);
    }
    let (mut found, numbering) = (Vec::new(), numbering(within)?);
    for call in rows(within, "SELECT id FROM call", [], |row| row.get(0))? {
        if meets(on, &numbering, &legs_of(within, call)?) {
            found.push(call);
        }
    }
    Ok(found)
}

fn meets(on: &HoldOn, numbering: &Numbering, legs: &[Leg]) -> bool {
    let mut sides = legs.iter().flat_map(|leg| [&leg.from, &leg.to]);
    match on {
        HoldOn::Call(_) => false,
        HoldOn::Number(number) => {
            let Some(number) = Number::read(number, numbering) else {
                return false;
            };
            sides.any(|side| side.is_number(&number))
        }
        HoldOn::Extension(extension) => {
            sides.any(|side| side.kind != Some(1) && side.dn.as_ref() == Some(extension))
        }
    }
}

const HOLD: &str =
    "SELECT id, call, number, extension, until_ms, given_by, why, given_ms, ended_ms, ended_by, ended_why,
    (SELECT count(*) FROM hold_call WHERE hold_call.hold = hold.id) AS calls FROM hold";

fn of_row(row: &Row) -> rusqlite::Result<Hold> {
    let number: Option<String> = row.get("number")?;
    let extension: Option<String> = row.get("extension")?;
    Ok(Hold {
        id: row.get("id")?,
        on: match (row.get::<_, Option<i64>>("call")?, number, extension) {
            (Some(call), ..) => HoldOn::Call(call),
            (_, Some(number), _) => HoldOn::Number(number),
            (.., extension) => HoldOn::Extension(extension.unwrap_or_default()),
        },
        until_ms: row.get("until_ms")?,
        given_by: row.get("given_by")?,
        why: row.get("why")?,
        given_ms: row.get("given_ms")?,
        ended_ms: row.get("ended_ms")?,
        ended_by: row.get("ended_by")?,
        ended_why: row.get("ended_why")?,
        calls: row.get("calls")?,
    })
}
