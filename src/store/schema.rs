//! The schema, as the list of steps that lead to it. A step is never changed once it was released; a new one is added.

use std::path::Path;

use rusqlite::Connection;

use super::error::{Error, Kind, Result};

/// Step `n` leads from schema version `n` to `n + 1`.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
    include_str!("schema-8.sql"),
    include_str!("schema-9.sql"),
    include_str!("schema-10.sql"),
    include_str!("schema-11.sql"),
    include_str!("schema-12.sql"),
];

/// The version that this callspool brings a store to (`PRAGMA user_version`).
pub const SCHEMA: usize = MIGRATIONS.len();

/// Brings the file from whatever version it has to the newest. Each step is one transaction; before the first step
/// on a file that holds data, a verified copy is put beside it.
pub(super) fn migrate(connection: &mut Connection, path: &Path, steps: &[&str]) -> Result<()> {
    let from = check_known(connection, steps)?;
    if from == steps.len() {
        return Ok(());
    }
    if from > 0 {
        back_up(connection, path, from)?;
    }
    // A table that others refer to can only be built anew while references aren't watched, and the switch has no
    // effect within a transaction. They are checked as a whole before each commit instead.
    connection.pragma_update(None, "foreign_keys", false)?;
    let done = steps
        .iter()
        .enumerate()
        .skip(from)
        .try_for_each(|(version, step)| run(connection, step, version + 1));
    connection.pragma_update(None, "foreign_keys", true)?;
    done
}

fn run(connection: &mut Connection, step: &str, version: usize) -> Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(step)?;
    let broken = transaction
        .prepare("PRAGMA foreign_key_check")?
        .query([])?
        .next()?
        .map(|row| row.get::<_, String>(0))
        .transpose()?;
    if let Some(table) = broken {
        return Err(Error {
            kind: Kind::Corrupt,
            detail: format!("after the step to schema {version} a row of {table} refers to nothing"),
        });
    }
    transaction.pragma_update(None, "user_version", version as i64)?;
    transaction.commit()?;
    Ok(())
}

/// The file's version, or an error if a newer callspool wrote it.
pub(super) fn check_known(connection: &Connection, steps: &[&str]) -> Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match usize::try_from(version) {
        Ok(known) if known <= steps.len() => Ok(known),
        _ => Err(Error {
            kind: Kind::TooNew,
            detail: format!("its schema is version {version}, this callspool knows {}", steps.len()),
        }),
    }
}

fn back_up(connection: &Connection, path: &Path, version: usize) -> Result<()> {
    let copy = path.with_extension(format!("before-{}.db", version + 1));
    let _ = std::fs::remove_file(&copy);
    connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    let check: String = Connection::open(&copy)?.query_row("PRAGMA quick_check", [], |row| row.get(0))?;
    if check == "ok" {
        Ok(())
    } else {
        Err(Error {
            kind: Kind::Corrupt,
            detail: check,
        })
    }
}
