//! What the rules decided about calls, and what they are decided by.

use rusqlite::{Connection, OptionalExtension, Savepoint, params};

use super::calls::{call, legs_of, rows};
use super::{Error, Result};
use crate::clock::Clock;
use crate::model::PeerKind;
use crate::numbers::Numbering;
use crate::rules::{About, Decision};

/// What is known of a call that rules may ask about; `None` if there is no such call. Departments are those of when the
/// call was first seen.
pub fn about_call(connection: &Connection, id: i64) -> Result<Option<About>> {
    let Some(found) = call(connection, id)? else {
        return Ok(None);
    };
    let departments = rows(
        connection,
        "SELECT DISTINCT d.name FROM party_department p JOIN department d ON d.id = p.department WHERE p.call = ?1",
        [id],
        |row| row.get(0),
    )?;
    let peers = rows(
        connection,
        "SELECT peer.number, peer.kind, peer.name FROM party JOIN peer ON peer.number = party.dn WHERE party.call = ?1",
        [id],
        |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)),
    )?;
    let dids = rows(
        connection,
        "SELECT DISTINCT did FROM recording WHERE call = ?1 AND did IS NOT NULL",
        [id],
        |row| row.get(0),
    )?;
    Ok(Some(About {
        call: found,
        legs: legs_of(connection, id)?,
        departments,
        peers: peers
            .into_iter()
            .map(|(number, kind, name)| (number, PeerKind::from_word(&kind).unwrap_or(PeerKind::Other), name))
            .collect(),
        dids,
    }))
}

/// How the PBX says that numbers are dialled; `None` if it did not tell.
pub fn numbering_told(connection: &Connection) -> Result<Option<Numbering>> {
    let told: Option<Vec<u8>> = connection
        .prepare_cached("SELECT value FROM setting WHERE name = ?1")?
        .query_row([NUMBERING], |row| row.get(0))
        .optional()?;
    Ok(told.and_then(|told| serde_json::from_slice(&told).ok()))
}

/// The setting that holds it.
pub const NUMBERING: &str = "pbx.numbering";

/// The setting that holds how numbers are read here.
const IN_FORCE: &str = "numbers.in-force";

/// How numbers are read here: what was typed in the configuration, else what the PBX told ([`put_numbering`]).
pub fn numbering(connection: &Connection) -> Result<Numbering> {
    let sql = "SELECT value FROM setting WHERE name = ?1";
    let known: Option<Vec<u8>> = connection
        .prepare_cached(sql)?
        .query_row([IN_FORCE], |row| row.get(0))
        .optional()?;
    Ok(match known.and_then(|known| serde_json::from_slice(&known).ok()) {
        Some(numbering) => numbering,
        None => numbering_told(connection)?.unwrap_or_default(),
    })
}

/// Notes how numbers are read from now on, for whoever has the store and not the configuration.
pub fn put_numbering(within: &Savepoint, numbering: &Numbering) -> Result<()> {
    let bytes = serde_json::to_vec(numbering).map_err(|error| Error::internal(error.to_string()))?;
    let sql = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)";
    within.execute(sql, params![IN_FORCE, bytes])?;
    Ok(())
}

/// Whether any call of the last ones tells which number of the company was called; `None` if there is no call from outside.
pub fn tells_dids(connection: &Connection) -> Result<Option<bool>> {
    let sql = "SELECT max(EXISTS (SELECT 1 FROM leg WHERE leg.call = c.id AND did IS NOT NULL)
                       OR EXISTS (SELECT 1 FROM recording r WHERE r.call = c.id AND did IS NOT NULL))
               FROM (SELECT id FROM call WHERE direction = 'inbound' ORDER BY started_ms DESC LIMIT 100) c";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// What was decided about a call; `None` if no rule matched, or nothing was decided yet.
pub fn decision(connection: &Connection, call: i64) -> Result<Option<Decision>> {
    let said: Option<String> = connection
        .prepare_cached("SELECT said FROM decision WHERE call = ?1")?
        .query_row([call], |row| row.get(0))
        .optional()?;
    said.map(|said| serde_json::from_str(&said).map_err(|error| Error::internal(error.to_string())))
        .transpose()
}

/// Notes what was decided about a call, and how long its recordings stay.
pub fn put_decision(within: &Savepoint, call: i64, decision: &Decision, clock: &Clock) -> Result<()> {
    let said = serde_json::to_string(decision).map_err(|error| Error::internal(error.to_string()))?;
    within
        .prepare_cached(
            "INSERT OR REPLACE INTO decision (call, decided_ms, excluded, said) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![call, clock.wall_ms(), decision.excluded_by.is_some(), said])?;
    within
        .prepare_cached("UPDATE call SET retain_ms = ?2 WHERE id = ?1")?
        .execute(params![call, decision.retain_ms])?;
    Ok(())
}

/// A call is excluded: what no target was sent yet is withdrawn, what was not fetched yet never is. Gives how many
/// deliveries were withdrawn. What a target may have got stays.
pub fn withdraw(within: &Savepoint, call: i64, rule: &str) -> Result<usize> {
    let gone = within.execute(
        "DELETE FROM delivery WHERE call = ?1 AND state = 'waiting' AND attempts = 0 AND code = ''",
        [call],
    )?;
    within.execute(
        "UPDATE recording SET state = 'gone', code = 'excluded', reason = ?2 WHERE call = ?1 AND state = 'waiting'",
        params![call, excluded(rule)],
    )?;
    Ok(gone)
}

/// Why a recording was never fetched.
fn excluded(rule: &str) -> String {
    format!("excluded by rule {rule:?}")
}

/// The targets that were given a call itself, whatever became of it.
pub fn told_of(connection: &Connection, call: i64) -> Result<Vec<String>> {
    rows(
        connection,
        "SELECT DISTINCT target FROM delivery WHERE call = ?1 AND kind IN ('call.completed', 'call.missed', 'call.updated')",
        [call],
        |row| row.get(0),
    )
}

/// A waiting recording stands back for `pause_ms`: its call is not known or not decided yet.
pub fn stand_back(
    within: &Savepoint,
    recording: i64,
    (code, reason): (&str, &str),
    pause_ms: i64,
    clock: &Clock,
) -> Result<()> {
    within
        .prepare_cached(
            "UPDATE recording SET code = ?2, reason = ?3, next_mono = ?4, boot = ?5 WHERE id = ?1 AND state = 'waiting'",
        )?
        .execute(params![recording, code, reason, clock.mono_ms() + pause_ms, clock.boot()])?;
    Ok(())
}
