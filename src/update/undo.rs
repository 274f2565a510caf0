//! The store, for a release that is older than the one before it: which schema it has, and the copy that was made before a
//! step of the schema put back.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::Error;
use crate::files::{self, Staged};

/// The store in a state folder.
pub fn store_of(state_dir: &Path) -> PathBuf {
    state_dir.join("callspool.db")
}

/// The schema that the store has; `None` where there is no store yet.
///
/// # Errors
/// If it can't be read.
pub fn schema_of(state_dir: &Path) -> Result<Option<u32>, Error> {
    let path = store_of(state_dir);
    if !path.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let read = Connection::open_with_flags(&path, flags)
        .and_then(|store| store.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0)));
    read.map(Some)
        .map_err(|error| Error::new("store", format!("the store can't be read: {error}")))
}

/// The copy that was made when the store left `schema`.
pub fn copy_of(state_dir: &Path, schema: u32) -> PathBuf {
    store_of(state_dir).with_extension(format!("before-{}.db", schema + 1))
}

/// Puts that copy in the store's place; what stood there is kept as `callspool.before-rollback.db`. It may be cut anywhere
/// and done again.
///
/// What came since the copy was made is read from the PBX again, and ids of deliveries are made of what they deliver, so a
/// receiver knows what it already has.
///
/// # Errors
/// If there is no such copy, or no room.
pub fn put_back(state_dir: &Path, schema: u32) -> Result<(), Error> {
    let (store, copy) = (store_of(state_dir), copy_of(state_dir, schema));
    let mut source = File::open(&copy).map_err(files::told("open", &copy))?;
    let mut staged = Staged::beside(&store)?;
    let mut chunk = vec![0; 64 << 10];
    loop {
        let got = source.read(&mut chunk).map_err(files::told("read", &copy))?;
        if got == 0 {
            break;
        }
        staged.append(&chunk[..got])?;
    }
    // What stands in the log beside it belongs to the failed store: it is folded in if that can still be done.
    if let Ok(failed) = Connection::open(&store) {
        let _ = failed.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    for beside in ["callspool.db-wal", "callspool.db-shm"] {
        files::remove(&state_dir.join(beside))?;
    }
    if store.exists() {
        let kept = store.with_extension("before-rollback.db");
        fs::rename(&store, &kept).map_err(files::told("rename", &store))?;
    }
    staged.publish(&store)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(path: &Path, word: &str, schema: u32) {
        let store = Connection::open(path).unwrap();
        store.pragma_update(None, "journal_mode", "WAL").unwrap();
        store
            .execute_batch("CREATE TABLE IF NOT EXISTS said (word TEXT)")
            .unwrap();
        store.execute("INSERT INTO said VALUES (?1)", [word]).unwrap();
        store.pragma_update(None, "user_version", schema).unwrap();
    }

    fn words(path: &Path) -> Vec<String> {
        let store = Connection::open(path).unwrap();
        let mut asked = store.prepare("SELECT word FROM said").unwrap();
        let words = asked.query_map([], |row| row.get(0)).unwrap();
        words.map(Result::unwrap).collect()
    }

    #[test]
    fn the_copy_of_before_is_put_back_as_often_as_it_is_asked_and_the_other_is_kept() {
        let folder = std::env::temp_dir().join(format!("callspool-undo-{}", crate::random::token::<6>()));
        files::make_folder(&folder).unwrap();
        assert_eq!(schema_of(&folder).unwrap(), None);
        let store = store_of(&folder);
        say(&store, "before", 12);
        assert_eq!(put_back(&folder, 12).unwrap_err().code, "failed", "there is no copy");
        let open = Connection::open(&store).unwrap();
        open.execute("VACUUM INTO ?1", [copy_of(&folder, 12).to_string_lossy()])
            .unwrap();
        drop(open);
        say(&store, "after", 13);
        // A store that was not closed has its newest pages in the log.
        let unclean = Connection::open(&store).unwrap();
        unclean.execute("INSERT INTO said VALUES ('last')", []).unwrap();
        std::mem::forget(unclean);
        assert_eq!(schema_of(&folder).unwrap(), Some(13));
        put_back(&folder, 12).unwrap();
        assert_eq!(
            (schema_of(&folder).unwrap(), words(&store)),
            (Some(12), vec!["before".to_owned()])
        );
        let kept = words(&store.with_extension("before-rollback.db"));
        assert_eq!(kept, ["before", "after", "last"]);
        put_back(&folder, 12).unwrap();
        assert_eq!(words(&store), ["before"]);
        fs::remove_dir_all(folder).unwrap();
    }
}
