//! Deleting what every target has, and never anything else (rule D5), backwards (rule D3).

use std::sync::atomic::Ordering;

use super::Spool;
use crate::clock::Clock;
use crate::files;
use crate::model::{Recording, RecordingState};
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

/// So many are looked at in a commit.
const BATCH: usize = 64;

/// So many of those that may still wait for a target are looked at each time.
const WINDOW: usize = 2_000;

/// Evicts recordings whose time of keeping is over, or, with `need_room`, those whose time ends first, whatever it is.
pub fn evict(spool: &Spool, store: &Store, clock: &Clock, need_room: bool) -> Result<Evicted, Error> {
    judge(spool, store, clock).map_err(Error::Store)?;
    let keep_ms = i64::try_from(spool.limits.keep.as_millis()).unwrap_or(i64::MAX);
    let over = store
        .read(|c| store::evictable(c, keep_ms, need_room, clock, BATCH))
        .map_err(Error::Store)?;
    let mut evicted = Evicted::default();
    for recording in over {
        let id = recording.id;
        begin(store, &recording, "being deleted to make room", clock)?;
        spool.unlink(&recording)?;
        store
            .write(move |within| store::mark_evicted(within, id))
            .map_err(Error::Store)?;
        evicted.files += 1;
        evicted.bytes += recording.bytes.unwrap_or(0) as u64;
    }
    Ok(evicted)
}

/// Notes of recordings that every target has by now since when: their time of keeping counts from there.
/// Goes on where it ended the last time.
fn judge(spool: &Spool, store: &Store, clock: &Clock) -> store::Result<()> {
    let after = spool.judged.load(Ordering::Relaxed);
    let (safe, last) = store.read(|c| store::recordings_now_safe(c, after, WINDOW))?;
    for some in safe.chunks(BATCH) {
        let (some, clock) = (some.to_vec(), clock.clone());
        store.write(move |within| {
            store::note_time(within, &clock)?;
            some.iter().try_for_each(|id| store::mark_safe(within, *id, &clock))
        })?;
    }
    spool.judged.store(last, Ordering::Relaxed);
    Ok(())
}

/// The first step of rule D3.
fn begin(store: &Store, recording: &Recording, reason: &'static str, clock: &Clock) -> Result<(), Error> {
    let (id, clock) = (recording.id, clock.clone());
    store
        .write(move |within| {
            let why = ("deleting", reason);
            store::set_recording_state(within, id, RecordingState::Deleting, why, 0, &clock)
        })
        .map_err(Error::Store)
}

impl Spool {
    fn unlink(&self, recording: &Recording) -> Result<(), Error> {
        recording
            .file
            .as_deref()
            .map_or(Ok(()), |name| self.remove(name).map_err(Error::Files))
    }

    /// Deletes the file of a recording that is erased (rule D3 up to "row gone"), unless another one that stays shares
    /// it. A start after a cut finishes it.
    pub fn erase(&self, store: &Store, recording: &Recording, clock: &Clock) -> Result<(), Error> {
        let Some(name) = &recording.file else { return Ok(()) };
        let others = store
            .read(|c| store::others_with_file(c, recording.id, name))
            .map_err(Error::Store)?;
        if others > 0 {
            return Ok(());
        }
        let (id, clock) = (recording.id, clock.clone());
        let begun = store
            .write(move |within| store::begin_erasing(within, id, &clock))
            .map_err(Error::Store)?;
        match begun {
            true => self.unlink(recording),
            // A hold came in between.
            false => Ok(()),
        }
    }

    /// Deletes a file that was taken and that no row wants any more.
    pub fn discard(&self, name: &str) -> Result<(), files::Error> {
        self.remove(name)
    }
}
