//! Tokens by which scripts read the API: who made them, what they may, when they were last used.

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};
use serde::Serialize;

use super::Result;
use super::calls::rows;
use crate::clock::Clock;
use crate::rights::Action;

/// A token, without what opens the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Token {
    /// Its row.
    pub id: i64,
    /// What it is called; of those in force each has its own name.
    pub name: String,
    /// SHA-256 of it, in hexadecimal digits.
    #[serde(skip)]
    pub hash: String,
    /// The words of the actions that it may do, as far as the technician may.
    pub may: Vec<String>,
    /// When it was made, Unix milliseconds.
    pub made_ms: i64,
    /// Who made it.
    pub made_by: String,
    /// Until when it is good, Unix milliseconds.
    pub until_ms: Option<i64>,
    /// When it was last used, to the minute.
    pub used_ms: Option<i64>,
    /// From where.
    pub used_from: Option<String>,
    /// When it was revoked.
    pub ended_ms: Option<i64>,
}

/// Makes a token. `false` if one of this name is in force.
pub fn add_token(
    within: &Savepoint,
    (name, hash): (&str, &str),
    may: &[Action],
    until_ms: Option<i64>,
    by: &str,
    clock: &Clock,
) -> Result<bool> {
    let words: Vec<&str> = may.iter().map(|action| action.word()).collect();
    let made = within.execute(
        "INSERT OR IGNORE INTO token (name, hash, may, made_ms, made_by, until_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![name, hash, words.join(","), clock.wall_ms(), by, until_ms],
    )?;
    Ok(made > 0)
}

/// Revokes the token of this name. `false` if there is none in force.
pub fn end_token(within: &Savepoint, name: &str, by: &str, clock: &Clock) -> Result<bool> {
    let ended = within.execute(
        "UPDATE token SET ended_ms = ?2, ended_by = ?3 WHERE name = ?1 AND ended_ms IS NULL",
        params![name, clock.wall_ms(), by],
    )?;
    Ok(ended > 0)
}

/// The token of this hash, if it is in force.
pub fn token_by_hash(connection: &Connection, hash: &str, now_ms: i64) -> Result<Option<Token>> {
    in_force(connection, "hash", hash, now_ms)
}

/// The token of this name, if it is in force.
pub fn token_by_name(connection: &Connection, name: &str, now_ms: i64) -> Result<Option<Token>> {
    in_force(connection, "name", name, now_ms)
}

fn in_force(connection: &Connection, by: &str, value: &str, now_ms: i64) -> Result<Option<Token>> {
    let sql = format!(
        "SELECT * FROM token WHERE {by} = ?1 AND ended_ms IS NULL AND (until_ms IS NULL OR until_ms > ?2)"
    );
    let found = connection
        .prepare_cached(&sql)?
        .query_row(params![value, now_ms], of_row);
    Ok(found.optional()?)
}

/// All tokens that were not revoked, in the order of their names.
pub fn tokens(connection: &Connection) -> Result<Vec<Token>> {
    rows(
        connection,
        "SELECT * FROM token WHERE ended_ms IS NULL ORDER BY name",
        [],
        of_row,
    )
}

/// Notes that it was used.
pub fn note_token_used(within: &Savepoint, id: i64, from: &str, clock: &Clock) -> Result<()> {
    within.execute(
        "UPDATE token SET used_ms = ?2, used_from = ?3 WHERE id = ?1",
        params![id, clock.wall_ms(), from],
    )?;
    Ok(())
}

fn of_row(row: &Row) -> rusqlite::Result<Token> {
    let may: String = row.get("may")?;
    Ok(Token {
        id: row.get("id")?,
        name: row.get("name")?,
        hash: row.get("hash")?,
        may: may.split(',').map(str::to_owned).collect(),
        made_ms: row.get("made_ms")?,
        made_by: row.get("made_by")?,
        until_ms: row.get("until_ms")?,
        used_ms: row.get("used_ms")?,
        used_from: row.get("used_from")?,
        ended_ms: row.get("ended_ms")?,
    })
}
