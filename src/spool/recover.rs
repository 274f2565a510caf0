//! What start-up finds after a cut, and puts right: half-written files, half-done deletions, rows without files and
//! files without rows. A second recovery changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::Spool;
use crate::clock::Clock;
use crate::files;
use crate::model::RecordingState;
use crate::store::{self, Store};

/// What was put right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Half-written files that were removed.
    pub temporary: u64,
    /// Deletions that were finished.
    pub deletions: u64,
    /// Recordings whose file was lost or damaged: they are fetched again.
    pub lost: u64,
    /// Whole files that no row knew: the PBX still has them, they are fetched again.
    pub unknown: u64,
    /// Unknown files that were left alone, because there were so many that rather the store is wrong.
    pub left: u64,
}

/// Puts the spool and the store in agreement. With `verify`, every held file is read and its hash compared.
pub fn recover(spool: &Spool, store: &Store, clock: &Clock, verify: bool) -> Result<Recovered, super::EvictError> {
    use super::EvictError::{Files, Store as Stored};
    let mut done = Recovered::default();
    let known = store.read(store::files_known).map_err(Stored)?;
    let mut names: BTreeMap<String, ()> = BTreeMap::new();
    for recording in known {
        let Some(name) = recording.file.clone() else { continue };
        let (id, at) = (recording.id, clock.clone());
        if recording.state == RecordingState::Deleting {
            spool.remove(&name).map_err(Files)?;
            store
                .write(move |within| store::mark_evicted(within, id))
                .map_err(Stored)?;
            done.deletions += 1;
            continue;
        }
        if !is_as_stored(spool, &name, &recording, verify) {
            let why = (
                "lost-here",
                "its file was lost or damaged on this box; it is fetched again",
            );
            store
                .write(move |within| store::forget_file(within, id, why, &at))
                .map_err(Stored)?;
            done.lost += 1;
            continue;
        }
        names.insert(name, ());
    }
    let (temporary, unknown) = strangers(&spool.root, &names).map_err(Files)?;
    for path in temporary {
        files::remove(&path).map_err(Files)?;
        done.temporary += 1;
    }
    // More strangers than known files means that the store was lost, not that the files are rubbish.
    if unknown.len() > names.len().max(16) {
        done.left = unknown.len() as u64;
        return Ok(done);
    }
    for path in unknown {
        files::remove(&path).map_err(Files)?;
        done.unknown += 1;
    }
    Ok(done)
}

/// Moves files that no row knows to the folder `to`, for the store was just put in the place of another. Gives how many.
///
/// # Errors
/// If a folder can't be read or made; what was moved is moved.
pub fn set_strangers_aside(spool: &Spool, store: &Store, to: &Path) -> Result<u64, super::EvictError> {
    use super::EvictError::{Files, Store as Stored};
    let known = store.read(store::files_known).map_err(Stored)?;
    let names = known
        .into_iter()
        .filter_map(|one| one.file)
        .map(|name| (name, ()))
        .collect();
    let (_, unknown) = strangers(&spool.root, &names).map_err(Files)?;
    let mut moved = 0;
    for path in unknown {
        files::make_folder(to).map_err(Files)?;
        let leaf = path.file_name().unwrap_or_default();
        fs::rename(&path, to.join(leaf))
            .map_err(files::told("rename", &path))
            .map_err(Files)?;
        moved += 1;
    }
    Ok(moved)
}

fn is_as_stored(spool: &Spool, name: &str, recording: &crate::model::Recording, verify: bool) -> bool {
    let expected = recording.bytes.unwrap_or(-1);
    if verify {
        return spool.measure(name).is_ok_and(|found| {
            found.bytes as i64 == expected
                && recording.sha256.as_deref() == Some(crate::random::hex(&found.sha256).as_str())
        });
    }
    let path = spool.path(name);
    path.and_then(fs::metadata)
        .is_ok_and(|file| file.is_file() && file.len() as i64 == expected)
}

type Paths = Vec<std::path::PathBuf>;

/// Files below `root` that no row names: temporary ones, and others.
fn strangers(root: &Path, known: &BTreeMap<String, ()>) -> Result<(Paths, Paths), files::Error> {
    let (mut temporary, mut unknown) = (Vec::new(), Vec::new());
    for folder in fs::read_dir(root).map_err(files::told("read", root))? {
        let folder = folder.map_err(files::told("read", root))?.path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(&folder).map_err(files::told("read", &folder))? {
            let path = file.map_err(files::told("read", &folder))?.path();
            let leaf = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = format!("{}/{leaf}", folder.file_name().unwrap_or_default().to_string_lossy());
            if leaf.ends_with(files::TEMPORARY) {
                temporary.push(path);
            } else if !known.contains_key(&name) {
                unknown.push(path);
            }
        }
    }
    Ok((temporary, unknown))
}
