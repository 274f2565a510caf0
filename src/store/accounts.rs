//! People who log in on this box: by extension, with a password that they chose from a one-time code or that was set.
//!
//! An account belongs to a person and not to an extension: whoever gets the extension next has no account.

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};
use serde::Serialize;

use super::Result;
use super::calls::rows;
use super::holders::holder_of;
use crate::clock::Clock;

/// An account. Its hashes never leave the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The person, by our number.
    pub holder: i64,
    /// The extension that they log in with, as it is now.
    pub extension: String,
    /// Their name on the PBX.
    pub name: String,
    /// Still in the PBX's directory.
    pub present: bool,
    /// Argon2id hash of the password, PHC text; `None` until one was chosen.
    #[serde(skip)]
    pub password_hash: Option<String>,
    /// Hash of the one-time code, while there is one.
    #[serde(skip)]
    pub code_hash: Option<String>,
    /// Until when the code is good, Unix milliseconds.
    pub code_until_ms: Option<i64>,
    /// Wrong codes that were tried since it was given.
    pub code_tries: i64,
    /// Who made the account.
    pub given_by: String,
    /// When, Unix milliseconds.
    pub given_ms: i64,
    /// When the password was last set or the account disabled: sessions from before are void.
    pub changed_ms: i64,
    /// May not log in for now.
    pub disabled: bool,
}

/// Makes an account for whoever has `extension` now, or finds the one that they have. `None` if nobody has it.
pub fn add_account(within: &Savepoint, extension: &str, by: &str, clock: &Clock) -> Result<Option<Account>> {
    let Some(holder) = holder_of(within, extension)? else {
        return Ok(None);
    };
    within.execute(
        "INSERT INTO account (holder, given_by, given_ms, changed_ms) VALUES (?1, ?2, ?3, ?3)
         ON CONFLICT (holder) DO NOTHING",
        params![holder, by, clock.wall_ms()],
    )?;
    account(within, extension)
}

/// Gives a one-time code, by its hash, in the place of any other; a password that was chosen stays good until the code
/// is used.
pub fn set_code(within: &Savepoint, holder: i64, code_hash: &str, until_ms: i64) -> Result<bool> {
    let sql = "UPDATE account SET code_hash = ?2, code_until_ms = ?3, code_tries = 0 WHERE holder = ?1";
    Ok(within.execute(sql, params![holder, code_hash, until_ms])? > 0)
}

/// Counts a wrong code; after `most` of them the code is void.
pub fn miss_code(within: &Savepoint, holder: i64, most: i64) -> Result<()> {
    within.execute(
        "UPDATE account SET code_tries = code_tries + 1 WHERE holder = ?1",
        [holder],
    )?;
    within.execute(
        "UPDATE account SET code_hash = NULL, code_until_ms = NULL WHERE holder = ?1 AND code_tries >= ?2",
        params![holder, most],
    )?;
    Ok(())
}

/// Sets the password, by its hash. A code is used up by it, and older sessions are void.
pub fn set_account_password(within: &Savepoint, holder: i64, hash: &str, clock: &Clock) -> Result<bool> {
    let sql = "UPDATE account SET password_hash = ?2, code_hash = NULL, code_until_ms = NULL, code_tries = 0,
                   changed_ms = ?3 WHERE holder = ?1";
    Ok(within.execute(sql, params![holder, hash, clock.wall_ms()])? > 0)
}

/// Lets a person in no more, or again.
pub fn disable_account(within: &Savepoint, holder: i64, disabled: bool, clock: &Clock) -> Result<bool> {
    let sql = "UPDATE account SET disabled = ?2, changed_ms = ?3 WHERE holder = ?1";
    Ok(within.execute(sql, params![holder, disabled, clock.wall_ms()])? > 0)
}

/// Removes an account.
pub fn remove_account(within: &Savepoint, holder: i64) -> Result<bool> {
    Ok(within.execute("DELETE FROM account WHERE holder = ?1", [holder])? > 0)
}

const ACCOUNT: &str = "SELECT a.*, h.dn, h.name, h.present FROM account a JOIN holder h ON h.id = a.holder";

/// The account of whoever has `extension` now.
pub fn account(connection: &Connection, extension: &str) -> Result<Option<Account>> {
    Ok(connection
        .prepare_cached(&format!("{ACCOUNT} WHERE h.dn = ?1 AND h.present = 1"))?
        .query_row([extension], of_row)
        .optional()?)
}

/// The account of a person, by our number.
pub fn account_of(connection: &Connection, holder: i64) -> Result<Option<Account>> {
    Ok(connection
        .prepare_cached(&format!("{ACCOUNT} WHERE a.holder = ?1"))?
        .query_row([holder], of_row)
        .optional()?)
}

/// All accounts, by extension; those of people who left the PBX last.
pub fn accounts(connection: &Connection) -> Result<Vec<Account>> {
    rows(
        connection,
        &format!("{ACCOUNT} ORDER BY h.present DESC, h.dn, a.holder"),
        [],
        of_row,
    )
}

fn of_row(row: &Row) -> rusqlite::Result<Account> {
    Ok(Account {
        holder: row.get("holder")?,
        extension: row.get("dn")?,
        name: row.get("name")?,
        present: row.get("present")?,
        password_hash: row.get("password_hash")?,
        code_hash: row.get("code_hash")?,
        code_until_ms: row.get("code_until_ms")?,
        code_tries: row.get("code_tries")?,
        given_by: row.get("given_by")?,
        given_ms: row.get("given_ms")?,
        changed_ms: row.get("changed_ms")?,
        disabled: row.get("disabled")?,
    })
}
