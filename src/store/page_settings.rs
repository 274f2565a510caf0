//! What the page wrote over the configuration file, in versions.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Savepoint, params};

use super::Result;
use crate::clock::Clock;

/// Versions that are kept: enough to go back, and to see what was changed lately.
const KEPT: i64 = 20;

/// A version of what the page wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSettings {
    /// Its number; they only grow.
    pub version: i64,
    /// When it was written, Unix milliseconds.
    pub at_ms: i64,
    /// Who wrote it.
    pub who: String,
    /// What was changed: names of settings, never a secret.
    pub what: String,
    /// The TOML document.
    pub text: String,
}

/// The versions that are kept, newest first.
pub fn page_settings(connection: &Connection) -> Result<Vec<PageSettings>> {
    let mut asked =
        connection.prepare("SELECT version, at_ms, who, what, text FROM page_settings ORDER BY version DESC")?;
    let rows = asked.query_map([], |row| {
        Ok(PageSettings {
            version: row.get(0)?,
            at_ms: row.get(1)?,
            who: row.get(2)?,
            what: row.get(3)?,
            text: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What is in force; empty if the page never wrote anything.
pub fn page_text(connection: &Connection) -> Result<String> {
    let sql = "SELECT text FROM page_settings ORDER BY version DESC LIMIT 1";
    let newest = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(newest.unwrap_or_default())
}

/// The same of the store at `path`, which may be in use, and may be of a callspool that knew of no such settings.
pub fn page_text_of(path: &Path) -> Result<String> {
    match read_text(path) {
        // A start that was cut off may have left a journal that only who may write can take back.
        Err(_) if take_back_journal(path).is_ok() => read_text(path),
        read => read,
    }
}

fn read_text(path: &Path) -> Result<String> {
    let connection = super::reader(path)?;
    let known = "SELECT count(*) FROM sqlite_schema WHERE name = 'page_settings'";
    match connection.query_row(known, [], |row| row.get::<_, i64>(0))? {
        0 => Ok(String::new()),
        _ => page_text(&connection),
    }
}

/// SQLite does it by itself at the first look of somebody who may write. Nothing is carried over from the log: that is for
/// the store's own writer, who looks at what its sync says.
fn take_back_journal(path: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(())
}

/// Puts a text in force, if the one before is still `before`: `false` if somebody else was faster.
pub fn put_page_text(
    within: &Savepoint,
    before: &str,
    text: &str,
    (who, what): (&str, &str),
    clock: &Clock,
) -> Result<bool> {
    if page_text(within)? != before {
        return Ok(false);
    }
    within.execute(
        "INSERT INTO page_settings (at_ms, who, what, text) VALUES (?1, ?2, ?3, ?4)",
        params![clock.wall_ms(), who, what, text],
    )?;
    within.execute(
        "DELETE FROM page_settings WHERE version <= (SELECT max(version) FROM page_settings) - ?1",
        [KEPT],
    )?;
    Ok(true)
}
