//! Deleting what every target has, oldest first, and never anything else (rule D5), backwards (rule D3).

use super::Spool;
use crate::clock::Clock;
use crate::files;
use crate::model::RecordingState;
use crate::store::{self, Store};

/// What was evicted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evicted {
    /// Recordings.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Why evicting stopped.
#[derive(Debug)]
pub enum Error {
    /// The store failed.
    Store(store::Error),
    /// The file system failed.
    Files(files::Error),
}

/// Evicts recordings whose time of keeping is over, or, with `need_room`, the oldest delivered ones whatever their age.
pub fn evict(spool: &Spool, store: &Store, clock: &Clock, need_room: bool) -> Result<Evicted, Error> {
    let keep_ms = if need_room {
        0
    } else {
        spool.limits.keep.as_millis() as i64
    };
    let old = store
        .read(|c| store::evictable(c, clock.wall_ms() - keep_ms, 64))
        .map_err(Error::Store)?;
    let mut evicted = Evicted::default();
    for recording in old {
        let (id, at) = (recording.id, clock.clone());
        store
            .write(move |within| {
                let why = ("deleting", "being deleted to make room");
                store::set_recording_state(within, id, RecordingState::Deleting, why, 0, &at)
            })
            .map_err(Error::Store)?;
        if let Some(name) = &recording.file {
            spool.remove(name).map_err(Error::Files)?;
        }
        store
            .write(move |within| store::mark_evicted(within, id))
            .map_err(Error::Store)?;
        evicted.files += 1;
        evicted.bytes += recording.bytes.unwrap_or(0) as u64;
    }
    Ok(evicted)
}
