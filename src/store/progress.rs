//! What a target must remember between the steps of a delivery, and between runs: the id that it was given, the upload
//! that it began, its tokens. Committed before the next step goes out (rule D6).

use std::collections::BTreeMap;

use rusqlite::{Connection, Savepoint, params};

use super::{Result, Store};

/// What `target` noted about the call with this local row; about itself for `None`.
pub fn progress(connection: &Connection, target: &str, call: Option<i64>) -> Result<BTreeMap<String, String>> {
    let mut statement =
        connection.prepare_cached("SELECT key, value FROM target_state WHERE target = ?1 AND call = ?2")?;
    let noted = statement.query_map(params![target, call.unwrap_or(0)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(noted.collect::<rusqlite::Result<_>>()?)
}

/// Notes something of `target` about a call, or about itself, in the place of what was noted under this key before. For
/// use inside a larger write; a target between two steps uses [`Store::save_progress`].
pub fn save_progress(within: &Savepoint, target: &str, call: Option<i64>, key: &str, value: &str) -> Result<()> {
    within
        .prepare_cached("INSERT OR REPLACE INTO target_state (target, call, key, value) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![target, call.unwrap_or(0), key, value])?;
    Ok(())
}

/// Forgets what `target` noted under a key.
pub fn forget_progress(within: &Savepoint, target: &str, call: Option<i64>, key: &str) -> Result<()> {
    within
        .prepare_cached("DELETE FROM target_state WHERE target = ?1 AND call = ?2 AND key = ?3")?
        .execute(params![target, call.unwrap_or(0), key])?;
    Ok(())
}

impl Store {
    /// What `target` noted about the call with this local row; about itself for `None`.
    pub fn progress(&self, target: &str, call: Option<i64>) -> Result<BTreeMap<String, String>> {
        self.read(|connection| progress(connection, target, call))
    }

    /// Notes something of `target` and returns when it is on the disk: only then the next step may go out.
    pub fn save_progress(&self, target: &str, call: Option<i64>, key: &str, value: &str) -> Result<()> {
        let (target, key, value) = (target.to_owned(), key.to_owned(), value.to_owned());
        self.write(move |within| save_progress(within, &target, call, &key, &value))
    }

    /// Forgets what `target` noted under a key.
    pub fn forget_progress(&self, target: &str, call: Option<i64>, key: &str) -> Result<()> {
        let (target, key) = (target.to_owned(), key.to_owned());
        self.write(move |within| forget_progress(within, &target, call, &key))
    }
}
