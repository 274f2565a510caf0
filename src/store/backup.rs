//! A copy of the store while it is in use: by SQLite's backup API, never by copying its files.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::error::{Error, Kind, Result};
use super::reader;
use crate::files;

/// Pages a step; between two steps writers get their turn.
const STEP: i32 = 256;

/// Copies the store at `from` to `to`, checks the copy, and puts it in place whole or not at all. `progress` is told
/// how many of how many pages are done.
pub fn back_up(from: &Path, to: &Path, progress: &mut dyn FnMut(i64, i64)) -> Result<()> {
    let source = reader(from)?;
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(files::TEMPORARY);
    let temporary = to.with_file_name(name);
    let _ = std::fs::remove_file(&temporary);
    let done = copy(&source, &temporary, progress).and_then(|()| {
        let open = std::fs::File::open(&temporary).and_then(|file| file.sync_all());
        let renamed = open.and_then(|()| std::fs::rename(&temporary, to));
        renamed.map_err(|error| Error {
            kind: Kind::Io,
            detail: error.to_string(),
        })
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    done
}

fn copy(source: &Connection, temporary: &Path, progress: &mut dyn FnMut(i64, i64)) -> Result<()> {
    let mut target = Connection::open(temporary)?;
    {
        let backup = Backup::new(source, &mut target)?;
        loop {
            let step = backup.step(STEP)?;
            let at = backup.progress();
            progress(i64::from(at.pagecount - at.remaining), i64::from(at.pagecount));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
    // The copy stands alone: no -wal beside it.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    let check: String = target.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if check == "ok" {
        Ok(())
    } else {
        Err(Error {
            kind: Kind::Corrupt,
            detail: check,
        })
    }
}
