//! Leaving no trace of what was deleted in the store's own files.
//!
//! Rows that are deleted are overwritten at once (`secure_delete`). What remains then is the write-ahead log, which still
//! has the pages as they were; copies that were put beside the store before a step of its schema; and, in a store that
//! was begun before all that, old free pages.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::{Error, Result, Store};
use crate::files;

/// A new file has nothing deleted in it.
pub(super) fn born_clean(connection: &Connection) -> Result<()> {
    connection.execute("INSERT OR IGNORE INTO clean_store (one) VALUES (1)", [])?;
    Ok(())
}

impl Store {
    /// Overwrites what is left of deleted rows. `false`: somebody is reading what was, try again.
    pub fn scrub(&self) -> Result<bool> {
        remove_copies(self.path())?;
        self.0.group.alone(|connection| {
            let sql = "SELECT 1 FROM clean_store";
            let clean = connection.query_row(sql, [], |_| Ok(())).optional()?.is_some();
            if !clean {
                connection.execute_batch("VACUUM")?;
                born_clean(connection)?;
            }
            let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            Ok(busy == 0)
        })
    }
}

/// Removes the copies that were made before steps of the schema (`callspool.before-6.db`).
fn remove_copies(store: &Path) -> Result<()> {
    let stem = store.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = store.parent().unwrap_or(Path::new("."));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&format!("{stem}.before-")) && name.ends_with(".db") {
            files::remove(&entry.path()).map_err(|error| Error::internal(error.to_string()))?;
        }
    }
    Ok(())
}
