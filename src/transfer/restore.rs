//! A store from a backup. It is looked at whole before anything is touched, what was there is set aside and not deleted, and
//! what the backup believes to be undelivered is marked as of unknown outcome: it may have been confirmed after the backup
//! was made. Deliveries' ids are made of the call, the target and what is told (D6), so that a target that was told hears the
//! same id again, and a target without ids is looked through before anything is made there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use crate::config::Config;
use crate::spool::Spool;
use crate::store::{self, SCHEMA, Store};
use crate::when;

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its schema.
    pub schema: i64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Calls in it.
    pub calls: i64,
    /// When its newest call was written down, Unix milliseconds.
    pub newest_ms: Option<i64>,
    /// Deliveries in it that are not confirmed.
    pub open: i64,
    /// Recordings that it says are on this box.
    pub recordings: i64,
    /// Of those, recordings whose files are not here: they are fetched again, as far as the PBX still has them.
    pub without_file: i64,
    /// Erasures that were asked for here since: the backup still has what they took away.
    pub erasures_since: i64,
}

/// A store that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// What was restored.
    pub seen: Seen,
    /// Where the store is that was there; `None` if there was none.
    pub aside: Option<PathBuf>,
    /// Recordings that only the other store knew, which were set aside with it.
    pub recordings_aside: u64,
}

/// Looks at a backup, whole: nothing is changed.
///
/// # Errors
/// Why it can't be restored, in words for whoever tries.
pub fn look_at(file: &Path, config: &Config) -> Result<Seen, String> {
    let found = file
        .symlink_metadata()
        .map_err(|error| format!("{} can't be read: {error}", file.display()))?;
    if !found.is_file() {
        return Err(format!("{} is no file", file.display()));
    }
    let told =
        |error: rusqlite::Error| format!("{} is no store of callspool, or is damaged: {error}", file.display());
    // As it lies there: a backup is one file, and looking must not make others beside it.
    let uri = format!("file:{}?immutable=1", escaped(file));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let backup = Connection::open_with_flags(uri, flags).map_err(told)?;
    let number = |sql: &str| {
        backup
            .query_row(sql, [], |row| row.get::<_, Option<i64>>(0))
            .map_err(told)
    };
    let schema = number("PRAGMA user_version")?.unwrap_or(0);
    if schema > SCHEMA as i64 {
        return Err(format!(
            "it is of a newer callspool (schema {schema}, this one knows {SCHEMA}); install that one, and then restore"
        ));
    }
    if schema < 1
        || number("SELECT count(*) FROM sqlite_schema WHERE name IN ('call', 'delivery', 'setting')")? != Some(3)
    {
        return Err(format!("{} is no store of callspool", file.display()));
    }
    let check: String = backup
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(told)?;
    if check != "ok" {
        return Err(format!("{} is damaged: {check}", file.display()));
    }
    let spool = config.state_dir.join("recordings");
    let mut names = backup
        .prepare("SELECT file FROM recording WHERE file IS NOT NULL")
        .map_err(told)?;
    let names = names.query_map([], |row| row.get::<_, String>(0)).map_err(told)?;
    let (mut recordings, mut without_file) = (0, 0);
    for name in names.flatten() {
        recordings += 1;
        // Names are ours, and another's word all the same.
        let plain = !name.split('/').any(|part| part == ".." || part.is_empty());
        if !plain {
            return Err(format!("{} names a recording outside of its folder", file.display()));
        }
        without_file += i64::from(!spool.join(&name).is_file());
    }
    let newest_ms = number("SELECT max(seen_ms) FROM call")?;
    Ok(Seen {
        schema,
        bytes: found.len(),
        calls: number("SELECT count(*) FROM call")?.unwrap_or(0),
        newest_ms,
        open: number("SELECT count(*) FROM delivery WHERE state NOT IN ('delivered', 'dropped')")?.unwrap_or(0),
        recordings,
        without_file,
        erasures_since: erasures_since(config, newest_ms.unwrap_or(0)),
    })
}

/// A path within a URI of SQLite.
fn escaped(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

/// Erasures of this box's own store that the backup can't know. None if that store can't be read: then nobody knows.
fn erasures_since(config: &Config, since_ms: i64) -> i64 {
    let path = config.state_dir.join("callspool.db");
    let known = Store::open_read_only(&path).and_then(|store| store.read(store::erasures));
    let known = known.unwrap_or_default();
    known.iter().filter(|erasure| erasure.asked_ms > since_ms).count() as i64
}

/// Puts the backup in the place of the store. The agent must not run: hold its lock.
///
/// # Errors
/// Why not. Until the last step what was there is as it was.
pub fn restore(file: &Path, config: &Config, now_ms: i64) -> Result<Restored, String> {
    let seen = look_at(file, config)?;
    let path = config.state_dir.join("callspool.db");
    let stamp = when::rfc3339(now_ms).get(..19).unwrap_or_default().replace(':', "-");
    let new = config.state_dir.join("callspool.restored.db");
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(with_suffix(&new, suffix));
    }
    store::back_up(file, &new, &mut |_, _| {}).map_err(|error| format!("it could not be copied: {error}"))?;
    prepare(&new).map_err(|error| format!("the copy could not be made ready: {error}"))?;
    let aside = match path.exists() {
        true => Some(set_aside(&path, &stamp)?),
        false => None,
    };
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: std::io::Error| format!("{what}: {error}")
    };
    fs::rename(&new, &path).map_err(failed("the restored store could not be put in place"))?;
    File::open(&config.state_dir)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("the folder could not be synced"))?;
    let recordings_aside = recordings_aside(config, &path, &stamp);
    Ok(Restored {
        seen,
        aside,
        recordings_aside,
    })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What is open in the copy may be confirmed by now.
fn prepare(copy: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(copy)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute("UPDATE delivery SET state = 'unsure' WHERE state = 'waiting'", [])?;
    Ok(())
}

/// Keeps the store that is there under another name, with its log if that can't be brought into it.
fn set_aside(path: &Path, stamp: &str) -> Result<PathBuf, String> {
    // A damaged one keeps its log beside it: whoever looks into it needs both.
    if let Ok(old) = Connection::open(path) {
        let _ = old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    let to = path.with_extension(format!("before-restore-{stamp}.db"));
    let failed = |error: std::io::Error| format!("what is there could not be set aside: {error}");
    // Linked and not moved: between this and the next step there is always a store.
    fs::hard_link(path, &to)
        .or_else(|_| fs::copy(path, &to).map(|_| ()))
        .map_err(failed)?;
    for suffix in ["-wal", "-shm"] {
        let from = with_suffix(path, suffix);
        if from.exists() {
            fs::rename(&from, with_suffix(&to, suffix)).map_err(failed)?;
        }
    }
    Ok(to)
}

/// Recordings that the restored store does not know would be taken for rubbish at the next start.
fn recordings_aside(config: &Config, path: &Path, stamp: &str) -> u64 {
    let moved = Spool::open(&config.state_dir, config.spool.clone())
        .map_err(|error| error.to_string())
        .and_then(|spool| {
            let store = Store::open(path).map_err(|error| error.to_string())?;
            let to = config.state_dir.join(format!("recordings.before-restore-{stamp}"));
            crate::spool::set_strangers_aside(&spool, &store, &to).map_err(|error| format!("{error:?}"))
        });
    moved.unwrap_or_else(|error| {
        log::warn!("recordings that only the other store knew could not be set aside: {error}");
        0
    })
}
