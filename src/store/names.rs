//! The names of people, departments and places on the PBX, and what they are reached by: what no support bundle may hold.

use rusqlite::Connection;

use super::Result;
use super::calls::rows;

/// All of them, and of the newest calls those of outside as well: a target's complaint may quote one.
pub fn names(connection: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT name FROM person UNION SELECT name FROM department UNION SELECT name FROM peer
               UNION SELECT from_name FROM (SELECT from_name FROM call ORDER BY id DESC LIMIT 2000)
               UNION SELECT to_name FROM (SELECT to_name FROM call ORDER BY id DESC LIMIT 2000)";
    let found = rows(connection, sql, [], |row| row.get::<_, Option<String>>(0))?;
    Ok(found.into_iter().flatten().collect())
}
